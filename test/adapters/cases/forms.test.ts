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

  const refusals: ReadonlyArray<
    readonly [field: object, bad: unknown, expected: RegExp, good: unknown, value: unknown]
  > = [
    [{ type: "integer", multipleOf: 5 }, "7", /must be a multiple of 5/, "10", 10],
    [{ type: "number", multipleOf: 0.1 }, "0.35", /must be a multiple of 0.1/, "0.3", 0.3],
    [{ type: "array", uniqueItems: true, items: { type: "string" } }, ["a", "a"], /only once/, ["a", "b"], [
      "a",
      "b"
    ]],
    [{ type: "array", uniqueItems: true, items: { type: "number" } }, ["1", "1.0"], /only once/, ["1"], [1]],
    [{ type: "array", items: { type: "number" } }, ["x"], /must be a number/, ["1", "1"], [1, 1]],
    [{ type: "array", items: { type: "integer", maximum: 3 } }, ["1", "4"], /must be at most 3/, ["3"], [3]],
    [{ type: "array", items: { type: "boolean" } }, ["x"], /must be yes or no/, ["no"], [false]],
    [{ type: "array", items: { type: "string", pattern: "^a" } }, ["b"], /must match \^a/, ["ab"], ["ab"]],
    [{ type: "array", items: { type: "object" } }, ["x"], /must be an object/, ["{\"a\":1}"], [{ a: 1 }]],
    [{ type: "array", minItems: 2, items: { enum: ["a", "b"] } }, ["a", "a"], /at least 2/, ["a", "b"], [
      "a",
      "b"
    ]],
    [{ const: "agreed" }, "no", /must be one of agreed/, "agreed", "agreed"],
    [{ const: 7 }, "8", /must be one of 7/, "7", 7],
    [{ type: "boolean", const: true }, "no", /must be Yes/, "yes", true],
    [{ type: "object" }, "x", /must be an object/, "{\"a\":[1]}", { a: [1] }],
    [{ properties: { a: { type: "string" } } }, "[1]", /must be an object/, "{\"a\":\"b\"}", { a: "b" }],
    [{ $ref: "#/$defs/Size" }, "m", /must be one of s, l/, "l", "l"],
    [{ $ref: "#/$defs/Again" }, "0", /must be at least 1/, "2", 2],
    [{ allOf: [{ $ref: "#/$defs/Count" }], maximum: 3 }, "4", /must be at most 3/, "3", 3],
    [{ anyOf: [{ $ref: "#/$defs/Count" }, { type: "null" }] }, "x", /must be a number/, "3", 3],
    [{ type: "array", items: { $ref: "#/$defs/Size" } }, ["m"], /must be one of s, l/, ["s"], ["s"]],
    [{ oneOf: [{ $ref: "#/$defs/One" }, { const: "two" }] }, "x", /must be one of one, two/, "one", "one"],
    [{ $ref: "#/$defs/a~1b%20c" }, "x", /must be a number/, "1", 1]
  ]
  const $defs = {
    Size: { type: "string", enum: ["s", "l"] },
    Count: { type: "integer", minimum: 1 },
    Again: { $ref: "#/$defs/Count" },
    One: { const: "one" },
    "a/b c": { type: "number" }
  }

  it.live.each(refusals)(
    "are refused where they break %j, as %j does",
    ([field, bad, expected, good, value]) =>
      Effect.gen(function*() {
        const { events, told } = yield* ask({ $defs, properties: { f: field } }, { f: bad }, { f: good })
        assert.deepStrictEqual(ofType(events, "error").map(({ code }) => code), ["bad_command"])
        assert.match(ofType(events, "error")[0]?.text ?? "", expected)
        assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { f: value } })
      })
  )

  it.live("are asked for with all that the form says of them", () =>
    Effect.gen(function*() {
      const { events } = yield* ask({
        $defs,
        properties: {
          n: { type: "integer", multipleOf: 5 },
          l: { type: "array", uniqueItems: true, items: { type: "number", minimum: 2 } },
          r: { $ref: "#/$defs/Size", title: "Size" },
          o: { type: "object" }
        }
      }, { n: "5" })
      const { args } = first(events, "permission_request")
      const { questions } = args as { questions: ReadonlyArray<object> } // See the schema above.
      const told = { required: false, multiSelect: false }
      assert.deepStrictEqual(questions, [
        { ...told, id: "n", question: "n", type: "integer", multipleOf: 5 },
        {
          ...told,
          id: "l",
          question: "l",
          multiSelect: true,
          type: "array",
          uniqueItems: true,
          items: { type: "number", minimum: 2 }
        },
        {
          ...told,
          id: "r",
          question: "Size",
          header: "Size",
          type: "string",
          options: [{ label: "s" }, { label: "l" }]
        },
        { ...told, id: "o", question: "o", type: "object" }
      ])
    }))

  it.live("leave out what a form describes by itself, outside, or without end, and say so", () =>
    Effect.gen(function*() {
      const $defs = {
        A: { $ref: "#/$defs/B" },
        B: { $ref: "#/$defs/A" },
        Self: { allOf: [{ $ref: "#/$defs/Self" }, { $ref: "#/$defs/Self" }], title: "Me" },
        ...Object.fromEntries(
          Array.from({ length: 40 }, (_, index) => {
            const next = { $ref: `#/$defs/D${index + 1}` }
            return [`D${index}`, { allOf: [next, next] }]
          })
        )
      }
      const properties = {
        a: { $ref: "#/$defs/A" },
        self: { $ref: "#/$defs/Self" },
        doubled: { $ref: "#/$defs/D0" },
        outside: { $ref: "https://example.com/schema" },
        whole: { $ref: "#" },
        none: { $ref: "#/$defs/none" },
        list: { type: "array", items: { $ref: "#/$defs/none" } },
        // Enough is known of these.
        typed: { $ref: "#/$defs/none", type: "integer" },
        chosen: { anyOf: [{ $ref: "#/$defs/none" }, { const: "x" }] },
        last: { type: "string" }
      }
      const began = performance.now()
      const { events, told } = yield* ask({ $defs, properties }, {
        a: "x",
        none: "y",
        whole: "{\"last\":\"1\"}",
        typed: "3",
        last: "z"
      })
      assert.deepStrictEqual(told.at(-1)?.result, {
        action: "accept",
        content: { whole: { last: "1" }, typed: 3, last: "z" }
      })
      const { text = "" } = first(events, "permission_request")
      for (const name of ["a", "self", "doubled", "outside", "none", "list"]) {
        assert.match(
          text,
          new RegExp(`The field "${name}" cannot be shown: its schema \\(.+\\) is not part`)
        )
      }
      assert.notMatch(text, /"(?:whole|typed|chosen|last)"/)
      assert.isBelow(performance.now() - began, 5000)
    }))

  const unreadable: ReadonlyArray<readonly [name: string, requestedSchema: object]> = [
    ["a field that must be filled in is described elsewhere", {
      properties: { n: { $ref: "https://example.com/n.json" }, m: { type: "string" } },
      required: ["n"]
    }],
    ["nothing in it is a field", { $ref: "#/$defs/none" }],
    ["it is a list of texts", { type: "array", items: { type: "string" }, description: "Names" }]
  ]
  it.live.each(unreadable)(
    "are taken by name alone where %s",
    ([, requestedSchema]) =>
      Effect.gen(function*() {
        const form = { sessionId: "s1", mode: "form", message: "Fill in", requestedSchema }
        const { events, told } = yield* playLines("acp", acp.conversation(...acp.asksFor(form)), {
          answer: [{ behavior: "allow" }, { answers: { n: "1" } }]
        })
        const { args, metadata, text } = first(events, "permission_request")
        assert.strictEqual(metadata.kind, "other")
        assert.deepStrictEqual(args, { form: requestedSchema })
        assert.deepStrictEqual(metadata.options?.map(({ kind }) => kind), ["reject_once"])
        assert.match(text ?? "", /cannot be shown as fields. Decline it, or answer with `answers`/)
        assert.match(
          ofType(events, "error")[0]?.text ?? "",
          /give a value for each of its names in `answers`, or deny/
        )
        assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { n: "1" } })
      })
  )

  it.live("count together where a form is made of parts", () =>
    Effect.gen(function*() {
      const form = {
        $ref: "#/$defs/Form",
        $defs: {
          Form: {
            allOf: [
              { $ref: "#/$defs/Named" },
              {
                properties: { age: { type: "number", minimum: 1 }, size: { enum: ["s", "m", "l"] } },
                required: ["age"]
              },
              {
                allOf: [{
                  properties: { age: { type: "integer", minimum: 3, maximum: 9 }, size: { enum: ["l", "m"] } }
                }]
              }
            ],
            properties: {
              code: { allOf: [{ pattern: "^a" }, { pattern: "b$", minLength: 3 }], minLength: 2 }
            }
          },
          Named: { properties: { name: { type: "string", maxLength: 3 } }, required: ["name"] }
        }
      }
      const good = { name: "Ada", age: "3", size: "m", code: "axb" }
      const { events, told } = yield* ask(
        form,
        ...[{ name: "Adas" }, { name: "" }, { age: "2" }, { age: "" }, { age: "3.5" }, { size: "s" }, {
          code: "ab"
        }, {
          code: "bbb"
        }, { code: "aaa" }].map((bad) => ({ ...good, ...bad })),
        good
      )
      const errors = ofType(events, "error").map(({ text }) => text)
      assert.deepStrictEqual(errors.slice(0, 7).map((text) => /fit: ([^.]*)/.exec(text)?.[1]), [
        "\"name\" must have at most 3 characters",
        "\"name\" is required",
        "\"age\" must be at least 3",
        "\"age\" is required",
        "\"age\" must be a whole number",
        "\"size\" must be one of l, m",
        "\"code\" must have at least 3 characters"
      ])
      // Both patterns count.
      assert.deepStrictEqual(errors.slice(7).map((text) => /^.*?"code" must match/.test(text)), [true, true])
      assert.deepStrictEqual(told.at(-1)?.result, {
        action: "accept",
        content: { name: "Ada", age: 3, size: "m", code: "axb" }
      })
    }))

  it.live("fit one of several ways, where a form has several", () =>
    Effect.gen(function*() {
      const { events, told } = yield* ask(
        {
          properties: { mail: { type: "string" }, phone: { type: "string" } },
          anyOf: [{ required: ["mail"] }, { required: ["phone"] }]
        },
        {},
        { mail: "", phone: "" },
        { phone: "1" }
      )
      const errors = ofType(events, "error").map(({ text }) => text)
      assert.lengthOf(errors, 2)
      assert.match(errors[0] ?? "", /fit in one of these ways: "mail" is required; or "phone" is required/)
      const { args } = first(events, "permission_request") as {
        args: { alternatives: ReadonlyArray<object> }
      }
      assert.lengthOf(args.alternatives, 1)
      assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { phone: "1" } })
    }))

  it.live("fit one way alone, where only one may", () =>
    Effect.gen(function*() {
      const properties = { mail: { type: "string" }, phone: { type: "string" } }
      const { events, told } = yield* ask(
        { properties, oneOf: [{ required: ["mail"] }, { required: ["phone"] }] },
        { mail: "a", phone: "1" },
        { mail: "a" }
      )
      assert.match(ofType(events, "error")[0]?.text ?? "", /fill in only one of these: "mail"; or "phone"/)
      assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { mail: "a" } })
    }))

  it.live("are asked for by kind, where each kind has fields of its own", () =>
    Effect.gen(function*() {
      const kinds = {
        oneOf: [
          {
            properties: { kind: { const: "card" }, number: { type: "integer" } },
            required: ["kind", "number"]
          },
          {
            properties: { kind: { const: "bank" }, number: { type: "string", minLength: 4 } },
            required: ["kind", "number"]
          }
        ]
      }
      const { events, told } = yield* ask(
        kinds,
        { kind: "cash", number: "1" },
        { kind: "bank", number: "12" },
        { kind: "card" },
        { kind: "bank", number: "1234" }
      )
      assert.lengthOf(ofType(events, "error"), 3)
      const { args } = first(events, "permission_request") as { args: { questions: ReadonlyArray<object> } }
      assert.deepInclude(args.questions[0], {
        id: "kind",
        required: true,
        options: [{ label: "card" }, { label: "bank" }]
      })
      assert.deepStrictEqual(told.at(-1)?.result, {
        action: "accept",
        content: { kind: "bank", number: "1234" }
      })
    }))

  const ofKinds: ReadonlyArray<readonly [field: object, bad: unknown, good: string, value: unknown]> = [
    [{ anyOf: [{ type: "integer", minimum: 1 }, { type: "boolean" }] }, "0.5", "5", 5],
    [{ anyOf: [{ type: "integer" }, { type: "boolean" }] }, "x", "yes", true],
    [{ oneOf: [{ type: "string", format: "email" }, { type: "integer" }] }, "x", "a@b.de", "a@b.de"],
    [{ type: ["integer", "boolean", "null"] }, "x", "7", 7],
    [{ anyOf: [{ enum: ["auto"] }, { type: "integer" }] }, "x", "3", 3],
    [{ anyOf: [{ enum: ["auto"] }, { type: "integer" }] }, "x", "auto", "auto"],
    [{ anyOf: [{ const: "a" }, { enum: ["b", "c"] }] }, "d", "c", "c"],
    [{ allOf: [{ type: "number" }, { anyOf: [{ type: "integer" }, { type: "null" }] }] }, "1.5", "2", 2]
  ]
  it.live.each(ofKinds)(
    "may be of several kinds: %j refuses %j and takes %j",
    ([field, bad, good, value]) =>
      Effect.gen(function*() {
        const { events, told } = yield* ask({ properties: { f: field } }, { f: bad }, { f: good })
        assert.lengthOf(ofType(events, "error"), 1)
        assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { f: value } })
      })
  )

  it.live("are asked for what is required and described nowhere", () =>
    Effect.gen(function*() {
      const { events, told } = yield* ask(
        { properties: {}, required: ["x"], additionalProperties: { type: "integer" } },
        {},
        { x: "2" }
      )
      assert.match(ofType(events, "error")[0]?.text ?? "", /"x" is required/)
      assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { x: 2 } })
    }))

  it.live("are no objects where a text is asked for", () =>
    Effect.gen(function*() {
      const form = {
        sessionId: "s1",
        mode: "form",
        message: "?",
        requestedSchema: { properties: { s: { type: "string" } } }
      }
      const { events, told } = yield* playLines("acp", acp.conversation(...acp.asksFor(form)), {
        answer: [
          { behavior: "allow", updatedInput: { answers: { s: { a: 1 } } } },
          { behavior: "allow", updatedInput: { answers: { s: "a" } } }
        ]
      })
      assert.match(ofType(events, "error")[0]?.text ?? "", /"s" must be a text/)
      assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { s: "a" } })
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
