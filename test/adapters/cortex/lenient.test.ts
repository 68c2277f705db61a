/** Cortex's messages with any one field of another type: that costs the field, never the message, never the turn. */
import { assert, describe, it } from "@effect/vitest"
import { makeCalls, readAgentEvents } from "../../../src/adapters/cortex/agentEvents.js"
import { makeAnalyst } from "../../../src/adapters/cortex/analyst.js"
import { chat } from "../../../src/adapters/cortex/chat.js"
import { makeAnswer, type Reader } from "../../../src/adapters/cortex/Dialect.js"
import type { NativeFields } from "../fuzz/fields.js"
import { changedFields } from "../fuzz/fields.js"

type Sent = readonly [event: string, data: NativeFields]

const streams: Record<string, { readonly sent: ReadonlyArray<Sent>; readonly end: number }> = {
  chat: {
    end: -1,
    sent: [
      ["message", { choices: [{ index: 0, delta: { reasoning: "Hm. " }, finish_reason: null }] }],
      ["message", { choices: [{ index: 0, delta: { content: "Hello" }, finish_reason: null }] }],
      ["message", {
        choices: [{
          index: 0,
          delta: {
            tool_calls: [{ index: 0, id: "c", type: "function", function: { name: "look", arguments: "{}" } }]
          },
          finish_reason: "stop"
        }],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
      }]
    ]
  },
  analyst: {
    end: 4,
    sent: [
      ["status", { status: "interpreting_question", status_message: "Interpreting" }],
      ["message.content.delta", { index: 0, type: "text", text_delta: "Revenue." }],
      ["message.content.delta", { index: 1, type: "sql", statement_delta: "SELECT 1", confidence: {} }],
      ["warnings", { warnings: [{ message: "No key" }] }],
      ["done", {}]
    ]
  },
  agent: {
    end: 5,
    sent: [
      ["response.status", { status: "planning", message: "Planning" }],
      ["response.thinking.delta", { content_index: 0, text: "Hm." }],
      ["response.tool_use", { tool_use_id: "t", type: "x", name: "sql", input: { q: 1 } }],
      ["response.tool_result", {
        tool_use_id: "t",
        type: "x",
        name: "sql",
        content: [{ type: "text", text: "1" }],
        status: "ok"
      }],
      ["response.text.delta", { content_index: 1, text: "One." }],
      ["response", {
        content: [{ type: "text", text: "One." }],
        status: "completed",
        metadata: {
          run_id: "r",
          usage: { tokens_consumed: [{ model_name: "m", input_tokens: { total: 1 } }] }
        }
      }]
    ]
  }
}

const read = (name: string, sent: ReadonlyArray<Sent>) => {
  const answer = makeAnswer("a")
  const reader: Reader = name === "agent"
    ? readAgentEvents(answer, makeCalls())
    : (name === "chat" ? chat : makeAnalyst([])).reader(answer)
  const events = sent.map(([event, data]) => reader.read(event, data))
  return { answer, events: [...events, reader.settle()] }
}

describe.each(Object.entries(streams))("%s", (name, { end, sent }) => {
  it("tells every message, and its end, whatever stands in one of its fields", () => {
    let count = 0
    for (const [index, [event, data]] of sent.entries()) {
      for (const { changed, what } of changedFields(data)) {
        count += 1
        const { answer, events } = read(name, sent.with(index, [event, changed]))
        assert.isTrue(events.slice(0, -1).every((told) => told.length > 0), `${event}: ${what}`)
        if (end >= 0) assert.notStrictEqual(answer.progress, "open", `${event}: ${what}`)
      }
    }
    assert.isAbove(count, 50)
  })
})
