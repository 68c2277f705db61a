/** To and fro between a terminal and the page: one conversation, one writer at a time, every word once. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { appendFileSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { afterAll, vi } from "vitest"
import type { Client, Event } from "../support/client.js"
import { makeTerminal } from "../support/nativeTerminal.js"
import { type Relay, test } from "../support/relayServer.js"

// The registry of what is open is read by pids, as Linux tells them.
const describeOnLinux = process.platform === "linux" ? describe : describe.skip

const terminals: Array<ReturnType<typeof makeTerminal>> = []
const aTerminal = () => {
  const terminal = makeTerminal()
  terminals.push(terminal)
  return terminal
}
afterAll(() => terminals.forEach((terminal) => terminal.remove()))

const said = (events: ReadonlyArray<Event>) =>
  events.flatMap(({ metadata, text, type }) =>
    type === "turn_start"
      ? [`${metadata?.history === true ? "past" : "now"} > ${text}`]
      : type === "response"
      ? [`${metadata?.history === true ? "past" : "now"} < ${text}`]
      : []
  )

const open = async (relay: Relay, terminal: ReturnType<typeof makeTerminal>, fields: object = {}) => {
  const client = await relay.connect({ tool: "claude", native_session_id: terminal.id, ...fields })
  await client.waitFor("session_start")
  return client
}
/** Say it here, and wait for its answer: turns of the past end meanwhile, too. */
const ask = async (client: Client, text: string) => {
  const after = client.events.at(-1)?.seq ?? 0
  client.send({ text })
  await client.waitFor((event) => event.type === "response" && event["text"] === `relay: ${text}`, { after })
}
const inStatus = (status: string) => (event: Event) => event.type === "status" && event["status"] === status

describeOnLinux("a conversation of a terminal, opened with its history", () => {
  const terminal = aTerminal()
  terminal.turn("one")
  terminal.turn("two")

  test("is one log in one order, and goes on", async (relay) => {
    const client = await open(relay, terminal, { history: true })
    await client.waitFor((event) => event.type === "status" && event["metadata"]?.state === "end")
    await ask(client, "three")
    assert.deepStrictEqual(said(client.events), [
      "past > one",
      "past < terminal: one",
      "past > two",
      "past < terminal: two",
      "now > three",
      "now < relay: three"
    ])
    const [first, begin] = client.events
    assert.strictEqual(first?.type, "session_start")
    assert.strictEqual(first?.seq, 1)
    assert.strictEqual(first?.["metadata"].folder, terminal.folder)
    assert.deepInclude(begin, { type: "status", status: "history" })
    assert.strictEqual(relay.agent().spec.native_session_id, terminal.id)
    assert.deepStrictEqual(client.events.map(({ seq }) => seq), client.events.map((_, place) => place + 1))
    const turns = client.events.filter(({ type }) => type === "turn_start").map(({ turn }) => turn)
    assert.deepStrictEqual(turns, [1, 2, 3])
  }, terminal.options)

  test("is logged once, though the agent repeats it when it is started", async (relay) => {
    const client = await open(relay, terminal, { history: true })
    await client.waitFor((event) => event.type === "status" && event["metadata"]?.state === "end")
    const text = "relay: two"
    const again = { type: "assistant_message", content: [{ type: "text", text }], text } as const
    const replay = { metadata: { replay: true } }
    await Effect.runPromise(relay.agent().say({ ...again, ...replay }, { type: "status", status: "here" }))
    await client.waitFor(inStatus("here"))
    assert.notInclude(client.events.map(({ metadata }) => metadata?.replay), true)
    // What Claude echoes in a turn is no repetition.
    client.send({ text: "go" })
    await client.waitFor((event) => event.type === "response" && event["text"] === "relay: go")
  }, terminal.options)

  test("has no past where none is asked for", async (relay) => {
    const client = await open(relay, terminal)
    await ask(client, "four")
    assert.deepStrictEqual(said(client.events), ["now > four", "now < relay: four"])
  }, terminal.options)

  test("is opened once: who comes with its id joins the session that has it", async (relay) => {
    const first = await open(relay, terminal, { history: true, session_id: "mine" })
    const second = await open(relay, terminal, { history: true })
    assert.strictEqual(second.events[0]?.["session_id"], first.events[0]?.["session_id"])
    assert.strictEqual(relay.fake.agents.length, 1)
    const third = await relay.connect({ tool: "claude", native_session_id: terminal.id, session_id: "other" })
    assert.deepInclude(await third.waitFor("error"), { code: "in_use" })
  }, terminal.options)
})

