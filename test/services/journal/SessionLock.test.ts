import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as SessionLock from "../../../src/services/journal/SessionLock.js"

const inFolder = (body: (folder: string) => void) => {
  const folder = mkdtempSync(join(tmpdir(), "ai-relay-lock-"))
  try {
    body(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
const isHeld = (got: SessionLock.Held | string): got is SessionLock.Held => typeof got !== "string"
const everyone = () => true

describe("a session's lock", () => {
  it("is one relay's at a time, and free when that lets go of it, or is gone", () =>
    inFolder((folder) => {
      const first = SessionLock.acquire(folder, "a", everyone)
      assert.isTrue(isHeld(first))
      assert.strictEqual(SessionLock.acquire(folder, "b", everyone), "a")
      assert.strictEqual(SessionLock.holder(folder, everyone), "a")
      if (isHeld(first)) first.release()
      assert.isUndefined(SessionLock.holder(folder, everyone))
      assert.isTrue(isHeld(SessionLock.acquire(folder, "b", everyone)))
      assert.strictEqual(SessionLock.acquire(folder, "a", everyone), "b")
      assert.isTrue(isHeld(SessionLock.acquire(folder, "a", (relay) => relay !== "b")))
      assert.lengthOf(readdirSync(folder), 1)
    }))

  it("is had again by the relay that has it, and passes over other files", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "lock.old"), "b")
      writeFileSync(join(folder, "meta.json"), "{}")
      assert.isTrue(isHeld(SessionLock.acquire(folder, "a", everyone)))
      assert.isTrue(isHeld(SessionLock.acquire(folder, "a", everyone)))
      assert.sameMembers(readdirSync(folder), ["lock.old", "meta.json", "lock.2"])
    }))

  it("is never two relays' at once, whatever the order in which they look and take, also after one was killed", () => {
    const names = ["a", "b", "c"]
    fc.assert(
      fc.property(
        fc.array(fc.record({ who: fc.nat(2), what: fc.constantFrom("step", "step", "step", "release") }), {
          minLength: 10,
          maxLength: 80
        }),
        fc.boolean(),
        (moves, hasDead) =>
          inFolder((folder) => {
            if (hasDead) writeFileSync(join(folder, "lock.7"), "dead")
            const trying = new Map<number, SessionLock.Steps<SessionLock.Held | string>>()
            const held = new Map<number, SessionLock.Held>()
            for (const { what, who } of moves) {
              if (what === "release") {
                held.get(who)?.release()
                held.delete(who)
                continue
              }
              if (held.has(who)) continue
              const steps = trying.get(who) ??
                SessionLock.steps(folder, names[who] ?? "", (relay) => relay !== "dead")
              trying.set(who, steps)
              const step = steps.next()
              if (step.done !== true) continue
              trying.delete(who)
              if (isHeld(step.value)) held.set(who, step.value)
              assert.isAtMost(held.size, 1)
            }
            // Nobody is kept out for ever.
            for (const lock of held.values()) lock.release()
            assert.isTrue(isHeld(SessionLock.acquire(folder, "d", () => false)))
          })
      ),
      { numRuns: 300 }
    )
  })
})
