/** Past conversations: opened again, shown as history, never taken for a turn. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { agentOf } from "../../../src/adapters/acp/AcpLaunch.js"
import { geminiAgent } from "../../../src/adapters/gemini/geminiAgent.js"
import { layerSession, ofType, openFake, refuse } from "../../support/fakeAcpAgent.js"
import { joinPassing } from "../../support/passing.js"

const handshake = { native_session_id: "old-1" }
const update = (fields: object) =>
  JSON.stringify({ jsonrpc: "2.0", method: "session/update", params: { sessionId: "old-1", update: fields } })
const said = (sessionUpdate: string, text: string) =>
  update({ sessionUpdate, content: { type: "text", text } })
const history = [
  said("user_message_chunk", "remember "),
  said("user_message_chunk", "me"),
  said("agent_thought_chunk", "I shall."),
  said("agent_message_chunk", "I will."),
  update({ sessionUpdate: "tool_call", toolCallId: "t", title: "note", status: "completed" }),
  said("agent_message_chunk", "Done.")
]

describe("AcpAdapter, history", () => {
  it.effect("marks what is told again when a session is loaded, and begins no turn", () =>
    Effect.gen(function*() {
      const { close, heard, next, prompt } = yield* openFake({
        handshake,
        prints: { "session/load": history },
        answers: { "session/load": {} }
      })
      assert.deepInclude(heard[1], {
        method: "session/load",
        params: { cwd: "/workspace", mcpServers: [], sessionId: "old-1" }
      })
      assert.deepInclude((yield* next("session_start")).metadata, {
        native_session_id: "old-1",
        resumed: true
      })
      const turn = yield* prompt("and now?")
      yield* turn.end()
      const events = yield* close
      const told = events.filter(({ seq, turn, type }) =>
        seq > 1 && turn === undefined && !["status", "session_end", "stream_event"].includes(type)
      )
      assert.deepStrictEqual(told.map(({ metadata, type }) => [type, metadata?.["replay"]]), [
        ["user_message", true],
        ["reasoning", true],
        ["assistant_message", true],
        ["tool_call", true],
        ["tool_result", true],
        ["assistant_message", true]
      ])
      assert.deepInclude(told[0], { text: "remember me" })
      assert.isTrue(ofType(events, "stream_event").every(({ metadata }) => metadata?.["replay"] === true))
      assert.deepStrictEqual(ofType(events, "turn_start").length, 1)
      assert.deepStrictEqual(ofType(events, "response").map(({ text }) => text), [""])
    }).pipe(Effect.provide(layerSession)))

  it.effect("resumes without history where the agent can", () =>
    Effect.gen(function*() {
      const agentCapabilities = { loadSession: true, sessionCapabilities: { resume: {} } }
      const answers = { initialize: { protocolVersion: 1, agentCapabilities }, "session/resume": {} }
      const { heard } = yield* openFake({ handshake, answers })
      assert.strictEqual(heard.at(-1).method, "session/resume")
    }).pipe(Effect.provide(layerSession)))

  it.effect("says so when an agent cannot reopen conversations, or does not find this one", () =>
    Effect.gen(function*() {
      const cannot = yield* Effect.flip(
        openFake({ handshake, answers: { initialize: { protocolVersion: 1 } } })
      )
      assert.strictEqual(cannot._tag, "ConversationGone")
      const lost = yield* Effect.flip(
        openFake({ handshake, answers: { "session/load": refuse(-32002, "Resource not found: old-1") } })
      )
      assert.strictEqual(lost._tag, "ConversationGone")
      assert.include(lost.message, "has no conversation \"old-1\"")
    }).pipe(Effect.provide(layerSession)))

  it.effect.each(
    [
      ["session/load", refuse(-32603, "Internal error", { details: "ENOENT: no such file" })],
      ["session/resume", refuse(-32602, "Invalid params")]
    ] as const
  )(
    "begins anew where %s of the session's own conversation fails, and says why",
    ([method, refusal]) =>
      Effect.gen(function*() {
        const agentCapabilities = {
          loadSession: true,
          ...(method === "session/resume" && { sessionCapabilities: { resume: {} } })
        }
        const answers = { initialize: { protocolVersion: 1, agentCapabilities }, [method]: refusal }
        const named = yield* Effect.flip(openFake({ handshake, answers }))
        assert.strictEqual(named._tag, "AgentFailed")
        const { find, next } = yield* openFake({ handshake, begins_anew: true, answers })
        assert.deepInclude((yield* next("session_start")).metadata, {
          native_session_id: "s1",
          resumed: false
        })
        const gone = yield* find((event) => event.type === "status" && event.status === "conversation_gone")
        assert.strictEqual(gone.metadata?.["gone"], "old-1")
        assert.match(
          gone.type === "status" ? gone.text ?? "" : "",
          /could not continue the conversation of this session \(.+\), so a new one begins/
        )
      }).pipe(Effect.provide(layerSession))
  )

  it.effect.each([
    refuse(-32000, "Authentication required"),
    refuse(429, "Too many requests")
  ])("does not give a conversation up for %j", (refusal) =>
    Effect.gen(function*() {
      const failed = yield* Effect.flip(
        openFake({ handshake, begins_anew: true, answers: { "session/load": refusal } })
      )
      assert.notStrictEqual(failed._tag, "ConversationGone")
    }).pipe(Effect.provide(layerSession)))

  it.effect("waits for the history Gemini tells after it has answered, and leaves its noise out", () =>
    Effect.gen(function*() {
      const opening = yield* Effect.forkChild(openFake({
        agent: geminiAgent,
        handshake,
        prints: {
          "session/load": [
            said("user_message_chunk", "<session_context>\nToday is Monday.\n</session_context>"),
            ...history,
            said("user_message_chunk", "[Function Response: write_file]")
          ]
        },
        answers: {
          "session/load": ({ sessionId }: { readonly sessionId: string }) =>
            sessionId === " old-1" ? {} : undefined
        }
      }))
      const { close, heard, next, prompt } = yield* joinPassing(opening, "100 millis")
      assert.strictEqual((yield* next("session_start")).metadata?.["native_session_id"], "old-1")
      const turn = yield* prompt("and now?")
      // The name it was found by goes on to be its name.
      assert.strictEqual(heard.at(-1).params.sessionId, " old-1")
      yield* turn.end()
      const events = yield* close
      assert.deepStrictEqual(ofType(events, "user_message").map(({ text }) => text), ["remember me"])
      assert.isTrue(ofType(events, "assistant_message").every(({ turn }) => turn === undefined))
    }).pipe(Effect.provide(layerSession)))

  const refusingPadded = {
    "session/load": ({ sessionId }: { readonly sessionId: string }) =>
      sessionId === "old-1" ? {} : refuse(-32603, "Internal error", { details: "Invalid session identifier" })
  }

  it.effect("never asks Gemini by the plain name, which ends in the conversation's loss", () =>
    Effect.gen(function*() {
      const heard: Array<string> = []
      const answers = {
        "session/load": (params: { readonly sessionId: string }) => {
          heard.push(params.sessionId)
          return refusingPadded["session/load"](params)
        }
      }
      const failed = yield* Effect.flip(openFake({ agent: geminiAgent, handshake, answers }))
      assert.deepStrictEqual(heard, [" old-1"])
      assert.include(failed.message, "Gemini CLI has no conversation \"old-1")
    }).pipe(Effect.provide(layerSession)))

  it.each([
    ["gemini", "--acp"],
    ["/usr/local/bin/gemini", "--experimental-acp"],
    ["npx", "-y", "@google/gemini-cli", "--acp"],
    ["node", "/opt/gemini-cli/bundle/gemini.js", "--acp"]
  ])("knows Gemini however it is started: %s %s", (...command) =>
    Effect.runSync(Effect.map(
      agentOf({ tool: "acp", folder: "/", fresh_uuid: "u", command: command as [string, ...Array<string>] }),
      ({ quirks }) => assert.strictEqual(quirks?.nameToLoad?.("old-1"), " old-1")
    )))
})

describe("AcpAdapter, a conversation a client has named", () => {
  const initialize = {
    protocolVersion: 1,
    agentCapabilities: { loadSession: true, sessionCapabilities: { list: {}, resume: {}, fork: {} } }
  }
  const shop = { sessionId: "old-1", cwd: "/workspace", title: "the shop" }
  const foreign = { sessionId: "old-1", cwd: "/foreign", title: "a secret" }
  const may_tell = (folder: string) => folder.startsWith("/workspace")
  const named = (list: unknown, more: object = {}) =>
    openFake({
      handshake,
      may_tell,
      prints: { "session/load": history, "session/resume": history },
      answers: { initialize, "session/list": list, "session/resume": {}, "session/load": {}, ...more }
    })

  it.effect("is gone on with where its folder may be used, also when that is not this session's", () =>
    Effect.gen(function*() {
      for (const listed of [shop, { ...shop, cwd: "/workspace/deeper" }]) {
        const { heard, next } = yield* named({ sessions: [listed] })
        yield* next("session_start")
        assert.deepStrictEqual(heard.map(({ method }) => method).slice(0, 3), [
          "initialize",
          "session/list",
          "session/resume"
        ])
      }
    }).pipe(Effect.provide(layerSession)))

  it.effect("is found on a later page, and among all where its own folder's list lacks it", () =>
    Effect.gen(function*() {
      const other = { sessionId: "other", cwd: "/workspace" }
      const { heard, next } = yield* named(({ cursor, cwd }: { cwd?: string; cursor?: string }) =>
        cwd !== undefined
          ? { sessions: [other] }
          : cursor === undefined
          ? { sessions: [other], nextCursor: "2" }
          : { sessions: [shop] }
      )
      yield* next("session_start")
      assert.strictEqual(heard.filter(({ method }) => method === "session/list").length, 3)
    }).pipe(Effect.provide(layerSession)))

  it.effect("is refused unheard where it is another folder's, or nobody's", () =>
    Effect.gen(function*() {
      const answers = [
        { sessions: [foreign] },
        { sessions: [{ ...foreign, cwd: undefined }] },
        { sessions: [{ ...foreign, sessionId: "old-10" }] },
        { sessions: [] },
        { nonsense: true },
        refuse(-32603, "the list is broken")
      ]
      for (const list of answers) {
        const refusal = yield* Effect.flip(named(list))
        assert.match(refusal.message, /has no conversation|did not say in which folder/, JSON.stringify(list))
        assert.notInclude(refusal.message, "secret")
      }
    }).pipe(Effect.provide(layerSession)))

  it.effect("is opened without a question where the agent lists nothing", () =>
    Effect.gen(function*() {
      const { heard, next } = yield* named({}, {
        initialize: { protocolVersion: 1, agentCapabilities: { loadSession: true } }
      })
      yield* next("session_start")
      assert.strictEqual(heard[1]?.method, "session/load")
    }).pipe(Effect.provide(layerSession)))
})