describeOnLinux("a turn of the relay's own", () => {
  const terminal = aTerminal()
  terminal.turn("one")
  const disk = terminal.options.native_files
  let read = 0
  const counting = {
    ...disk,
    read: (path: string, from: number, length: number) => {
      if (path === terminal.path) read += 1
      return disk.read(path, from, length)
    }
  }

  /** How often the file was read when the agent was handed each prompt. */
  const atPrompt: Array<number> = []
  const noting: typeof terminal.options.onCommand = (command, agent) => {
    atPrompt.push(read)
    return terminal.options.onCommand(command, agent)
  }

  test("is read once it is written down, so that the next prompt has nothing to read", async (relay) => {
    const client = await open(relay, terminal, { history: true })
    await client.waitFor((event) => event.type === "status" && event["metadata"]?.state === "end")
    await ask(client, "two")
    const before = read
    await vi.waitFor(() => assert.isAbove(read, before), { timeout: 10_000, interval: 20 })
    const settled = read
    await ask(client, "three")
    assert.strictEqual(atPrompt.at(-1), settled)
    assert.strictEqual(relay.fake.agents.length, 1)
  }, { ...terminal.options, onCommand: noting, native_files: counting })
})

describeOnLinux("what is said in the terminal meanwhile", () => {
  const terminal = aTerminal()
  terminal.turn("one")

  test("is taken in before the next prompt, once, and the agent is started anew", async (relay) => {
    const client = await open(relay, terminal, { history: true })
    await ask(client, "two")
    terminal.turn("three")
    terminal.turn("four")
    await ask(client, "five")
    await ask(client, "six")
    assert.deepStrictEqual(said(client.events).filter((line) => line.includes(">")), [
      "past > one",
      "now > two",
      "past > three",
      "past > four",
      "now > five",
      "now > six"
    ])
    assert.strictEqual(relay.fake.agents.length, 2)
    assert.deepStrictEqual(
      relay.agent().sent.flatMap((command) => command.type === "user_message" ? [command.content[0]] : []),
      [{ type: "text", text: "five" }, { type: "text", text: "six" }]
    )
    assert.strictEqual(relay.agent().spec.native_session_id, terminal.id)
    const taken = client.events.find(({ text, type }) => type === "turn_start" && text === "three")
    assert.deepInclude(taken?.["metadata"], { origin: "terminal", history: true })
  }, terminal.options)

  test("is told apart from the same words said here", async (relay) => {
    const other = aTerminal()
    other.turn("go on")
    const client = await relay.connect({
      tool: "claude",
      native_session_id: terminal.id,
      history: true
    })
    await client.waitFor("session_start")
    await ask(client, "go on")
    terminal.turn("go on")
    await ask(client, "go on")
    const lines = said(client.events).filter((line) => line.endsWith("> go on"))
    assert.deepStrictEqual(lines, ["now > go on", "past > go on", "now > go on"])
  }, terminal.options)
})

