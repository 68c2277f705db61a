/**
 * CodexMessage: notifications of `codex app-server` (0.169), as far as the relay reads them.
 *
 * Decoding is lenient: everything else stays in `raw`, and a notification that does not match is passed on as
 * a `status`. Deltas are in `streamPiece.ts`, items in `CodexItem.ts`.
 */
import { Option, Predicate, Schema, SchemaGetter } from "effect"
import {
  Amount,
  amount,
  AnyObject,
  flag,
  id,
  items,
  moment,
  number,
  optional,
  text,
  withFallback,
  words
} from "../wire/lenient.js"
import { wordsIn } from "../wire/words.js"

export { number, optional, text }
export const open = AnyObject

export const noReason = "Codex gave no reason."

const toTurnError = (
  error: unknown
): { message: string; codexErrorInfo?: string | Record<string, unknown> } => {
  const fields = Predicate.isObject(error) ? error as Readonly<Record<string, unknown>> : {} // An object: see before.
  const { additionalDetails, codexErrorInfo: info, misalignment } = fields
  const explained = Predicate.hasProperty(misalignment, "detailedExplanation")
    ? misalignment.detailedExplanation
    : undefined
  const message = wordsIn([fields["message"] ?? error, additionalDetails, explained]) ?? noReason
  return typeof info === "string"
    ? { message, codexErrorInfo: info }
    : Predicate.isObject(info)
    ? { message, codexErrorInfo: { ...info } }
    : { message }
}

/** Open-ended: Codex adds causes freely. A bare string is the message. */
export const TurnError = Schema.Unknown.pipe(
  Schema.decodeTo(
    Schema.Struct({
      message: Schema.String,
      codexErrorInfo: Schema.optionalKey(Schema.Union([Schema.String, open]))
    }),
    {
      decode: SchemaGetter.transform(toTurnError),
      encode: SchemaGetter.transform((error: unknown) => error)
    }
  )
)
export type TurnError = typeof TurnError.Type

/** An item before its kind is known. Without an id, it is distinct from all others. */
export const AnyItem = Schema.StructWithRest(
  Schema.Struct({ type: withFallback(Schema.String, "item"), id: withFallback(id, "") }),
  [AnyObject]
)
export type AnyItem = typeof AnyItem.Type

/** Without an id, it is the running turn: Codex runs one at a time. */
export const Turn = Schema.Struct({
  id: optional(id),
  status: text,
  error: optional(TurnError),
  durationMs: amount,
  /** Everything said and done in it, where Codex repeats that. */
  items: optional(items(AnyItem))
})
export type Turn = typeof Turn.Type

const count = withFallback(Amount, 0)
const Tokens = Schema.Struct({
  totalTokens: count,
  inputTokens: count,
  cachedInputTokens: count,
  cacheWriteInputTokens: amount,
  outputTokens: count
})
export type Tokens = typeof Tokens.Type
export const noTokens: Tokens = { totalTokens: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 }

/** `total` covers the thread so far, `last` its last model call. */
export const TokenUsage = Schema.Struct({
  total: optional(Tokens),
  last: withFallback(Tokens, noTokens),
  modelContextWindow: amount
})
export type TokenUsage = typeof TokenUsage.Type

const LimitWindow = Schema.Struct({
  usedPercent: Schema.Finite,
  windowDurationMins: number,
  resetsAt: moment
})
export type LimitWindow = typeof LimitWindow.Type

export const RateLimits = Schema.Struct({
  limitId: text,
  primary: optional(LimitWindow),
  secondary: optional(LimitWindow),
  planType: text,
  rateLimitReachedType: text,
  spendControlReached: flag
})
export type RateLimits = typeof RateLimits.Type

const anyItem = withFallback(AnyItem, { type: "item", id: "" })

/** A status is an object of that type, or just the type. */
const ThreadStatus = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Struct({ type: Schema.optionalKey(Schema.String) }), {
    decode: SchemaGetter.transform((status: unknown): { type?: string } => {
      const type = Predicate.isObject(status) ? (status as { type?: unknown }).type : status
      return typeof type === "string" ? { type } : {}
    }),
    encode: SchemaGetter.transform((status: unknown) => status)
  })
)

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Predicate.isObject(value) && !Array.isArray(value)

