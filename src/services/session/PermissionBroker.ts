/**
 * PermissionBroker: parks a tool call until a person answers.
 *
 * `request` logs a `permission_request` and waits on a Deferred; `respond` completes it. A deadline, the agent itself,
 * an interrupt or the end of the session completes it as "cancelled", so that no agent waits for a client that is
 * gone. Every request is settled by exactly one `control_response` or `permission_cancelled`: the first answer wins.
 *
 * What the operator's rules decide, and what a person has allowed for the session where the agent cannot remember it, is
 * settled at once; it is logged all the same, with the name of what decided.
 */
import { Clock, Context, Deferred, Duration, Effect, Layer, Predicate, Schema } from "effect"
import { PermissionGate, type PermissionOutcome, type PermissionUnanswered } from "../../adapters/Adapter.js"
import { doneSoon } from "../../adapters/doneSoon.js"
import type { RequestId } from "../../schema/Ids.js"
import { answersOf, type PermissionRequest, type PermissionResponse, problemOf } from "../../schema/index.js"
import { EventLog } from "../log/EventLog.js"
import type { Decision } from "../policy/Policy.js"
import * as SessionGrants from "../policy/sessionGrants.js"
import { Sender } from "./Sender.js"

/** The answer names a request that is unknown or already settled. */
export class PermissionNotPending extends Schema.TaggedError<PermissionNotPending>()("PermissionNotPending", {
  request_id: Schema.String
}) {
  override get message() {
    return `no permission_request "${this.request_id}" is waiting for an answer: it was settled already, or never asked`
  }
}

/** The answer does not fit the form that was asked; the question is still open. */
export class AnswerUnfit extends Schema.TaggedError<AnswerUnfit>()("AnswerUnfit", {
  request_id: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `the answer to "${this.request_id}" does not fit: ${this.problem}. Send another, in \`answers\``
  }
}

/** A rule of the operator's denies the input that is to run instead; the question is still open. */
export class InputForbidden extends Schema.TaggedError<InputForbidden>()("InputForbidden", {
  request_id: Schema.String,
  rule: Schema.String
}) {
  override get message() {
    return `the operator's rule "${this.rule}" forbids the input of the answer to "${this.request_id}": change it, or deny`
  }
}

export class PermissionBroker extends Context.Service<PermissionBroker, {
  readonly request: (ask: PermissionRequest, raw?: Uint8Array) => Effect.Effect<PermissionOutcome>
  /** Deliver the client's answer to the agent that asked. */
  readonly respond: (
    answer: PermissionResponse
  ) => Effect.Effect<void, PermissionNotPending | AnswerUnfit | InputForbidden>
  readonly withdraw: (request_id: RequestId) => void
  /** Release everyone who is waiting. */
  readonly cancelAll: (reason: PermissionUnanswered["reason"]) => Effect.Effect<void>
  /** What is waiting for an answer, oldest first. */
  readonly pending: () => ReadonlyArray<PermissionRequest>
}>()("ai-relay/services/PermissionBroker") {
  static readonly layer = (options: { readonly timeout: Duration.Input }) =>
    Layer.effect(this, make(options.timeout))

  /** The broker as the port adapters ask through. */
  static readonly gate = Layer.effect(PermissionGate, this)
}

interface Pending {
  readonly ask: PermissionRequest
  readonly answered: Deferred.Deferred<PermissionOutcome>
}

const cancelled = (reason: PermissionUnanswered["reason"]): PermissionOutcome => ({
  behavior: "cancelled",
  reason
})

const why: Record<PermissionUnanswered["reason"], string> = {
  timeout: "Nobody answered in time; the agent was told no.",
  interrupted: "The turn was interrupted.",
  withdrawn: "The agent does not need the answer any more.",
  session_end: "The session has ended."
}

const asAsked: Decision = { verdict: "ask" }

/** It is answered by values, not by a yes alone. */
const isForm = ({ args, metadata: { kind } }: PermissionRequest): boolean =>
  kind === "question" || (kind === "other" && Predicate.hasProperty(args, "form"))

/** An answer that only names an offered option, or only answers a question, means what the request says it means. */
const toOutcome = (ask: PermissionRequest, answer: PermissionResponse): PermissionOutcome => {
  const option = ask.metadata.options?.find(({ option_id }) => option_id === answer.option_id)
  const offered = option?.kind.startsWith("allow") ?? (isForm(ask) && answer.answers !== undefined)
  // Words and option must agree: an answer that contradicts itself does not say allow.
  const contradicts = answer.behavior === "allow" && option !== undefined && !offered
  const behavior = contradicts ? "deny" : answer.behavior ?? (offered ? "allow" : "deny")
  // Where the agent offers nothing that lasts, it would ask the same again: then nobody was promised otherwise.
  const lasts = ask.metadata.options?.some(({ kind }) => kind.endsWith("_always")) ?? true
  const wanted = answer.scope ?? (option?.kind === "allow_always" ? "session" : undefined)
  const scope = wanted === "session" && !lasts ? undefined : wanted
  const { scope: _wanted, ...rest } = answer
  return { ...rest, behavior, ...(scope !== undefined && { scope }) }
}

/** What was decided beyond yes or no, by whom and by which command: for the journal, and other clients' cards. */
const decisionOf = (
  { answers, message, message_id, option_id, scope, updatedInput }: PermissionResponse,
  by: Sender.Fields | Ruling
) => {
  const metadata = {
    ...(Object.keys(by).length > 0 && { by }),
    ...(message_id !== undefined && { message_id }),
    ...(option_id !== undefined && { option_id }),
    ...(scope !== undefined && { scope }),
    ...(message !== undefined && { message }),
    ...(answers !== undefined && { answers }),
    ...(updatedInput !== undefined && { updated_input: updatedInput })
  }
  return Object.keys(metadata).length > 0 ? { metadata } : {}
}