describeOnLinux("a conversation that a terminal has open", () => {
  const terminal = aTerminal()
  terminal.turn("one")

  test("is not written to: who wants it is told", async (relay) => {
    terminal.openTerminal()
    const client = await relay.connect({ tool: "claude", native_session_id: terminal.id, history: true })
    const refusal = await client.waitFor("error")
    assert.deepInclude(refusal, { code: "in_use" })
    assert.include(refusal["text"], `process ${process.ppid}`)
    assert.include(refusal["text"], "quit it there")
    assert.strictEqual(relay.fake.agents.length, 0)
    terminal.quitTerminal()
  }, terminal.options)

  test("is waited for where only the agent of a killed relay still has it open", async (relay) => {
    const left = terminal.leaveBehind()
    setTimeout(() => process.kill(left, "SIGKILL"), 500)
    await open(relay, terminal)
    assert.strictEqual(relay.agent().spec.native_session_id, terminal.id)
  }, terminal.options)

  /** An agent that waits for the terminal, which opens the conversation a moment after the relay looked. */
  const late = {
    ...terminal.options,
    opening: () => Effect.andThen(Effect.sync(() => terminal.openTerminal()), Effect.never)
  }
  test("is not waited for where it was opened in the same moment: who wants it is told", async (relay) => {
    const client = await relay.connect({ tool: "claude", native_session_id: terminal.id })
    assert.deepInclude(await client.waitFor("error"), { code: "in_use" })
    terminal.quitTerminal()
  }, late)

  test("is followed where it was opened in the same moment", async (relay) => {
    const client = await open(relay, terminal, { if_open: "follow" })
    assert.strictEqual(client.events[0]?.["metadata"].drive, "following")
    terminal.quitTerminal()
  }, late)

  test("is followed as it is written, and goes on here when the terminal is quit", async (relay) => {
    terminal.openTerminal("busy")
    const client = await open(relay, terminal, { history: true, if_open: "follow" })
    assert.strictEqual(relay.fake.agents.length, 0)
    terminal.prompt("two")
    await client.waitFor((event) => event.type === "turn_start" && event["text"] === "two")
    terminal.openTerminal("waiting", { waitingFor: "permission prompt" })
    assert.include((await client.waitFor(inStatus("waiting")))["text"], "permission prompt")
    client.send({ text: "not yet", message_id: "early" })
    assert.deepInclude(await client.waitFor("error"), { code: "in_use", message_id: "early" })
    terminal.answer("terminal: two")
    await client.waitFor((event) => event.type === "assistant_message" && event["text"] === "terminal: two")
    terminal.quitTerminal()
    await client.waitFor(inStatus("released"))
    await ask(client, "three")
    assert.strictEqual(relay.fake.agents.length, 1)
    assert.deepStrictEqual(said(client.events), [
      "past > one",
      "past < terminal: one",
      "past > two",
      "past < terminal: two",
      "now > three",
      "now < relay: three"
    ])
  }, terminal.options)

  test("is not written to either when the terminal opened it later", async (relay) => {
    const client = await open(relay, terminal, { history: true })
    await ask(client, "four")
    terminal.openTerminal()
    client.send({ text: "five", message_id: "m5" })
    assert.deepInclude(await client.waitFor("error"), { code: "in_use", message_id: "m5" })
    terminal.turn("six")
    terminal.quitTerminal()
    await ask(client, "seven")
    assert.deepStrictEqual(said(client.events).slice(-4).filter((line) => line.includes(">")), [
      "past > six",
      "now > seven"
    ])
  }, terminal.options)

  test("can be gone on with in a copy", async (relay) => {
    terminal.openTerminal()
    const client = await open(relay, terminal, { history: true, if_open: "fork" })
    assert.isTrue(relay.agent().spec.fork)
    assert.include(said(client.events), "past > one")
    terminal.quitTerminal()
  }, terminal.options)
})

describeOnLinux("a session whose agent runs here", () => {
  const terminal = aTerminal()
  terminal.turn("one")

  test("looks for nothing and sets no timer, until it follows the terminal", async (relay) => {
    const timers = vi.spyOn(globalThis, "setTimeout")
    const looks = () => timers.mock.calls.filter(([, ms]) => ms === 250).length
    try {
      const client = await open(relay, terminal)
      assert.strictEqual(looks(), 0)
      client.send({ type: "hand_over" })
      await client.waitFor(inStatus("handed_over"))
      await vi.waitFor(() => assert.isAbove(looks(), 0))
    } finally {
      timers.mockRestore()
    }
  }, terminal.options)
})

describeOnLinux("giving a conversation back", () => {
  const terminal = aTerminal()
  terminal.turn("one")

  test(
    "ends the agent, tells the command, follows the terminal, and takes over again: no double, no hole",
    async (relay) => {
      const client = await open(relay, terminal, { history: true })
      await ask(client, "two")
      for (const [there, here] of [["three", "four"], ["five", "six"], ["seven", "eight"]] as const) {
        const after = client.events.at(-1)?.seq ?? 0
        client.send({ type: "hand_over" })
        const given = await client.waitFor(inStatus("handed_over"), { after })
        assert.deepStrictEqual(given["metadata"].continue_with.argv, ["claude", "--resume", terminal.id])
        assert.strictEqual(
          given["metadata"].continue_with.shell,
          `cd -- ${terminal.folder} && claude --resume ${terminal.id}`
        )
        terminal.openTerminal()
        terminal.turn(there)
        await client.waitFor((event) =>
          event.type === "assistant_message" && event["text"] === `terminal: ${there}`
        )
        terminal.quitTerminal()
        await client.waitFor(inStatus("released"), { after })
        await ask(client, here)
      }
      assert.deepStrictEqual(said(client.events).filter((line) => line.includes(">")), [
        "past > one",
        "now > two",
        "past > three",
        "now > four",
        "past > five",
        "now > six",
        "past > seven",
        "now > eight"
      ])
      assert.strictEqual(relay.fake.agents.length, 4)
    },
    terminal.options
  )
})

