/** Message: what the two sides say to each other, in pieces and whole. */
import { Schema } from "effect"
import { NativeBlock } from "./ContentBlock.js"
import { event } from "./event.js"
import { present } from "./fields.js"

/** A native streaming piece. A preview only: all of it comes again, whole, in the other events. */
export const StreamEvent = event("stream_event", {
  delta: present(Schema.Literals(["text", "reasoning", "tool_input", "tool_output"])),
  text: present(Schema.String),
  tool_use_id: present(Schema.String)
})
/** A whole thought or plan step. */
export const Reasoning = event("reasoning", { text: Schema.String })
/** A whole message of the agent. */
export const AssistantMessage = event("assistant_message", {
  content: Schema.Array(NativeBlock),
  text: present(Schema.String)
})
/** A whole message of the user's side; Claude also reports tool results this way. */
export const UserEcho = event("user_message", {
  content: Schema.Array(NativeBlock),
  text: present(Schema.String)
})
/** The final answer of a turn; exactly one per turn that ends well. */
export const Response = event("response", { text: Schema.String })
