import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { makeRedact } from "../../../src/services/access/redact.js"
import { cpuTime } from "../../support/cpuTime.js"

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
    "Google client": "GOCSPX-AbCdEfGhIjKlMnOpQrStUvWxYz12",
    "Slack app": "xapp-1-A0123456789-1234567890-abcdef",
    "our own": "airelay_JI8EyRbJ8rSBNKo2zoVjKkcgNLWJlzTF44HagDJjNek",
    npm: "npm_abcdefghijklmnopqrstuvwxyz0123456789",
    "Hugging Face": "hf_AbCdEfGhIjKlMnOpQrStUvWxYz",
    Stripe: "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    SendGrid: "SG.abcdefghijklmnop_qrstu.vwxyz0123456789ABCDEFGHIJKLMNOPQR",
    Groq: "gsk_abcdefghijklmnopqrstuvwx",
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

  it("takes out what stands behind a name that says what it is", () => {
    const pem = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n"
      + "MIIEowIBAAKCAQEA7bq\nABCDEFGHIJ+/=\n-----END RSA PRIVATE KEY-----"
    const cases: ReadonlyArray<readonly [string, string]> = [
      [
        "postgres://app:hunter2@db.example.com/x and http://a.b/c",
        "postgres://app:[REDACTED]@db.example.com/x and http://a.b/c"
      ],
      ["https://hooks.slack.com/services/T000/B000/XXXXXXXX", "https://hooks.slack.com/services/[REDACTED]"],
      ["Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [REDACTED]"],
      [
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key = [REDACTED]"
      ],
      ["export DB_PASSWORD=hunter2; ls", "export DB_PASSWORD=[REDACTED]; ls"],
      ["API_TOKEN='abc123' x", "API_TOKEN='[REDACTED]' x"],
      [pem, "-----BEGIN RSA PRIVATE KEY-----[REDACTED]-----END RSA PRIVATE KEY-----"],
      [JSON.stringify(pem), "\"-----BEGIN RSA PRIVATE KEY-----[REDACTED]-----END RSA PRIVATE KEY-----\""]
    ]
    for (const [text, expected] of cases) assert.strictEqual(redacted(text), expected)
    for (const text of ["KEY=$OTHER_KEY", "MY_TOKEN=${TOKEN}", "Basic knowledge of it", "the PRIVATE KEY"]) {
      assert.strictEqual(redacted(text), text)
    }
  })

  it("takes out a field whose name says secret", () => {
    const secret = "wJalrXUtnFEMI7MDENGbPxRfiCYEXAMPLEKEY"
    assert.strictEqual(
      redactShapes(
        JSON.stringify({ SecretAccessKey: secret, key: "Enter", sort_key: "created at 2026-01-01" })
      ),
      JSON.stringify({ SecretAccessKey: "[REDACTED]", key: "Enter", sort_key: "created at 2026-01-01" })
    )
  })

  it("takes out known values as they are encoded, and short ones behind their names", () => {
    const env = { A_TOKEN: "correct horse/battery+staple", PIN_PASSWORD: "4711" }
    const value = env.A_TOKEN
    const encodings = [
      Buffer.from(value).toString("base64"),
      Buffer.from(`user:${value}`).toString("base64"),
      Buffer.from(`x${value}yz`).toString("base64url"),
      Buffer.from(value).toString("hex"),
      encodeURIComponent(value)
    ]
    for (const text of encodings) {
      const clean = redacted(`a ${text} b`, env)
      assert.include(clean, "[REDACTED]")
      assert.isBelow(clean.length, "a  b".length + "[REDACTED]".length + 14, clean)
    }
    assert.strictEqual(redacted("PIN_PASSWORD=4711", env), "PIN_PASSWORD=[REDACTED]")
    assert.strictEqual(
      redacted("PIN_PASSWORD: \"4711\" of 4711", env),
      "PIN_PASSWORD: \"[REDACTED]\" of 4711"
    )
  })

  it("is quick with megabytes", () => {
    const line = inJson("x\\\"\n".repeat(500_000) + keys["AWS"])
    const redacting = () =>
      assert.isTrue(makeRedact({ A_TOKEN: "another secret" })(line).endsWith("[REDACTED]\"}"))
    assert.isBelow(cpuTime(redacting), 2000)
  })

  const prefixes = [
    ..."airelay_ sk- sk_live_ whsec_ AIza ya29. GOCSPX- ghp_ github_pat_ glpat- xoxb- xapp- AKIA npm_ pypi- hf_ gsk_ ATATT3"
      .split(" "),
    ..."AGE-SECRET-KEY-1 hvs. dapi eyJ SG. https://hooks.slack.com/services/ /api/webhooks/ ://a: ://".split(
      " "
    ),
    ..."SECRET_KEY= KEY= secret_access_key= user:pw@".split(" "),
    "Bearer ",
    "Basic ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\nA: b\n",
    "A_TOKEN",
    "another secret"
  ]
  const fillers = [
    "",
    "a",
    "A",
    "0",
    "_",
    "-",
    ".",
    "/",
    "=",
    ":",
    "@",
    " ",
    "\n",
    "\\n",
    "\\",
    "\"",
    "a.",
    "aaaaaaaa.",
    "aaaaaaaa-"
  ]

  /** How long it takes per character, in text that consists of this over and over. */
  const timeOf = (unit: string, length: number) => {
    const line = inJson(unit.repeat(Math.ceil(length / unit.length)).slice(0, length))
    const redact = makeRedact({ A_TOKEN: "another secret", B_KEY: "short" })
    return cpuTime(() => void redact(line))
  }

  it.each(prefixes)("takes time in proportion to the text, whatever follows %s", (prefix) => {
    for (const filler of fillers) {
      for (const count of [1, 40, 3000]) {
        const unit = prefix + filler.repeat(count)
        assert.isBelow(timeOf(unit, 100_000), 400, JSON.stringify(unit.slice(0, 60)))
        if (filler === "") break
      }
    }
  }, 120_000)

  it("takes time in proportion to the text, whatever it repeats", () => {
    const unit = fc.array(fc.constantFrom(...prefixes, ...fillers), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(unit, (pieces) => {
        const text = pieces.join("")
        fc.pre(text !== "")
        assert.isBelow(timeOf(text, 100_000), 400, JSON.stringify(text))
      }),
      { numRuns: 200 }
    )
  }, 120_000)

  it("does with a megabyte what it did in minutes", () => {
    assert.isBelow(timeOf("-eyJaaaaaaaa", 1_000_000), 2000)
  })
})
