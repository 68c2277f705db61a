import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { makeRedact } from "../../src/services/redact.js"
import { cpuTime } from "../support/cpuTime.js"

const redactShapes = makeRedact({})
const inJson = (text: string) => JSON.stringify({ text })
/** What becomes of a text that stands in an event. */
const redacted = (text: string, env: Readonly<Record<string, string>> = {}): string =>
  JSON.parse(makeRedact(env)(inJson(text))).text

describe("redact", () => {
  const keys: Record<string, string> = {
    Anthropic: "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWx",
    OpenAI: "sk-proj-1234567890abcdefghij",
    Google: "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "Google OAuth": "ya29.a0AfH6SMBx1234567890abc",
    GitHub: "ghp_1234567890abcdefghij1234567890abcdef",
    "GitHub, fine-grained": "github_pat_11ABCDEFG0123456789_abcdefghijklmnop",
    GitLab: "glpat-abcdefghij1234567890",
    Slack: "xoxb-1234567890-abcdefghij",
    AWS: "AKIAIOSFODNN7EXAMPLE",
    JWT: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWJ5dGVz"
  }

  it.each(Object.entries(keys))("takes out what looks like a key: %s", (_, key) => {
    const places = [
      (key: string) => key,
      (key: string) => `KEY=${key}`,
      (key: string) => `first line\n${key}\nlast line`,
      (key: string) => `\t${key}\r\n`,
      (key: string) => `é${key} "${key}" '${key}'`,
      (key: string) => JSON.stringify({ file: `a\n${key}\n` }),
      (key: string) => JSON.stringify(JSON.stringify({ file: `a\n${key}\n` }))
    ]
    for (const place of places) assert.strictEqual(redacted(place(key)), place("[REDACTED]"))
  })

  it("takes out what a request bears, and leaves the word", () => {
    assert.strictEqual(
      redacted("Authorization: Bearer abcdef.0123456789-XYZ\nnext"),
      "Authorization: Bearer [REDACTED]\nnext"
    )
    assert.strictEqual(redacted("\nBearer abcdef.0123456789-XYZ"), "\nBearer [REDACTED]")
  })

  it("leaves what only begins like a key", () => {
    for (
      const text of [
        "ask-me-anything-you-want",
        "task-aaaaaaaaaaaaaaaaaaaa",
        "sk-short",
        "AKIA",
        "the Bearer of news"
      ]
    ) {
      assert.strictEqual(redacted(text), text)
    }
  })

  it("takes out the values of variables whose name says secret, however JSON spells them", () => {
    const env = {
      MY_TOKEN: "line one\nand \"two\"",
      DB_PASSWORD: "pässwörd\\",
      HOME: "/home/someone",
      SHORT_KEY: "1234567"
    }
    assert.strictEqual(redacted("a line one\nand \"two\" b", env), "a [REDACTED] b")
    assert.strictEqual(redacted("pässwörd\\ /home/someone 1234567", env), "[REDACTED] /home/someone 1234567")
    const escaped = "{\"raw\":\"p\\u00e4ssw\\u00f6rd\\\\\"}"
    assert.strictEqual(makeRedact(env)(escaped), "{\"raw\":\"[REDACTED]\"}")
  })

  it("leaves a text without secrets as it is, byte by byte", () => {
    fc.assert(fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
      const json = JSON.stringify(value, undefined, indent)
      assert.strictEqual(redactShapes(json), json)
    }))
  })

  it("keeps JSON valid and its shape, whatever the secrets are", () => {
    const secret = fc.oneof(
      fc.constantFrom(
        "12345678",
        "nnnnnnnn",
        "null,null",
        "\\\\\\\\\n\n\n\n",
        ":true}],[",
        "\",\",\",\",",
        "u00e9u00e9"
      ),
      fc.string({ unit: "binary", minLength: 8 })
    )
    const value = (secret: string) =>
      fc.letrec((tie) => ({
        leaf: fc.oneof(
          fc.constantFrom(secret, `\n${secret}`, `\\${secret}`, secret.slice(1), `${secret}${secret}`),
          fc.constantFrom(12345678, 912345678.5, null, true, -1e21),
          fc.string({ unit: "binary" })
        ),
        tree: fc.oneof(
          { maxDepth: 3 },
          tie("leaf"),
          fc.array(tie("tree"), { maxLength: 4 }),
          fc.dictionary(fc.string({ maxLength: 3 }), tie("tree"), { maxKeys: 4, noNullPrototype: true })
        )
      })).tree
    const shapeOf = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shapeOf)
        : typeof value === "object" && value !== null
        ? Object.values(value).map(shapeOf)
        : typeof value === "string"
        ? "string"
        : value
    fc.assert(
      fc.property(
        secret.chain((secret) => fc.tuple(fc.constant(secret), value(secret))),
        ([secret, value]) => {
          const line = JSON.stringify(value)
          const clean = makeRedact({ A_TOKEN: secret })(line)
          assert.deepStrictEqual(shapeOf(JSON.parse(clean)), shapeOf(value))
        }
      ),
      { numRuns: 500 }
    )
  })

  it("takes out a secret wherever it stands in a string", () => {
    const around = fc.string({ unit: "binary" })
    fc.assert(fc.property(around, around, (before, after) => {
      const secret = "S3cret!\n\"\\Value"
      assert.notInclude(redacted(`${before}${secret}${after}`, { A_TOKEN: secret }), secret)
    }))
  })

  it("is quick with megabytes", () => {
    const line = inJson("x\\\"\n".repeat(500_000) + keys.AWS)
    const redacting = () =>
      assert.isTrue(makeRedact({ A_TOKEN: "another secret" })(line).endsWith("[REDACTED]\"}"))
    assert.isBelow(cpuTime(redacting), 2000)
  })
})
