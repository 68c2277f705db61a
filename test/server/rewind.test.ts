/** Back to before a turn, as a page sees it: files, conversation, both; refused, undone; who may. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { installFakeClaude } from "../support/fakeClaude.js"
import { makeTerminal } from "../support/nativeTerminal.js"
import { type Options, type Relay, test } from "../support/relayServer.js"

const base = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-rewind-")))
const terminals: Array<ReturnType<typeof makeTerminal>> = []
afterAll(() => {
  rmSync(base, { recursive: true, force: true })
  terminals.forEach((terminal) => terminal.remove())
})

let count = 0
const fresh = (name: string) => {
  const folder = join(base, `${name}-${count++}`)
  mkdirSync(folder)
  return folder
}

/** An agent that writes what it is told, `write NAME TEXT`, the moment it is told. */
const writing = (folder: string, more: Options = {}): Options => ({
  tool: "fake",
  roots: [base],
  state_dir: fresh("state"),
  works_on_files: true,
  onCommand: (command, agent) => {
    if (command.type !== "user_message") return Effect.void
    const [block] = command.content.slice(-1)
    const [, name = "none", text = ""] = /write (\S+) (.*)/.exec(block?.type === "text" ? block.text : "") ??
      []
    if (name !== "none") writeFileSync(join(folder, name), text)
    return agent.say({ type: "response", text: "Done." }, { type: "turn_end", stop_reason: "end_turn" })
  },
  ...more
})

