/** The relay as an ACP agent, judged by the protocol's own SDK: over `/acp`, and as `ai-relay acp` has it. */
import * as acp from "@agentclientprotocol/sdk"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocket } from "ws"
import * as AcpAgent from "../../src/fronts/acp/AcpAgent.js"
import * as PathMap from "../../src/fronts/acp/PathMap.js"
import * as overClient from "../../src/fronts/overClient.js"
import { SessionPort } from "../../src/fronts/SessionPort.js"
import { type EventBody, textOf } from "../../src/schema/index.js"
import { RelayServer } from "../../src/server/RelayServer.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { layerOf, type Options } from "../support/relayServer.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const state_dir = mkdtempSync(join(tmpdir(), "acp-"))
afterAll(() => rmSync(state_dir, { recursive: true }))

interface Wire {
  readonly stream: acp.Stream
  /** All the agent said. */
  readonly said: ReadonlyArray<Json>
  /** Gone without a word. */
  readonly kill: () => void
}

const streamOf = (send: (text: string) => void) => {
  const said: Array<Json> = []
  let controller: ReadableStreamDefaultController<acp.AnyMessage>
  const readable = new ReadableStream<acp.AnyMessage>({ start: (given) => void (controller = given) })
  const writable = new WritableStream<acp.AnyMessage>({ write: (message) => send(JSON.stringify(message)) })
  let isOver = false
  return {
    stream: { readable, writable },
    said,
    take: (message: Json) => {
      said.push(message)
      if (!isOver) controller.enqueue(message as acp.AnyMessage)
    },
    end: () => {
      if (!isOver) controller.close()
      isOver = true
    }
  }
}

const overSocket = async (port: number): Promise<Wire> => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/acp?tool=fake`, ["acp"])
  await once(socket, "open")
  const { end, said, stream, take } = streamOf((text) => socket.send(text))
  socket.on("message", (data) => take(JSON.parse(String(data)))).on("close", end)
  return { stream, said, kill: () => socket.terminate() }
}

/** As `ai-relay acp` speaks on its pipes. */
const overPort = (port: number, options: Partial<AcpAgent.AcpAgentOptions> = {}): Promise<Wire> =>
  Effect.runPromise(Effect.gen(function*() {
    const scope = yield* Scope.make()
    const wire = streamOf((text) => agent.receive(text))
    const made = yield* Layer.buildWithScope(
      overClient.layer({ url: `ws://127.0.0.1:${port}`, WebSocket }),
      scope
    )
    const agent = yield* Scope.provide(
      AcpAgent.make({
        port: Effect.provide(SessionPort, made),
        send: (message) => wire.take(JSON.parse(JSON.stringify(message))),
        paths: PathMap.make([]),
        tool: "fake",
        version: "1.0.0",
        newId: randomUUID,
        ...options
      }),
      scope
    )
    return {
      stream: wire.stream,
      said: wire.said,
      kill: () => {
        wire.end()
        Effect.runFork(Scope.close(scope, Exit.void))
      }
    }
  }))

interface Editor {
  readonly request: (method: string, params?: object) => Promise<Json>
  readonly cancel: (sessionId: string) => Promise<void>
  readonly updates: ReadonlyArray<Json>
  readonly texts: () => Record<string, string>
  readonly kinds: () => ReadonlyArray<string>
  readonly asked: ReadonlyArray<Json>
  /** Resolves when `holds`. */
  readonly until: (holds: () => boolean) => Promise<void>
  readonly said: ReadonlyArray<Json>
  readonly kill: () => void
}

type Answer = (params: Json, signal: AbortSignal) => Json | Promise<Json>
const selected = (optionId: string): Json => ({ outcome: { outcome: "selected", optionId } })
const never: Answer = (_, signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))))

interface EditorOptions {
  readonly permission?: Answer
  readonly form?: Answer
  readonly capabilities?: object
}

