/**
 * BudgetGuard: keeps one session within its budget.
 *
 * It checks the session's account before each turn and whenever a running turn reports usage. When a cap is reached, it pauses
 * the agent (its processes are stopped, so that no model call begins) and asks whether to go on and by how much; or it stops
 * the turn or ends the session, as the operator chose.
 */
import { Deferred, Effect, Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import { type BodyOf, RequestId, Usage } from "../../schema/index.js"
import type { IdGenerator } from "../IdGenerator.js"
import type { EventLog } from "../log/EventLog.js"
import type { PermissionBroker } from "../session/PermissionBroker.js"
import type { Sender } from "../session/Sender.js"
import type { Turn, Turns } from "../session/Turn.js"
import type * as AgentHold from "./AgentHold.js"
import { type Book, type Owner, scopeWords, type Standing } from "./Budgets.js"
import { format } from "./Spend.js"

/** What happens when a cap is reached: ask a person, stop the turn, or end the session. */
export type AtCap = "ask" | "stop" | "end"

export interface BudgetGuard {
  /** Notes who sent the prompt of the next turn. */
  readonly nextTurnOf: (by: Sender.Fields) => void
  /** Whether the turn that has begun may be delivered to the agent; waits while a person is asked. */
  readonly admit: Effect.Effect<boolean>
  /** Whether a cap is reached, so that no turn should begin by itself. */
  readonly isUsedUp: () => boolean
  /** Whether a question is open and the agent does not have the prompt yet, so there is nothing to interrupt. */
  readonly isAdmitting: () => boolean
  /** The same turns, with their usage counted. */
  readonly counting: (turns: Turns) => Turns
  /** Takes an event's metadata, in which agents report the turn's usage so far, the model, and how full the context is. */
  readonly notice: (metadata: Readonly<Record<string, unknown>>) => void
  /** Resumes the agent whatever is being asked, because it is to be interrupted or ended. */
  readonly release: () => void
  readonly lower: (budget: Parameters<ReturnType<Book["open"]>["lower"]>[0]) => string | undefined
  /** The model in use, if the agent reports it. */
  readonly model: () => string | undefined
  /** Fields for `session_start`; empty without a budget. */
  readonly describe: () => { readonly budget?: ReadonlyArray<Standing> }
  /** The usage of a turn that was interrupted because its relay died. */
  readonly settle: (turn: number | undefined) => Usage | undefined
  readonly close: () => void
}

export interface Parts {
  readonly book: Book
  readonly owner: Owner
  readonly at_cap: AtCap
  readonly log: EventLog["Service"]
  readonly broker: PermissionBroker["Service"]
  readonly ids: IdGenerator["Service"]
  readonly hold: AgentHold.AgentHold
  readonly turns: () => Turns
  readonly fork: (effect: Effect.Effect<void>) => void
  /** Completing it ends the session. */
  readonly over: Deferred.Deferred<void>
}

const has = ({ cap, scope, spent, unit }: Standing) =>
  `${scopeWords[scope].replace(/^t/u, "T")} has used ${format(unit, spent)} of ${format(unit, cap)}`

const exceeded = (standing: Standing, next: string): BodyOf<"error"> => ({
  type: "error",
  code: "budget_exceeded",
  text: `${has(standing)}. ${next}`,
  metadata: { budget: standing }
})

/** By how much a cap is raised by default: as much as the cap was. */
const helping = ({ cap, unit }: Standing) =>
  unit === "context_pct" ? Math.max(1, Math.min(10, 100 - cap)) : cap > 0 ? cap : 1

const capsOf = (standings: ReadonlyArray<Standing>) => standings.map(({ spent: _, ...rule }) => rule)

const isUsage = Schema.is(Usage)

export const make = (parts: Parts): BudgetGuard => {
  const { at_cap, broker, fork, hold, ids, log, over } = parts
  let by: Sender.Fields = {}
  let state: "idle" | "admitting" | "holding" = "idle"
  let isEnding = false
  let works = parts.owner.model
  let asked: RequestId | undefined
  /** This turn was told to stop, so its usage raises no more questions. */
  let stopping: Turn | undefined

  const onChange = () => {
    const standing = account.reached()
    // Somebody else has raised the cap meanwhile.
    if (state !== "idle" && standing === undefined && asked !== undefined) broker.withdraw(asked)
    else if (
      state === "idle" && !isEnding && standing !== undefined && parts.turns().current() !== undefined
      && parts.turns().current() !== stopping
    ) {
      state = "holding"
      hold.stop()
      fork(holdTurn)
    }
  }
  const account = parts.book.open(parts.owner, onChange)

  const warn = () => {
    for (const standing of account.near()) {
      log.unsafeAppend({
        type: "quota_warning",
        text: `${has(standing)}.`,
        metadata: { budget: standing }
      })
    }
  }

  /** Asks until no cap is reached. False: denied, or nobody answered. */
  const ask = (standing: Standing): Effect.Effect<boolean> =>
    Effect.gen(function*() {
      const request_id = RequestId.make(`budget-${yield* ids.uuid}`)
      const raise_by = helping(standing)
      asked = request_id
      const outcome = yield* broker.request({
        type: "permission_request",
        request_id,
        tool: "budget",
        text: `${has(standing)}. Allow ${format(standing.unit, raise_by)} more?`,
        args: { ...standing, raise_by },
        metadata: {
          kind: "budget",
          budget: standing,
          options: [
            { option_id: "raise", name: `Allow ${format(standing.unit, raise_by)} more`, kind: "allow_once" },
            { option_id: "stop", name: "Stop here", kind: "reject_once" }
          ]
        }
      })
      asked = undefined
      if (outcome.behavior === "allow") {
        const wanted = outcome.updatedInput?.["raise_by"]
        const by = typeof wanted === "number" && wanted > 0 && wanted <= Number.MAX_SAFE_INTEGER
          ? wanted
          : raise_by
        const raised = account.raise(standing, by)
        log.unsafeAppend({
          type: "status",
          status: "budget",
          text: `The budget of ${scopeWords[raised.scope]} is now ${format(raised.unit, raised.cap)}.`,
          metadata: { budget: raised }
        })
      } else if (outcome.behavior === "deny" || outcome.reason !== "withdrawn") {
        return false
      }
      const next = account.reached()
      return next === undefined ? true : yield* ask(next)
    })

  /** True: go on. */
  const decide = (standing: Standing): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      if (at_cap === "ask") {
        return Effect.tap(ask(standing), (mayGoOn) => {
          if (!mayGoOn) {
            log.unsafeAppend(
              exceeded(standing, "The turn was stopped. To be asked again, send the prompt again.")
            )
          }
          return Effect.void
        })
      }
      const next = at_cap === "end"
        ? "The session was ended. Ask the operator to raise the budget."
        : "The turn was stopped. Ask the operator to raise the budget."
      log.unsafeAppend(exceeded(standing, next))
      return at_cap === "end"
        ? Effect.as(Deferred.succeed(over, undefined), false)
        : Effect.succeed(false)
    })

  const admit = Effect.suspend(() => {
    const standing = account.reached()
    if (standing === undefined) return Effect.succeed(true)
    state = "admitting"
    account.withhold()
    return Effect.ensuring(decide(standing), Effect.sync(() => void (state = "idle")))
  }).pipe(Effect.tap((mayGoOn) => Effect.sync(() => mayGoOn ? account.deliver() : undefined)))

  const release = () => {
    hold.go()
  }

  /** The running turn has reached a cap, and its agent is already paused. */
  const holdTurn: Effect.Effect<void> = Effect.suspend(() => {
    const turn = parts.turns().current()
    const standing = account.reached()
    if (turn === undefined || standing === undefined) return Effect.void
    return decide(standing).pipe(
      Effect.raceFirst(Effect.as(Deferred.await(turn.ended), true)),
      Effect.flatMap((mayGoOn) => {
        if (mayGoOn) return Effect.void
        stopping = turn
        return Effect.asVoid(Deferred.succeed(turn.interrupt, undefined))
      })
    )
  }).pipe(Effect.ensuring(Effect.sync(() => {
    state = "idle"
    release()
  })))

  /** Watches caps on minutes, which are reached without any report from the agent. */
  const watchClock = (ended: Deferred.Deferred<void>) => {
    const left = account.minutesLeft()
    if (left === Infinity) return
    fork(
      Effect.sleep(Math.max(0, left * 60_000) + 1).pipe(
        Effect.andThen(Effect.sync(onChange)),
        Effect.raceFirst(Deferred.await(ended))
      )
    )
  }

  const counting = (turns: Turns): Turns => ({
    ...turns,
    begin: (...start) => {
      const turn = turns.begin(...start)
      account.beginTurn(log.turn() ?? 0, by.token)
      by = {}
      watchClock(turn.ended)
      return turn
    },
    end: (end, raw) => {
      if (turns.current() === undefined) return turns.end(end, raw)
      if (end.context_pct !== undefined) account.fill(end.context_pct)
      isEnding = true
      const { usage: told, ...bare } = end
      const { priced, usage } = account.endTurn(told)
      const ended = turns.end({
        ...(usage === undefined ? bare : { ...end, usage }),
        ...(priced === "table" && { metadata: { ...end.metadata, priced } })
      }, raw)
      isEnding = false
      warn()
      return ended
    }
  })

  return {
    nextTurnOf: (sender) => {
      by = sender
    },
    admit,
    isUsedUp: () => account.reached() !== undefined,
    isAdmitting: () => state === "admitting",
    counting,
    notice: ({ context_pct, model, parent_tool_use_id, usage }) => {
      // A subagent's model may be another one.
      if (typeof model === "string" && parent_tool_use_id === undefined) {
        works = model
        account.setModel(model)
      }
      if (typeof context_pct === "number") account.fill(context_pct)
      if (isUsage(usage)) {
        account.use(usage)
        warn()
      }
    },
    release,
    model: () => works,
    lower: (budget) => {
      const before = account.standings()
      const problem = account.lower(budget)
      if (problem === undefined) {
        log.unsafeAppend({
          type: "status",
          status: "budget",
          text: isDeepStrictEqual(capsOf(before), capsOf(account.standings()))
            ? "The budget is as it was: no cap of `turn` or `session` that was sent is lower."
            : "The budget was lowered.",
          metadata: { budgets: account.standings() }
        })
      }
      return problem
    },
    describe: () => {
      const budget = account.standings()
      return budget.length === 0 ? {} : { budget }
    },
    settle: account.settle,
    close: account.close
  }
}
