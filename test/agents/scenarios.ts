/**
 * scenarios: what a user does with any agent, and what a web page must then see: the same for all of them.
 *
 * The CLI is real, only the model is scripted. Each scenario notes what it saw; `docs/agents.md` is made of that.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { agentEnv, type AgentName, type Installed, versionsOf } from "../support/agents.js"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { type ModelApi, startModelApi } from "../support/modelApi/ModelApi.js"
import { fail, hang, reply, slow } from "../support/modelApi/script.js"
import { atHome, running, until } from "../support/processes.js"

export interface Stage {
  readonly home: string
  readonly api: () => ModelApi
  readonly daemon: () => Daemon
  /** Kill the relay without a word, and start it again. */
  readonly crash: () => Promise<void>
  /** Connect with this agent; closed after the test. */
  readonly open: (handshake?: object) => Promise<Client>
}

/** A relay, a model and a home for one agent's tests; what is opened is closed after each test. */
export const setStage = (
  agent: AgentName,
  handshake: object,
  flags: (home: string) => ReadonlyArray<string> = () => [],
  /** Default: its newest version. */
  version?: Installed
): Stage => {
  const home = mkdtempSync(join(tmpdir(), `ai-relay-${agent}-`))
  const clients: Array<Client> = []
  let api: ModelApi | undefined
  let daemon: Daemon | undefined

  const start = (api: ModelApi) =>
    startDaemon({
      env: agentEnv(agent, { home, api }, version),
      cwd: home,
      args: ["--root", home, ...flags(home)]
    })

  beforeAll(async () => {
    buildDaemon()
    api = await startModelApi()
    daemon = await start(api)
  })
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()))
    api?.reset()
  })
  afterAll(async () => {
    expect(await daemon?.stop()).toBe(0)
    await api?.close()
    rmSync(home, { recursive: true, force: true })
  })

  const started = <A>(thing: A | undefined): A => {
    if (thing === undefined) throw new Error("the stage is set before each test file's first test")
    return thing
  }
  return {
    home,
    api: () => started(api),
    daemon: () => started(daemon),
    crash: async () => {
      await started(daemon).kill()
      daemon = await start(started(api))
    },
    open: async (more = {}) => {
      const client = await connect(started(daemon).url, { folder: home, ...handshake, ...more })
      clients.push(client)
      await client.waitFor("session_start")
      return client
    }
  }
}

/** Prompt, and what the agent then asks. */
export const ask = (client: Client, text: string) => {
  const after = client.events.at(-1)?.seq ?? 0
  client.send({ text })
  return client.waitFor("permission_request", { after })
}

export const answer = (client: Client, request_id: string, fields: object) =>
  client.send({ type: "permission_response", request_id, ...fields })

/** Say yes to whatever is asked from now on. */
export const allowAll = (client: Client) =>
  client.onEvent((event) => {
    if (event.type !== "permission_request") return
    answer(client, event.request_id, { behavior: "allow" })
  })

const typesOf = (events: ReadonlyArray<Event>) => events.map(({ type }) => type)
export const only = (events: ReadonlyArray<Event>, type: string) =>
  events.filter((event) => event.type === type)
export const textOf = (events: ReadonlyArray<Event>, type: string) =>
  only(events, type).map(({ text }) => text ?? "").join("")

/** Where an agent is unlike the others. */
interface StopMethod {
  /** The longest an interrupt of a streaming turn takes. */
  readonly stopsWithinMs?: number
  /** Fields of the handshake that keep its tools in no sandbox. */
  readonly free?: object
  /** It asks nobody before its tools run: what it then must say of itself. */
  readonly asksNobody?: boolean
  /** It tells what it uses while it works: a budget acts in the middle of its turns. Undefined: nobody has looked. */
  readonly tellsUsage?: boolean
  /** Scenarios it cannot pass, by a word of their title, and why; the table has it. */
  readonly cannot?: Readonly<Record<string, string>>
}

/** The scenarios every agent passes, in each version that is there. */
export const describeScenarios = (agent: AgentName, handshake: object, ways: StopMethod = {}) => {
  for (const installed of versionsOf(agent)) describeVersion(installed, handshake, ways)
}

