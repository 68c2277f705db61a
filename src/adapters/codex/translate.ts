/**
 * translate: converts each Codex notification to events. Synchronous and free of effects; its state per
 * conversation is `CodexState`. A notification's first event carries the native line as `raw`.
 *
 * Subagents use the same connection with threads of their own: their actions are reported with the call that
 * started them, but their turns are not the session's.
 */
import { Match } from "effect"
import type { EventBody } from "../../schema/index.js"
import { status } from "../wire/statusEvent.js"
import { firstText, wordsIn } from "../wire/words.js"
import {
  noReason,
  type Notification,
  type NotificationOf,
  type Turn,
  type TurnError
} from "./CodexMessage.js"
import { type Failure, toFailure, toQuotaWarning } from "./failure.js"
import { completedItem, makeItems, startedItem } from "./items.js"
import { makeLimits } from "./limits.js"
import { makeTurns } from "./turns.js"
import { makeMeter } from "./usage.js"

export type CodexState = ReturnType<typeof makeState>

export const makeState = (inTurn: () => boolean) => ({
  ...makeItems(),
  turns: makeTurns(),
  meter: makeMeter(),
  limits: makeLimits(),
  /** The session's own thread, once it is open. */
  thread: undefined as string | undefined, // It is set later.
  /** This turn's failure was already reported. */
  isFailureTold: false,
  /** Codex was told to stop this turn. */
  isStopping: false,
  /** Number of notifications received, and how often Codex has begun to work. */
  heard: 0,
  stirred: 0,
  /** Whether a turn is running, as the session sees it. */
  inTurn
})

type Events = ReadonlyArray<EventBody>

/** The origin of an event, if that is a subagent. */
export const originOf = (
  thread: string | undefined,
  state: CodexState
): Readonly<Record<string, unknown>> | undefined => {
  if (thread === undefined || state.thread === undefined || thread === state.thread) return undefined
  const parent_tool_use_id = state.agents.callOf(thread)
  return { thread_id: thread, ...(parent_tool_use_id !== undefined && { parent_tool_use_id }) }
}

const plan = ({ explanation, plan }: NotificationOf<"turn/plan/updated">["params"]): Events => {
  const entries = plan.map(({ status, step }) => ({
    content: step,
    status: status === "inProgress" ? "in_progress" : status
  }))
  const marks: Readonly<Record<string, string>> = { completed: "[x]", in_progress: "[>]" }
  const lines = entries.map(({ content, status }) => `${marks[status] ?? "[ ]"} ${content}`)
  return [
    status("plan", [...firstText(explanation) === undefined ? [] : [explanation], ...lines].join("\n"), {
      entries,
      ...(explanation !== undefined && { explanation })
    })
  ]
}

/** Codex reports a failure once as it happens and again as the turn ends. */
const failure = (error: TurnError, state: CodexState): Events => {
  if (state.isFailureTold) return []
  state.isFailureTold = true
  const failed = toFailure(error)
  if (failed.stop_reason === "max_tokens") return [status("max_tokens", failed.text)]
  return [
    { type: "error", code: failed.code, text: failed.text, metadata: failed.metadata },
    ...failed.isQuota ? [toQuotaWarning(failed, resetOf(failed, state), isLimit(failed))] : [],
    ...failed.isFull ? state.meter.full() : []
  ]
}

/** Codex's own session budget does not reset. */
const isLimit = ({ metadata }: Failure) => metadata["cause"] !== "sessionBudgetExceeded"

/** Too many requests per minute have nothing to do with the reset of a half-used window. */
const resetOf = ({ isUsedUp }: Failure, { limits }: CodexState) =>
  isUsedUp || limits.isUsedUp() ? limits.resets_at() : undefined

const retry = (error: TurnError, state: CodexState): Events => {
  const failed = { ...toFailure(error), text: error.message }
  return [
    failed.isQuota
      ? toQuotaWarning(failed, state.limits.resets_at(), false)
      : status("api_retry", failed.text, failed.metadata)
  ]
}

const stopReasonOf = ({ error, status }: Turn) =>
  status === "interrupted"
    ? "cancelled"
    : status === "failed" || error !== undefined
    ? error === undefined ? "error" : toFailure(error).stop_reason
    : "end_turn"

const turnCompleted = (turn: Turn, state: CodexState): Events =>
  state.turns.ended(turn.id)
    ? [...untold(turn, state), ...endTurn(turn, state)]
    : [status("turn/completed")]

/** Messages that were never reported by their own notification. */
const untold = ({ items = [] }: Turn, state: CodexState): Events => {
  const told = new Set(state.told.values())
  return items.flatMap((item) =>
    item.type === "agentMessage" && !told.has(wordsIn(item["text"]) ?? "")
      ? completedItem(item, state.thread, state)
      : []
  )
}

const endTurn = (turn: Turn, state: CodexState): Events => {
  const stop_reason = stopReasonOf(turn)
  const error = turn.error ?? (stop_reason === "error" ? { message: noReason } : undefined)
  const told = error === undefined ? [] : failure(error, state)
  const answered = stop_reason === "end_turn" || stop_reason === "max_tokens"
  const events: Events = [
    ...stop_reason === "end_turn" ? [] : state.tools.stop(state.thread),
    ...told,
    ...answered ? [{ type: "response", text: state.answer.take() } as const] : [],
    { type: "turn_end", stop_reason, ...state.meter.endTurn(turn.durationMs) }
  ]
  state.answer.take()
  state.tools.endTurn()
  state.told.clear()
  state.isFailureTold = false
  state.isStopping = false
  state.compaction.isManual = false
  return events
}

