import { assert, describe, it } from "@effect/vitest"
import { toAnswers, toForm } from "../../src/fronts/questions.js"
import { questions } from "../../src/fronts/read.js"
import { problemOf } from "../../src/schema/index.js"

const none = { required: false, multiSelect: false }
const args = {
  questions: [
    { ...none, id: "age", question: "Age", header: "Age", type: "integer", minimum: 1, default: 3 },
    {
      ...none,
      id: "mail",
      question: "Mail",
      header: "Mail",
      type: "string",
      format: "email",
      required: true
    },
    {
      ...none,
      id: "sure",
      question: "Sure",
      header: "Sure",
      type: "boolean",
      options: [{ label: "Yes" }, { label: "No" }]
    },
    {
      ...none,
      id: "size",
      question: "Size",
      header: "Size",
      type: "string",
      options: [{ label: "Small", value: "s" }]
    },
    {
      ...none,
      id: "tags",
      question: "Tags",
      header: "Tags",
      multiSelect: true,
      type: "array",
      minItems: 1,
      options: [{ label: "x" }]
    },
    { ...none, id: "more", question: "More", header: "More", type: "object" },
    {
      ...none,
      id: "any",
      question: "Any",
      header: "Any",
      type: "string",
      any_of: [{ type: "integer" }, { type: "boolean" }]
    },
    // Of an agent that asks by words alone.
    { id: "which", question: "Which?", options: [{ label: "a" }] }
  ]
}

describe("a form that is shown by another client", () => {
  const asked = questions(args)
  const { requestedSchema } = toForm(asked, "Fill in")

  it("has the types, bounds and defaults of the agent's own, as far as such forms have them", () => {
    assert.deepStrictEqual(requestedSchema, {
      type: "object",
      properties: {
        question_0: { type: "integer", minimum: 1, default: 3, title: "Age" },
        question_1: { type: "string", format: "email", title: "Mail" },
        question_2: { type: "boolean", title: "Sure" },
        question_3: { type: "string", title: "Size", oneOf: [{ const: "Small", title: "Small" }] },
        question_4: {
          minItems: 1,
          type: "array",
          title: "Tags",
          items: { anyOf: [{ const: "x", title: "x" }] }
        },
        question_5: { type: "string", title: "More" },
        question_6: { type: "string", title: "Any" },
        question_7: { type: "string", title: "Which?", oneOf: [{ const: "a", title: "a" }] },
        question_7_custom: { type: "string", title: "Other" }
      },
      required: ["question_1"]
    })
  })

  it("is filled in with values that the agent's own form takes", () => {
    const answers = toAnswers(asked, {
      question_0: 5,
      question_1: "ada@example.com",
      question_2: false,
      question_3: "Small",
      question_4: ["x"],
      question_5: "{\"a\":1}",
      question_6: true,
      question_7_custom: "b"
    })
    assert.deepStrictEqual(answers, {
      age: "5",
      mail: "ada@example.com",
      sure: "false",
      size: "Small",
      tags: ["x"],
      more: "{\"a\":1}",
      any: "true",
      which: "b"
    })
    assert.isUndefined(problemOf(args, answers))
    assert.match(
      problemOf(args, { ...answers, any: "x" }) ?? "",
      /"any" must be yes or no, or must be a number/
    )
  })
})
