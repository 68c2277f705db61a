import { assert, describe, it } from "@effect/vitest"
import * as FsyncSchedule from "../../../src/services/journal/FsyncSchedule.js"

const bounds = { soonest: 1000, latest: 5000, apart: 50 }

/** When each of so many sessions that ask again as soon as it was their turn had it, in `until` ms. */
const turnsOf = (sessions: number, until: number) => {
  const times = FsyncSchedule.make(bounds)
  const due = Array.from({ length: sessions }, () => times.take(0))
  const turns: Array<number> = []
  for (;;) {
    const now = Math.min(...due)
    if (now > until) return turns
    turns.push(now)
    due[due.indexOf(now)] = times.take(now)
  }
}

describe("the times of fsync for what is passing", () => {
  it("are a second apart for one session, and for a few", () => {
    assert.deepStrictEqual(turnsOf(1, 3500), [1000, 2000, 3000])
    const { length } = turnsOf(20, 11_000)
    assert.isAtLeast(length, 200)
    assert.isAtMost(length, 220)
  })

  it("are no more for a hundred sessions than for twenty", () => {
    assert.isAtMost(turnsOf(100, 11_000).length, 220)
  })

  it("are never more than five seconds away, however many take theirs or leave it", () => {
    const times = FsyncSchedule.make(bounds)
    for (let now = 0; now < 1000; now++) assert.isAtMost(times.take(now), now + 5000)
    assert.isAtMost(times.take(60_000), 61_000)
  })
})