const editorOn = async (wire: Wire, options: EditorOptions = {}): Promise<Editor> => {
  const updates: Array<Json> = []
  const asked: Array<Json> = []
  const listeners = new Set<() => void>()
  const look = () => [...listeners].forEach((listener) => listener())
  const connection = acp.client({ name: "judge" })
    .onNotification("session/update", ({ params }) => {
      updates.push(params.update)
      look()
    })
    .onRequest("session/request_permission", async ({ params, signal }) => {
      asked.push(params)
      look()
      return (options.permission ?? (() => selected("allow")))(params, signal) as never
    })
    .onRequest("elicitation/create", async ({ params, signal }) => {
      asked.push(params)
      look()
      return (options.form ?? (() => ({ action: "cancel" })))(params, signal) as never
    })
    .connect(wire.stream)
  const request: Editor["request"] = async (method, params = {}) =>
    await connection.agent.request(method as never, params as never) as Json
  await request("initialize", {
    protocolVersion: 1,
    clientInfo: { name: "judge", version: "1.0.0" },
    clientCapabilities: options.capabilities ?? {}
  })
  return {
    request,
    cancel: (sessionId) => connection.agent.notify("session/cancel" as never, { sessionId } as never),
    updates,
    asked,
    said: wire.said,
    kill: wire.kill,
    texts: () => {
      const texts: Record<string, string> = {}
      for (const { content, messageId, sessionUpdate } of updates) {
        if (!String(sessionUpdate).endsWith("_chunk")) continue
        texts[messageId] = (texts[messageId] ?? "") + content.text
      }
      return texts
    },
    kinds: () => updates.map(({ sessionUpdate }) => sessionUpdate),
    until: (holds) =>
      new Promise((resolve) => {
        const listener = () => {
          if (!holds()) return
          listeners.delete(listener)
          resolve()
        }
        listeners.add(listener)
        listener()
      })
  }
}

interface Stage {
  readonly editor: (options?: EditorOptions, agent?: Partial<AcpAgent.AcpAgentOptions>) => Promise<Editor>
  readonly fake: FakeAdapter.FakeAdapter
  /** The agent has got the next command. */
  readonly prompted: () => Promise<unknown>
  readonly say: (...events: ReadonlyArray<EventBody>) => Promise<void>
  readonly ask: (ask: Parameters<FakeAdapter.FakeAgent["ask"]>[0]) => Promise<Json>
}

const wires = { "over /acp": overSocket, "as ai-relay acp has it": overPort }
const newSession = async ({ request }: Editor) => {
  const { sessionId } = await request("session/new", {
    cwd: process.cwd(),
    mcpServers: [],
    _meta: {}
  })
  return sessionId as string
}
const promptOf = (sessionId: string, text: string) => ({ sessionId, prompt: [{ type: "text", text }] })
const end: EventBody = { type: "turn_end", stop_reason: "end_turn" }
const silent = () => Effect.void

