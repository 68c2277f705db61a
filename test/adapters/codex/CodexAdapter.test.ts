import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { TestClock } from "effect/testing"
import { SessionId } from "../../../src/schema/index.js"
import { joinPassing } from "../../support/passing.js"
import type { Native } from "../../support/transcriptSpawner.js"
import { openCodex, threadId } from "./fakeCodex.js"

const turn = (id: string, fields: object = {}) => ({
  turn: { id, status: "inProgress", error: null, ...fields }
})
const done = (id: string, fields: object = {}) => turn(id, { status: "completed", ...fields })
const command = (id: string, fields: object = {}) => ({
  item: { type: "commandExecution", id, command: "ls", cwd: "/workspace", status: "inProgress", ...fields }
})
const said = (id: string, text: string) => ({ item: { type: "agentMessage", id, text, phase: null } })

const approval = (id: unknown, params: object = {}) => ({
  id,
  method: "item/commandExecution/requestApproval",
  params: { threadId, itemId: "c1", command: "ls", reason: "why", ...params }
})

const typesOf = (events: ReadonlyArray<Native>) => events.map(({ type }) => type)

/** A session in its first turn, live. */
const inTurn = (options: Parameters<typeof openCodex>[0] = {}) =>
  Effect.gen(function*() {
    const codex = yield* openCodex(options)
    yield* codex.send({ text: "go" })
    yield* codex.written("turn/start")
    yield* codex.notify("turn/started", turn("turn-1"))
    return codex
  })

