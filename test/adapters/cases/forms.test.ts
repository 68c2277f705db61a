/**
 * Forms, by agent: what a page is told of each field, and what becomes of answers. One that breaks the form is refused
 * with the field's name and what is expected, is not sent on, and the question stays open.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Native } from "../../support/transcriptSpawner.js"
import { acp, claude, codex, type Lines } from "./lines.js"
import { first, ofType, playLines } from "./play.js"

/** A field of each type, with all its bounds. */
const schema = {
  type: "object",
  properties: {
    name: { type: "string", title: "Name", minLength: 2, maxLength: 5, pattern: "^[A-Z]" },
    mail: { type: "string", format: "email" },
    day: { type: "string", format: "date" },
    age: { type: "integer", minimum: 1, maximum: 9, default: 3 },
    rate: { type: "number", exclusiveMinimum: 0 },
    sure: { type: "boolean" },
    size: { type: "string", oneOf: [{ const: "s", title: "Small" }, { const: "l", title: "Large" }] },
    old: { type: "string", enum: ["a", "b"], enumNames: ["Alpha", "Beta"] },
    tags: {
      type: "array",
      minItems: 1,
      maxItems: 2,
      items: { anyOf: [{ const: "x" }, { const: "y" }, { const: "z" }] }
    }
  },
  required: ["name", "tags"]
}

const good = {
  name: "Ada",
  mail: "ada@example.com",
  day: "2026-01-31",
  rate: "0.5",
  sure: "yes",
  size: "Small",
  old: "Beta",
  tags: ["x", "y"]
}
const filledIn = {
  name: "Ada",
  mail: "ada@example.com",
  day: "2026-01-31",
  age: 3,
  rate: 0.5,
  sure: true,
  size: "s",
  old: "b",
  tags: ["x", "y"]
}

/** An answer that breaks one field, and what is said of it. */
const broken: ReadonlyArray<readonly [field: string, answer: unknown, expected: RegExp]> = [
  ["name", "A", /"name" must have at least 2 characters/],
  ["name", "Adalbert", /"name" must have at most 5 characters/],
  ["name", "ada", /"name" must match \^\[A-Z\]/],
  ["name", "", /"name" is required/],
  ["mail", "ada", /"mail" must be an email address/],
  ["day", "tomorrow", /"day" must be a date, such as/],
  ["day", "2026-13-45", /"day" must be a date, such as/],
  ["age", "x", /"age" must be a number/],
  ["age", "1.5", /"age" must be a whole number/],
  ["age", "0", /"age" must be at least 1/],
  ["age", "10", /"age" must be at most 9/],
  ["rate", "0", /"rate" must be more than 0/],
  ["sure", "perhaps", /"sure" must be yes or no/],
  ["size", "Medium", /"size" must be one of Small, Large/],
  ["old", "c", /"old" must be one of Alpha, Beta/],
  ["tags", [], /"tags"/],
  ["tags", ["x", "y", "z"], /"tags" takes at most 2 answers/],
  ["tags", ["w"], /"tags" must be one of x, y, z/]
]

const agents: ReadonlyArray<
  readonly ["claude" | "codex" | "acp", ask: (schema: object) => Lines, content: (told: Native) => unknown]
> = [
  [
    "claude",
    (requested_schema) =>
      claude.conversation(
        ...claude.asks({ subtype: "elicitation", mcp_server_name: "m", message: "Fill in", requested_schema })
      ),
    (told) => told.response.response
  ],
  [
    "codex",
    (requestedSchema) =>
      codex.conversation(...codex.asks("mcpServer/elicitation/request", {
        serverName: "m",
        mode: "form",
        message: "Fill in",
        requestedSchema
      })),
    ({ result: { action, content } }) => ({ action, content })
  ],
  [
    "acp",
    (requestedSchema) =>
      acp.conversation(
        ...acp.asksFor({ sessionId: "s1", mode: "form", message: "Fill in", requestedSchema })
      ),
    (told) => told.result
  ]
]

describe.each(agents)("a form of %s's", (tool, ask, content) => {
  const play = (answer: object | ReadonlyArray<object>) => playLines(tool, ask(schema), { answer })

  it.live("is told with types, bounds, defaults, options and what is required", () =>
    Effect.gen(function*() {
      const { events } = yield* play({ answers: good })
      const { args, metadata } = first(events, "permission_request")
      assert.strictEqual(metadata.kind, "question")
      const { questions } = args as { questions: ReadonlyArray<Record<string, unknown>> } // See the test.
      const told = Object.fromEntries(
        questions.map(({ id, multiSelect, options, question: _words, ...rest }) => [
          id,
          { ...rest, ...(options !== undefined && { options }), ...(multiSelect === true && { multiSelect }) }
        ])
      )
      const optional = { required: false }
      assert.deepStrictEqual(told, {
        name: {
          header: "Name",
          type: "string",
          required: true,
          minLength: 2,
          maxLength: 5,
          pattern: "^[A-Z]"
        },
        mail: { ...optional, type: "string", format: "email" },
        day: { ...optional, type: "string", format: "date" },
        age: { ...optional, type: "integer", minimum: 1, maximum: 9, default: 3 },
        rate: { ...optional, type: "number", exclusiveMinimum: 0 },
        sure: { ...optional, type: "boolean", options: [{ label: "Yes" }, { label: "No" }] },
        size: {
          ...optional,
          type: "string",
          options: [{ label: "Small", value: "s" }, { label: "Large", value: "l" }]
        },
        old: {
          ...optional,
          type: "string",
          options: [{ label: "Alpha", value: "a" }, { label: "Beta", value: "b" }]
        },
        tags: {
          type: "array",
          required: true,
          multiSelect: true,
          minItems: 1,
          maxItems: 2,
          options: [{ label: "x" }, { label: "y" }, { label: "z" }]
        }
      })
    }))

  it.live("is filled in with values of its types, and its defaults", () =>
    Effect.gen(function*() {
      const { told } = yield* play({ answers: good })
      assert.deepStrictEqual(content(told.at(-1)), { action: "accept", content: filledIn })
    }))

  it.live("refuses what breaks it, says why, and stays open for what does not", () =>
    Effect.gen(function*() {
      const { events, told } = yield* play([
        ...broken.map(([field, answer]) => ({ answers: { ...good, [field]: answer } })),
        // A yes alone fills in nothing.
        { behavior: "allow" },
        { answers: good }
      ])
      const errors = ofType(events, "error")
      assert.lengthOf(errors, broken.length + 1)
      for (const [index, [, , expected]] of broken.entries()) {
        assert.match(errors[index]?.text ?? "", expected)
        assert.strictEqual(errors[index]?.code, "bad_command")
      }
      assert.lengthOf(ofType(events, "control_response").filter(({ status }) => status === "allow"), 1)
      const answers = told.filter((message) => "result" in message || message.type === "control_response")
      assert.deepStrictEqual(answers.map(content), [{ action: "accept", content: filledIn }])
    }))

  it.live("is declined", () =>
    Effect.gen(function*() {
      const { told } = yield* play({ behavior: "deny" })
      assert.include(JSON.stringify(told.at(-1)), "\"action\":\"decline\"")
    }))
})

