import { assert, describe, it } from "@effect/vitest"
import { countTimes, cronProblem, nextTime } from "../../../src/services/schedule/cronTimes.js"

const at = (text: string) => Date.parse(text) / 1000
const following = (every: string, zone: string, from: string, count: number) => {
  const times: Array<string> = []
  for (let next = nextTime(every, zone, at(from)); times.length < count; next = nextTime(every, zone, next)) {
    if (next === undefined) break
    times.push(new Date(next * 1000).toISOString().slice(0, 16))
  }
  return times
}

describe("cronTimes", () => {
  it("follows the clock of the zone", () => {
    assert.deepStrictEqual(following("0 9 * * 1-5", "America/New_York", "2026-10-30T12:00:00Z", 3), [
      "2026-10-30T13:00",
      // Clocks were set back on Sunday.
      "2026-11-02T14:00",
      "2026-11-03T14:00"
    ])
  })

  it("is due once when an hour is left out", () => {
    assert.deepStrictEqual(following("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3), [
      "2026-03-28T01:30",
      "2026-03-29T01:00",
      "2026-03-30T00:30"
    ])
  })

  it("is due once when an hour comes twice, if it names the hour; each half hour otherwise", () => {
    assert.deepStrictEqual(following("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), [
      "2026-10-25T00:30",
      "2026-10-26T01:30"
    ])
    assert.lengthOf(following("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 5), 5)
    assert.deepStrictEqual(
      following("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 4).map((time) => time.slice(11)),
      ["00:00", "00:30", "01:00", "01:30"]
    )
  })

  it("counts what was due, bounded", () => {
    const first = at("2026-11-28T20:00:00Z")
    assert.strictEqual(countTimes("0 * * * *", "UTC", first, first + 3 * 3600), 4)
    assert.strictEqual(countTimes("* * * * *", "UTC", first, first + 365 * 86_400), 10_000)
  })

  it.each([
    ["0 9 * * 1-5", "Europe/Berlin", undefined],
    ["@daily", undefined, undefined],
    ["* * * * * *", undefined, /five fields/],
    ["61 * * * *", undefined, /five fields/],
    ["2026-12-01T00:00:00", undefined, /five fields/],
    ["@reboot", undefined, /five fields/],
    ["tomorrow", undefined, /five fields/],
    ["0 0 31 2 *", undefined, /never comes/],
    ["0 9 * * *", "Mars/Olympus", /time zone/]
  ])("says of %s in %s what is wrong", (every, zone, problem) => {
    const said = cronProblem(every, zone)
    if (problem === undefined) assert.isUndefined(said)
    else assert.match(said ?? "", problem)
  })
})
