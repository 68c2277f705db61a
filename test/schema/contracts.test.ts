/** The contracts are what the schemas say. */
import { Ajv } from "ajv"
import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { contracts } from "../../src/schema/contracts/index.js"
import { routes } from "../../src/schema/routes.js"
import { contractFiles } from "../support/contractFiles.js"

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

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
  })

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
})
