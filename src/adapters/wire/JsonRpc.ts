/**
 * JsonRpc: JSON-RPC messages, as far as a peer must tell them apart. Params and results are not decoded.
 *
 * An id keeps its JSON type: agents number their requests from 0 and ignore an answer to "0".
 */
import { Predicate, Schema } from "effect"
import { firstText, wordsIn } from "./words.js"

export type JsonRpcId = string | number | null

export interface JsonRpcNotification {
  readonly method: string
  readonly params?: unknown
}

export interface JsonRpcRequest extends JsonRpcNotification {
  readonly id: JsonRpcId
}

/** The answer to a request: `error` or `result`. */
export interface JsonRpcAnswer {
  readonly id?: JsonRpcId
  readonly result?: unknown
  readonly error?: unknown
}

/** A request was refused, by the other side or by us. */
export class JsonRpcError extends Schema.TaggedError<JsonRpcError>()("JsonRpcError", {
  code: Schema.Number,
  reason: Schema.String,
  /** The error's `data`, of any shape. */
  detail: Schema.optional(Schema.Unknown)
}) {
  override get message() {
    return this.reason
  }
}

/** JSON-RPC's own codes. */
export const codes = {
  invalidRequest: -32600,
  invalidParams: -32602,
  methodNotFound: -32601,
  internalError: -32603
} as const

/** The parsed JSON, or undefined. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const hasMethod = (message: object): message is JsonRpcNotification =>
  "method" in message && typeof message.method === "string"

/** The id is returned unchanged, even if it has a type that JSON-RPC does not allow. */
export const isRequest = (message: unknown): message is JsonRpcRequest =>
  Predicate.isObject(message) && hasMethod(message) && "id" in message

const hasResult = (message: object) => "result" in message || "error" in message

/** A request whose method is unreadable: it is answered all the same. */
export const isOddRequest = (message: unknown): message is { readonly id: JsonRpcId } =>
  Predicate.isObject(message) && !hasMethod(message) && "id" in message && !hasResult(message)
  && ("method" in message || "params" in message)

export const isNotification = (message: unknown): message is JsonRpcNotification =>
  Predicate.isObject(message) && hasMethod(message) && !("id" in message)

/** A less strict agent's answer may lack its result or its id; the caller must not wait forever. */
export const isAnswer = (message: unknown): message is JsonRpcAnswer =>
  Predicate.isObject(message) && !Array.isArray(message) && !("method" in message)
  && ("id" in message ? !("params" in message) || hasResult(message) : hasResult(message))

/** Reads an answer's `error` member, however malformed. */
export const toJsonRpcError = (error: unknown): JsonRpcError => {
  const { code, data, message } = Predicate.isObject(error) ? error : {}
  return new JsonRpcError({
    code: typeof code === "number" ? code : codes.internalError,
    reason: firstText(message, wordsIn(error), wordsIn(data)) ?? "it gave no reason",
    ...(data !== undefined && { detail: data })
  })
}