/** The newest version passes all of them, an older one those that show most. */
const describeVersion = (
  installed: Installed,
  handshake: object,
  { asksNobody = false, cannot = {}, free = {}, stopsWithinMs = 1000, tellsUsage }: StopMethod
) => {
  const { agent, core = false, missing, rank, version } = installed
  const isWhole = rank === "newest" && !core
  if (missing !== undefined) console.log(`skipping ${agent} ${version}: ${missing}`)
  describe.skipIf(missing !== undefined)(`${agent} ${version}: what a user does`, () => {
    const stage = setStage(agent, handshake, undefined, installed)

    const usage = { input: 400, output: 100 }
    const spending = tellsUsage === false
      ? { "in the middle of a turn": "reports usage only at the end of a turn" }
      : {}
    const scenario = (title: string, isPossible: boolean, test: () => Promise<void>) =>
      it(title, async ({ skip, task }) => {
        const [, why] = Object.entries({ ...cannot, ...spending }).find(([word]) => title.includes(word)) ??
          []
        const reason = why ?? (isPossible ? undefined : "asks nobody")
        if (reason !== undefined) {
          // Into vitest's report, from where the table takes it.
          Object.assign(task.meta, { why: reason })
          skip(reason)
        }
        await test()
      })
    /** What every version does. */
    const does = (title: string, test: () => Promise<void>) => scenario(title, true, test)
    const asks = (title: string, test: () => Promise<void>) => scenario(title, !asksNobody, test)
    /** What only the newest version has to show. */
    const newestDoes: typeof does = (...scenario) => isWhole && does(...scenario)
    const newestAsks: typeof asks = (...scenario) => isWhole && asks(...scenario)
    // It changes the folder, so every agent asks.
    const shell = {
      kind: "shell",
      command: "touch made-by-tool.txt && echo made-by-tool",
      escalate: true
    } as const

    does("says hello, and goes on in a second turn", async () => {
      const client = await stage.open()
      const first = await client.turn("hello")
      expect(typesOf(first)).toContain("turn_start")
      expect(only(first, "response").map(({ text }) => text)).toEqual(["Hello from the scripted model."])
      expect(textOf(first, "assistant_message")).toBe("Hello from the scripted model.")
      expect(first.at(-1)).toMatchObject({ type: "turn_end", stop_reason: "end_turn", turn: 1 })
      const second = await client.turn("hello again")
      expect(second.at(-1)).toMatchObject({ type: "turn_end", stop_reason: "end_turn", turn: 2 })
    })

    newestDoes("shows the model's thinking as reasoning", async () => {
      stage.api().on(/THINK/, [reply({ thinking: "First I count to three.", text: "Three." })])
      const client = await stage.open()
      const events = await client.turn("THINK about it")
      expect(textOf(events, "reasoning")).toContain("First I count to three.")
      expect(textOf(events, "response")).toBe("Three.")
    })

    asks("runs a tool that is allowed", async () => {
      stage.api().on(/RUN/, [reply({ tool: shell }), reply({ text: "It ran." })])
      const client = await stage.open()
      const asked = await ask(client, "RUN it")
      expect(asked.metadata.kind).toBe("tool")
      answer(client, asked.request_id, { behavior: "allow" })
      const end = await client.waitFor("turn_end")
      expect(end.stop_reason).toBe("end_turn")
      const calls = only(client.events, "tool_call")
      const results = only(client.events, "tool_result")
      expect(calls).toHaveLength(1)
      expect(results).toMatchObject([{ tool_use_id: calls[0]?.tool_use_id, status: "ok" }])
      expect(asked.tool_use_id).toBe(calls[0]?.tool_use_id)
      expect(only(client.events, "control_response")).toMatchObject([{
        request_id: asked.request_id,
        status: "allow"
      }])
      expect(textOf(client.events, "response")).toBe("It ran.")
    })

    const never = (title: string, test: () => Promise<void>) => asksNobody && does(title, test)
    never("says that it asks nobody, and runs tools at once", async () => {
      stage.api().on(/RUN/, [reply({ tool: shell }), reply({ text: "It ran." })])
      const client = await stage.open()
      expect(only(client.events, "session_start")[0]?.metadata.unasked).toContain("without asking")
      client.send({ text: "RUN it" })
      await client.waitFor("turn_end")
      expect(only(client.events, "permission_request")).toEqual([])
      const [call] = only(client.events, "tool_call")
      expect(call?.args.command).toBe(shell.command)
      expect(only(client.events, "tool_result")).toMatchObject([{
        tool_use_id: call?.tool_use_id,
        status: "ok"
      }])
      expect(textOf(client.events, "tool_result")).toContain("made-by-tool")
      expect(textOf(client.events, "response")).toBe("It ran.")
    })

    asks("does not run a tool that is denied, and goes on", async () => {
      stage.api().on(/RUN/, [reply({ tool: shell }), reply({ text: "Then not." })])
      const client = await stage.open()
      const asked = await ask(client, "RUN it")
      answer(client, asked.request_id, { behavior: "deny", message: "not today" })
      const end = await client.waitFor("turn_end")
      expect(end.stop_reason).toBe("end_turn")
      expect(only(client.events, "tool_result")).toMatchObject([{ status: "error" }])
      expect(only(client.events, "control_response")).toMatchObject([{
        request_id: asked.request_id,
        status: "deny"
      }])
    })

    does("tells how a written file changed", async () => {
      const path = join(stage.home, "made.txt")
      stage.api().on(/WRITE/, [
        reply({ tool: { kind: "write", path, content: "one\ntwo\n" } }),
        reply({ text: "Written." })
      ])
      const client = await stage.open()
      // Some ask before they write here, some do not.
      allowAll(client)
      client.send({ text: "WRITE it" })
      await client.waitFor("turn_end")
      expect(readFileSync(path, "utf8")).toBe("one\ntwo\n")
      const [diff, ...more] = only(client.events, "file_diff")
      expect(more).toEqual([])
      expect(diff).toMatchObject({ file_path: path })
      expect(diff?.diff).toContain("+one\n+two\n")
      expect(diff?.diff).toMatch(/^--- .*\n\+\+\+ .*made\.txt\n@@ /)
    })

    if (tellsUsage !== undefined && isWhole) {
      scenario("stops at a budget in the middle of a turn, within one model call", true, async () => {
        const path = join(stage.home, "read.txt")
        writeFileSync(path, "read me")
        // A model's call takes its time; one that answers at once could be called again before the agent hears that it must stop.
        const text = ["I ", "read. "]
        const step = reply({ text, delayMs: 100, tool: { kind: "read", path }, usage })
        stage.api().on(/SPEND/, [...Array.from({ length: 8 }, () => step), reply({ text: "Spent.", usage })])
        // Two calls use it up.
        const client = await stage.open({ budget: { turn: { tokens: 900 } } })
        client.onEvent(({ metadata, request_id, type }) => {
          if (type !== "permission_request") return
          answer(client, request_id, { behavior: metadata.kind === "budget" ? "deny" : "allow" })
        })
        client.send({ text: "SPEND it" })
        const end = await client.waitFor("turn_end")
        expect(end.stop_reason).toBe("cancelled")
        expect(only(client.events, "error")).toMatchObject([{ code: "budget_exceeded" }])
        const calls = stage.api().requests.filter(({ prompt }) => prompt?.includes("SPEND")).length
        const told = end.usage.input_tokens + (end.usage.cache_write_tokens ?? 0) + end.usage.output_tokens
        console.log(`${agent}: ${calls} model calls at a budget of two; ${told} tokens told`)
        expect(calls).toBeGreaterThanOrEqual(2)
        expect(calls).toBeLessThanOrEqual(3)
        expect(told).toBeGreaterThanOrEqual(1000)
        expect(told).toBeLessThanOrEqual(1500)
      })
    }

    does("stops a streaming turn when it is interrupted, and goes on", async () => {
      stage.api().on(/SLOW/, [slow(200, 50)])
      const client = await stage.open()
      const interrupt = async () => {
        const after = client.events.at(-1)?.seq ?? 0
        client.send({ text: "SLOW please" })
        await client.waitFor((event) => event.type === "stream_event" && event.delta === "text", { after })
        const asked = performance.now()
        client.send({ type: "interrupt" })
        const end = await client.waitFor("turn_end", { after })
        expect(end.stop_reason).toBe("cancelled")
        return Math.round(performance.now() - asked)
      }
      // The first one compiles what it runs, in the agent as in the relay.
      const [cold, warm] = [await interrupt(), await interrupt()]
      console.log(`${agent}: interrupted after ${cold} ms, the second time after ${warm} ms`)
      expect(cold).toBeLessThan(Math.max(stopsWithinMs, 500))
      expect(warm).toBeLessThan(stopsWithinMs)
      expect(only(client.events, "response")).toEqual([])
      // What was streamed so far comes again, whole.
      const streamed = only(client.events, "stream_event").filter(({ delta }) => delta === "text")
      expect(textOf(client.events, "assistant_message")).toBe(textOf(streamed, "stream_event"))
      const next = await client.turn("and now?")
      expect(next.at(-1)).toMatchObject({ stop_reason: "end_turn" })
    })

    newestAsks("asks only once for what is allowed for the session", async () => {
      stage.api().on(/TWICE/, [reply({ tool: shell }), reply({ tool: shell }), reply({ text: "Done." })])
      const client = await stage.open()
      const { request_id } = await ask(client, "TWICE please")
      answer(client, request_id, { behavior: "allow", scope: "session" })
      await client.waitFor("turn_end")
      expect(only(client.events, "permission_request")).toHaveLength(1)
      expect(only(client.events, "tool_result").map(({ status }) => status)).toEqual(["ok", "ok"])
    })

    newestAsks("stops the turn when a denial says so", async () => {
      stage.api().on(/STOP/, [reply({ tool: shell }), reply({ text: "Never said." })])
      const client = await stage.open()
      const { request_id } = await ask(client, "STOP there")
      answer(client, request_id, { behavior: "deny", stop: true })
      expect(await client.waitFor("turn_end")).toMatchObject({ stop_reason: "cancelled" })
      expect(only(client.events, "error")).toEqual([])
      expect(only(client.events, "tool_result")).toMatchObject([{ status: "error" }])
      expect((await client.turn("and now?")).at(-1)).toMatchObject({ stop_reason: "end_turn" })
    })

    newestDoes("stops a running tool when it is interrupted, and what that started", async () => {
      const sleep = `sleep 4242.${process.pid}`
      stage.api().on(/SLEEP/, [
        // Newer Claude Code refuses a command that only sleeps.
        reply({ tool: { kind: "shell", command: `echo sleeping && ${sleep}` } }),
        reply({ text: "Never said." })
      ])
      const client = await stage.open()
      allowAll(client)
      client.send({ text: "SLEEP now" })
      const { tool_use_id } = await client.waitFor("tool_call")
      await until(() => running(sleep).length > 0, 10_000)
      client.send({ type: "interrupt" })
      expect(await client.waitFor("turn_end")).toMatchObject({ stop_reason: "cancelled" })
      await until(() => running(sleep).length === 0)
      await client.waitFor("tool_result")
      expect(only(client.events, "tool_result")).toMatchObject([{ tool_use_id }])
    })

    newestAsks("settles an open permission when it is interrupted", async () => {
      stage.api().on(/OPEN/, [reply({ tool: shell }), reply({ text: "Never said." })])
      const client = await stage.open()
      const { request_id, tool_use_id } = await ask(client, "OPEN question")
      client.send({ type: "interrupt" })
      expect(await client.waitFor("permission_cancelled")).toMatchObject({ request_id })
      expect(await client.waitFor("turn_end")).toMatchObject({ stop_reason: "cancelled" })
      expect(only(client.events, "tool_result")).toMatchObject([{ tool_use_id, status: "error" }])
      answer(client, request_id, { behavior: "allow", message_id: "late" })
      expect(await client.waitFor("error")).toMatchObject({ code: "bad_command", message_id: "late" })
    })

    newestDoes("takes an interrupt when idle for what it is", async () => {
      const client = await stage.open()
      client.send({ type: "interrupt" })
      expect(await client.waitFor((event) => event.status === "idle")).toMatchObject({ type: "status" })
      expect((await client.turn("still there?")).at(-1)).toMatchObject({ stop_reason: "end_turn" })
    })

    newestDoes("queues a prompt behind the running turn, and runs it after", async () => {
      stage.api().on(/SLOW/, [slow(6, 50)])
      const client = await stage.open()
      client.send({ text: "SLOW first", message_id: "a" })
      client.send({ text: "then this", message_id: "b" })
      client.send({ text: "then this", message_id: "b" })
      await client.waitFor((event) => event.type === "turn_end" && event.turn === 2)
      const acks = (name: string) =>
        only(client.events, "input_ack").filter(({ message_id }) => message_id === name)
          .map(({ status }) => status)
      expect(acks("a")).toEqual(["sent"])
      expect(acks("b")).toEqual(["queued", "duplicate", "sent"])
      expect(only(client.events, "response")).toHaveLength(2)
      expect(only(client.events, "turn_end").map(({ stop_reason }) => stop_reason)).toEqual([
        "end_turn",
        "end_turn"
      ])
    })

    newestDoes("leaves no process behind when the socket closes, not even a detached sleep", async () => {
      const sleeps = ["1", "2"].map((tenth) => `sleep 4343.${process.pid}${tenth}`)
      const command = `nohup setsid ${sleeps[0]} >/dev/null 2>&1 & ${sleeps[1]}`
      stage.api().on(/DETACH/, [reply({ tool: { kind: "shell", command } }), hang()])
      const client = await stage.open(free)
      allowAll(client)
      client.send({ text: "DETACH it" })
      await until(() => sleeps.every((sleep) => running(sleep).length > 0), 10_000)
      client.drop()
      const areGone = () =>
        atHome(stage.home).length === 1 && !sleeps.some((sleep) => running(sleep).length > 0)
      console.log(`${agent}: everything gone after ${(await until(areGone)).toFixed(0)} ms`)
    })

    newestDoes("tells a rate limit once, as an error and as a quota warning", async () => {
      stage.api().on(/LIMIT/, [fail(429)])
      const client = await stage.open()
      const events = await client.turn("LIMIT me")
      expect(events.at(-1)).toMatchObject({ type: "turn_end", stop_reason: "error" })
      expect(only(events, "error")).toMatchObject([{ code: "turn_failed" }])
      expect(only(events, "quota_warning").length).toBeGreaterThan(0)
    })

    newestDoes("goes on after the relay was killed in mid-turn, with nothing lost", async () => {
      stage.api().on(/SLOW/, [slow(200, 50)])
      const session_id = `crash-${agent}`
      const before = await stage.open({ session_id })
      await before.turn("remember me")
      before.send({ text: "SLOW please" })
      await before.waitFor((event) => event.type === "stream_event" && event.delta === "text", {
        after: before.events.at(-1)?.seq ?? 0
      })
      await stage.crash()
      await before.closed

      const seen = before.events.at(-1)?.seq ?? 0
      const after = await stage.open({ session_id, tool: undefined, folder: undefined, after_seq: 0 })
      await after.waitFor((event) => event.seq >= seen, { after: -1 })
      // All of it comes again, as it was, without a gap.
      expect(after.events.slice(0, seen).map(({ seq, type }) => [seq, type])).toEqual(
        before.events.map(({ seq, type }) => [seq, type])
      )
      const cut = await after.waitFor((event) => event.type === "turn_end" && event.turn === 2)
      expect(cut).toMatchObject({ stop_reason: "error" })
      await after.waitFor((event) => event.type === "session_start" && event.seq > seen)
      const events = await after.turn("do you?")
      expect(events.at(-1)).toMatchObject({ stop_reason: "end_turn", turn: 3 })
      expect(after.events.map(({ seq }) => seq)).toEqual(after.events.map((_, index) => index + 1))
      const request = stage.api().requests.findLast(({ prompt }) => prompt?.includes("do you?"))
      expect(JSON.stringify(request?.body)).toContain("remember me")
    })

    does("resumes a conversation by its native id", async () => {
      const before = await stage.open()
      await before.turn("remember me")
      const native_session_id = before.events
        .map((event) => event.metadata?.native_session_id)
        .findLast((id) => id !== undefined)
      expect(native_session_id).toBeTypeOf("string")
      await before.close()
      const after = await stage.open({ native_session_id })
      const events = await after.turn("do you?")
      expect(events.at(-1)).toMatchObject({ stop_reason: "end_turn" })
      const request = stage.api().requests.findLast(({ prompt }) => prompt?.includes("do you?"))
      expect(JSON.stringify(request?.body)).toContain("remember me")
    })
  })
}
