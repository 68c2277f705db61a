/** What somebody finds whose token is limited: what was said in their sessions, and nothing of the others. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ClientCommand } from "../../../src/schema/index.js"
import { everything, Principal } from "../../../src/services/access/Principal.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import { SearchIndex } from "../../../src/services/search/SearchIndex.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"
import { opening, relayOf, until } from "../../support/wholeRelay.js"

const prompt = (text: string): ClientCommand =>
  ({ type: "user_message", content: [{ type: "text", text }] }) as unknown as ClientCommand

describe("a token that is limited to some sessions", () => {
  it.live("finds what was said in them alone", () => {
    const state_dir = mkdtempSync(join(tmpdir(), "ai-relay-search-"))
    const fake = FakeAdapter.make({ onCommand: FakeAdapter.answering() })
    const settings = { state_dir, roots: [state_dir], start_folder: state_dir }
    return Effect.gen(function*() {
      for (const session_id of ["mine", "other"]) {
        const { session } = yield* opening({ session_id, folder: state_dir })
        yield* session.submit(prompt(`the xylophone of ${session_id}`))
        yield* until(session, "turn_end")
      }
      const { search } = yield* SearchIndex
      const found = (sessions?: ReadonlyArray<string>) =>
        Effect.map(
          search("xylophone", 10).pipe(
            Effect.provideService(Principal, {
              ...everything,
              ...(sessions !== undefined && { limits: { sessions } })
            })
          ),
          ({ results }) => results.map(({ session }) => session.session_id).toSorted()
        )
      assert.deepStrictEqual(yield* found(), ["mine", "other"])
      assert.deepStrictEqual(yield* found(["mine"]), ["mine"])
      assert.deepStrictEqual(yield* found([]), [])
    }).pipe(
      Effect.scoped,
      Effect.provide(
        SearchIndex.layer.pipe(
          Layer.provide(RelayConfig.layer(settings)),
          Layer.provideMerge(relayOf(fake, settings))
        )
      ),
      Effect.ensuring(Effect.sync(() => rmSync(state_dir, { recursive: true, force: true })))
    )
  })
})
