import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { removeEnded } from "../../src/lab/removeEnded.js"
import { engine } from "./engine.js"
import { settings } from "./settings.js"

describe("a lab's containers that do not run", () => {
  it.effect("are removed at the second look, without force, and those of others stay", () =>
    Effect.gen(function*() {
      const asked: Array<unknown> = []
      const removed: Array<unknown> = []
      let found = [{ Id: "crashed" }, { Id: "going" }, { Id: "maker" }]
      const docker = {
        listContainers: async (options: unknown) => {
          asked.push(options)
          return found.map(({ Id }) => ({ Id, Labels: {}, Status: "Exited (0)" }))
        },
        getContainer: (id: string) => ({
          remove: async (...options: ReadonlyArray<unknown>) => {
            removed.push([id, ...options])
            if (id === "going") throw Object.assign(new Error(), { statusCode: 409 })
          }
        })
      }
      yield* removeEnded(settings()).pipe(Effect.provide(engine(docker)))
      yield* Effect.yieldNow
      yield* Effect.promise(async () => {})
      assert.deepStrictEqual(removed, [])
      found = [...found, { Id: "just created" }]
      yield* TestClock.adjust("1 minute")
      yield* Effect.promise(async () => {})
      assert.deepStrictEqual(removed, [["crashed"], ["going"], ["maker"]])
      assert.deepStrictEqual(asked[0], {
        all: true,
        filters: { label: ["ai-relay.lab=lab-network"], status: ["created", "exited", "dead"] }
      })
    }))
})
