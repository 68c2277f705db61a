/**
 * RequestFailed: why an answer did not come, or not whole, in words that say what to do; and what is told of it.
 *
 * Texts quote the server's own message, never the token and never what was asked.
 */
import { Effect, Option, Schema } from "effect"
import { type BodyOf, ErrorCode } from "../../schema/index.js"
import { ChatError, type Fields, StreamError } from "./CortexMessage.js"

const noUnlessSaid = Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(false)))

export class RequestFailed extends Schema.TaggedError<RequestFailed>()("RequestFailed", {
  code: ErrorCode,
  text: Schema.String,
  /** Of the HTTP answer. */
  status: Schema.optional(Schema.Number),
  /** It is about a limit or a budget. */
  quota: noUnlessSaid,
  /** The conversation does not fit into the model any more. */
  full: noUnlessSaid,
  /** It may go well a little later; how much later the server said, in ms. */
  retry: noUnlessSaid,
  retry_after_ms: Schema.optional(Schema.Number),
  metadata: Schema.optional(Schema.Record(Schema.String, Schema.Unknown)),
  /** The native message that says so. */
  raw: Schema.optional(Schema.Uint8Array)
}) {}

export const turnFailed = (text: string): RequestFailed => new RequestFailed({ code: "turn_failed", text })

/** A native message as `raw` must be: on one line. */
export const toRaw = (text: string, message: Fields): Uint8Array =>
  Buffer.from(/[\r\n]/.test(text) ? JSON.stringify(message) : text)

/** As much of a server's message as is shown. */
export const quoted = (message: string): string => message.slice(0, 500)
export const isThrottled = (said: string) => /throttled|rate limit|too many requests/i.test(said)
export const isTooLong = (said: string) => /max(imum)? (tokens|context)|context (length|window)/i.test(said)

const readStreamError = Schema.decodeUnknownOption(StreamError)
const readChatError = Schema.decodeUnknownOption(ChatError)

const fromStreamError = (error: StreamError | string, raw: Uint8Array): RequestFailed => {
  const { code, message, request_id }: StreamError = typeof error === "string" ? { message: error } : error
  const said = quoted(message)
  const known = code === undefined ? said : `${said} (code ${code})`
  return new RequestFailed({
    code: "turn_failed",
    text: `Snowflake broke the answer off: ${known}. What had come is kept; send the prompt again.`,
    quota: isThrottled(said),
    full: isTooLong(said),
    metadata: {
      ...(code !== undefined && { error_code: code }),
      ...(request_id !== undefined && { request_id })
    },
    raw
  })
}

/** An error inside of an answer that began with 200. */
export const toStreamFailure = (
  event: string,
  message: Fields,
  raw: Uint8Array
): RequestFailed | undefined => {
  if (event !== "error" && event !== "message") return undefined
  const wrapped = Option.map(readChatError(message), ({ error }) => error)
  if (event === "message") {
    return Option.getOrUndefined(Option.map(wrapped, (error) => fromStreamError(error, raw)))
  }
  const error = Option.orElse(wrapped, () => readStreamError(message))
  return fromStreamError(Option.getOrElse(error, () => "it did not say why"), raw)
}

/** It is tried again in `wait_ms`. */
export const toRetryEvent = (
  failure: RequestFailed,
  attempt: number,
  attempts: number,
  wait_ms: number
): BodyOf<"quota_warning" | "status"> => {
  const text = `Snowflake answered ${failure.status}; the request is tried again in ${
    Math.ceil(wait_ms / 1000)
  } s (${attempt} of ${attempts}).`
  const metadata = { ...failure.metadata, attempt, attempts, retry_delay_ms: wait_ms }
  return failure.quota
    ? { type: "quota_warning", text, metadata }
    : { type: "status", status: "retry", text, metadata }
}
