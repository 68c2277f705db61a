import { assert, describe, it } from "@effect/vitest"
import type { RelayEvent } from "../../src/client/browser.js"
import { countdown } from "../../src/messages/limit.js"
import { reduce } from "../../src/messages/reduce.js"
import { empty, type View } from "../../src/messages/View.js"

const told = (...events: ReadonlyArray<object>): View =>
  reduce(
    empty,
    events.map((event, index) =>
      ({ ts: 1000, session_id: "s", seq: index + 1, ...event }) as unknown as RelayEvent
    )
  )
const start = { type: "session_start", metadata: { on_limit: "resume" } }
const limited = (metadata: object) => ({ type: "status", status: "limited", metadata })

describe("a limit of the agent's vendor", () => {
  it("is shown until it is over", () => {
    const waits = limited({ resets_at: 5000, resume_at: 5030, limit: "five_hour", on_limit: "resume" })
    assert.deepStrictEqual(told(start, waits).limit, { resets_at: 5000, resume_at: 5030, name: "five_hour" })
    assert.isTrue(told(start, waits).resumes)
    const given = limited({ resets_at: 5000, on_limit: "stop", reason: "cancelled" })
    assert.deepStrictEqual(told(start, waits, given).limit, { resets_at: 5000 })
    assert.isFalse(told(start, waits, given).resumes)
    assert.isUndefined(told(start, waits, { type: "status", status: "limit_over" }).limit)
  })

  it("is known to who comes later, and gone with a session that was opened without it", () => {
    const started = { type: "session_start", metadata: { limited: { resets_at: 5000, resume_at: 5030 } } }
    assert.deepStrictEqual(told(started).limit, { resets_at: 5000, resume_at: 5030 })
    assert.isUndefined(told(started, { type: "session_start", metadata: {} }).limit)
  })

  it("counts down", () => {
    assert.deepStrictEqual([3899, 65, 4.2, 0, -3].map(countdown), ["1:04:59", "1:05", "0:05", "0:00", "0:00"])
  })
})
