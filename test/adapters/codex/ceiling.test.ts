/** The modes the operator allows are a ceiling for all three things a Codex thread is opened with. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { openCodex } from "./fakeCodex.js"

const allowed_modes = ["default", "acceptEdits", "plan"]
const opened = (how: object) => ({ result: { thread: { id: "t" }, ...how } })

const open = (handshake: object, answer: object = {}) =>
  openCodex({
    allowed_modes,
    handshake,
    answer: ({ method }) => String(method).startsWith("thread/") ? opened(answer) : undefined
  })
const refusal = (handshake: object, answer?: object) =>
  Effect.map(Effect.flip(open(handshake, answer)), ({ message }) => message)

describe("where the operator allows some modes only", () => {
  it.effect.each<readonly [string, object]>([
    ["approval_policy", { approval_policy: "never" }],
    ["sandbox", { sandbox: "danger-full-access" }],
    ["approvalsReviewer", { approvalsReviewer: "guardian_subagent" }]
  ])("a handshake cannot ask for more: %s", ([field, handshake]) =>
    Effect.gen(function*() {
      const message = yield* refusal(handshake)
      assert.include(message, `leave \`${field}\` out`)
      assert.include(message, "default, acceptEdits, plan")
    }))

  // The user's own settings, or what the thread had before.
  it.effect.each<readonly [string, object]>([
    ["the sandbox dangerFullAccess", { sandbox: { type: "dangerFullAccess" } }],
    ["the sandbox externalSandbox", { sandbox: { type: "externalSandbox" } }],
    ["the approval policy \"never\"", { approvalPolicy: "never" }],
    ["the reviewer \"guardian_subagent\"", { approvalsReviewer: "guardian_subagent" }]
  ])("nor is a thread used that Codex opens with more: %s", ([what, answer]) =>
    Effect.gen(function*() {
      assert.include(
        yield* refusal({}, answer),
        `Codex opens this thread with ${what}, but this relay allows`
      )
    }))

  it.effect("what is allowed opens", () =>
    Effect.gen(function*() {
      const codex = yield* open({ permission_mode: "acceptEdits" }, {
        approvalPolicy: "on-request",
        approvalsReviewer: "user",
        sandbox: { type: "workspaceWrite" }
      })
      assert.deepInclude((yield* codex.written("thread/start"))["params"], { sandbox: "workspace-write" })
      assert.deepInclude((yield* codex.event("session_start"))["metadata"], { tool: "codex" })
    }))
})
