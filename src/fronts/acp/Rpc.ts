/**
 * Rpc: JSON-RPC with a client, both ways; each direction has its own request numbers.
 */
import { Effect } from "effect"
import {
  isAnswer,
  isNotification,
  isRequest,
  JsonRpcError,
  type JsonRpcId
} from "../../adapters/wire/JsonRpc.js"
import { type Open, open } from "../read.js"
import type { PortError } from "../SessionPort.js"
import { codes, refusal } from "./refusals.js"

export interface Answer {
  readonly result: object | null
  /** Runs after the answer is sent, not before. */
  readonly behind?: Effect.Effect<void, PortError>
}
export type Handled = Effect.Effect<Answer, JsonRpcError | PortError>

/** The outcome of our request: `result` or `error`. */
export interface Outcome {
  readonly result?: unknown
  readonly error?: unknown
}

export interface Rpc {
  readonly notify: (method: string, params: object) => void
  /** Send a request to the client; gives its id. */
  readonly ask: (method: string, params: object, onAnswer: (outcome: Outcome) => void) => number
  /** The answer is no longer needed and will be ignored. */
  readonly withdraw: (id: number) => void
  /** A client message as JSON text. */
  readonly receive: (message: string) => void
  /** Answers all requests that are still open with this error: the connection will be closed. */
  readonly close: (error: JsonRpcError) => void
}

export interface RpcOptions {
  readonly send: (message: object) => void
  readonly fork: (effect: Effect.Effect<void>) => unknown
  /** Undefined: there is no such method. */
  readonly handle: (method: string, params: Open, id: JsonRpcId) => Handled | undefined
  readonly heed: (method: string, params: Open) => void
}

const isId = (id: unknown) => id === null || typeof id === "string" || typeof id === "number"

const unknownMethod = (method: string) =>
  method === "session/cancel" || method.startsWith("$/")
    ? `"${method}" is a notification: send it without \`id\``
    : `there is no method "${method}" of the Agent Client Protocol 1 here: the answer to initialize lists what is supported`

export const make = ({ fork, handle, heed, send }: RpcOptions): Rpc => {
  const answers = new Map<unknown, (outcome: Outcome) => void>()
  /** Requests of the client without an answer. An id may be used again. */
  const unanswered = new Set<{ readonly id: JsonRpcId }>()
  let asked = 0

  const notify: Rpc["notify"] = (method, params) => send({ jsonrpc: "2.0", method, params })

  const ask: Rpc["ask"] = (method, params, onAnswer) => {
    const id = ++asked
    answers.set(id, onAnswer)
    send({ jsonrpc: "2.0", id, method, params })
    return id
  }

  const withdraw = (id: number) => {
    if (answers.delete(id)) notify("$/cancel_request", { requestId: id })
  }

  const failWith = (id: JsonRpcId, { code, detail, reason }: JsonRpcError) =>
    send({
      jsonrpc: "2.0",
      id,
      error: { code, message: reason, ...(detail !== undefined && { data: detail }) }
    })

  const answer = (id: JsonRpcId, method: string, handled: Handled): Effect.Effect<void> => {
    const request = { id }
    unanswered.add(request)
    const once = (say: () => void) => Effect.sync(() => unanswered.delete(request) && say())
    return handled.pipe(
      Effect.matchEffect({
        onSuccess: ({ behind = Effect.void, result }) =>
          Effect.andThen(once(() => send({ jsonrpc: "2.0", id, result })), Effect.ignore(behind)),
        onFailure: (error) =>
          once(() =>
            failWith(id, error._tag === "PortError" ? refusal(error.code, error.reason, error.detail) : error)
          )
      }),
      // A defect is our fault; the editor must not wait forever because of it.
      Effect.catchDefect((defect) =>
        Effect.andThen(
          Effect.logError(`"${method}" of an editor failed`, defect),
          once(() =>
            failWith(id, new JsonRpcError({ code: codes.internal, reason: "internal error of ai-relay" }))
          )
        )
      )
    )
  }

  const close = (error: JsonRpcError) => {
    for (const { id } of unanswered) failWith(id, error)
    unanswered.clear()
  }

  const receive = (message: string): void => {
    let parsed: unknown
    try {
      parsed = JSON.parse(message)
    } catch {
      return failWith(
        null,
        new JsonRpcError({
          code: codes.parse,
          reason: "this is not JSON: send one JSON-RPC 2.0 object per message"
        })
      )
    }
    if (isRequest(parsed) && isId(parsed.id)) {
      const { id, method, params } = parsed
      const handled = handle(method, open(params), id)
      if (handled !== undefined) return void fork(answer(id, method, handled))
      return failWith(id, new JsonRpcError({ code: codes.method, reason: unknownMethod(method) }))
    }
    if (isNotification(parsed)) return heed(parsed.method, open(parsed.params))
    if (isAnswer(parsed)) {
      const onAnswer = answers.get(parsed.id)
      answers.delete(parsed.id)
      return onAnswer?.(parsed)
    }
    failWith(
      null,
      new JsonRpcError({
        code: codes.invalid,
        reason:
          "this is not a JSON-RPC 2.0 message: send one object with `method`, and `id` (a string or a number) if you want "
          + "an answer; batches are not supported"
      })
    )
  }

  return { notify, ask, withdraw, receive, close }
}
