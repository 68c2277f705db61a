/**
 * CodexMessage: what `codex app-server` (0.169) tells without being asked, as far as the relay reads it.
 *
 * Lenient on purpose: everything else stays in `raw`, and a notification that does not fit is passed on as a `status`.
 * The streaming pieces are in `streamPiece.ts`, items in `CodexItem.ts`.
 */
import { Predicate, Schema, SchemaGetter } from "effect"
import { number, optional, text } from "../wire/lenient.js"
import { wordsIn } from "../wire/words.js"

export { number, optional, text }
export const open = Schema.Record(Schema.String, Schema.Unknown)

const toTurnError = (
  error: unknown
): { message: string; codexErrorInfo?: string | Record<string, unknown> } => {
  const fields = Predicate.isObject(error) ? error as Readonly<Record<string, unknown>> : {} // An object: see before.
  const info = fields["codexErrorInfo"]
  const message = wordsIn(fields["message"] ?? error) ?? "Codex gave no reason."
  return typeof info === "string"
    ? { message, codexErrorInfo: info }
    : Predicate.isObject(info)
    ? { message, codexErrorInfo: { ...info } }
    : { message }
}

/** Open on purpose: Codex names new causes as it likes. A text alone is the message. */
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

export const Turn = Schema.Struct({
  id: Schema.String,
  status: text,
  error: optional(TurnError),
  durationMs: number
})
export type Turn = typeof Turn.Type

const Tokens = Schema.Struct({
  totalTokens: Schema.Number,
  inputTokens: Schema.Number,
  cachedInputTokens: Schema.Number,
  outputTokens: Schema.Number
})
export type Tokens = typeof Tokens.Type

/** `total` is the thread's so far, `last` of its last model call. */
export const TokenUsage = Schema.Struct({ total: Tokens, last: Tokens, modelContextWindow: number })
export type TokenUsage = typeof TokenUsage.Type

const LimitWindow = Schema.Struct({
  usedPercent: Schema.Number,
  windowDurationMins: number,
  resetsAt: number
})
export type LimitWindow = typeof LimitWindow.Type

export const RateLimits = Schema.Struct({
  limitId: text,
  primary: optional(LimitWindow),
  secondary: optional(LimitWindow),
  planType: text,
  rateLimitReachedType: text
})
export type RateLimits = typeof RateLimits.Type

/** An item before it is known which kind it is. */
export const AnyItem = Schema.StructWithRest(Schema.Struct({ type: Schema.String, id: Schema.String }), [
  Schema.Record(Schema.String, Schema.Unknown)
])
export type AnyItem = typeof AnyItem.Type

const notification = <const Method extends string, Fields extends Schema.Struct.Fields>(
  method: Method,
  fields: Fields
) =>
  Schema.Struct({
    method: Schema.Literal(method),
    params: Schema.Struct({ threadId: text, turnId: text, ...fields })
  })

const notice = <const Method extends string>(method: Method) =>
  notification(method, { message: text, summary: text })

export const Notification = Schema.Union([
  notification("thread/started", { thread: Schema.Struct({ id: Schema.String }) }),
  notification("thread/status/changed", { status: Schema.Struct({ type: Schema.String }) }),
  notification("turn/started", { turn: Turn }),
  notification("turn/completed", { turn: Turn }),
  notification("turn/plan/updated", {
    explanation: text,
    plan: Schema.Array(Schema.Struct({ step: Schema.String, status: Schema.String }))
  }),
  notification("item/started", { item: AnyItem }),
  notification("item/completed", { item: AnyItem }),
  notification("item/fileChange/patchUpdated", { itemId: Schema.String, changes: Schema.Unknown }),
  notification("item/mcpToolCall/progress", { itemId: Schema.String, message: Schema.String }),
  notification("item/commandExecution/terminalInteraction", { itemId: Schema.String, stdin: Schema.String }),
  notification("thread/tokenUsage/updated", { tokenUsage: TokenUsage }),
  notification("account/rateLimits/updated", { rateLimits: RateLimits }),
  notification("error", { error: TurnError, willRetry: optional(Schema.Boolean) }),
  notification("model/rerouted", { fromModel: text, toModel: text }),
  notification("mcpServer/startupStatus/updated", {
    name: Schema.String,
    status: Schema.String,
    error: text
  }),
  notification("serverRequest/resolved", { requestId: Schema.Union([Schema.String, Schema.Number]) }),
  notice("warning"),
  notice("configWarning"),
  notice("deprecationNotice"),
  notice("guardianWarning")
])
export type Notification = typeof Notification.Type
export type NotificationOf<Method extends Notification["method"]> = Extract<Notification, { method: Method }>

/** The answer to `thread/start` and `thread/resume`. */
export const ThreadOpened = Schema.Struct({
  thread: Schema.Struct({ id: Schema.String }),
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
