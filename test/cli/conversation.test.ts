import { assert, describe, it } from "@effect/vitest"
import { makeNewsOf, promptOf, resumeAt } from "../../src/cli/conversation.js"
import type { RelayEvent } from "../../src/client/browser.js"

const event = (fields: object) => ({ seq: 1, ts: 1, session_id: "s", ...fields }) as unknown as RelayEvent
const status = (status: string, metadata: object = {}) => event({ type: "status", status, metadata })

describe("a prompt that waits for a limit's end", () => {
  it("is known from what the session tells", () => {
    assert.strictEqual(resumeAt(undefined, status("limited", { resume_at: 50 })), 50)
    assert.strictEqual(resumeAt(50, status("usage")), 50)
    assert.isUndefined(resumeAt(50, status("limited", { resets_at: 40 })))
    assert.isUndefined(resumeAt(50, status("limit_over")))
    assert.strictEqual(
      resumeAt(undefined, event({ type: "session_start", metadata: { limited: { resume_at: 50 } } })),
      50
    )
  })

  it("counts down in the terminal's prompt", () => {
    assert.strictEqual(promptOf(undefined, 0), "> ")
    assert.strictEqual(promptOf(3899, 0), "[sends again in 1:04:59, Ctrl-C cancels] > ")
    assert.strictEqual(promptOf(5, 10), "[sends again in 0:00:00, Ctrl-C cancels] > ")
    assert.include(promptOf(1_796_000_000, 1_795_000_000), "2026-11-30T")
  })
})

describe("a connection that is lost", () => {
  it("is told once, however long it takes, and that it is back", () => {
    const newsOf = makeNewsOf()
    const waiting = { status: "waiting", reason: "it broke", code: 1006, retry_ms: 1 } as const
    const states = [{ status: "open" }, waiting, { status: "connecting" }, waiting, {
      status: "open"
    }] as const
    assert.deepStrictEqual(states.map(newsOf), [
      undefined,
      "Connection to the relay lost (it broke); reconnecting.",
      undefined,
      undefined,
      "Connected to the relay again."
    ])
  })
})
