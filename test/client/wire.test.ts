/** The plain types of the client mean what the schemas mean: each is assignable to the other. */
import { assert, it } from "vitest"
import type * as Wire from "../../src/client/wire.js"
import type * as Schema from "../../src/schema/index.js"

type Same<A, B> = [A] extends [B] ? [B] extends [A] ? true : "the second is wider" : "the first is wider"

type Relayed = typeof Schema.RelayEvent.Encoded
type Envelope = Pick<Relayed, "seq" | "session_id" | "ts" | "turn">
/** A piece is told apart by its `delta`; inside of the relay its text may stand beside it. */
type Told =
  | Exclude<Relayed, { readonly type: "stream_event" }>
  | (typeof Schema.StreamEventOnWire.Encoded & Envelope)

const same: {
  readonly Event: Same<Wire.Event, Told>
  readonly Handshake: Same<Wire.Handshake, typeof Schema.HandshakeFields.Encoded>
  readonly Prompt: Same<Wire.UserMessageCommand, typeof Schema.LongPrompt.Encoded>
  readonly Answer: Same<Wire.PermissionResponseCommand, typeof Schema.PermissionAnswer.Encoded>
  readonly Control: Same<Wire.ControlRequestCommand, typeof Schema.ControlRequest.Encoded>
} = { Event: true, Handshake: true, Prompt: true, Answer: true, Control: true }

it("the client's types and the schemas' are the same", () => {
  assert.lengthOf(Object.values(same).filter((holds) => holds), 5)
})