/** The rule that decided instead of a person; `session:ID` is what was allowed for the session with that request. */
interface Ruling {
  readonly policy: string
}

/** `changed` is called when a request begins to wait, or is settled; `decide` says what the operator's rules say. */
export const make = Effect.fnUntraced(function*(
  timeout: Duration.Input,
  changed: () => void = () => {},
  decide: (ask: PermissionRequest) => Decision = () => ({ verdict: "ask" })
) {
  const log = yield* EventLog
  const deadline = Duration.fromInputUnsafe(timeout)
  const pending = new Map<RequestId, Pending>()
  yield* Effect.addFinalizer(() => cancelAll("session_end"))

  const grants = SessionGrants.make()

  /** What need not be asked. */
  const ruled = (
    ask: PermissionRequest,
    { rule, verdict }: Decision
  ): PermissionOutcome & Ruling | undefined => {
    const answer = { type: "permission_response", request_id: ask.request_id } as const
    if (verdict === "deny" && rule !== undefined) {
      return {
        ...answer,
        policy: rule,
        behavior: "deny",
        message: `The operator's rule "${rule}" forbids this.`
      }
    }
    if (verdict === "allow" && rule !== undefined) return { ...answer, policy: rule, behavior: "allow" }
    const granted = grants.find(ask)
    return granted === undefined ? undefined : { ...answer, policy: `session:${granted}`, behavior: "allow" }
  }

  const settle = (request_id: RequestId, outcome: PermissionOutcome, by: Sender.Fields | Ruling = {}) => {
    const entry = pending.get(request_id)
    if (entry === undefined) return false
    pending.delete(request_id)
    changed()
    log.unsafeAppend(
      outcome.behavior === "cancelled"
        ? {
          type: "permission_cancelled",
          request_id,
          text: why[outcome.reason],
          metadata: { reason: outcome.reason }
        }
        : { type: "control_response", request_id, status: outcome.behavior, ...decisionOf(outcome, by) }
    )
    doneSoon(entry.answered, Effect.succeed(outcome))
    return true
  }

  const request = Effect.fn("PermissionBroker.request")(
    function*(ask: PermissionRequest, raw?: Uint8Array) {
      const answered = yield* Deferred.make<PermissionOutcome>()
      const decision = decide(ask)
      const ruling = ruled(ask, decision)
      const expires_at = ((yield* Clock.currentTimeMillis) + Duration.toMillis(deadline)) / 1000
      const asked = {
        ...ask,
        metadata: {
          ...ask.metadata,
          ...grants.describe(ask),
          ...((decision.rule ?? decision.unclear) !== undefined && { policy: decision }),
          ...(Duration.isFinite(deadline) && ruling === undefined && { expires_at })
        }
      }
      // Asked again under the same name: nobody could answer the question before it any more.
      settle(ask.request_id, cancelled("withdrawn"))
      pending.set(ask.request_id, { ask: asked, answered })
      // The first to settle it decides, also when that was an answer in the moment of the deadline.
      const expire = Effect.suspend(() => {
        settle(ask.request_id, cancelled("timeout"))
        return Deferred.await(answered)
      })
      const wait = Effect.timeoutOrElse(Deferred.await(answered), {
        duration: deadline,
        orElse: () => expire
      })
      // Who reads the log may stop the agent at once, while the question is still being logged.
      return yield* Effect.andThen(
        Effect.sync(() => {
          log.unsafeAppend(asked, raw)
          changed()
          if (ruling === undefined) return
          const { policy, ...outcome } = ruling
          settle(ask.request_id, outcome as PermissionOutcome, { policy })
        }),
        wait
      ).pipe(
        Effect.onInterrupt(() => Effect.sync(() => settle(ask.request_id, cancelled("session_end"))))
      )
    }
  )

  const find = ({ request_id, tool_use_id }: PermissionResponse): Pending | undefined =>
    request_id !== undefined
      ? pending.get(request_id)
      : [...pending.values()].find(({ ask }) => ask.tool_use_id === tool_use_id)

  const respond = Effect.fn("PermissionBroker.respond")(function*(answer: PermissionResponse) {
    const entry = find(answer)
    if (entry === undefined) {
      return yield* new PermissionNotPending({ request_id: answer.request_id ?? answer.tool_use_id ?? "" })
    }
    const { ask } = entry
    const outcome = toOutcome(ask, answer)
    const problem = outcome.behavior === "allow" && isForm(ask)
      ? problemOf(ask.args, answersOf(outcome))
      : undefined
    if (problem !== undefined) return yield* new AnswerUnfit({ request_id: ask.request_id, problem })
    const instead = outcome.behavior === "allow" ? outcome.updatedInput : undefined
    // What nobody may run, nobody runs by way of a question about something else.
    const { rule, verdict } = instead === undefined ? asAsked : decide({ ...ask, args: instead })
    if (verdict === "deny" && rule !== undefined) {
      return yield* new InputForbidden({ request_id: ask.request_id, rule })
    }
    grants.remember(ask, outcome)
    settle(ask.request_id, outcome, yield* Sender)
  })

  const cancelAll = (reason: PermissionUnanswered["reason"]) =>
    Effect.sync(() => {
      for (const request_id of [...pending.keys()]) settle(request_id, cancelled(reason))
    })

  return PermissionBroker.of({
    request,
    respond,
    withdraw: (request_id) => void settle(request_id, cancelled("withdrawn")),
    cancelAll,
    pending: () => [...pending.values()].map(({ ask }) => ask)
  })
})
