import { assert, describe, it } from "@effect/vitest"
import * as FailedAttempts from "../../../src/services/access/FailedAttempts.js"

const failTimes = (attempts: FailedAttempts.FailedAttempts, times: number, address = "8.8.8.8", now = 0) => {
  for (let n = 0; n < times; n++) attempts.failed(address, now)
}

describe("FailedAttempts", () => {
  it("lets four mistakes pass, then each doubles the wait, up to half a minute", () => {
    const attempts = FailedAttempts.make()
    const waits = Array.from({ length: 12 }, () => {
      attempts.failed("8.8.8.8", 0)
      return attempts.waitOf("8.8.8.8", 0) / 1000
    })
    assert.deepStrictEqual(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30])
    assert.strictEqual(attempts.waitOf("8.8.8.8", 29_999), 1)
    assert.strictEqual(attempts.waitOf("8.8.8.8", 30_000), 0)
  })

  it("holds against nobody what others did; all of an IPv6 network are one", () => {
    const attempts = FailedAttempts.make()
    failTimes(attempts, 9, "2001:db8:1:2:3:4:5:6")
    assert.isAbove(attempts.waitOf("2001:db8:1:2:ffff::1", 0), 0)
    assert.strictEqual(attempts.waitOf("2001:db8:1:3::1", 0), 0)
    failTimes(attempts, 9, "::ffff:10.0.0.1")
    assert.isAbove(attempts.waitOf("10.0.0.1", 0), 0)
    assert.strictEqual(attempts.waitOf("10.0.0.2", 0), 0)
  })

  it("forgets after a right token, or ten quiet minutes", () => {
    const attempts = FailedAttempts.make()
    failTimes(attempts, 9)
    attempts.succeeded("8.8.8.8")
    failTimes(attempts, 4)
    assert.strictEqual(attempts.waitOf("8.8.8.8", 0), 0)
    failTimes(attempts, 1, "8.8.8.8", 10 * 60_000)
    assert.strictEqual(attempts.waitOf("8.8.8.8", 10 * 60_000), 0)
  })

  it("remembers only so many peers, the latest", () => {
    const attempts = FailedAttempts.make()
    failTimes(attempts, 9, "1.1.1.1")
    failTimes(attempts, 9, "2.2.2.2")
    for (let n = 0; n < 9_999; n++) attempts.failed(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 0)
    assert.strictEqual(attempts.size(), 10_000)
    assert.strictEqual(attempts.waitOf("1.1.1.1", 0), 0)
    assert.isAbove(attempts.waitOf("2.2.2.2", 0), 0)
  })
})
