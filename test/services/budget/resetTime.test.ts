import { assert, describe, it } from "@effect/vitest"
import { resetTime } from "../../../src/services/budget/resetTime.js"

const now = Date.parse("2026-11-28T20:30:00Z")
const read = (text: string, at = now, zone = "UTC") => {
  const seconds = resetTime(text, at, zone)
  return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString().replace(".000Z", "Z")
}

describe("resetTime", () => {
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["You've hit your session limit · resets 11pm (Europe/Berlin)", "2026-11-28T22:00:00Z"],
    ["You've hit your session limit · resets 11:30pm", "2026-11-28T23:30:00Z"],
    ["5-hour limit reached ∙ resets 3pm", "2026-11-29T15:00:00Z"],
    ["You've hit your weekly limit · resets Dec 2, 9am (America/New_York)", "2026-12-02T14:00:00Z"],
    ["You've hit your weekly limit · resets Dec 2 at 9:15am (UTC)", "2026-12-02T09:15:00Z"],
    ["Weekly limit reached ∙ resets Jan 3 at 8am (UTC)", "2027-01-03T08:00:00Z"],
    ["limit reached, resets Mon 10:00 AM", "2026-11-30T10:00:00Z"],
    ["resets tomorrow at 10:00", "2026-11-29T10:00:00Z"],
    ["Claude AI usage limit reached|1795905000", "2026-11-28T22:30:00Z"],
    ["You've hit your usage limit. Try again in 2 hours 5 minutes.", "2026-11-28T22:35:00Z"],
    ["You've hit your usage limit. Upgrade to Pro or try again in 3 days 1 hour.", "2026-12-01T21:30:00Z"],
    [
      "You've hit your usage limit. Visit the page to purchase more credits or try again at 11:05 PM.",
      "2026-11-28T23:05:00Z"
    ],
    ["You've hit your usage limit. Try again at Dec 1st, 2026 3:05 PM.", "2026-12-01T15:05:00Z"],
    ["Rate limit reached. Please try again in 20s.", "2026-11-28T20:30:20Z"],
    ["try again in less than a minute", "2026-11-28T20:31:00Z"],
    ["You exceeded your current quota. Please retry in 34.5s.", "2026-11-28T20:30:34.500Z"],
    [
      "You have exhausted your capacity on this model. Your quota will reset after 5h23m14s.",
      "2026-11-29T01:53:14Z"
    ],
    ["Usage limit reached for gemini-3-pro.\nAccess resets at 3:05 PM GMT+2.", "2026-11-29T13:05:00Z"],
    ["quota exceeded; resets at 2026-11-28T23:00:00+01:00", "2026-11-28T22:00:00Z"],
    ["Limit reached until 22:15 UTC", "2026-11-28T22:15:00Z"]
  ]
  for (const [text, expected] of cases) {
    it(`reads "${text.slice(0, 70)}"`, () => assert.strictEqual(read(text), expected))
  }

  for (
    const text of [
      "API Error: Request rejected (429) · Number of request tokens has exceeded your rate limit",
      "exceeded retry limit, last status: 429 Too Many Requests",
      "You have exhausted your daily quota on this model.",
      "Please try again 3 times.",
      "90 % of the 5-hour limit is used.",
      "limit of 5 requests per minute reached, try again later",
      "resets at 99:99"
    ]
  ) it(`does not invent a time for "${text.slice(0, 60)}"`, () => assert.isUndefined(read(text)))

  it("takes a time that has just passed as passed, not as tomorrow's", () => {
    const late = Date.parse("2026-11-28T23:00:20Z")
    assert.strictEqual(read("resets 11pm", late), "2026-11-28T23:00:00Z")
  })

  it("knows when clocks change", () => {
    const before = Date.parse("2026-10-24T22:00:00Z")
    assert.strictEqual(read("resets 3:30am (Europe/Berlin)", before), "2026-10-25T02:30:00Z")
    const spring = Date.parse("2026-03-28T22:00:00Z")
    assert.strictEqual(read("resets 4am (Europe/Berlin)", spring), "2026-03-29T02:00:00Z")
  })
})
