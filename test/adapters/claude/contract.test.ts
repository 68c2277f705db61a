import { Effect } from "effect"
import { ClaudeAdapter } from "../../../src/adapters/claude/ClaudeAdapter.js"
import { describeContract } from "../contract.js"

describeContract({
  tool: "claude",
  adapter: Effect.provide(ClaudeAdapter, ClaudeAdapter.layer),
  drive: (input, seen) => {
    if (input.type === "user") {
      const { message, uuid } = input
      const message_id = uuid === undefined ? {} : { uuid, message_id: uuid }
      return { type: "user_message", content: message.content, when: "steer", ...message_id }
    }
    if (input.type === "control_request") {
      return input.request.subtype === "interrupt"
        ? { type: "interrupt" }
        : { type: "control_request", ...input }
    }
    const ask = seen.findLast((event) => event.type === "permission_request")
    return { type: "control_response", response: { ...input.response, request_id: ask?.request_id } }
  },
  isPrivate: (message) => message.type === "control_response" || message.type === "control_cancel_request"
})