describe("opening a thread", () => {
  it.effect("passes on what the handshake says of it, and keeps it by default", () =>
    Effect.gen(function*() {
      const options = {
        model: "gpt-5.5",
        sandbox: "workspace-write",
        serviceName: "page",
        modelProvider: "mine",
        serviceTier: "fast",
        approvalsReviewer: "user",
        config: { a: 1 },
        baseInstructions: "base",
        developerInstructions: "more",
        personality: "none"
      }
      const codex = yield* openCodex({ handshake: { ...options, approval_policy: "never" } })
      const { params } = yield* codex.written("thread/start")
      assert.deepStrictEqual(params, { cwd: "/workspace", approvalPolicy: "never", ...options })
    }))

  it.effect("says of one Codex does not have that it is gone, so that a session can begin anew", () =>
    Effect.gen(function*() {
      const codex = yield* Effect.result(openCodex({
        handshake: { native_session_id: "gone" },
        answer: ({ method }) =>
          method === "thread/resume"
            ? { error: { code: -32600, message: "no rollout found for thread id gone" } }
            : undefined
      }))
      assert.strictEqual(Result.isFailure(codex) ? codex.failure._tag : "opened", "ConversationGone")
    }))

  it.effect("begins anew where Codex refuses to go on with the session's own thread, not with one a client named", () =>
    Effect.gen(function*() {
      const opening = (begins_anew: boolean) =>
        Effect.result(openCodex({
          handshake: { native_session_id: threadId },
          begins_anew,
          answer: ({ method }) =>
            method === "thread/resume"
              ? { error: { code: -32603, message: "failed to parse line 7" } }
              : undefined
        }))
      const named = yield* opening(false)
      assert.strictEqual(Result.isFailure(named) ? named.failure._tag : "opened", "BadHandshake")
      const own = yield* opening(true)
      assert.isTrue(Result.isSuccess(own))
      if (Result.isFailure(own)) return
      const said = yield* own.success.event("status")
      assert.include(said.text, "(failed to parse line 7), so a new one begins")
      assert.deepStrictEqual(said.metadata, { gone: threadId, why: "failed to parse line 7" })
      assert.strictEqual((yield* own.success.event("session_start")).metadata.resumed, false)
    }))

  it.effect("tells the mode its thread is in", () =>
    Effect.gen(function*() {
      const thread = { id: "t" }
      const codex = yield* openCodex({
        answer: ({ method }) =>
          method === "thread/start"
            ? { result: { thread, approvalPolicy: "on-request", sandbox: { type: "workspaceWrite" } } }
            : undefined
      })
      assert.strictEqual((yield* codex.event("session_start")).metadata.permission_mode, "acceptEdits")
    }))

  it.effect("resumes one without asking for its history", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex({ handshake: { native_session_id: threadId, ephemeral: true } })
      const { params } = yield* codex.written("thread/resume")
      assert.deepStrictEqual(params, { threadId, cwd: "/workspace", excludeTurns: true })
      assert.strictEqual((yield* codex.event("session_start")).metadata.resumed, true)
    }))

  const locked = {
    error: { code: -32600, message: "thread 01a2 already has an active writer" }
  }

  it.effect("waits for one that another Codex still holds, and says so", () =>
    Effect.gen(function*() {
      let asked = 0
      const opening = yield* Effect.forkChild(openCodex({
        handshake: { native_session_id: threadId },
        answer: ({ method }) => method === "thread/resume" && ++asked < 4 ? locked : undefined
      }))
      const codex = yield* joinPassing(opening, "1 second")
      assert.strictEqual(asked, 4)
      const waiting = yield* codex.event("status")
      assert.deepInclude(waiting, { status: "waiting", metadata: { reason: "in_use" } })
      assert.include(waiting.text, "Codex still holds this conversation")
    }))

  it.effect("does not wait for ever, and says what to do", () =>
    Effect.gen(function*() {
      const opening = yield* Effect.forkChild(Effect.flip(openCodex({
        handshake: { native_session_id: threadId },
        answer: ({ method }) => method === "thread/resume" ? locked : undefined
      })))
      const failed = yield* joinPassing(opening, "5 seconds")
      assert.strictEqual(failed._tag, "BadHandshake")
      assert.include(failed.message, "quit that one")
    }))

  it.effect("names a mode as Claude does, in Codex's words", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex({ handshake: { permission_mode: "acceptEdits", sandbox: "read-only" } })
      const { params } = yield* codex.written("thread/start")
      assert.deepInclude(params, { approvalPolicy: "on-request", sandbox: "read-only" })
    }))

  it.effect("asks for what another agent has it do, whatever the user's own setting is", () =>
    Effect.gen(function*() {
      const parent = SessionId.make("parent")
      const codex = yield* openCodex({ handshake: { parent } })
      const { params } = yield* codex.written("thread/start")
      assert.deepInclude(params, { approvalPolicy: "on-request", sandbox: "read-only" })
      const chosen = yield* openCodex({ handshake: { parent, permission_mode: "acceptEdits" } })
      assert.deepInclude((yield* chosen.written("thread/start")).params, { sandbox: "workspace-write" })
    }))

  it.effect("refuses a mode it does not have before it starts anything", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(openCodex({ handshake: { permission_mode: "yolo" } }))
      assert.strictEqual(error._tag, "BadHandshake")
    }))

  it.effect("gives up a Codex that does not answer, and says so", () =>
    Effect.gen(function*() {
      for (const method of ["initialize", "account/read", "thread/start"]) {
        const opening = yield* Effect.forkChild(Effect.flip(openCodex({
          answer: (message) => message.method === method ? null : undefined
        })))
        const error = yield* joinPassing(opening, "10 seconds")
        assert.strictEqual(error._tag, "AgentFailed")
        assert.include(error.message, `did not answer "${method}" within 30s`)
      }
    }))

  it.effect("says what Codex has against the thread", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(openCodex({
        answer: ({ method }) =>
          method === "thread/start" ? { error: { code: -32600, message: "unknown variant `x`" } } : undefined
      }))
      assert.strictEqual(error._tag, "BadHandshake")
      assert.include(error.message, "unknown variant `x`")
    }))
})

