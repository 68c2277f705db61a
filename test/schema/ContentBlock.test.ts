import { assert, describe, it } from "@effect/vitest"
import { textOf } from "../../src/schema/index.js"

describe("textOf", () => {
  it("joins the text blocks, in order, and passes over everything else", () => {
    const content = [
      { type: "text", text: "one " },
      { type: "image", source: {} },
      { type: "tool_use", text: "not a text block" },
      { type: "text" },
      { type: "text", text: 7 },
      { type: "text", text: "two" }
    ]
    assert.strictEqual(textOf(content), "one two")
    assert.strictEqual(textOf([]), "")
  })
})
