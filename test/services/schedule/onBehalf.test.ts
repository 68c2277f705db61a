import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { principalOf } from "../../../src/services/schedule/onBehalf.js"

describe("on whose behalf a schedule runs", () => {
  it.effect("is the operator's, where no named token made it", () =>
    Effect.gen(function*() {
      for (const token of [undefined, "default"]) {
        const { scopes } = yield* principalOf(undefined, {
          created_at: 1,
          ...token !== undefined && { token }
        })
        assert.deepStrictEqual([...scopes], ["admin"])
      }
    }))

  it.effect("is no more than a prompt's, where tokens are in memory alone", () =>
    Effect.gen(function*() {
      const { name, scopes } = yield* principalOf(undefined, { created_at: 1, token: "phone" })
      assert.strictEqual(name, "phone")
      assert.deepStrictEqual([...scopes], ["prompt"])
    }))
})