describe("logging in", () => {
  const loggedOut = ({ method }: Native) =>
    method === "account/read" ? { result: { account: null, requiresOpenaiAuth: true } } : undefined

  it.effect("says which command to run when there is no login and no key", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(openCodex({ answer: loggedOut }))
      assert.strictEqual(error._tag, "AuthRequired")
      assert.include(error.message, "codex login")
    }))

  it.effect("starts again with the relay's key, in memory", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex({
        answer: loggedOut,
        keys: { OPENAI_API_KEY: "sk-1", CODEX_API_KEY: "sk-2" }
      })
      assert.deepInclude((yield* codex.written("account/login/start")).params, {
        type: "apiKey",
        apiKey: "sk-2"
      })
      assert.strictEqual(codex.launches.length, 2)
      assert.notInclude(codex.launches[0]?.args.join(" "), "ephemeral")
      assert.include(codex.launches[1]?.args.join(" "), "cli_auth_credentials_store=\"ephemeral\"")
      assert.notInclude(JSON.stringify(codex.launches), "sk-")
    }))

  it.effect("takes the client's own key at once, whatever the relay has", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex({
        answer: loggedOut,
        keys: { CODEX_API_KEY: "sk-relay" },
        handshake: { env: { OPENAI_API_KEY: "sk-client" } }
      })
      assert.deepInclude((yield* codex.written("account/login/start")).params, { apiKey: "sk-client" })
      assert.strictEqual(codex.launches.length, 1)
    }))

  it.effect("leaves the login to the turn where the thread goes to another provider", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex({ answer: loggedOut, handshake: { modelProvider: "mine" } })
      yield* codex.event("session_start")
    }))

  it.effect("says when Codex refuses the key, without showing it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(openCodex({
        keys: { OPENAI_API_KEY: "sk-1" },
        answer: (message) =>
          message.method === "account/login/start"
            ? { error: { code: -32600, message: "API key login is disabled" } }
            : loggedOut(message)
      }))
      assert.strictEqual(error._tag, "AuthRequired")
      assert.include(error.message, "API key login is disabled")
      assert.notInclude(error.message, "sk-1")
    }))
})

