import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { setImmediate as nextTurn } from "node:timers/promises"
import * as FrameArena from "../../../src/services/log/FrameArena.js"

const mib = 1024 * 1024
const address = (bytes: Buffer) => bytes.buffer

describe("slabs", () => {
  it("give each piece memory of its own, whatever is released meanwhile", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ size: fc.integer({ min: 1, max: 700_000 }), release: fc.nat(20), turn: fc.boolean() }),
          { maxLength: 40 }
        ),
        async (steps) => {
          const slabs = FrameArena.make()
          const held: Array<{ readonly bytes: Buffer; readonly mark: number }> = []
          for (const [mark, { release, size, turn }] of steps.entries()) {
            const bytes = slabs.take(size).fill(mark)
            assert.strictEqual(bytes.length, size)
            held.push({ bytes, mark })
            if (release < held.length) held.splice(release, 1).forEach((one) => slabs.release(one.bytes))
            if (turn) await nextTurn()
            for (const one of held) {
              assert.strictEqual(one.bytes[0], one.mark)
              assert.strictEqual(one.bytes.at(-1), one.mark)
            }
          }
        }
      ),
      { numRuns: 25 }
    ))

  it("are written anew when all in them is released, but not in the same turn of the event loop", async () => {
    const slabs = FrameArena.make()
    const first = [slabs.take(mib / 2), slabs.take(mib / 2)]
    const second = slabs.take(mib / 2)
    assert.notStrictEqual(address(second), address(first[0] as Buffer))
    for (const bytes of first) slabs.release(bytes)
    slabs.take(mib / 2)
    assert.notStrictEqual(address(slabs.take(mib / 2)), address(first[0] as Buffer))
    await nextTurn()
    slabs.take(mib / 2)
    assert.strictEqual(address(slabs.take(mib / 2)), address(first[0] as Buffer))
  })

  it("do not hold what is larger than half of one", () => {
    const slabs = FrameArena.make()
    const large = slabs.take(mib)
    assert.strictEqual(large.buffer.byteLength, mib)
    slabs.release(large)
    assert.notStrictEqual(address(slabs.take(10)), address(large))
  })
})
