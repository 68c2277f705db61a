/**
 * PermissionBroker: holds a tool call until a person answers.
 *
 * `request` logs a `permission_request` and waits on a Deferred; `respond` completes it. A deadline, the agent itself, an
 * interrupt or the end of the session completes it as "cancelled", so that no agent waits for a client that has left. Every
 * request is settled by exactly one `control_response` or `permission_cancelled`: the first answer wins.
 *
 * Different requests of a session have different ids, so that a late answer to one is never taken for an answer to another.
 * Agents reuse ids: those that count start anew with each process.
 *
 * Requests that the operator's rules decide, or that a person has allowed for the whole session where the agent cannot
 * remember it, are settled at once, and logged with the name of the rule.
 */
import { Clock, Context, Deferred, Duration, Effect, Layer, Predicate, Schema } from "effect"
import { createHash } from "node:crypto"
import { PermissionGate, type PermissionOutcome, type PermissionUnanswered } from "../../adapters/Adapter.js"
import { doneSoon } from "../../adapters/doneSoon.js"
import { RequestId } from "../../schema/Ids.js"
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
    return `no permission_request "${this.request_id}" is waiting for an answer: it was already settled, or never made`
  }
}

/** The answer does not match the form in the question, which is still open. */
export class AnswerUnfit extends Schema.TaggedError<AnswerUnfit>()("AnswerUnfit", {
  request_id: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `the answer to "${this.request_id}" does not fit: ${this.problem}. Send another, in \`answers\``
  }
}

/** One of the operator's rules denies the changed input; the question is still open. */
export class InputForbidden extends Schema.TaggedError<InputForbidden>()("InputForbidden", {
  request_id: Schema.String,
  rule: Schema.String
}) {
  override get message() {
    return `the operator's rule "${this.rule}" forbids the changed input in the answer to "${this.request_id}": change it, or deny`
  }
}

