/** The contracts as the specifications' own parsers and a running relay judge them. */
import { Parser } from "@asyncapi/parser"
import { Validator } from "@seriousme/openapi-schema-validator"
import { readFileSync } from "node:fs"
import { afterAll, assert, describe, it } from "vitest"
import { contracts } from "../../src/schema/contracts/index.js"
import * as FakeRelay from "../support/fakeRelay.js"

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

/** Parsers that compile take their time on a busy machine. */
const patience = 120_000

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
