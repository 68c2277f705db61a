import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { claudeAgent } from "../../../src/adapters/acp/agents/claudeAgent.js"
import { geminiAgent } from "../../../src/adapters/gemini/geminiAgent.js"
import { layerSession, openFake, refuse } from "../../support/fakeAcpAgent.js"

const opened = (more: object) => ({ "session/new": { sessionId: "s1", ...more } })

describe("AcpAdapter, opening", () => {
  it.effect("says who it is, offers no files and no terminal, and opens a session in the folder", () =>
    Effect.gen(function*() {
      const { heard, launched, next } = yield* openFake()
      const [initialize, begin] = heard
      assert.strictEqual(initialize.params.protocolVersion, 1)
      assert.deepInclude(initialize.params.clientCapabilities, {
        fs: { readTextFile: false, writeTextFile: false },
        terminal: false,
        session: { compaction: {}, notices: {}, configOptions: { boolean: {} } },
        subagents: {}
      })
      assert.deepInclude(begin, { method: "session/new", params: { cwd: "/workspace", mcpServers: [] } })
      assert.deepInclude(yield* launched, { command: "fake-agent", args: ["--acp"], cwd: "/workspace" })
      const { metadata } = yield* next("session_start")
      assert.deepInclude(metadata, { tool: "acp", native_session_id: "s1", resumed: false })
      assert.deepStrictEqual(metadata?.["capabilities"], {
        images: true,
        steer: false,
        set_model: false,
        permission_modes: [],
        resume: true,
        terminal: false
      })
    }).pipe(Effect.provide(layerSession)))

  it.effect("wants a command for an agent it does not know", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(openFake({ handshake: { command: null } }))
      assert.strictEqual(error._tag, "BadHandshake")
      assert.include(error.message, "`command`")
    }).pipe(Effect.provide(layerSession)))

  it.effect("gives up on an agent that does not answer within 45 s, and says what to do", () =>
    Effect.gen(function*() {
      const opening = yield* Effect.forkChild(
        Effect.flip(openFake({ answers: { initialize: () => undefined } }))
      )
      yield* TestClock.adjust("44 seconds")
      assert.isNull(
        yield* Effect.sync(() => Option.fromUndefinedOr(opening.pollUnsafe())).pipe(
          Effect.map((exit) => exit._tag === "None" ? null : exit)
        )
      )
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(opening)
      assert.strictEqual(error._tag, "AgentFailed")
      assert.include(error.message, "\"initialize\" within 45s. Run it once in a terminal")
    }).pipe(Effect.provide(layerSession)))

  it.effect("says at once that a login is missing when the agent asks for one on stdout", () =>
    Effect.gen(function*() {
      const prints = {
        initialize: ["\u001b[2J", "Please visit the following URL to authorize the application:"]
      }
      const answers = { initialize: () => undefined }
      const error = yield* Effect.flip(openFake({ agent: geminiAgent, answers, prints }))
      assert.strictEqual(error._tag, "AuthRequired")
      assert.include(error.message, "run `gemini` once and log in")
    }).pipe(Effect.provide(layerSession)))

  it.effect("tells a missing login apart, with the command that logs in", () =>
    Effect.gen(function*() {
      const answers = { "session/new": refuse(-32000, "Gemini API key is missing or not configured.") }
      const error = yield* Effect.flip(openFake({ agent: geminiAgent, answers }))
      assert.strictEqual(error._tag, "AuthRequired")
      assert.include(
        error.message,
        "Gemini API key is missing or not configured. On the relay's machine run `gemini`"
      )
    }).pipe(Effect.provide(layerSession)))

  it.effect("refuses an agent of another protocol version", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(openFake({ answers: { initialize: { protocolVersion: 2 } } }))
      assert.strictEqual(error._tag, "AgentFailed")
      assert.include(error.message, "version 2")
    }).pipe(Effect.provide(layerSession)))

  it.effect("says what happened when an agent only calls it an internal error", () =>
    Effect.gen(function*() {
      const details = { details: "Directory does not exist: /workspace" }
      const error = yield* Effect.flip(
        openFake({ answers: { "session/new": refuse(-32603, "Internal error", details) } })
      )
      assert.include(error.message, "Directory does not exist")
    }).pipe(Effect.provide(layerSession)))

  it.effect("logs in the way an agent wants it before a session is opened", () =>
    Effect.gen(function*() {
      const agent = { ...claudeAgent, authenticate: "sso" }
      const answers = { initialize: { protocolVersion: 1, authMethods: [{ id: "sso" }] }, authenticate: {} }
      const { heard } = yield* openFake({ agent, answers })
      assert.deepStrictEqual(heard.map(({ method }) => method), ["initialize", "authenticate", "session/new"])
    }).pipe(Effect.provide(layerSession)))

  it.effect("begins in the mode and on the model of the handshake", () =>
    Effect.gen(function*() {
      const answers = opened({
        modes: { currentModeId: "ask", availableModes: [{ id: "ask" }, { id: "code" }] },
        models: { currentModelId: "a", availableModels: [{ modelId: "a" }, { modelId: "b", name: "Bee" }] }
      })
      const handshake = { permission_mode: "code", model: "bee" }
      const { heard } = yield* openFake({ answers, handshake })
      assert.deepInclude(heard, {
        jsonrpc: "2.0",
        id: 3,
        method: "session/set_model",
        params: { sessionId: "s1", modelId: "b" }
      })
      assert.deepInclude(heard.at(-1), { params: { sessionId: "s1", modeId: "code" } })
      const error = yield* Effect.flip(openFake({ answers, handshake: { permission_mode: "yolo" } }))
      assert.strictEqual(error.message, "`permission_mode` must be one of ask, code")
      const without = yield* Effect.flip(openFake({ handshake: { model: "x" } }))
      assert.strictEqual(without._tag, "BadHandshake")
    }).pipe(Effect.provide(layerSession)))
})