/** Codex has stopped without reporting how its turn ended. */
export const lostTurn = (state: CodexState): Events =>
  state.turns.lost()
    ? endTurn(
      { status: state.isStopping ? "interrupted" : state.isFailureTold ? "failed" : "completed" },
      state
    )
    : []

const turnStarted = ({ id }: Turn, state: CodexState): Events => {
  state.isFailureTold = false
  state.isStopping = false
  // What was said since the last turn is no part of this one's answer.
  state.answer.take()
  return state.turns.started(id, state.inTurn()) ? [{ type: "turn_start" }] : [status("turn/started")]
}

const ofMainThread = (message: Notification, state: CodexState): Events =>
  Match.value(message).pipe(
    Match.withReturnType<Events>(),
    Match.discriminatorsExhaustive("method")({
      "thread/started": ({ method, params: { thread } }) => [
        status(method, undefined, { native_session_id: thread.id })
      ],
      "thread/status/changed": ({ method, params }) => [status(method, params.status.type)],
      "thread/closed": ({ method }) => [status(method)],
      "turn/started": ({ params }) => turnStarted(params.turn, state),
      "turn/completed": ({ params }) => turnCompleted(params.turn, state),
      "turn/plan/updated": ({ params }) => plan(params),
      "item/started": ({ params }) => startedItem(params.item, params.threadId, state),
      "item/completed": ({ params }) => completedItem(params.item, params.threadId, state),
      "item/fileChange/patchUpdated": ({ params: { changes, itemId, threadId } }) => {
        state.tools.patched(itemId, threadId, changes)
        return [{ type: "stream_event", tool_use_id: state.tools.nameOf(itemId, threadId) }]
      },
      "item/mcpToolCall/progress": ({ params: { itemId, message, threadId } }) => [
        { type: "tool_progress", tool_use_id: state.tools.nameOf(itemId, threadId), text: message }
      ],
      "item/commandExecution/terminalInteraction": ({ params: { itemId, stdin, threadId } }) => [
        {
          type: "tool_progress",
          tool_use_id: state.tools.nameOf(itemId, threadId),
          text: stdin,
          metadata: { stdin: true }
        }
      ],
      "thread/tokenUsage/updated": ({ params }) => {
        state.tools.yielded(params.threadId)
        return state.meter.update(params.tokenUsage, state.turns.isRunning(params.turnId))
      },
      "account/rateLimits/updated": ({ method, params }) => {
        const [warning, ...others] = state.limits.update(params.rateLimits)
        return warning === undefined ? [status(method)] : [warning, ...others]
      },
      error: ({ params: { error, willRetry } }) => {
        if (willRetry === true) return retry(error, state)
        const [first, ...others] = failure(error, state)
        return first === undefined ? [status("failure", error.message)] : [first, ...others]
      },
      "hook/started": hook,
      "hook/completed": hook,
      "thread/name/updated": ({ method, params: { threadName } }) => [
        status(method, threadName, { title: threadName })
      ],
      "model/rerouted": ({ params: { fromModel, toModel } }) => [
        status("model", `Codex changed the model from ${fromModel ?? "?"} to ${toModel ?? "?"}.`, {
          model: toModel
        })
      ],
      "mcpServer/startupStatus/updated": ({ method, params: { error, name, status: word } }) => [
        status(method, [`${name}: ${word}`, ...error === "" ? [] : [error]].join(". "))
      ],
      "serverRequest/resolved": ({ method }) => [status(method)],
      warning: notice,
      configWarning: notice,
      deprecationNotice: notice,
      guardianWarning: notice
    })
  )

const hook = (
  { method, params: { run } }: NotificationOf<"hook/started" | "hook/completed">
): Events => {
  const { entries = [], eventName, status: outcome, statusMessage } = run
  const said = entries.map(({ text }) => text).filter((text) => text !== "").join("\n")
  return [status(method, firstText(said, statusMessage), { hook_event: eventName, outcome })]
}

const notice = (
  { method, params: { details, message, summary } }: NotificationOf<
    "warning" | "configWarning" | "deprecationNotice" | "guardianWarning"
  >
): Events => [
  status(method, firstText([firstText(message, summary), firstText(details)].filter(isText).join("\n")))
]

const isText = (text: string | undefined) => text !== undefined

/** Of a subagent, messages and actions are passed on, and its tokens count; its turns are its own. */
const ownAffairs: ReadonlySet<string> = new Set([
  "thread/started",
  "turn/started",
  "turn/completed",
  "error"
])

/** Events of a thread; a subagent's are marked. */
export const fromThread = (events: Events, thread: string | undefined, state: CodexState): Events => {
  const origin = originOf(thread, state)
  return origin === undefined ?
    events :
    events.map((event) =>
      event.type === "permission_request" ? event : { ...event, metadata: { ...event.metadata, ...origin } }
    )
}

/** Text for people from a subagent's own notifications: why it failed. */
const affair = ({ method, params }: Notification): Events => [
  status(
    method,
    "error" in params ? wordsIn(params.error) : "turn" in params ? wordsIn(params.turn.error) : undefined
  )
]

/** Whether the awaited turn ends, whichever thread is named. */
const endsAwaited = (message: Notification, { turns }: CodexState): boolean =>
  message.method === "turn/completed" && turns.isAwaited(message.params.turn.id)

export const translate = (message: Notification, state: CodexState): Events => {
  const { threadId } = message.params
  if (originOf(threadId, state) === undefined || endsAwaited(message, state)) {
    return ofMainThread(message, state)
  }
  if (message.method === "thread/tokenUsage/updated") {
    state.tools.yielded(threadId)
    const usage = state.meter.ofSubagent(threadId, message.params.tokenUsage)
    return fromThread([usage], threadId, state)
  }
  return fromThread(
    ownAffairs.has(message.method) ? affair(message) : ofMainThread(message, state),
    threadId,
    state
  )
}
