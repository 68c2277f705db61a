/** The operator's list of permission modes (`--permission-modes`), as each agent that has modes obeys it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { makeChoices } from "../../src/adapters/acp/choices.js"
import { modesOf, toLaunch } from "../../src/adapters/claude/ClaudeLaunch.js"
import { CanUseTool } from "../../src/adapters/claude/ClaudeMessage.js"
import { toAnswer, toPermissionRequest } from "../../src/adapters/claude/permission.js"
import { geminiAgent } from "../../src/adapters/gemini/geminiAgent.js"
import { CallIds } from "../../src/adapters/wire/CallIds.js"
import { RequestId } from "../../src/schema/index.js"
import { layerSession, ofType, openFake } from "../support/fakeAcpAgent.js"
import { specOf } from "../support/fakeAdapter.js"
import { openCodex } from "./codex/fakeCodex.js"

const allowed_modes = ["default", "acceptEdits", "plan"]

describe("Claude", () => {
  const argsOf = (handshake: object, allowed?: ReadonlyArray<string>) =>
    toLaunch({ ...specOf(handshake), ...(allowed !== undefined && { allowed_modes: allowed }) }).pipe(
      Effect.map(({ spec }) => spec.args),
      Effect.catchTag("BadHandshake", ({ reason }) => Effect.succeed([reason])),
      Effect.runSync
    )

  it("offers and takes listed modes alone", () => {
    assert.deepStrictEqual(modesOf({ allowed_modes }), ["default", "acceptEdits", "plan"])
    for (const permission_mode of ["bypassPermissions", "auto", "dontAsk"]) {
      assert.include(argsOf({ permission_mode }, allowed_modes)[0], "one of default, acceptEdits, plan")
      assert.include(argsOf({ permission_mode }), permission_mode)
    }
  })

  it("begins in a listed mode, whatever the user's or the folder's settings say", () => {
    assert.include(argsOf({}).join(" "), "--permission-mode default")
    assert.notInclude(argsOf({ extra_args: ["--permission-mode=plan"] }), "--permission-mode")
    assert.include(argsOf({}, allowed_modes).join(" "), "--permission-mode default")
    assert.include(argsOf({}, ["plan"]).join(" "), "--permission-mode plan")
  })

  it("is led to no other mode by an answer to a question", () => {
    const setMode = { type: "setMode", mode: "acceptEdits", destination: "session" }
    const ask = Schema.decodeUnknownSync(CanUseTool)({
      subtype: "can_use_tool",
      tool_name: "Edit",
      input: {},
      permission_suggestions: [setMode]
    })
    const plan = { ...ask, tool_name: "ExitPlanMode" }
    const yes = { type: "permission_response", behavior: "allow", scope: "session" } as const
    assert.deepInclude(toAnswer(ask, yes), { updatedPermissions: [setMode] })
    assert.notProperty(toAnswer(ask, yes, ["default", "plan"]), "updatedPermissions")
    const modeAfter = (modes: ReadonlyArray<string>) => JSON.stringify(toAnswer(plan, yes, modes))
    assert.include(modeAfter(allowed_modes), "acceptEdits")
    assert.notInclude(modeAfter(["default", "plan"]), "acceptEdits")
    const options =
      toPermissionRequest(RequestId.make("r"), plan, { ids: new CallIds() }, ["default", "plan"]).metadata
        .options
    assert.deepStrictEqual(options?.map(({ option_id }) => option_id), ["default", "deny"])
  })

  it("resumes with an id that cannot become a flag", () => {
    assert.include(argsOf({ native_session_id: "--continue" }), "--resume=--continue")
    assert.notInclude(argsOf({ native_session_id: "--continue" }), "--continue")
  })
})

describe("Codex", () => {
  const opened = (handshake: object, allowed: ReadonlyArray<string>, thread: object = {}) =>
    openCodex({
      allowed_modes: allowed,
      handshake,
      answer: ({ method }) =>
        method === "thread/start"
          ? { result: { thread: { id: "t" }, model: "m", sandbox: { type: "readOnly" }, ...thread } }
          : undefined
    }).pipe(
      Effect.map(({ session }) => JSON.stringify(session.describe().metadata?.["capabilities"])),
      Effect.catchTag("BadHandshake", ({ reason }) => Effect.succeed(reason)),
      Effect.orDie,
      Effect.scoped
    )

  it.effect("offers listed modes alone", () =>
    Effect.gen(function*() {
      assert.include(
        yield* opened({}, allowed_modes),
        "\"permission_modes\":[\"default\",\"acceptEdits\",\"plan\"]"
      )
      assert.include(
        yield* opened({ permission_mode: "bypassPermissions" }, allowed_modes),
        "must be one of default"
      )
    }))

  const refused: ReadonlyArray<readonly [object, ReadonlyArray<string>, string]> = [
    [{ sandbox: "danger-full-access" }, allowed_modes, "`sandbox`"],
    [{ sandbox: "workspace-write" }, ["default", "plan"], "`sandbox`"],
    [{ sandbox: "externalSandbox" }, allowed_modes, "`sandbox`"],
    [{ approval_policy: "never" }, allowed_modes, "`approval_policy`"],
    [{ approvalPolicy: "on-failure" }, allowed_modes, "`approval_policy`"],
    [{ approval_policy: { granular: { sandbox_approval: false } } }, allowed_modes, "`approval_policy`"],
    [{ approvalsReviewer: "auto_review" }, allowed_modes, "`approvalsReviewer`"]
  ]
  it.effect.each(refused)(
    "is opened with no more than the listed modes have: %j",
    ([handshake, allowed, field]) =>
      Effect.gen(function*() {
        const text = yield* opened(handshake, allowed)
        assert.include(text, field)
        assert.include(text, `only the permission modes ${allowed.join(", ")}`)
      })
  )

  it.effect("may be opened with less", () =>
    Effect.gen(function*() {
      for (
        const handshake of [
          { sandbox: "read-only", approval_policy: "untrusted" },
          { sandbox: "workspace-write", approval_policy: "on-request", approvalsReviewer: "user" }
        ]
      ) {
        assert.include(yield* opened(handshake, allowed_modes), "permission_modes")
      }
      assert.include(
        yield* opened({ sandbox: "danger-full-access", approval_policy: "never" }, ["bypassPermissions"]),
        "bypassPermissions"
      )
    }))

  it.effect("does not begin with more by the user's own settings, or by what a resumed thread had", () =>
    Effect.gen(function*() {
      for (
        const thread of [
          { sandbox: { type: "dangerFullAccess" } },
          { approvalPolicy: "never" },
          { approvalPolicy: { granular: {} } },
          { approvalsReviewer: "guardian_subagent" }
        ]
      ) {
        assert.include(yield* opened({}, allowed_modes, thread), "Codex opens this thread with")
      }
    }))
})

describe("an ACP agent", () => {
  const modes = {
    currentModeId: "yolo",
    availableModes: ["default", "autoEdit", "yolo"].map((id) => ({ id, name: id }))
  }

  it("counts a mode as listed by any of its names", () => {
    const choices = makeChoices(geminiAgent, ["acceptEdits"])
    choices.opened({ modes })
    assert.deepStrictEqual(choices.modeNames(), ["autoEdit", "auto_edit", "acceptEdits"])
    assert.isFalse(choices.isAllowed("yolo"))
    assert.isTrue(makeChoices(geminiAgent, ["bypassPermissions"]).isAllowed("yolo"))
  })

  it.effect("leaves a mode that is not listed before the first prompt, and offers none", () =>
    Effect.gen(function*() {
      const { close, find, requested, send } = yield* openFake({
        allowed_modes,
        answers: { "session/new": { sessionId: "s1", modes }, "session/set_mode": {} }
      })
      assert.deepInclude((yield* requested("session/set_mode")).params, { modeId: "default" })
      yield* send({ type: "set_permission_mode", mode: "yolo", message_id: "m" })
      yield* find((event) => event.type === "error" && event.message_id === "m")
      assert.include(ofType(yield* close, "error")[0]?.text, "must be one of default")
    }).pipe(Effect.provide(layerSession)))
})
