/**
 * RequestFailed: why an answer is missing or incomplete, with advice, and the events that report it.
 *
 * Texts quote the server's own message, never the token or the prompt.
 */
import { Effect, Option, Schema } from "effect"
import { type BodyOf, ErrorCode } from "../../schema/index.js"
import { firstText, wordsIn } from "../wire/words.js"
import { ChatError, type Fields, StreamError } from "./CortexMessage.js"

const noUnlessSaid = Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(false)))

export class RequestFailed extends Schema.TaggedError<RequestFailed>()("RequestFailed", {
  code: ErrorCode,
  text: Schema.String,
  /** The HTTP status. */
  status: Schema.optional(Schema.Number),
  /** A limit or a budget caused it. */
  quota: noUnlessSaid,
  /** The conversation no longer fits into the model's context. */
  full: noUnlessSaid,
  /** A retry may succeed; the delay requested by the server is in ms. */
  retry: noUnlessSaid,
  retry_after_ms: Schema.optional(Schema.Number),
  metadata: Schema.optional(Schema.Record(Schema.String, Schema.Unknown)),
  /** The native message that reports it. */
  raw: Schema.optional(Schema.Uint8Array)
}) {}

export const turnFailed = (text: string): RequestFailed => new RequestFailed({ code: "turn_failed", text })

/** A native message in the form `raw` needs: on one line. */
export const toRaw = (text: string, message: Fields): Uint8Array =>
  Buffer.from(/[\r\n]/.test(text) ? JSON.stringify(message) : text)

/** A server's message, shortened for display. */
export const quoted = (message: string): string => message.slice(0, 500)
export const isThrottled = (said: string) => /throttled|rate limit|too many requests/i.test(said)
export const isTooLong = (said: string) => /max(imum)? (tokens|context)|context (length|window)/i.test(said)

const readStreamError = Schema.decodeUnknownOption(StreamError)
const readChatError = Schema.decodeUnknownOption(ChatError)

const fromStreamError = (error: StreamError | string, fields: Fields, raw: Uint8Array): RequestFailed => {
  const { code, message, request_id }: StreamError = typeof error === "string" ? { message: error } : error
  const said = quoted(firstText(message) ?? wordsIn(fields) ?? "it did not say why")
  const known = code === undefined ? said : `${said} (code ${code})`
  return new RequestFailed({
    code: "turn_failed",
    text: `Snowflake aborted the answer: ${known}. What arrived is kept; send the prompt again.`,
    quota: isThrottled(said),
    full: isTooLong(said),
    metadata: {
      ...(code !== undefined && { error_code: code }),
      ...(request_id !== undefined && { request_id })
    },
    raw
  })
}

/** An error inside an answer that began with status 200. */
export const toStreamFailure = (
  event: string,
  message: Fields,
  raw: Uint8Array
): RequestFailed | undefined => {
  if (event !== "error" && event !== "message") return undefined
  const wrapped = Option.map(readChatError(message), ({ error }) => error)
  if (event === "message") {
    return Option.getOrUndefined(Option.map(wrapped, (error) => fromStreamError(error, message, raw)))
  }
  const error = Option.orElse(wrapped, () => readStreamError(message))
  return fromStreamError(Option.getOrElse(error, () => ""), message, raw)
}

/** It is retried in `wait_ms`. */
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
