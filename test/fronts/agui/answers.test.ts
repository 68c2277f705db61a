/** What a page answers, as the relay takes it: nothing is allowed that nobody allowed. */
import { assert, describe, it } from "@effect/vitest"
import { toResponse } from "../../../src/fronts/agui/answers.js"
import type { AskOp } from "../../../src/fronts/Op.js"

const askOf = (kind: AskOp["kind"]): AskOp => ({
  type: "ask",
  request_id: "q",
  id: "a",
  kind,
  tool: "Bash",
  text: "",
  args: kind === "question" ? { questions: [{ question: "Which?", options: [{ label: "One" }] }] } : {},
  options: []
})
const behaviorOf = (kind: AskOp["kind"], payload: unknown) =>
  toResponse({ interruptId: "q", isCancelled: false, payload }, askOf(kind)).behavior

describe("an answer to an interrupt", () => {
  it("allows a tool only if it says so, whatever else it holds", () => {
    for (
      const payload of [undefined, null, "yes", 1, [], {}, { approved: "true" }, {
        answers: { "Which?": "One" }
      }]
    ) {
      assert.strictEqual(behaviorOf("tool", payload), "deny", JSON.stringify(payload))
    }
    for (const payload of [true, { approved: true }, { behavior: "allow" }]) {
      assert.strictEqual(behaviorOf("tool", payload), "allow")
    }
  })

  it("allows a question with its answers", () => {
    assert.strictEqual(behaviorOf("question", { answers: { "Which?": "One" } }), "allow")
    assert.strictEqual(behaviorOf("question", "One"), "allow")
    assert.strictEqual(behaviorOf("question", {}), "deny")
  })
})
