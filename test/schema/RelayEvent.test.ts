import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema } from "effect"
import { Envelope, ErrorCode, EventBody, RelayEvent, StopReason } from "../../src/schema/index.js"

const envelope = { seq: 1, ts: 1767225600.5, session_id: "shop-42" }
const decode = (event: unknown) => Schema.decodeUnknownResult(RelayEvent)(event)
const typeOf = (body: (typeof EventBody.members)[number]) => body.fields.type.literal

/** As it looks on the wire. A `__proto__` in an open object would not survive, and no agent sends one. */
const onTheWire = (event: unknown): unknown =>
  JSON.parse(JSON.stringify(event), (name, value: unknown) => name === "__proto__" ? undefined : value)

describe("RelayEvent", () => {
  for (const body of EventBody.members) {
    it.effect(`brings any ${typeOf(body)} over the wire and back unchanged`, () =>
      Effect.gen(function*() {
        const event: Schema.Codec<RelayEvent, unknown> = Schema.Struct({
          ...body.fields,
          ...Envelope.fields
        }) as never
        const checked = yield* Arbitrary.checkEffect(Arbitrary.schema(event), (event) => {
          const sent = onTheWire(event)
          const received = Schema.decodeUnknownSync(RelayEvent)(sent)
          assert.deepStrictEqual<unknown>(received, sent)
          assert.deepStrictEqual<unknown>(onTheWire(Schema.encodeSync(RelayEvent)(received)), sent)
          return true
        }, { runs: 50 })
        assert.isUndefined(Arbitrary.formatCheckFailure(checked))
      }), { timeout: 60_000 })
  }

  it("has the event types of the contract", () => {
    const contract =
      "session_start session_end stdout stderr turn_start stream_event reasoning assistant_message "
      + "user_message tool_call tool_progress tool_result file_diff permission_request permission_cancelled "
      + "control_response response turn_end status quota_warning context_warning context_compacted error input_ack session_list session_changed session_removed"
    assert.sameMembers(EventBody.members.map(typeOf), contract.split(" ") as never)
  })

  it("has the error codes and stop reasons of the contract", () => {
    const codes =
      "bad_handshake unauthorized forbidden forbidden_folder folder_not_found unknown_tool session_not_found command_not_found "
      + "auth_required agent_failed turn_failed bad_command too_large overloaded budget_exceeded gap in_use files_changed not_driving internal"
    assert.sameMembers([...ErrorCode.literals], codes.split(" ") as never)
    const reasons = "end_turn max_tokens max_turn_requests refusal cancelled error"
    assert.sameMembers([...StopReason.literals], reasons.split(" ") as never)
  })

  it("passes over fields of newer relays", () => {
    const event = { type: "reasoning", text: "Hm.", ...envelope }
    assert.deepStrictEqual<unknown>(decode({ ...event, mood: "fine" }), Result.succeed(event))
  })

  it("keeps what is open as it is: metadata, raw, args, content", () => {
    const event = {
      type: "tool_call",
      tool: "Bash",
      tool_use_id: "t",
      args: { a: [null, { b: undefined }] },
      metadata: { parent: null },
      raw: [1, { c: null }],
      ...envelope,
      turn: 3
    }
    assert.deepStrictEqual<unknown>(decode(event), Result.succeed(event))
  })

  it("says it of a connection without a session, too", () => {
    const event = { type: "error", code: "too_large", text: "Less.", seq: 0, ts: 1 }
    assert.deepStrictEqual<unknown>(decode(event), Result.succeed(event))
  })

  it.each([
    { type: "reasoning", text: "no envelope" },
    { type: "dance", ...envelope },
    { type: "reasoning", ...envelope },
    { type: "reasoning", text: null, ...envelope },
    { type: "stream_event", delta: null, ...envelope },
    { type: "stream_event", delta: "poem", ...envelope },
    { type: "error", text: "no code", ...envelope },
    { type: "error", text: "unknown code", code: "bad_luck", ...envelope },
    { type: "turn_end", stop_reason: "tired", ...envelope },
    { type: "turn_end", stop_reason: "end_turn", usage: { input_tokens: null }, ...envelope },
    { type: "context_warning", context_pct: Number.NaN, ...envelope },
    { type: "input_ack", status: "lost", ...envelope },
    { type: "permission_request", request_id: "r", metadata: {}, ...envelope },
    { type: "permission_request", request_id: "", metadata: { kind: "tool" }, ...envelope },
    { type: "control_response", request_id: "r", status: "cancelled", ...envelope },
    { type: "reasoning", text: "Hm.", ...envelope, seq: -1 },
    { type: "reasoning", text: "Hm.", ...envelope, ts: "now" },
    { type: "reasoning", text: "Hm.", ...envelope, session_id: "../x" }
  ])("refuses %j", (event) => {
    assert.isTrue(Result.isFailure(decode(event)))
  })
})