describe("questions", () => {
  it.effect("answers under Codex's own id, as the type it is, 0 included", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      yield* codex.notify("item/started", command("c1"))
      yield* codex.say(approval(0), approval("0"))
      const first = yield* codex.event("permission_request")
      const second = yield* codex.event("permission_request", 2)
      assert.notStrictEqual(first.request_id, second.request_id)
      yield* codex.send({ type: "permission_response", request_id: second.request_id, decision: "decline" })
      yield* codex.send({ type: "permission_response", request_id: first.request_id, behavior: "allow" })
      assert.deepStrictEqual((yield* codex.answered("0")).result, { decision: "decline" })
      assert.deepStrictEqual((yield* codex.answered(0)).result, { decision: "accept" })
    }))

  it.effect("withdraws one Codex does not wait for any more", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      yield* codex.say(approval(0), { method: "serverRequest/resolved", params: { threadId, requestId: 0 } })
      assert.deepInclude(yield* codex.event("permission_cancelled"), { metadata: { reason: "withdrawn" } })
    }))

  it.effect("offers what Codex offers, and sends back what was chosen", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      const forever = { acceptWithExecpolicyAmendment: { execpolicy_amendment: ["ls"] } }
      const host = (action: string) => ({
        applyNetworkPolicyAmendment: { network_policy_amendment: { host: "example.org", action } }
      })
      yield* codex.say(approval(1, {
        networkApprovalContext: { host: "example.org", protocol: "https" },
        availableDecisions: ["accept", forever, host("allow"), host("deny"), "cancel", { unheard: {} }]
      }))
      const { args, metadata, request_id } = yield* codex.event("permission_request")
      assert.deepStrictEqual(
        metadata.options.map(({ kind, option_id }: Native) => [option_id, kind]),
        [
          ["accept", "allow_once"],
          ["acceptWithExecpolicyAmendment", "allow_always"],
          ["applyNetworkPolicyAmendment", "allow_always"],
          ["applyNetworkPolicyAmendment-2", "reject_always"],
          ["cancel", "reject_once"],
          ["decline", "reject_once"]
        ]
      )
      assert.deepInclude(args, { network: { host: "example.org", protocol: "https" } })
      yield* codex.send({
        type: "permission_response",
        request_id,
        option_id: "applyNetworkPolicyAmendment-2"
      })
      assert.deepStrictEqual((yield* codex.answered(1)).result, { decision: host("deny") })
    }))

  it.effect("never allows for ever what is allowed for the session", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      const forever = { acceptWithExecpolicyAmendment: { execpolicy_amendment: ["ls"] } }
      yield* codex.say(approval(1, { availableDecisions: ["accept", forever, "cancel"] }))
      const { request_id } = yield* codex.event("permission_request")
      yield* codex.send({ type: "permission_response", request_id, behavior: "allow", scope: "session" })
      assert.deepStrictEqual((yield* codex.answered(1)).result, { decision: "acceptForSession" })
    }))

  it.effect("grants permissions for the turn or the session, and refuses them", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      const permissions = { network: { enabled: true }, fileSystem: null }
      const answers = [
        [{ behavior: "allow" }, { permissions, scope: "turn" }],
        [{ behavior: "allow", scope: "session" }, { permissions, scope: "session" }],
        [{ behavior: "deny" }, { permissions: {}, scope: "turn" }]
      ] as const
      for (const [id, [answer, result]] of answers.entries()) {
        yield* codex.say({
          id,
          method: "item/permissions/requestApproval",
          params: { threadId, itemId: "p", cwd: "/workspace", reason: "net", permissions }
        })
        const { request_id } = yield* codex.event("permission_request", id + 1)
        yield* codex.send({ type: "permission_response", request_id, ...answer })
        assert.deepStrictEqual((yield* codex.answered(id)).result, result)
      }
    }))

  it.effect("refuses what is for nobody here, known or not, and tells of it", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      yield* codex.say(
        { id: 7, method: "item/tool/call", params: { tool: "x" } },
        { id: 8, method: "item/commandExecution/requestApproval", params: "odd" },
        { id: 9, method: "no/such/thing" }
      )
      for (const id of [7, 8, 9]) assert.strictEqual((yield* codex.answered(id)).error.code, -32601)
    }))

  it.effect("tells the model why it was denied before it tells it no", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn({
        answer: ({ method }) => method === "turn/steer" ? { result: {} } : undefined
      })
      yield* codex.notify("item/started", command("c1"))
      yield* codex.say(approval(0))
      const { request_id } = yield* codex.event("permission_request")
      yield* codex.send({ type: "permission_response", request_id, behavior: "deny", message: "use ls -l" })
      assert.deepInclude((yield* codex.written("turn/steer")).params, { expectedTurnId: "turn-1" })
      assert.deepStrictEqual((yield* codex.answered(0)).result, { decision: "decline" })
      yield* codex.notify("item/completed", command("c1", { status: "declined" }))
      assert.deepInclude(yield* codex.event("tool_result"), { status: "error", text: "use ls -l" })
    }))
})

