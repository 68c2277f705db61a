import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import type { Auth } from "../../../src/services/access/Auth.js"
import { onShelf } from "../../../src/services/access/Tokens.js"
import { principalOf, tokensOf } from "../../../src/services/schedule/onBehalf.js"

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

  it.effect("are those of a token in memory as it is now: none once it was revoked, or has a new owner", () =>
    Effect.gen(function*() {
      const tokens = onShelf(undefined)
      const auth = Option.some({ tokens } as unknown as Auth["Service"])
      const known = tokensOf(undefined, auth)
      yield* TestClock.setTime(60_000)
      yield* tokens.make({ name: "link", scopes: ["prompt"], sessions: ["s"] })
      const schedule = { created_at: 61, token: "link" }
      assert.deepStrictEqual((yield* principalOf(known, schedule)).limits, { sessions: ["s"] })
      yield* tokens.revoke("link")
      assert.include((yield* Effect.flip(principalOf(known, schedule))).message, "was revoked")
      yield* TestClock.setTime(70_000)
      yield* tokens.make({ name: "link", scopes: ["prompt", "admin"] })
      assert.include((yield* Effect.flip(principalOf(known, schedule))).message, "was revoked")
    }))
})
