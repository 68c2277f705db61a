/** Message: what agent and user say to each other, as deltas and complete. */
import { Schema } from "effect"
import { NativeBlock } from "./ContentBlock.js"
import { event } from "./event.js"
import { present } from "./fields.js"

/** A native streaming delta. It is only a preview: everything comes again, complete, in other events. */
export const StreamEvent = event("stream_event", {
  delta: present(Schema.Literals(["text", "reasoning", "tool_input", "tool_output"])),
  text: present(Schema.String),
  tool_use_id: present(Schema.String)
})
/**
 * The same on the wire, distinguished by `delta`, which every delta of text has; without it there is nothing to show.
 */
export const StreamEventOnWire = (() => {
  const { type } = StreamEvent.fields
  const rest = { metadata: StreamEvent.fields.metadata, raw: StreamEvent.fields.raw }
  const told = <const Delta extends ReadonlyArray<"text" | "reasoning" | "tool_input" | "tool_output">>(
    delta: Delta
  ) =>
    Schema.Struct({
      type,
      delta: Schema.Literals(delta),
      text: Schema.String,
      tool_use_id: present(Schema.String),
      ...rest
    })
  return Schema.Union([
    told(["text", "reasoning"]),
    told(["tool_input", "tool_output"]),
    Schema.Struct({
      type,
      delta: present(Schema.Never),
      text: present(Schema.Never),
      tool_use_id: present(Schema.String),
      ...rest
    })
  ])
})()

/** A complete thought or plan step. */
export const Reasoning = event("reasoning", { text: Schema.String })
/** A complete message of the agent. */
export const AssistantMessage = event("assistant_message", {
  content: Schema.Array(NativeBlock),
  text: present(Schema.String)
})
/** A complete message of the user's side; Claude also reports tool results this way. */
export const UserEcho = event("user_message", {
  content: Schema.Array(NativeBlock),
  text: present(Schema.String)
})
/** The final answer of a turn; exactly one per successful turn. */
export const Response = event("response", { text: Schema.String })
