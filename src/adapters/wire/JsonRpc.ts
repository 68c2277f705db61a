/**
 * JsonRpc: the messages of JSON-RPC, as far as a peer must tell them apart. Params and results stay as they came.
 *
 * An id keeps its JSON type: agents number their requests from 0 and take no notice of an answer to "0".
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

/** A request is refused: by the other side, or by us. */
export class JsonRpcError extends Schema.TaggedError<JsonRpcError>()("JsonRpcError", {
  code: Schema.Number,
  reason: Schema.String,
  /** The error's `data`, whatever the other side puts there. */
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

/** JSON, or undefined. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const hasMethod = (message: object): message is JsonRpcNotification =>
  "method" in message && typeof message.method === "string"

/** Its id goes back as it came, also one of a type that JSON-RPC does not have. */
export const isRequest = (message: unknown): message is JsonRpcRequest =>
  Predicate.isObject(message) && hasMethod(message) && "id" in message

const hasResult = (message: object) => "result" in message || "error" in message

/** It asks for something nobody can tell: it is answered all the same. */
export const isOddRequest = (message: unknown): message is { readonly id: JsonRpcId } =>
  Predicate.isObject(message) && !hasMethod(message) && "id" in message && !hasResult(message)
  && ("method" in message || "params" in message)

export const isNotification = (message: unknown): message is JsonRpcNotification =>
  Predicate.isObject(message) && hasMethod(message) && !("id" in message)

/** Of a sloppy agent an answer may have lost its result, or its id: who asked must not wait for ever. */
export const isAnswer = (message: unknown): message is JsonRpcAnswer =>
  Predicate.isObject(message) && !Array.isArray(message) && !("method" in message)
  && ("id" in message ? !("params" in message) || hasResult(message) : hasResult(message))

/** An answer's `error` member, however sloppy it is. */
export const toJsonRpcError = (error: unknown): JsonRpcError => {
  const { code, data, message } = Predicate.isObject(error) ? error : {}
  return new JsonRpcError({
    code: typeof code === "number" ? code : codes.internalError,
    reason: firstText(message, wordsIn(error), wordsIn(data)) ?? "it gave no reason",
    ...(data !== undefined && { detail: data })
  })
}
