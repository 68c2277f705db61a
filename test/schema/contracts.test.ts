/** The contracts are what the schemas say, and say what the relay does. */
import { Parser } from "@asyncapi/parser"
import { Validator } from "@seriousme/openapi-schema-validator"
import { Ajv } from "ajv"
import { readFileSync } from "node:fs"
import { afterAll, assert, describe, it } from "vitest"
import { contracts } from "../../src/schema/contracts/index.js"
import { routes } from "../../src/schema/routes.js"
import { contractFiles } from "../support/contractFiles.js"
import * as FakeRelay from "../support/fakeRelay.js"

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

/** Parsers that compile take their time on a busy machine. */
const patience = 120_000

const ajv = new Ajv({ strict: false, formats: { uuid: /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i } })
ajv.addSchema({ ...contracts["schema.json"](), $id: "ai-relay" })
const complaintsOf = (definition: string, frame: unknown) => {
  const validate = ajv.getSchema(`ai-relay#/definitions/${definition}`)
  assert.isDefined(validate, definition)
  return validate?.(frame) === true ? [] : validate?.errors ?? []
}

/** The examples of docs/protocol.md, which the relay's own schemas decode. */
const sectionOf = (title: string) =>
  read("docs/protocol.md").split(/^## /m).find((part) => part.startsWith(title)) ?? ""
const examplesOf = (title: string): ReadonlyArray<{ readonly type?: string }> =>
  [...sectionOf(title).matchAll(/^```json\n([^]*?)\n```$/gm)].map(([, code]) => JSON.parse(code ?? ""))

describe("the files made from the schemas", () => {
  for (const [path, text] of Object.entries(contractFiles())) {
    it(`are as the schemas are now, else run npm run contracts: ${path}`, () => {
      assert.strictEqual(read(path), text)
    })
  }
})

describe("the JSON Schema", () => {
  it("accepts every example of the protocol page", () => {
    for (
      const [title, definition] of [["Handshake", "Handshake"], ["Commands", "Command"], ["Events", "Event"]]
    ) {
      const examples = examplesOf(title ?? "")
      assert.isAtLeast(examples.length, 5)
      for (const frame of examples) {
        assert.deepStrictEqual(complaintsOf(definition ?? "", frame), [], JSON.stringify(frame))
      }
    }
  }, patience)

  it("accepts what it does not know, and null for absent in what a client sends", () => {
    assert.isEmpty(complaintsOf("Handshake", { tool: "claude", model: null, of_a_later_version: 1 }))
    assert.isEmpty(complaintsOf("Event", { ...examplesOf("Events")[0], of_a_later_version: 1 }))
  })

  it("refuses what the relay refuses", () => {
    for (
      const frame of [{ type: "set_model" }, { type: "what" }, { type: "resize", cols: 0, rows: 1 }, {
        text: 1
      }, {}]
    ) {
      assert.isNotEmpty(complaintsOf("Command", frame), JSON.stringify(frame))
    }
    for (const frame of [{ session_id: ".." }, { after_seq: -1 }, { mode: "x" }, []]) {
      assert.isNotEmpty(complaintsOf("Handshake", frame), JSON.stringify(frame))
    }
  })
})

describe("the AsyncAPI document", () => {
  it("is what AsyncAPI's own parser takes without a complaint", async () => {
    const { diagnostics, document } = await new Parser().parse(read("contracts/asyncapi.json"))
    const complaints = diagnostics.filter(({ severity }) => severity <= 1)
      .map(({ message, path }) => `${path.join(".")}: ${message}`)
    assert.deepStrictEqual(complaints, [])
    assert.strictEqual(document?.version(), "3.0.0")
    assert.lengthOf(document?.operations().all() ?? [], 3)
    assert.isAbove(document?.allMessages().length ?? 0, 38)
  }, patience)
})

describe("the OpenAPI document", () => {
  it("has every route of the table, with what it needs", () => {
    const { paths } = contracts["openapi.json"]() as {
      readonly paths: Record<string, Record<string, { "x-scope"?: string; operationId: string }>>
    }
    const said = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { "x-scope": scope = "public", operationId }]) =>
        [operationId, method.toUpperCase(), path, scope].join(" ")
      )
    )
    assert.sameMembers(
      said,
      Object.entries(routes).map(([id, { method, path, scope }]) => [id, method, path, scope].join(" "))
    )
    assert.includeMembers(Object.keys(paths), [
      "/agents",
      "/healthz",
      "/metrics",
      "/readyz",
      "/sessions",
      "/ticket"
    ])
  })

  it("is valid", async () => {
    const { errors, valid } = await new Validator().validate(contracts["openapi.json"]())
    assert.isTrue(valid, JSON.stringify(errors))
  })
})

describe("a relay", () => {
  const relay = FakeRelay.start()
  afterAll(async () => (await relay).end())
  const get = async (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${(await relay).port}${path}`, init)

  it("serves the contracts", async () => {
    for (const [name, make] of Object.entries(contracts)) {
      const answer = await get(`/${name}`)
      assert.strictEqual(answer.status, 200)
      assert.deepStrictEqual(await answer.json(), make())
    }
  })

  it("answers every path of the OpenAPI document as it says", async () => {
    const { paths } = contracts["openapi.json"]() as {
      paths: Record<string, Record<string, { responses: object }>>
    }
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        const answer = await get(path.replace("{session_id}", "nobody"), { method: method.toUpperCase() })
        assert.property(responses, String(answer.status), path)
        await answer.body?.cancel()
      }
    }
  })
})