export class PermissionBroker extends Context.Service<PermissionBroker, {
  readonly request: (ask: PermissionRequest, raw?: Uint8Array) => Effect.Effect<PermissionOutcome>
  /** Delivers a client's answer to the agent that asked. */
  readonly respond: (
    answer: PermissionResponse
  ) => Effect.Effect<void, PermissionNotPending | AnswerUnfit | InputForbidden>
  readonly withdraw: (request_id: RequestId) => void
  /** Settles all waiting requests as cancelled, for this reason. */
  readonly cancelAll: (reason: PermissionUnanswered["reason"]) => Effect.Effect<void>
  /** Requests waiting for an answer, oldest first. */
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

/** An id that an agent's process has counted: another process of the session may have used it. */
const isCounted = (id: RequestId) => /^[a-z]+-\d+$/.test(id)

/** What is asked, in short; undefined if it is nested too deeply to be written out. */
const digestOf = ({ args, metadata, tool }: PermissionRequest): string | undefined => {
  try {
    return createHash("sha256").update(JSON.stringify([tool, args, metadata.kind])).digest("base64")
  } catch {
    return undefined
  }
}

const cancelled = (reason: PermissionUnanswered["reason"]): PermissionOutcome => ({
  behavior: "cancelled",
  reason
})

const why: Record<PermissionUnanswered["reason"], string> = {
  timeout: "Nobody answered in time; the agent was told no.",
  interrupted: "The turn was interrupted.",
  withdrawn: "The agent no longer needs the answer.",
  session_end: "The session has ended."
}

const asAsked: Decision = { verdict: "ask" }

/** Whether it is answered with values and not just a yes. */
const isForm = ({ args, metadata: { kind } }: PermissionRequest): boolean =>
  kind === "question" || (kind === "other" && Predicate.hasProperty(args, "form"))

/** The outcome of an answer. One that only names an option, or only answers a question, means what the request says about it. */
const toOutcome = (ask: PermissionRequest, answer: PermissionResponse): PermissionOutcome => {
  const option = ask.metadata.options?.find(({ option_id }) => option_id === answer.option_id)
  const offered = option?.kind.startsWith("allow") ?? (isForm(ask) && answer.answers !== undefined)
  // `behavior` and option must agree: an answer that contradicts itself is not an "allow".
  const contradicts = answer.behavior === "allow" && option !== undefined && !offered
  const behavior = contradicts ? "deny" : answer.behavior ?? (offered ? "allow" : "deny")
  // If the agent offers no lasting option it may ask the same again, so nothing else is promised here.
  const lasts = ask.metadata.options?.some(({ kind }) => kind.endsWith("_always")) ?? true
  const wanted = answer.scope ?? (option?.kind === "allow_always" ? "session" : undefined)
  const scope = wanted === "session" && !lasts ? undefined : wanted
  const { scope: _wanted, ...rest } = answer
  return { ...rest, behavior, ...(scope !== undefined && { scope }) }
}

/** Details of a decision for the journal and for other clients: who made it, by which command, with what changes. */
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

/** The rule that decided instead of a person. `session:ID`: the request whose answer allowed it for the whole session. */
interface Ruling {
  readonly policy: string
}

/** `changed` is called when a request starts to wait or is settled; `decide` applies the operator's rules. */
export const make = Effect.fnUntraced(function*(
  timeout: Duration.Input,
  changed: () => void = () => {},
  decide: (ask: PermissionRequest) => Decision = () => ({ verdict: "ask" })
) {
  const log = yield* EventLog
  const deadline = Duration.fromInputUnsafe(timeout)
  const pending = new Map<RequestId, Pending>()
  /** By the agent's own ids: what was asked last, and the id that clients know it by. */
  const names = new Map<RequestId, { readonly digest: string | undefined; readonly name: RequestId }>()
  const taken = new Set<RequestId>()
  const isFirstProcess = log.lastSeq() === 0
  const nameOf = (ask: PermissionRequest) => {
    const { request_id: id } = ask
    const digest = digestOf(ask)
    const before = names.get(id)
    const isUsed = before === undefined
      ? taken.has(id) || (!isFirstProcess && isCounted(id))
      : digest === undefined || before.digest !== digest
    // Ids are limited in length.
    const name = isUsed ? RequestId.make(`${id.slice(0, 230)}.${log.lastSeq() + 1}`) : before?.name ?? id
    names.set(id, { digest, name })
    taken.add(name)
    return name
  }
  yield* Effect.addFinalizer(() => cancelAll("session_end"))

  const grants = SessionGrants.make()

  /** The ruling on a request that need not be asked. */
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

  const request = (wanted: PermissionRequest, raw?: Uint8Array) =>
    Effect.gen(function*() {
      // Asked again with the same id: the earlier question can no longer be answered.
      const before = names.get(wanted.request_id)
      if (before !== undefined) settle(before.name, cancelled("withdrawn"))
      const ask = { ...wanted, request_id: nameOf(wanted) }
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
      pending.set(ask.request_id, { ask: asked, answered })
      // The first answer decides, even one that comes at the moment of the deadline.
      const expire = Effect.suspend(() => {
        settle(ask.request_id, cancelled("timeout"))
        return Deferred.await(answered)
      })
      const wait = Effect.timeoutOrElse(Deferred.await(answered), {
        duration: deadline,
        orElse: () => expire
      })
      // A reader of the log may stop the agent while the question is still being logged.
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
    })

  const find = ({ request_id, tool_use_id }: PermissionResponse): Pending | undefined =>
    request_id !== undefined
      ? pending.get(request_id)
      : [...pending.values()].find(({ ask }) => ask.tool_use_id === tool_use_id)

  const respond = (answer: PermissionResponse) =>
    Effect.gen(function*() {
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
      // Nobody gets a forbidden input past the rules by answering a question about another one.
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
    withdraw: (request_id) => void settle(names.get(request_id)?.name ?? request_id, cancelled("withdrawn")),
    cancelAll,
    pending: () => [...pending.values()].map(({ ask }) => ask)
  })
})