/** Any value in place of parameters; a value that is no object counts as having none. */
const Params = Schema.optionalKey(Schema.Unknown).pipe(
  Schema.decodeTo(AnyObject, {
    decode: SchemaGetter.transformOptional<Readonly<Record<string, unknown>>, unknown>((params) =>
      Option.some(Option.getOrElse(Option.filter(params, isFields), () => ({})))
    ),
    encode: SchemaGetter.transformOptional<unknown, Readonly<Record<string, unknown>>>((params) => params)
  })
)

const notification = <const Method extends string, Fields extends Schema.Struct.Fields>(
  method: Method,
  fields: Fields
) =>
  Schema.Struct({
    method: Schema.Literal(method),
    params: Params.pipe(
      Schema.decodeTo(Schema.Struct({ threadId: optional(id), turnId: optional(id), ...fields }))
    )
  })

const notice = <const Method extends string>(method: Method) =>
  notification(method, { message: words, summary: words, details: words })

const itemId = withFallback(id, "")

/** A plan step; plain text is accepted. */
const PlanStep = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Struct({ step: words, status: withFallback(Schema.String, "pending") }), {
    decode: SchemaGetter.transform((step: unknown) => isFields(step) ? step : { step }),
    encode: SchemaGetter.transform((step: unknown) => step)
  })
)

/** A hook that runs or has run, and what it says to people. */
const HookRun = withFallback(
  Schema.Struct({
    eventName: text,
    status: text,
    statusMessage: optional(words),
    entries: optional(items(Schema.Struct({ text: words })))
  }),
  {}
)

export const Notification = Schema.Union([
  notification("thread/started", { thread: withFallback(Schema.Struct({ id: optional(id) }), {}) }),
  notification("thread/status/changed", { status: ThreadStatus }),
  notification("thread/closed", {}),
  notification("turn/started", { turn: withFallback(Turn, {}) }),
  notification("turn/completed", { turn: withFallback(Turn, {}) }),
  notification("turn/plan/updated", {
    explanation: optional(words),
    plan: withFallback(
      items(PlanStep),
      []
    )
  }),
  notification("item/started", { item: anyItem }),
  notification("item/completed", { item: anyItem }),
  notification("item/fileChange/patchUpdated", { itemId, changes: Schema.optionalKey(Schema.Unknown) }),
  notification("item/mcpToolCall/progress", { itemId, message: words }),
  notification("item/commandExecution/terminalInteraction", { itemId, stdin: words }),
  notification("thread/tokenUsage/updated", {
    turnId: optional(id),
    tokenUsage: withFallback(TokenUsage, { last: noTokens })
  }),
  notification("account/rateLimits/updated", { rateLimits: withFallback(RateLimits, {}) }),
  notification("error", {
    error: withFallback(TurnError, { message: noReason }),
    willRetry: flag
  }),
  notification("hook/started", { run: HookRun }),
  notification("hook/completed", { run: HookRun }),
  notification("thread/name/updated", { threadName: text }),
  notification("model/rerouted", { fromModel: text, toModel: text }),
  notification("mcpServer/startupStatus/updated", { name: words, status: words, error: words }),
  notification("serverRequest/resolved", { requestId: Schema.optionalKey(Schema.Unknown) }),
  notice("warning"),
  notice("configWarning"),
  notice("deprecationNotice"),
  notice("guardianWarning")
])
export type Notification = typeof Notification.Type
export type NotificationOf<Method extends Notification["method"]> = Extract<Notification, { method: Method }>

/** The answer to `thread/start` and `thread/resume`. */
export const ThreadOpened = Schema.Struct({
  thread: Schema.Struct({ id }),
  model: text,
  modelProvider: text,
  approvalPolicy: optional(Schema.Unknown),
  approvalsReviewer: optional(Schema.Unknown),
  sandbox: optional(
    Schema.StructWithRest(Schema.Struct({ type: Schema.String }), [
      Schema.Record(Schema.String, Schema.Unknown)
    ])
  )
})
export type ThreadOpened = typeof ThreadOpened.Type