describe("turns", () => {
  it.effect("interrupts a turn only once it is live", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex()
      yield* codex.send({ text: "go" })
      yield* codex.send({ type: "interrupt", message_id: "i" })
      yield* codex.written("turn/start")
      yield* codex.event("input_ack", 2)
      yield* codex.notify("turn/started", turn("turn-1"))
      assert.deepInclude((yield* codex.written("turn/interrupt")).params, { turnId: "turn-1" })
      yield* codex.notify("turn/completed", turn("turn-1", { status: "interrupted" }))
      assert.deepInclude(yield* codex.event("turn_end"), { stop_reason: "cancelled" })
    }))

  it.effect("tells a turn Codex begins by itself, and lets it end nobody else's", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex({
        answer: ({ method }) => method === "turn/start" ? null : undefined
      })
      yield* codex.notify("turn/started", turn("goal-1"))
      const begun = yield* codex.event("turn_start")
      assert.isUndefined(begun.text)
      yield* codex.notify("turn/completed", done("goal-1"))
      yield* codex.event("turn_end")

      // The next one begins while a prompt is on its way.
      yield* codex.notify("turn/started", turn("goal-2"))
      yield* codex.notify("turn/completed", done("goal-2"))
      yield* codex.event("turn_end", 2)
      yield* codex.send({ text: "mine" })
      const { id } = yield* codex.written("turn/start")
      yield* codex.notify("turn/started", turn("goal-3"))
      yield* codex.notify("turn/completed", done("goal-3"))
      yield* codex.say({ id, result: { turn: { id: "mine-1" } } })
      yield* codex.notify("turn/started", turn("mine-1"))
      yield* codex.notify("item/completed", said("m", "Yours."))
      yield* codex.notify("turn/completed", done("mine-1"))
      const end = yield* codex.event("turn_end", 3)
      assert.deepInclude(yield* codex.event("response", 3), { turn: end.turn, text: "Yours." })
    }))

  it.effect("ends a turn whose end was lost, as soon as Codex works no more", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      yield* codex.notify("item/completed", said("m", "Done."))
      yield* codex.notify("thread/status/changed", { status: { type: "idle" } })
      yield* TestClock.adjust("2 seconds")
      assert.deepInclude(yield* codex.event("turn_end"), { stop_reason: "end_turn" })
      assert.deepInclude(yield* codex.event("response"), { text: "Done." })
      // It comes after all.
      yield* codex.notify("turn/completed", done("turn-1"))
      yield* codex.send({ text: "more" })
      assert.deepInclude(yield* codex.event("turn_start", 2), { text: "more" })
    }))

  it.effect("ends no turn because Codex is idle between two of them", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      yield* codex.notify("thread/status/changed", { status: { type: "idle" } })
      yield* codex.notify("thread/status/changed", { status: { type: "active" } })
      yield* TestClock.adjust("5 seconds")
      yield* codex.notify("turn/completed", done("turn-1"))
      const events = yield* codex.events(1)
      assert.deepInclude(yield* codex.event("turn_end"), { stop_reason: "end_turn" })
      assert.isAtMost(typesOf(events).filter((type) => type === "turn_end").length, 1)
    }))

  it.effect("ends a turn that has failed for good and says nothing more", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      yield* codex.notify("error", { error: "the model is gone" })
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* codex.event("turn_end"), { stop_reason: "error" })
      assert.deepInclude(yield* codex.event("error"), { text: "the model is gone" })
    }))

  it.effect("tells calls apart whose ids the model server counts anew", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      for (const output of ["one", "two"]) {
        yield* codex.notify("item/started", command("call_0"))
        yield* codex.notify(
          "item/completed",
          command("call_0", { status: "completed", aggregatedOutput: output })
        )
      }
      assert.deepInclude(yield* codex.event("tool_call", 2), { tool_use_id: "call_0#2" })
      assert.deepInclude(yield* codex.event("tool_result", 2), { tool_use_id: "call_0#2", text: "two" })
    }))

  it.effect("joins a turn Codex has begun meanwhile", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex({
        answer: ({ method }) => method === "turn/start" ? null : undefined
      })
      yield* codex.send({ text: "mine" })
      const { id } = yield* codex.written("turn/start")
      yield* codex.notify("turn/started", turn("goal-1"))
      yield* codex.say({ id, result: { turn: { id: "goal-1" } } })
      yield* codex.event("input_ack")
      yield* codex.notify("turn/completed", done("goal-1"))
      assert.deepInclude(yield* codex.event("turn_end"), { turn: 1, stop_reason: "end_turn" })
    }))

  it.effect("tells a prompt Codex refuses, and takes the next", () =>
    Effect.gen(function*() {
      let refusals = 1
      const codex = yield* openCodex({
        answer: ({ method }) =>
          method === "turn/start" && refusals-- > 0
            ? { error: { code: -32600, message: "too long" } }
            : undefined
      })
      yield* codex.send({ text: "one", message_id: "a" })
      assert.deepInclude(yield* codex.event("error"), {
        code: "bad_command",
        text: "Codex refuses: too long"
      })
      assert.deepInclude(yield* codex.event("turn_end"), { stop_reason: "error" })
      yield* codex.send({ text: "two", message_id: "b" })
      assert.deepInclude(yield* codex.event("input_ack"), { message_id: "b", status: "sent" })
    }))

  it.effect("tries again what Codex has no room for", () =>
    Effect.gen(function*() {
      let refusals = 3
      const codex = yield* openCodex({
        answer: ({ method }) =>
          method === "turn/start" && refusals-- > 0
            ? { error: { code: -32001, message: "Server overloaded; retry later." } }
            : undefined
      })
      yield* codex.send({ text: "go" })
      for (const _ of [1, 2, 3, 4]) {
        yield* codex.written("turn/start")
        yield* TestClock.adjust("10 seconds")
      }
      assert.deepInclude(yield* codex.event("input_ack"), { status: "sent" })
    }))

  it.effect("ends with the process, in mid-turn", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      yield* codex.exit({ exit_code: 101, stderr: ["thread 'main' panicked"] })
      yield* codex.session.over
    }))
})