describeOnLinux("a conversation whose file is not only added to", () => {
  const clock = aTerminal()
  clock.turn("one")

  test("is taken in whole where the clock was set back meanwhile", async (relay) => {
    const client = await open(relay, clock, { history: true })
    await ask(client, "two")
    clock.setClock(-3_600_000)
    clock.turn("three")
    clock.setClock(0)
    await ask(client, "four")
    clock.setClock(-7_200_000)
    clock.turn("five")
    clock.setClock(0)
    await ask(client, "six")
    assert.deepStrictEqual(said(client.events).filter((line) => line.includes(">")), [
      "past > one",
      "now > two",
      "past > three",
      "now > four",
      "past > five",
      "now > six"
    ])
  }, clock.options)

  const replaced = aTerminal()
  for (const word of ["one", "two"]) replaced.turn(word)
  test("is followed when it is replaced, shortened, and moved: each turn once", async (relay) => {
    replaced.openTerminal()
    const client = await open(relay, replaced, { history: true, if_open: "follow" })
    const heard = (text: string) =>
      client.waitFor((event) => event.type === "assistant_message" && event["text"] === `terminal: ${text}`)
    await heard("two")
    replaced.turn("three")
    await heard("three")
    // Another file in its place, with more in it.
    writeFileSync(`${replaced.path}.new`, readFileSync(replaced.path))
    renameSync(`${replaced.path}.new`, replaced.path)
    replaced.turn("four")
    await heard("four")
    // A line that was cut out again, and one that was begun.
    const { length } = readFileSync(replaced.path)
    appendFileSync(replaced.path, "{\"type\":\"user\",\"uuid\":\"torn")
    truncateSync(replaced.path, length)
    replaced.turn("five")
    await heard("five")
    const moved = join(dirname(dirname(replaced.path)), `${basename(dirname(replaced.path))}-moved`)
    mkdirSync(moved)
    renameSync(replaced.path, join(moved, basename(replaced.path)))
    appendFileSync(
      join(moved, basename(replaced.path)),
      readFileSync(join(moved, basename(replaced.path)), "utf8").trim().split("\n").slice(-2).map((line) =>
        `${
          line.replaceAll("five", "six").replace(/"uuid":"(.{8})/, "\"uuid\":\"ffffffff")
            .replace(/"parentUuid":"(.{8})/, (whole, start: string) =>
              line.includes("assistant") ? whole.replace(start, "ffffffff") : whole)
        }\n`
      ).join("")
    )
    await heard("six")
    replaced.quitTerminal()
    const prompts = said(client.events).filter((line) => line.includes(">"))
    assert.deepStrictEqual(
      prompts,
      ["one", "two", "three", "four", "five", "six"].map((word) => `past > ${word}`)
    )
  }, replaced.options)

  const trailing = aTerminal()
  trailing.turn("one")
  // Claude keeps copies of changed files, and what it showed the model, in lines of their own.
  const aside = JSON.stringify({ type: "file-history-snapshot", snapshot: "x".repeat(200_000) })
  appendFileSync(trailing.path, `${aside}\n`)
  test("is taken in also behind a long line that nobody said", async (relay) => {
    const client = await open(relay, trailing, { history: true })
    await client.waitFor((event) => event.type === "status" && event["metadata"]?.state === "end")
    trailing.turn("two")
    await ask(client, "three")
    assert.deepStrictEqual(said(client.events).filter((line) => line.includes(">")), [
      "past > one",
      "past > two",
      "now > three"
    ])
    assert.strictEqual(relay.fake.agents.length, 2)
  }, trailing.options)

  const growing = aTerminal()
  growing.turn("one")
  let looks = 0
  const disk = growing.options.native_files
  const counting = {
    ...disk,
    read: (path: string, from: number, length: number) => {
      if (path === growing.path) looks += 1
      return disk.read(path, from, length)
    }
  }
  test("is followed also where a long line is read half written", async (relay) => {
    growing.openTerminal()
    const client = await open(relay, growing, { history: true, if_open: "follow" })
    await client.waitFor((event) => event.type === "assistant_message")
    const { length } = readFileSync(growing.path)
    const long = `two ${"x".repeat(900_000)}`
    growing.turn(long)
    const whole = readFileSync(growing.path)
    // Node writes pieces of 512 KiB.
    truncateSync(growing.path, length + 512 * 1024)
    const before = looks
    await vi.waitFor(() => assert.isAbove(looks, before + 1), { timeout: 10_000, interval: 20 })
    appendFileSync(growing.path, whole.subarray(length + 512 * 1024))
    await client.waitFor((event) =>
      event.type === "assistant_message" && event["text"] === `terminal: ${long}`
    )
    growing.quitTerminal()
    assert.deepStrictEqual(said(client.events).filter((line) => line.includes(">")), [
      "past > one",
      `past > ${long}`
    ])
  }, { ...growing.options, native_files: counting })
})