describe("a form whose pattern looks for its fit in very many ways", () => {
  const patterns = [
    "^(a+)+$",
    "^(a|aa)*$",
    "^a*a*a*a*a*a*b$",
    "^([a-z]+-?){1,}$",
    "(.*a){20}",
    `${"a?".repeat(30)}${"a".repeat(30)}b`
  ]
  it.live.each(patterns)("holds nobody up: %s", (pattern) =>
    Effect.gen(function*() {
      const began = performance.now()
      const answer = `${"a".repeat(900)}!`
      const { told } = yield* playLines(
        "acp",
        acp.conversation(...acp.asksFor({
          sessionId: "s1",
          mode: "form",
          message: "Fill in",
          requestedSchema: { properties: { f: { type: "string", pattern } } }
        })),
        { answer: { answers: { f: answer } } }
      )
      // Its own server looks at it.
      assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { f: answer } })
      assert.isBelow(performance.now() - began, 5000)
    }))
})

describe("a form's answers", () => {
  const ask = (requestedSchema: object, ...answers: ReadonlyArray<unknown>) =>
    playLines(
      "acp",
      acp.conversation(
        ...acp.asksFor({ sessionId: "s1", mode: "form", message: "Fill in", requestedSchema })
      ),
      { answer: answers.map((answers) => ({ answers })) }
    )

  it.live("are numbers as people write them, and whole ones are kept whole", () =>
    Effect.gen(function*() {
      const schema = { properties: { n: { type: "integer" } }, required: ["n"] }
      const { events, told } = yield* ask(
        schema,
        ...["0x10", "1 000", "99999999999999999999", "NaN", " +7 "].map((n) => ({ n }))
      )
      assert.lengthOf(ofType(events, "error"), 4)
      assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { n: 7 } })
    }))

  it.live("are those that were given, whatever a field is called; each once", () =>
    Effect.gen(function*() {
      const properties = JSON.parse(
        `{"__proto__":{"type":"string"},"constructor":{"type":"string"},"l":{"type":"array","items":{"enum":["a","b"]}}}`
      ) as object
      const { told } = yield* ask({ properties }, { l: ["a", "b", "a"] })
      assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { l: ["a", "b"] } })
    }))

  it.live("fit a pattern on what people may type", () =>
    Effect.gen(function*() {
      const schema = { properties: { s: { type: "string", pattern: "^[a-z]+(-[a-z]+)*$" } } }
      const { events, told } = yield* ask(schema, { s: "Not-1" }, { s: "my-name" })
      assert.match(ofType(events, "error")[0]?.text ?? "", /must match/)
      assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { s: "my-name" } })
    }))
})

describe("questions", () => {
  it.live("of Claude's AskUserQuestion take any text, and several options where it lets one", () =>
    Effect.gen(function*() {
      const questions = [
        { question: "Which?", header: "W", multiSelect: true, options: [{ label: "a" }, { label: "b" }] },
        { question: "How?", header: "H", multiSelect: false, options: [{ label: "fast" }, { label: "slow" }] }
      ]
      const { told } = yield* playLines(
        "claude",
        claude.conversation(
          claude.calls("t", "AskUserQuestion"),
          ...claude.asks({
            subtype: "can_use_tool",
            tool_name: "AskUserQuestion",
            tool_use_id: "t",
            input: { questions }
          })
        ),
        { answer: { answers: { "Which?": ["a", "b"], "How?": "by hand" } } }
      )
      assert.deepStrictEqual(told.at(-1)?.response.response, {
        behavior: "allow",
        updatedInput: { questions, answers: { "Which?": "a, b", "How?": "by hand" } }
      })
    }))

  it.live("of Codex's requestUserInput go back by id", () =>
    Effect.gen(function*() {
      const questions = [
        {
          id: "q",
          header: "W",
          question: "Which?",
          options: [{ label: "a", description: "A" }],
          isOther: true
        }
      ]
      const { events, told } = yield* playLines(
        "codex",
        codex.conversation(...codex.asks("item/tool/requestUserInput", { itemId: "k", questions })),
        { answer: { answers: { "Which?": "another" } } }
      )
      assert.strictEqual(first(events, "permission_request").metadata.kind, "question")
      assert.deepStrictEqual(told.at(-1)?.result, { answers: { q: { answers: ["another"] } } })
    }))
})
