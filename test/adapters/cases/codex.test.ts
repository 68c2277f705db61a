/** What Codex says in ways that were once misunderstood, each with the right value. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { first, ofType, playCase } from "./play.js"

describe("Codex", () => {
  it.live("has items of 0.171: tools, a hook's words, a sleep, a review", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("codex-new-items")
      assert.deepStrictEqual(
        ofType(events, "tool_result").map(({ text, tool, tool_use_id }) => [tool_use_id, tool, text]),
        [["f", "update_plan", "Plan updated"], ["s", "sleep", "5 s"]]
      )
      assert.deepStrictEqual(ofType(events, "tool_call").map(({ tool }) => tool), ["update_plan", "sleep"])
      assert.deepInclude(ofType(events, "user_message").at(-1), {
        text: "Hook says: run the tests",
        metadata: { synthetic: true }
      })
      const review = ofType(events, "status").find(({ status }) => status === "enteredReviewMode")
      assert.strictEqual(review?.text, "current changes")
    }))

  it.live("passes on a form in OpenAI's own shape: a plain yes does not fill it in", () =>
    Effect.gen(function*() {
      const { events, told } = yield* playCase("codex-openai-form", { answer: { answers: { a: "Ada" } } })
      assert.strictEqual(first(events, "permission_request").metadata.kind, "question")
      assert.deepInclude(told.at(-1)?.result, { action: "accept", content: { a: "Ada" } })
    }))

  it.live("answers in parts", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("codex-partial-answer")
      assert.strictEqual(first(events, "response").text, "Part one. Part two. The end.")
    }))

  it.live("has tools that say it in structures", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("codex-tool-words")
      const [structured, failed] = ofType(events, "tool_result")
      assert.strictEqual(structured?.text, "{\"rows\":3}")
      assert.include(failed?.text, "usageLimitReached")
    }))
})