const inStatus = (status: string) => (event: Event) => event.type === "status" && event["status"] === status
const turn = async (client: Client, text: string) => {
  const after = client.events.at(-1)?.seq ?? 0
  client.send({ text })
  await client.waitFor("turn_end", { after })
}
const answerTo = async (
  client: Client,
  command: { readonly type: string; readonly [field: string]: unknown }
) => {
  const message_id = `c-${count++}`
  client.send({ ...command, message_id })
  return await client.waitFor((event) =>
    (event.type === "error" || event.type === "input_ack") && event["message_id"] === message_id
  )
}
const getJson = async (relay: Relay, path: string, token?: string) => {
  const answer = await fetch(`http://127.0.0.1:${relay.port}${path}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
  })
  return { status: answer.status, body: await answer.json() as Event }
}

describe("files", () => {
  const folder = fresh("shop")
  test("are set back to before a turn whose agent wrote at once, and the rewind is undone", async (relay) => {
    writeFileSync(join(folder, "a"), "before")
    const client = await relay.join({ folder })
    assert.deepStrictEqual((await client.waitFor("session_start"))["metadata"].rewind, ["files"])
    await turn(client, "write a one")
    await turn(client, "write b two")
    const { body } = await getJson(relay, "/sessions/s/checkpoints")
    assert.deepStrictEqual(body["checkpoints"].map(({ turn }: Event) => turn), [1, 2])
    assert.isFalse(body["conversation"])
    const preview = await getJson(relay, "/sessions/s/checkpoints/1")
    assert.deepStrictEqual(preview.body["files"], [
      { path: "a", change: "changed", added: 1, removed: 1 },
      { path: "b", change: "deleted", added: 0, removed: 1 }
    ])
    assert.strictEqual(
      (await answerTo(client, { type: "rewind", turn: 1, restore: "files" })).type,
      "input_ack"
    )
    const told = await client.waitFor(inStatus("rewound"))
    assert.deepInclude(told["metadata"], { turn: 1, restore: "files", files_changed: 2, rewind_id: "1" })
    assert.strictEqual(readFileSync(join(folder, "a"), "utf8"), "before")
    assert.isFalse(existsSync(join(folder, "b")))
    assert.strictEqual((await answerTo(client, { type: "undo_rewind" })).type, "input_ack")
    await client.waitFor(inStatus("rewind_undone"))
    assert.strictEqual(readFileSync(join(folder, "a"), "utf8"), "one")
    assert.strictEqual(readFileSync(join(folder, "b"), "utf8"), "two")
  }, writing(folder))

  const other = fresh("shop")
  test("a person has changed are named in the refusal, and stay as they are", async (relay) => {
    const client = await relay.join({ folder: other })
    await turn(client, "write a one")
    await getJson(relay, "/sessions/s/checkpoints/1")
    writeFileSync(join(other, "a"), "mine")
    const refusal = await answerTo(client, { type: "rewind", turn: 1, restore: "files" })
    assert.deepInclude(refusal, { type: "error", code: "files_changed" })
    assert.deepStrictEqual(refusal["metadata"].files, ["a"])
    assert.strictEqual(readFileSync(join(other, "a"), "utf8"), "mine")
    await answerTo(client, { type: "rewind", turn: 1, restore: "files", force: true })
    assert.isFalse(existsSync(join(other, "a")))
  }, writing(other))

  const third = fresh("shop")
  test(
    "stay as they are while a turn runs, before a turn that never was, and where the operator wants none",
    async (relay) => {
      const client = await relay.join({ folder: third })
      const refused = await answerTo(client, { type: "rewind", turn: 7, restore: "files" })
      assert.include(refused["text"], "there are no saved states")
      client.send({ text: "stay" })
      await client.waitFor("turn_start")
      assert.include((await answerTo(client, { type: "rewind", turn: 1 }))["text"], "a turn is running")
      assert.strictEqual((await getJson(relay, "/sessions/s/checkpoints/0")).status, 409)
      assert.strictEqual((await getJson(relay, "/sessions/none/checkpoints")).status, 404)
    },
    writing(third, { onCommand: () => Effect.void })
  )

  const off = fresh("shop")
  test("are not kept with --no-checkpoints", async (relay) => {
    const client = await relay.join({ folder: off })
    assert.deepStrictEqual((await client.waitFor("session_start"))["metadata"].rewind, [])
    await turn(client, "write a one")
    assert.include((await getJson(relay, "/sessions/s/checkpoints")).body["reason"], "--no-checkpoints")
    assert.include((await answerTo(client, { type: "rewind", turn: 1 }))["text"], "--no-checkpoints")
  }, writing(off, { no_checkpoints: true }))
})

const terminal = makeTerminal(realpathSync(mkdtempSync(join(tmpdir(), "terminal-"))))
terminals.push(terminal)
const talking = (): Options => ({ ...terminal.options, works_on_files: true, state_dir: fresh("state") })
const said = (relay: Relay) =>
  relay.agent().sent.flatMap((command) =>
    command.type === "user_message"
      ? command.content.map((block) => block.type === "text" ? block.text : "")
      : []
  )

describe("the conversation", () => {
  test("goes on in a copy that ends before the turn, and where it was when that is undone", async (relay) => {
    terminal.turn("zero")
    const client = await relay.connect({ tool: "claude", native_session_id: terminal.id, session_id: "s" })
    await client.waitFor("session_start")
    await turn(client, "one")
    await turn(client, "two")
    const lines = readFileSync(terminal.path, "utf8").trim().split("\n").map((line) =>
      JSON.parse(line) as Event
    )
    const last = lines.find((line) => JSON.stringify(line).includes("relay: one"))
    const answer = await answerTo(client, { type: "rewind", turn: 2, restore: "conversation" })
    assert.strictEqual(answer.type, "input_ack", JSON.stringify(answer))
    const told = await client.waitFor(inStatus("rewound"))
    assert.strictEqual(told["metadata"].conversation, "copy")
    const { spec } = relay.agent()
    assert.deepInclude(spec, { native_session_id: terminal.id, fork: true, fork_at: last?.["uuid"] })
    assert.notStrictEqual(spec.fresh_uuid, relay.fake.agents[0]?.spec.fresh_uuid)
    await answerTo(client, { type: "undo_rewind" })
    assert.strictEqual(relay.agent().spec.native_session_id, terminal.id)
    assert.isUndefined(relay.agent().spec.fork)
  }, talking())

  test("of an agent that cannot copy begins anew, and is told what was said, once", async (relay) => {
    const client = await relay.connect({ tool: "claude", session_id: "s", folder: terminal.folder })
    await client.waitFor("session_start")
    await turn(client, "what nobody wrote down: alpha")
    await turn(client, "and bravo")
    await answerTo(client, { type: "rewind", turn: 2, restore: "conversation" })
    const told = await client.waitFor(inStatus("rewound"))
    assert.strictEqual(told["metadata"].conversation, "told")
    assert.isUndefined(relay.agent().spec.native_session_id)
    await turn(client, "charlie")
    const [history = "", prompt] = said(relay)
    assert.include(history, "User: what nobody wrote down: alpha")
    assert.notInclude(history, "bravo")
    assert.strictEqual(prompt, "charlie")
    assert.strictEqual(client.events.findLast(({ type }) => type === "turn_start")?.["text"], "charlie")
    await turn(client, "delta")
    assert.deepStrictEqual(said(relay).slice(2), ["delta"])
    // Before the first turn nothing was said.
    await answerTo(client, { type: "rewind", turn: 1, restore: "conversation" })
    await client.waitFor((event) => inStatus("rewound")(event) && event["metadata"].conversation === "new")
    await turn(client, "echo")
    assert.deepStrictEqual(said(relay), ["echo"])
  }, talking())
})

describe("a relay that was killed between going back and the next prompt", () => {
  beforeAll(buildDaemon)

  const ways = [
    { name: "files kept", flags: [], inHome: false, restores: ["files", "conversation"] },
    { name: "none kept of this folder", flags: [], inHome: true, restores: ["conversation"] },
    { name: "--no-checkpoints", flags: ["--no-checkpoints"], inHome: false, restores: ["conversation"] }
  ]
  const homes = ({ flags, inHome }: typeof ways[number]) => {
    const home = fresh("home")
    const folder = inHome ? home : join(home, "shop")
    mkdirSync(folder, { recursive: true })
    const env = installFakeClaude(home)
    let daemon: Daemon | undefined
    const start = async () => {
      daemon = await startDaemon({
        env,
        cwd: home,
        args: ["--root", home, "--state-dir", join(home, "state"), ...flags]
      })
    }
    const open = async () => {
      const client = await connect(daemon?.url ?? "", { tool: "claude", folder, session_id: "s" })
      return { client, started: await client.waitFor("session_start") }
    }
    return { start, open, kill: () => daemon?.kill(), end: () => daemon?.stop() }
  }
  const recall = async (client: Client) => {
    const after = client.events.at(-1)?.seq ?? 0
    client.send({ text: "RECALL" })
    await client.waitFor("turn_end", { after })
    return String(client.events.findLast(({ type }) => type === "response")?.["text"])
  }

  for (const way of ways) {
    const { name, restores } = way
    it(`has the agent know what was said before, and nothing since (${name})`, async () => {
      const { end, kill, open, start } = homes(way)
      await start()
      const { client, started } = await open()
      assert.deepStrictEqual(started["metadata"].rewind, restores)
      await turn(client, "alpha")
      await turn(client, "bravo")
      const both = { type: "rewind", turn: 2, restore: "both" }
      if (restores.length === 1) assert.strictEqual((await answerTo(client, both)).type, "error")
      assert.strictEqual(
        (await answerTo(client, { ...both, restore: "conversation" })).type,
        "input_ack"
      )
      await client.waitFor((event) => inStatus("rewound")(event) && event["metadata"].conversation === "told")
      await kill()
      await start()
      // Once more, before anything was said.
      await (await open()).client.close()
      await kill()
      await start()
      const { client: again } = await open()
      const known = await recall(again)
      assert.include(known, "alpha")
      assert.notInclude(known, "bravo")
      assert.strictEqual(again.events.filter(inStatus("conversation_gone")).length, 0)
      // What was told is the agent's own now, and it is not told again.
      await kill()
      await start()
      const { client: last } = await open()
      assert.strictEqual((await recall(last)).split("alpha").length, 2)
      await end()
    })

    it(`can have it undone (${name})`, async () => {
      const { end, kill, open, start } = homes(way)
      await start()
      const { client } = await open()
      await turn(client, "alpha")
      await turn(client, "bravo")
      await answerTo(client, { type: "rewind", turn: 2, restore: "conversation" })
      const { metadata } = await client.waitFor(inStatus("rewound"))
      await kill()
      await start()
      const { client: again } = await open()
      const undo = { type: "undo_rewind", rewind_id: metadata.rewind_id }
      const undone = await answerTo(again, undo)
      assert.strictEqual(undone.type, "input_ack", JSON.stringify(undone))
      assert.include(await recall(again), "bravo")
      assert.strictEqual((await answerTo(again, undo)).type, "error")
      await end()
    })
  }
})

const guarded = fresh("shop")
describe("what one can go back to", () => {
  test("is told to nobody without a token", async (relay) => {
    const viewer = await relay.connect({
      tool: "fake",
      session_id: "s",
      folder: guarded,
      token: "driver-token"
    })
    await viewer.waitFor("session_start")
    assert.strictEqual((await getJson(relay, "/sessions/s/checkpoints", "driver-token")).status, 200)
    assert.strictEqual((await getJson(relay, "/sessions/s/checkpoints", "wrong")).status, 401)
  }, writing(guarded, { auth: "always", token: Redacted.make("driver-token") }))
})