describe("what Codex says", () => {
  it.effect("stops for no line, however odd", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex()
      const odd = [
        "panic!",
        "[1,2]",
        "{}",
        { method: "turn/completed", params: { threadId, turn: 7 } },
        { method: "item/started", params: { threadId, item: { type: "brandNew", id: "x" } } },
        { method: "item/completed", params: { threadId, item: { type: "commandExecution", id: "odd" } } },
        { method: "item/brandNew/delta", params: { threadId, delta: "x" } },
        { method: "thread/brandNew", params: null },
        {
          method: "error",
          params: { error: { message: "m", codexErrorInfo: { brandNew: 5 } }, willRetry: true }
        }
      ]
      yield* codex.say(...odd)
      const events = yield* codex.events(2 + odd.length)
      assert.deepStrictEqual(typesOf(events.slice(1)), [
        "stdout",
        "status",
        "status",
        "status",
        "status",
        "tool_call",
        "tool_result",
        "stream_event",
        "status",
        "status"
      ])
      assert.deepStrictEqual(events.at(-1)?.raw, odd.at(-1))
    }))

  it.effect("tells a half-sent message and thought whole, when the connection broke or the turn stopped", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      yield* codex.notify("item/agentMessage/delta", { itemId: "m1", delta: "Half ä " })
      yield* codex.notify("item/agentMessage/delta", { itemId: "m1", delta: "sen" })
      yield* codex.notify("error", { error: { message: "Reconnecting... 1/5" }, willRetry: true })
      assert.deepInclude(yield* codex.event("assistant_message"), {
        text: "Half ä sen",
        metadata: { partial: true }
      })
      yield* codex.notify("item/reasoning/summaryTextDelta", { itemId: "r1", delta: "Let me see" })
      yield* codex.notify("turn/completed", turn("turn-1", { status: "interrupted" }))
      assert.deepInclude(yield* codex.event("reasoning"), { text: "Let me see", turn: 1 })
      const events = yield* codex.events((yield* codex.event("turn_end")).seq)
      assert.strictEqual(events.filter(({ type }) => type === "assistant_message").length, 1)
    }))

  it.effect("tells of retries as such, and of a failure once", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      const error = { message: "boom", codexErrorInfo: "somethingNew" }
      yield* codex.notify("error", { error: { ...error, message: "Reconnecting... 1/5" }, willRetry: true })
      yield* codex.notify("error", { error, willRetry: false })
      yield* codex.notify("turn/completed", turn("turn-1", { status: "failed", error }))
      const { seq } = yield* codex.event("turn_end")
      const events = yield* codex.events(seq)
      assert.deepStrictEqual(
        events.filter(({ type }) => type === "error").map((
          { code, metadata, text }
        ) => [code, text, metadata]),
        [["turn_failed", "boom", { cause: "somethingNew" }]]
      )
      assert.isTrue(events.some(({ status }) => status === "api_retry"))
      assert.deepInclude(events.at(-1), { stop_reason: "error" })
    }))

  it.effect("tells a search once its words are known, and every tool once", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      const search = (query: string) => ({ item: { type: "webSearch", id: "w", query, action: null } })
      yield* codex.notify("item/started", search(""))
      yield* codex.notify("item/completed", search("effect ts"))
      assert.deepInclude(yield* codex.event("tool_call"), { tool: "webSearch", args: { query: "effect ts" } })
      assert.deepInclude(yield* codex.event("tool_result"), { tool_use_id: "w", status: "ok" })
    }))

  it.effect("tells the plan as entries", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex()
      yield* codex.notify("turn/plan/updated", {
        explanation: "So far",
        plan: [{ step: "one", status: "completed" }, { step: "two", status: "inProgress" }]
      })
      assert.deepInclude(yield* codex.event("status"), {
        status: "plan",
        text: "So far\n[x] one\n[>] two",
        metadata: {
          entries: [{ content: "one", status: "completed" }, { content: "two", status: "in_progress" }],
          explanation: "So far"
        }
      })
    }))

  it.effect("keeps a subagent's turns, tokens and failures out of the session's", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      const kid = (method: string, params: object) =>
        codex.say({ method, params: { threadId: "kid", ...params } })
      yield* codex.notify("item/started", {
        item: {
          type: "subAgentActivity",
          id: "spawn",
          kind: "started",
          agentThreadId: "kid",
          agentPath: "/root/kid"
        }
      })
      yield* kid("turn/started", turn("kid-1"))
      yield* kid("item/completed", said("k1", "Kid's word."))
      yield* kid("error", { error: { message: "kid failed" }, willRetry: false })
      yield* kid("turn/completed", done("kid-1"))
      yield* codex.notify("item/completed", {
        item: { type: "subAgentActivity", id: "end", kind: "completed", agentThreadId: "kid" }
      })
      yield* codex.notify("item/completed", said("m1", "All done."))
      yield* codex.notify("turn/completed", done("turn-1"))
      const { seq } = yield* codex.event("turn_end")
      const events = yield* codex.events(seq)
      assert.deepInclude(
        events.find(({ text, type }) => type === "assistant_message" && text === "Kid's word."),
        {
          metadata: { thread_id: "kid", parent_tool_use_id: "spawn" }
        }
      )
      assert.deepInclude(events.find(({ type }) => type === "tool_result"), {
        tool_use_id: "spawn",
        text: "Kid's word.",
        status: "ok"
      })
      assert.deepInclude(events.find(({ type }) => type === "response"), { text: "All done." })
      assert.notInclude(typesOf(events), "error")
    }))

  it.effect("answers with the last message that is no comment", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      const message = (id: string, text: string, phase: string | null) => ({
        item: { type: "agentMessage", id, text, phase }
      })
      yield* codex.notify("item/completed", message("a", "The answer.", "final_answer"))
      yield* codex.notify("item/completed", message("b", "By the way.", "commentary"))
      yield* codex.notify("turn/completed", done("turn-1"))
      assert.deepInclude(yield* codex.event("response"), { text: "The answer." })
    }))

  it.effect("tells an automatic compaction as one, once", () =>
    Effect.gen(function*() {
      const codex = yield* inTurn()
      yield* codex.notify("item/started", { item: { type: "contextCompaction", id: "c" } })
      yield* codex.notify("item/completed", { item: { type: "contextCompaction", id: "c" } })
      yield* codex.notify("thread/compacted", {})
      yield* codex.notify("turn/completed", done("turn-1"))
      const { seq } = yield* codex.event("turn_end")
      const compacted = (yield* codex.events(seq)).filter(({ type }) => type === "context_compacted")
      assert.deepStrictEqual(compacted.map(({ metadata }) => metadata), [{ trigger: "auto" }])
    }))

  it.effect("hands a client's request through, whatever Codex says to it", () =>
    Effect.gen(function*() {
      const codex = yield* openCodex({
        answer: ({ method }) =>
          method === "thread/list"
            ? { result: { data: [] } }
            : method === "no/such"
            ? { error: { code: -32600, message: "Invalid request: unknown variant" } }
            : undefined
      })
      yield* codex.send({ type: "raw_request", method: "thread/list", request_id: "r1" })
      assert.deepInclude(yield* codex.event("control_response"), { status: "ok", content: { data: [] } })
      yield* codex.send({ type: "control_request", request: { subtype: "no/such" }, request_id: "r2" })
      assert.deepInclude(yield* codex.event("control_response", 2), { request_id: "r2", status: "error" })
    }))
})
