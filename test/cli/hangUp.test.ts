import { assert, describe, it } from "@effect/vitest"
import { isToSurvive } from "../../src/cli/hangUp.js"

describe("a terminal that is closed", () => {
  it("ends the relay, unless nohup started it", () => {
    assert.isFalse(isToSurvive("/usr/bin/ai-relay", ["pipe:[1]", "0"]))
    assert.isTrue(isToSurvive("/usr/bin/nohup", ["pipe:[1]", "0"]))
    assert.isTrue(isToSurvive("", ["nohup.out", "nohup.out"]))
  })
})