for (const [name, open] of Object.entries(wires)) {
  const test = (title: string, body: (stage: Stage) => Promise<unknown>, options: Options = {}) =>
    it.live(title, () =>
      Effect.gen(function*() {
        const fake = FakeAdapter.make({ tool: "fake", onCommand: FakeAdapter.answering(), ...options })
        const built = yield* Layer.buildWithScope(layerOf(fake, options), yield* Effect.scope)
        const { address } = Context.get(built, RelayServer)
        const kills: Array<() => void> = []
        yield* Effect.promise(() =>
          body({
            fake,
            editor: async (editing, agent) => {
              const wire = await open(address.port, agent)
              kills.push(wire.kill)
              return editorOn(wire, editing)
            },
            prompted: () => Effect.runPromise(fake.agent().next),
            say: (...events) => Effect.runPromise(fake.agent().say(...events)),
            ask: (ask) => Effect.runPromise(fake.agent().ask(ask))
          })
        )
        for (const kill of kills) kill()
      }))

  describe(`the ACP agent, ${name}`, () => {
    test("opens a session, answers a prompt and says what is said", async ({ editor, prompted, say }) => {
      const one = await editor()
      const sessionId = await newSession(one)
      const answer = one.request("session/prompt", promptOf(sessionId, "hello"))
      await prompted()
      await say(
        { type: "stream_event", delta: "text", text: "Good " },
        { type: "stream_event", delta: "text", text: "day" },
        { type: "assistant_message", content: [], text: "Good day" },
        { type: "status", status: "usage", metadata: { context_tokens: 10, context_window: 100 } },
        { type: "status", status: "plan", metadata: { entries: [{ content: "one", status: "pending" }] } }
      )
      await one.until(() => one.kinds().includes("plan"))
      await say({ type: "response", text: "Good day" }, end)
      assert.strictEqual((await answer)["stopReason"], "end_turn")
      assert.deepStrictEqual(one.texts(), { "1.1": "Good day" })
      const plan = one.updates.find(({ sessionUpdate }) => sessionUpdate === "plan")
      assert.deepStrictEqual(plan?.["entries"], [{ content: "one", status: "pending", priority: "medium" }])
    }, { onCommand: silent })

    test("shows tools, what they print, and what they change", async ({ editor, prompted, say }) => {
      const one = await editor()
      const sessionId = await newSession(one)
      const answer = one.request("session/prompt", promptOf(sessionId, "hello"))
      await prompted()
      await say(
        { type: "tool_call", tool: "Edit", tool_use_id: "e", args: { file_path: "/w/a.ts" } },
        { type: "tool_result", tool_use_id: "e", status: "ok", text: "The file was updated." },
        {
          type: "file_diff",
          file_path: "/w/a.ts",
          tool_use_id: "e",
          diff: "--- /w/a.ts\n+++ /w/a.ts\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        },
        { type: "tool_call", tool: "Bash", tool_use_id: "b", args: { command: "npm test" } },
        end
      )
      await answer
      const of = (id: string) => one.updates.filter(({ toolCallId }) => toolCallId === id)
      const last = (id: string) => Object.assign({}, ...of(id)) as Json
      assert.deepInclude(of("e")[0], { sessionUpdate: "tool_call", kind: "edit", title: "Edit /w/a.ts" })
      assert.deepInclude(last("e"), { status: "completed" })
      assert.deepStrictEqual(last("e")["content"], [
        { type: "diff", path: "/w/a.ts", oldText: "a\nb\n", newText: "a\nc\n" }
      ])
      assert.deepInclude(last("b"), { title: "npm test", kind: "execute", status: "failed" })
    }, { onCommand: silent })

    test("asks for permission; another editor's answer withdraws the question", async ({ ask, editor }) => {
      const one = await editor({ permission: never })
      const sessionId = await newSession(one)
      const other = await editor({ permission: () => selected("allow_session") })
      await other.request("session/resume", { sessionId, cwd: process.cwd(), mcpServers: [] })
      const outcome = await ask(FakeAdapter.askFor("q"))
      assert.deepInclude(outcome, { behavior: "allow", scope: "session" })
      const isWithdrawn = () => one.said.some(({ method }) => method === "$/cancel_request")
      await one.request("session/list")
      assert.isTrue(isWithdrawn())
    })

    test("puts questions as a form, or as options where there are no forms", async ({ ask, editor }) => {
      const questions = [{ id: "size", question: "Which size?", options: [{ label: "S" }, { label: "L" }] }]
      const question = FakeAdapter.askFor("q", { args: { questions }, metadata: { kind: "question" } })
      const one = await editor({
        capabilities: { elicitation: { form: {} } },
        form: () => ({ action: "accept", content: { question_0: "L" } })
      })
      await newSession(one)
      assert.deepInclude(await ask(question), { behavior: "allow", answers: { size: "L" } })
      const other = await editor({
        permission: ({ options }) => selected(options.find(({ name }: Json) => name === "S").optionId)
      })
      await newSession(other)
      assert.deepInclude(await ask(question), { behavior: "allow", answers: { size: "S" } })
    })

    test("says why an answer was not taken, and asks again, but not for ever", async ({ ask, editor }) => {
      const questions = [{ required: true, id: "size", question: "Which size?", options: [{ label: "S" }] }]
      const question = (id: string) =>
        FakeAdapter.askFor(id, { args: { questions }, metadata: { kind: "question" } })
      const given: Array<Json> = [{}, { question_0: "S" }]
      const one = await editor({
        capabilities: { elicitation: { form: {} } },
        form: () => ({ action: "accept", content: given.shift() ?? {} })
      })
      const sessionId = await newSession(one)
      assert.deepInclude(await ask(question("q1")), { behavior: "allow", answers: { size: "S" } })
      assert.match(Object.values(one.texts()).join(), /does not fit/)
      assert.lengthOf(one.asked, 2)
      // One that answers by itself.
      const open = ask(question("q2"))
      await one.until(() => one.asked.length === 5)
      const other = await editor({ permission: () => selected("option-0") })
      await other.request("session/load", { sessionId, cwd: process.cwd(), mcpServers: [] })
      assert.deepInclude(await open, { behavior: "allow", answers: { size: "S" } })
      assert.lengthOf(one.asked, 5)
    })

    test("leaves a question it cannot ask to another client, and declines it if there is none", async ({ ask, editor }) => {
      const questions = [{ required: true, id: "why", question: "Why?", options: [] }]
      const question = (id: string) =>
        FakeAdapter.askFor(id, { args: { questions }, metadata: { kind: "question" } })
      const one = await editor({ permission: never })
      const sessionId = await newSession(one)
      assert.match((await ask(question("q1")))["message"], /Ask in your text/)
      const other = await editor({
        capabilities: { elicitation: { form: {} } },
        form: async () => {
          await one.until(() => one.asked.length > 0)
          return { action: "accept", content: { question_0: "Because." } }
        }
      })
      await other.request("session/resume", { sessionId, cwd: process.cwd(), mcpServers: [] })
      assert.deepInclude(await ask(question("q2")), { behavior: "allow", answers: { why: "Because." } })
      assert.include(JSON.stringify(one.asked), "Answer this in another client")
    })

    for (const [answer, stopReason] of [["raise", "end_turn"], ["stop", "cancelled"]] as const) {
      test(`asks whether a budget is raised: ${answer}`, async ({ editor, prompted, say }) => {
        const one = await editor({ permission: () => selected(answer) })
        const sessionId = await newSession(one)
        const ended = one.request("session/prompt", promptOf(sessionId, "hello"))
        await prompted()
        await say({ type: "status", status: "usage", metadata: { usage: { cost_usd: 1.2 } } })
        await one.until(() => one.asked.length === 1)
        assert.deepStrictEqual(one.asked[0]?.["options"], [
          { optionId: "raise", name: "Allow $1.00 more", kind: "allow_once" },
          { optionId: "stop", name: "Stop here", kind: "reject_once" }
        ])
        const [words] = one.asked[0]?.["toolCall"]?.content ?? []
        assert.strictEqual(
          words.content.text,
          "This session has used $1.20 of $1.00. Allow $1.00 more?"
        )
        if (answer === "raise") {
          // The question is settled when the tool it stands at is done.
          await one.until(() => one.updates.some(({ status }) => status === "completed"))
          await say(end)
        }
        assert.strictEqual((await ended)["stopReason"], stopReason)
      }, {
        budgets: [{ scope: "session", unit: "cost_usd", cap: 1 }],
        onCommand: (command, agent) =>
          command.type === "interrupt"
            ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
            : Effect.void
      })
    }

    test("answers a cancelled prompt with cancelled, one that waits too", async ({ editor }) => {
      const one = await editor()
      const sessionId = await newSession(one)
      const first = one.request("session/prompt", promptOf(sessionId, "one"))
      const second = one.request("session/prompt", promptOf(sessionId, "two"))
      await one.cancel(sessionId)
      assert.strictEqual((await first)["stopReason"], "cancelled")
      assert.strictEqual((await second)["stopReason"], "cancelled")
    }, {
      onCommand: (command, agent) =>
        command.type === "interrupt"
          ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
          : Effect.void
    })

    test(
      "after a kill, lists, loads and is asked again; the turn ends as if nothing had been",
      async ({ editor, fake, prompted, say }) => {
        const one = await editor({ permission: never })
        const sessionId = await newSession(one)
        void one.request("session/prompt", promptOf(sessionId, "Mend it")).catch(() => {})
        await prompted()
        await say(
          { type: "stream_event", delta: "text", text: "I look" },
          { type: "assistant_message", content: [], text: "I look first" },
          { type: "tool_call", tool: "Bash", tool_use_id: "b", args: { command: "ls" } }
        )
        const asked = Effect.runPromise(fake.agent().ask(FakeAdapter.askFor("q", { tool_use_id: "b" })))
        await one.until(() => one.asked.length === 1)
        one.kill()
        const other = await editor()
        const { sessions } = await other.request("session/list", { cwd: process.cwd() })
        assert.deepInclude(sessions[0], { sessionId, title: "Mend it" })
        const loaded = await other.request("session/load", { sessionId, cwd: process.cwd(), mcpServers: [] })
        assert.strictEqual(loaded["_meta"]["ai-relay"].turn_active, true)
        assert.deepInclude(await asked, { behavior: "allow" })
        await say(
          { type: "tool_result", tool_use_id: "b", status: "ok", text: "a.ts" },
          { type: "assistant_message", content: [], text: "Done" },
          end
        )
        await other.until(() => other.texts()["1.2"] === "Done")
        assert.deepStrictEqual(other.texts(), { "1.u": "Mend it", "1.1": "I look first", "1.2": "Done" })
      },
      { onCommand: silent }
    )

    const ending: Options = {
      state_dir,
      onCommand: (command, agent) =>
        command.type === "interrupt" ? agent.say({ type: "turn_end", stop_reason: "cancelled" }) : Effect.void
    }
    // Over a relay's socket a session is over only when that is closed, which nobody can wait for here.
    const inProcess = name === "over /acp" ? test : () => {}
    inProcess(
      "opens an ended session again once for all prompts, in their order; a cancel stops those that wait for it",
      async ({ editor, fake, say }) => {
        const one = await editor()
        const sessionId = await newSession(one)
        const endIt = async () => {
          const agents = fake.agents.length
          const last = one.request("session/prompt", promptOf(sessionId, "last")).catch(() => undefined)
          while (!fake.agent().sent.some(({ type }) => type === "user_message")) {
            await new Promise(setImmediate)
          }
          await Effect.runPromise(fake.agent().exit({ exit_code: 0 }))
          await last
          while ((await one.request("session/list"))["sessions"][0]._meta["ai-relay"].state !== "closed") {
            await new Promise(setImmediate)
          }
          return agents
        }
        const agents = await endIt()
        const stopped = one.request("session/prompt", promptOf(sessionId, "stopped"))
        await one.cancel(sessionId)
        assert.strictEqual((await stopped)["stopReason"], "cancelled")
        assert.notInclude(JSON.stringify(fake.agent().sent), "stopped")
        assert.strictEqual(fake.agents.length, agents + 1)

        await endIt()
        const both = ["first", "second"].map((text) =>
          one.request("session/prompt", promptOf(sessionId, text))
        )
        const sent = () =>
          fake.agent().sent.flatMap((command) =>
            command.type === "user_message" ? [textOf(command.content)] : []
          )
        for (const text of ["first", "second"]) {
          while (!sent().includes(text)) await new Promise(setImmediate)
          await say(end)
        }
        assert.deepStrictEqual((await Promise.all(both)).map(({ stopReason }) => stopReason), [
          "end_turn",
          "end_turn"
        ])
        assert.deepStrictEqual(sent(), ["first", "second"])
        assert.strictEqual(fake.agents.length, agents + 2)
      },
      ending
    )

    // The socket's own measure of what is unread cannot be set from here.
    if (open === overPort) {
      test("sends a history no faster than it is read", async ({ editor }) => {
        const one = await editor()
        const sessionId = await newSession(one)
        for (const text of ["a", "b", "c", "d"]) {
          await one.request("session/prompt", promptOf(sessionId, text))
        }
        let read = () => {}
        let isFull = () => {}
        const reading = new Promise<void>((resolve) => (read = resolve))
        const full = new Promise<void>((resolve) => (isFull = resolve))
        const slow = await editor({}, {
          drained: Effect.andThen(Effect.sync(() => isFull()), Effect.promise(() => reading))
        })
        const loaded = slow.request("session/load", { sessionId, cwd: process.cwd(), mcpServers: [] })
        await full
        assert.isBelow(slow.updates.length, one.updates.length)
        read()
        await loaded
        assert.include(JSON.stringify(slow.updates), "d")
      })
    }

    test("takes an answer it did not offer for no permission", async ({ ask, editor, prompted }) => {
      let answer = ""
      const one = await editor({ permission: () => selected(answer) })
      const sessionId = await newSession(one)
      one.request("session/prompt", promptOf(sessionId, "go")).catch(() => {})
      await prompted()
      for (const optionId of ["nope", "", "reject_once", "allow"]) {
        answer = optionId
        const { behavior } = await ask(FakeAdapter.askFor(`q-${optionId}`))
        assert.strictEqual(behavior, optionId === "allow" ? "allow" : "deny", optionId)
      }
    }, { onCommand: silent })

    test("takes images by any of their names, and bytes that are text; an empty prompt is refused", async ({ editor, fake }) => {
      const one = await editor()
      const sessionId = await newSession(one)
      const prompt = (...blocks: ReadonlyArray<object>) =>
        one.request("session/prompt", { sessionId, prompt: blocks }).catch((
          { code }: { readonly code: number }
        ) => code)
      await prompt(
        { type: "image", mimeType: "image/jpg", data: "aGk=" },
        { type: "image", mimeType: "IMAGE/PNG", data: "aGk=" },
        {
          type: "resource",
          resource: { uri: "file:///a.txt", mimeType: "text/plain; charset=utf-8", blob: "aGk=" }
        },
        { type: "resource", resource: { uri: "file:///a.gif", mimeType: "image/gif", blob: "aGk=" } }
      )
      const [command] = fake.agent().sent
      const content = command?.type === "user_message" ? command.content : []
      assert.deepStrictEqual(
        content.map((block) =>
          block.type === "image" && block.source.type === "base64" ? block.source.media_type : "text"
        ),
        ["image/jpeg", "image/png", "text", "image/gif"]
      )
      assert.include(textOf(content), "hi")
      assert.strictEqual(await prompt({ type: "text", text: " \n" }), -32602)
      assert.strictEqual(await prompt({ type: "text", text: "" }), -32602)
      // Nothing of a prompt is left out without a word.
      assert.strictEqual(
        await prompt({ type: "text", text: "see" }, { type: "image", mimeType: "image/png" }),
        -32602
      )
      const { sessions } = await one.request("session/list", { cwd: `${process.cwd()}/` })
      assert.lengthOf(sessions, 1)
    })

    test("refuses with the codes of the protocol and the relay's words", async ({ editor }) => {
      const one = await editor()
      const codeOf = (method: string, params: object) =>
        one.request(method, params).then(() => 0, (error: { code: number }) => error.code)
      const place = { cwd: process.cwd(), mcpServers: [] }
      assert.strictEqual(await codeOf("session/load", { sessionId: "none", ...place }), -32002)
      // To the SDK this means that there is nothing left to delete.
      await codeOf("session/delete", { sessionId: "none" })
      assert.strictEqual(one.said.at(-1)?.["error"].code, -32002)
      assert.strictEqual(await codeOf("session/prompt", promptOf("none", "x")), -32002)
      assert.strictEqual(await codeOf("session/new", { ...place, cwd: "/does/not/exist" }), -32602)
      const sessionId = await newSession(one)
      assert.strictEqual(await codeOf("session/set_mode", { sessionId, modeId: "none" }), -32602)
    })

    test("changes mode and model, closes and deletes", async ({ editor, fake, say }) => {
      const one = await editor()
      const { configOptions, modes, sessionId } = await one.request("session/new", {
        cwd: process.cwd(),
        mcpServers: [{ name: "db", command: "db-mcp", args: ["-r"], env: [{ name: "A", value: "1" }] }]
      })
      assert.strictEqual(modes.currentModeId, "default")
      assert.lengthOf(configOptions, 1)
      assert.deepStrictEqual(fake.agent().spec.mcp_servers as unknown, [
        { name: "db", command: "db-mcp", args: ["-r"], env: { A: "1" } }
      ])
      await one.request("session/set_mode", { sessionId, modeId: "plan" })
      await say({
        type: "status",
        status: "initialized",
        metadata: { model: "small", models: [{ value: "small" }, { value: "large" }] }
      })
      await one.until(() => one.kinds().includes("config_option_update"))
      const changed = await one.request("session/set_config_option", {
        sessionId,
        configId: "model",
        value: "large"
      })
      assert.deepStrictEqual(
        changed["configOptions"].map(({ currentValue }: Json) => currentValue),
        ["plan", "large"]
      )
      await one.request("session/close", { sessionId })
      const { sessions } = await one.request("session/list")
      assert.lengthOf(sessions, 0)
    })
  })
}
