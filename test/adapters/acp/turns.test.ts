/** One prompt until its answer: what is said, and how it ends. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { layerSession, ofType, openFake, refuse } from "../../support/fakeAcpAgent.js"

describe("AcpAdapter, a turn", () => {
  it.effect("joins pieces to messages and thoughts, and answers with the text since the last tool", () =>
    Effect.gen(function*() {
      const { chunk, close, prompt, update } = yield* openFake()
      const turn = yield* prompt("go")
      yield* chunk("Let ")
      yield* chunk("me see.")
      yield* chunk("Hm, ", "agent_thought_chunk")
      yield* chunk("well.", "agent_thought_chunk")
      yield* update({
        sessionUpdate: "tool_call",
        toolCallId: "t",
        title: "ls",
        kind: "execute",
        rawInput: { a: 1 }
      })
      yield* update({ sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed" })
      yield* chunk("One.", "agent_message_chunk", { messageId: "m1" })
      yield* chunk("Two.", "agent_message_chunk", { messageId: "m2" })
      yield* turn.end()
      const events = yield* close
      assert.deepStrictEqual(ofType(events, "assistant_message").map(({ text }) => text), [
        "Let me see.",
        "One.",
        "Two."
      ])
      assert.deepStrictEqual(ofType(events, "reasoning").map(({ text }) => text), ["Hm, well."])
      assert.deepStrictEqual(ofType(events, "response").map(({ text }) => text), ["One.\n\nTwo."])
      assert.deepStrictEqual(ofType(events, "stream_event").map(({ delta, text }) => [delta, text]), [
        ["text", "Let "],
        ["text", "me see."],
        ["reasoning", "Hm, "],
        ["reasoning", "well."],
        // The call, whose input might still have come.
        [undefined, undefined],
        ["text", "One."],
        ["text", "Two."]
      ])
    }).pipe(Effect.provide(layerSession)))

  it.effect("shows images and links the way a page for Claude knows them", () =>
    Effect.gen(function*() {
      const { close, prompt, update } = yield* openFake()
      const turn = yield* prompt("draw")
      const image = { type: "image", data: "iVBORw==", mimeType: "image/png" }
      yield* update({ sessionUpdate: "agent_message_chunk", content: image })
      yield* turn.end()
      const [message] = ofType(yield* close, "assistant_message")
      const source = { type: "base64", media_type: "image/png", data: "iVBORw==" }
      assert.deepStrictEqual(message?.content, [{ type: "image", source }])
    }).pipe(Effect.provide(layerSession)))

  it.effect("hands over images, and those by address as links", () =>
    Effect.gen(function*() {
      const { answer, requested, send } = yield* openFake()
      const source = { type: "base64", media_type: "image/png", data: "iVBORw==" }
      const content = [
        { type: "text", text: "look" },
        { type: "image", source },
        { type: "image", source: { type: "url", url: "https://example.com/a/cat.png" } }
      ]
      yield* send({ type: "user_message", content })
      const { id, params } = yield* requested("session/prompt")
      yield* answer(id, { stopReason: "end_turn" })
      assert.deepStrictEqual(params, {
        sessionId: "s1",
        prompt: [
          { type: "text", text: "look" },
          { type: "image", data: "iVBORw==", mimeType: "image/png" },
          { type: "resource_link", uri: "https://example.com/a/cat.png", name: "cat.png" }
        ]
      })
    }).pipe(Effect.provide(layerSession)))

  it.effect("sends one prompt at a time", () =>
    Effect.gen(function*() {
      const { heard, next, prompt, requested, send } = yield* openFake()
      const turn = yield* prompt("first")
      yield* send({ text: "second", message_id: "b" })
      yield* send({ text: "third", message_id: "c", when: "steer" })
      assert.strictEqual((yield* next("input_ack", 4)).status, "queued")
      assert.strictEqual(heard.filter(({ method }) => method === "session/prompt").length, 1)
      yield* turn.end()
      assert.deepInclude((yield* requested("session/prompt", 2)).params.prompt, {
        type: "text",
        text: "second"
      })
    }).pipe(Effect.provide(layerSession)))

  it.effect("ends as the agent says, with an answer only when it ends well", () =>
    Effect.gen(function*() {
      const { chunk, close, prompt } = yield* openFake()
      const reasons = ["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled", "sunset"]
      for (const stopReason of reasons) {
        const turn = yield* prompt(stopReason)
        yield* chunk("said")
        yield* turn.end({ stopReason })
      }
      const events = yield* close
      assert.deepStrictEqual(
        ofType(events, "turn_end").map(({ stop_reason }) => stop_reason),
        ["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled", "end_turn"]
      )
      assert.deepStrictEqual(ofType(events, "response").map(({ turn }) => turn), [1, 2, 6])
      assert.deepStrictEqual(ofType(events, "turn_end").at(-1)?.metadata, { native_stop_reason: "sunset" })
      assert.deepStrictEqual(ofType(events, "error"), [])
    }).pipe(Effect.provide(layerSession)))

  it.effect("knows a refused login in the words of any model API", () =>
    Effect.gen(function*() {
      const { close, prompt } = yield* openFake()
      const logins = [
        // OpenCode, Qwen Code and others with a wrong key.
        "Internal error: Incorrect API key provided",
        "401 Incorrect API key provided",
        "Authentication failed with provider at http://x/v1 (HTTP 401).",
        "Unauthorized: the token has expired"
      ]
      const others = [
        "read 401 of 402 files",
        "429 Too many requests: invalid API key limit",
        "Not authorized to write"
      ]
      for (const reason of [...logins, ...others]) yield* (yield* prompt("fail")).end(refuse(-32603, reason))
      const events = yield* close
      assert.deepStrictEqual(
        ofType(events, "error").map(({ code }) => code),
        [...logins.map(() => "auth_required"), ...others.map(() => "turn_failed")]
      )
      assert.include(ofType(events, "error")[0]?.text, "Incorrect API key provided. Log in with")
    }).pipe(Effect.provide(layerSession)))

  it.effect("tells errors once, with a code and what to do", () =>
    Effect.gen(function*() {
      const { close, prompt } = yield* openFake()
      const errors = [
        refuse(-32000, "Authentication required"),
        refuse(429, "Rate limit exceeded. Try again later."),
        refuse(
          400,
          "{\"error\":{\"code\":400,\"message\":\"no such \\\"model\\\"\",\"status\":\"INVALID_ARGUMENT\"}}"
        ),
        refuse(-32603, "Internal error", { details: "the disk is full" }),
        refuse(-32603, "Internal error: out of credit", { errorKind: "billing_error" })
      ]
      for (const error of errors) yield* (yield* prompt("fail")).end(error)
      const events = yield* close
      assert.deepStrictEqual(ofType(events, "error").map(({ code }) => code), [
        "auth_required",
        "turn_failed",
        "turn_failed",
        "turn_failed",
        "turn_failed"
      ])
      const [login, ...others] = ofType(events, "error").map(({ text }) => text)
      assert.include(login, "Log in with its own command line")
      assert.deepStrictEqual(
        others.map((text) => text.replace("fake-agent could not finish the turn: ", "")),
        [
          "Rate limit exceeded. Try again later.",
          "no such \"model\"",
          "the disk is full",
          "out of credit"
        ]
      )
      assert.deepStrictEqual(ofType(events, "quota_warning").map(({ turn }) => turn), [2, 5])
      // An empty account is not over at some time.
      assert.deepStrictEqual(
        ofType(events, "quota_warning").map(({ metadata }) => metadata?.["limited"]),
        [true, undefined]
      )
      assert.deepStrictEqual(
        new Set(ofType(events, "turn_end").map(({ stop_reason }) => stop_reason)),
        new Set(["error"])
      )
      assert.deepStrictEqual(ofType(events, "response"), [])
    }).pipe(Effect.provide(layerSession)))

  it.effect("is cancelled by a notification, whatever the agent calls it, and late words are no harm", () =>
    Effect.gen(function*() {
      const { chunk, close, find, prompt, send, told, update } = yield* openFake()
      const turn = yield* prompt("long")
      yield* chunk("Half a ")
      yield* update({ sessionUpdate: "tool_call", toolCallId: "t", title: "sleep", status: "in_progress" })
      yield* send({ type: "interrupt" })
      const cancel = yield* told(({ method }) => method === "session/cancel")
      assert.deepStrictEqual(cancel, {
        jsonrpc: "2.0",
        method: "session/cancel",
        params: { sessionId: "s1" }
      })
      yield* turn.end(refuse(-32603, "The operation was aborted"))
      yield* find(({ type }) => type === "turn_end")
      yield* update({ sessionUpdate: "tool_call_update", toolCallId: "t", status: "failed" })
      yield* chunk("sentence.")
      yield* TestClock.adjust("1 second")
      yield* (yield* prompt("next")).end()
      const events = yield* close
      assert.deepStrictEqual(ofType(events, "turn_end").map(({ stop_reason }) => stop_reason), [
        "cancelled",
        "end_turn"
      ])
      assert.deepStrictEqual(ofType(events, "error"), [])
      // The tool's end was told when the turn ended; what came later is told, but no turn of its own.
      assert.deepStrictEqual(ofType(events, "tool_result").map(({ status, turn }) => [status, turn]), [[
        "error",
        1
      ]])
      const late = ofType(events, "assistant_message").at(-1)
      assert.deepInclude(late, { text: "sentence." })
      assert.isUndefined(late?.turn)
      assert.deepStrictEqual(ofType(events, "response").map(({ text }) => text), [""])
    }).pipe(Effect.provide(layerSession)))

  it.effect("tells whole what was said, and ends once, when the agent dies in the middle", () =>
    Effect.gen(function*() {
      const { chunk, close, exit, prompt, session } = yield* openFake()
      yield* prompt("go")
      yield* chunk("Half a sen")
      yield* exit({ exit_code: 3, stderr: ["segfault"] })
      yield* session.over
      const events = yield* close
      assert.deepStrictEqual(ofType(events, "assistant_message").map(({ text }) => text), ["Half a sen"])
      assert.deepStrictEqual(ofType(events, "turn_end").map(({ stop_reason }) => stop_reason), ["error"])
      assert.deepStrictEqual(ofType(events, "error").map(({ code }) => code), ["agent_failed"])
    }).pipe(Effect.provide(layerSession)))

  it.effect("passes on what nobody here knows, and refuses requests it does not know", () =>
    Effect.gen(function*() {
      const { close, prompt, say, told, update } = yield* openFake()
      const turn = yield* prompt("go")
      yield* update({ sessionUpdate: "hologram", depth: 3 })
      yield* update({ sessionUpdate: "plan", entries: "not a list" })
      yield* say({ jsonrpc: "2.0", method: "_vendor/metrics", params: { cpu: 1 } })
      yield* say({ jsonrpc: "2.0", id: "r-1", method: "fs/read_text_file", params: { path: "/x" } })
      yield* say({ jsonrpc: "2.0", id: 0, method: "session/request_permission", params: { options: 5 } })
      yield* say("warning: something")
      yield* say("42")
      assert.deepInclude(yield* told(({ id }) => id === "r-1"), {
        error: { code: -32601, message: "Method not found: fs/read_text_file" }
      })
      assert.deepInclude(yield* told(({ error, id }) => id === 0 && error !== undefined), { id: 0 })
      yield* turn.end()
      const events = yield* close
      const unknown = ofType(events, "status").filter(({ status }) =>
        ["hologram", "_vendor/metrics"].includes(status)
      )
      assert.strictEqual(unknown.length, 2)
      assert.deepStrictEqual(ofType(events, "stdout").map(({ text }) => text), ["warning: something", "42"])
      const refused = ofType(events, "status").filter(({ text }) => text?.includes("refused") === true)
      assert.deepStrictEqual(refused.map(({ status }) => status), [
        "fs/read_text_file",
        "session/request_permission"
      ])
      assert.isTrue([...unknown, ...refused].every(({ raw }) => raw !== undefined))
    }).pipe(Effect.provide(layerSession)))

  it.effect("tells what the agent says between two turns, whole, when it falls silent", () =>
    Effect.gen(function*() {
      const { chunk, close, find } = yield* openFake()
      yield* chunk("A task ")
      yield* chunk("is done.")
      yield* find((event) => event.type === "stream_event" && event.text === "is done.")
      yield* TestClock.adjust("600 millis")
      const message = yield* find(({ type }) => type === "assistant_message")
      assert.deepInclude(message, { text: "A task is done." })
      assert.deepStrictEqual(ofType(yield* close, "turn_start"), [])
    }).pipe(Effect.provide(layerSession)))
})
