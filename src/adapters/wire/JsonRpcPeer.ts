/**
 * JsonRpcPeer: JSON-RPC with an agent, both ways, one message per line.
 *
 * Everything an agent sends is passed on synchronously, in the step that reads its line: notifications,
 * requests, and answers to ours (`post` takes a callback; `request` waits). Every request of the agent is
 * answered, an unknown one with an error. When the agent is gone, everything waiting for it fails with
 * `AgentFailed`.
 */
import { Deferred, Duration, Effect, FiberSet, Result, Schema, type Scope } from "effect"
import { isUtf8 } from "node:buffer"
import type { AgentExit, AgentProcess } from "../Adapter.js"
import { AgentFailed } from "../AdapterError.js"
import { doneSoon } from "../doneSoon.js"
import { encodeLine } from "./encodeLine.js"
import {
  codes,
  isAnswer,
  isNotification,
  isOddRequest,
  isRequest,
  type JsonRpcAnswer,
  JsonRpcError,
  type JsonRpcId,
  type JsonRpcNotification,
  type JsonRpcRequest,
  parseJson,
  toJsonRpcError
} from "./JsonRpc.js"

/** The agent did not answer in time. */
export class RequestTimedOut extends Schema.TaggedError<RequestTimedOut>()("RequestTimedOut", {
  tool: Schema.String,
  method: Schema.String,
  within: Schema.String
}) {
  override get message() {
    return `${this.tool} did not answer "${this.method}" within ${this.within}`
  }
}

/** The outcome of a request; `line` is the answer's, if there was one. */
export type OnAnswer = (answer: Result.Result<unknown, JsonRpcError | AgentFailed>, line?: Buffer) => void

export interface JsonRpcPeer {
  /** Send a request and wait for the result, without a time limit unless `within` is given. */
  readonly request: {
    (method: string, params?: unknown): Effect.Effect<unknown, JsonRpcError | AgentFailed>
    (
      method: string,
      params: unknown,
      options: { readonly within: Duration.Input }
    ): Effect.Effect<unknown, JsonRpcError | AgentFailed | RequestTimedOut>
  }
  /**
   * Send a request; `onAnswer` is called once, in the step that reads the answer's line. Returns when the
   * request is written.
   */
  readonly post: (method: string, params: unknown, onAnswer: OnAnswer) => Effect.Effect<void, AgentFailed>
  readonly notify: (method: string, params?: unknown) => Effect.Effect<void, AgentFailed>
  /** Completes when the agent is gone and all its output has been passed on. */
  readonly exit: Effect.Effect<AgentExit>
}

export interface JsonRpcPeerOptions {
  /** The agent's name, used in messages. */
  readonly tool: string
  /** Add `"jsonrpc":"2.0"` to every message. */
  readonly jsonrpc: boolean
  readonly onNotification: (notification: JsonRpcNotification, line: Buffer) => void
  /**
   * Called for a request of the agent. Return an effect that gives the result or fails with the error to
   * send; it starts in the same step. A result of undefined means that the agent no longer waits, so nothing
   * is sent. No effect: the request is unknown.
   */
  readonly onRequest: (
    request: JsonRpcRequest,
    line: Buffer
  ) => Effect.Effect<unknown, JsonRpcError> | undefined
  /**
   * A line that is not a JSON-RPC message, or an answer to no request; `message` is undefined if it is not
   * even JSON.
   */
  readonly onOther: (line: Buffer, message: unknown) => void
}

/** Start an agent with `spawn` and talk to it. */
export const open = Effect.fnUntraced(function*<E, R>(
  spawn: (onLine: (line: Buffer) => void) => Effect.Effect<AgentProcess, E, R>,
  options: JsonRpcPeerOptions
): Effect.fn.Return<JsonRpcPeer, E, R | Scope.Scope> {
  const { jsonrpc, onNotification, onOther, onRequest, tool } = options
  const fork = yield* FiberSet.makeRuntime<never>()
  const started = yield* Deferred.make<AgentProcess>()
  const waiting = new Map<JsonRpcId, OnAnswer>()
  let asked = 0
  let gone: AgentExit | undefined

  const write = (message: object): Effect.Effect<void, AgentFailed> =>
    Effect.flatMap(
      Deferred.await(started),
      ({ writeLine }) => writeLine(encodeLine(jsonrpc ? { jsonrpc: "2.0", ...message } : message))
    )

  const settle = (answer: JsonRpcAnswer, line: Buffer): void => {
    const { error, result } = answer
    const id = askedAs(answer.id)
    const onAnswer = id === undefined ? undefined : waiting.get(id)
    // A late answer is ignored; an answer to no request is reported.
    if (id === undefined || onAnswer === undefined) {
      return typeof id === "number" && id > 0 && id <= asked ? undefined : onOther(line, answer)
    }
    waiting.delete(id)
    // Some agents send `"error": null` along with a result.
    const failed = error !== undefined && error !== null && error !== false
    onAnswer(failed ? Result.fail(toJsonRpcError(error)) : Result.succeed(result), line)
  }

  /** Our id, whatever type it came back as; an answer without one belongs to the only open request. */
  const askedAs = (id: JsonRpcId | undefined): JsonRpcId | undefined => {
    if (id !== undefined && waiting.has(id)) return id
    if (typeof id === "number") return id
    const number = typeof id === "string" && id !== "" ? Number(id) : Number.NaN
    if (Number.isInteger(number)) return number
    const [only, ...others] = waiting.keys()
    return only === undefined || others.length > 0 ? id : only
  }

  const answer = ({ id, method }: JsonRpcRequest, result: Effect.Effect<unknown, JsonRpcError> | undefined) =>
    (result ?? new JsonRpcError({ code: codes.methodNotFound, reason: `Method not found: ${method}` })).pipe(
      // A defect is our fault; the agent must not wait forever because of it.
      Effect.tapDefect((defect) =>
        Effect.logError(`Internal error while answering "${method}" of ${tool}.`, defect)
      ),
      Effect.catchDefect(() =>
        new JsonRpcError({ code: codes.internalError, reason: "internal error of ai-relay" })
      ),
      Effect.matchEffect({
        onSuccess: (value) => value === undefined ? Effect.void : write({ id, result: value }),
        onFailure: ({ code, detail, reason }) =>
          write({ id, error: { code, message: reason, ...(detail !== undefined && { data: detail }) } })
      }),
      Effect.ignore
    )

  const receive = (bytes: Buffer): void => {
    // It becomes part of a text frame.
    const line = isUtf8(bytes) ? bytes : Buffer.from(bytes.toString("utf8"))
    const message = parseJson(line.toString("utf8"))
    if (isNotification(message)) return onNotification(message, line)
    if (isAnswer(message)) return settle(message, line)
    if (isRequest(message)) return void fork(answer(message, onRequest(message, line)))
    if (isOddRequest(message)) {
      const { id } = message
      const error = { code: codes.invalidRequest, message: "Invalid Request: `method` must be a string" }
      fork(Effect.ignore(write({ id, error })))
    }
    onOther(line, message)
  }

  const agent = yield* spawn(receive)
  doneSoon(started, Effect.succeed(agent))

  yield* Effect.forkScoped(Effect.map(agent.exit, (exit) => {
    gone = exit
    const left = [...waiting.values()]
    waiting.clear()
    for (const onAnswer of left) onAnswer(Result.fail(toFailure(tool, exit)))
  }))

  const send = (id: number, method: string, params: unknown, onAnswer: OnAnswer) =>
    Effect.suspend(() => {
      if (gone !== undefined) return toFailure(tool, gone)
      waiting.set(id, onAnswer)
      return Effect.tapError(write({ id, method, params }), () => Effect.sync(() => waiting.delete(id)))
    })

  const post: JsonRpcPeer["post"] = (method, params, onAnswer) =>
    Effect.suspend(() => send(++asked, method, params, onAnswer))

  const request = (
    method: string,
    params?: unknown,
    { within }: { readonly within?: Duration.Input } = {}
  ) =>
    Effect.suspend(() => {
      const id = ++asked
      const answered = Deferred.makeUnsafe<unknown, JsonRpcError | AgentFailed>()
      const wait = within === undefined ?
        Deferred.await(answered) :
        Effect.timeoutOrElse(Deferred.await(answered), {
          duration: within,
          orElse: () =>
            Effect.fail(
              new RequestTimedOut({ tool, method, within: Duration.format(Duration.fromInputUnsafe(within)) })
            )
        })
      return send(id, method, params, (answer) => doneSoon(answered, Effect.fromResult(answer))).pipe(
        Effect.andThen(wait),
        Effect.ensuring(Effect.sync(() => waiting.delete(id)))
      )
    })

  return {
    request: request as JsonRpcPeer["request"], // Without `within` it never times out.
    post,
    notify: (method, params) => write({ method, params }),
    exit: agent.exit
  }
})

const toFailure = (tool: string, { exit_code, signal, stderr }: AgentExit): AgentFailed => {
  const how = signal === undefined ? `exit code ${exit_code ?? "unknown"}` : `signal ${signal}`
  return new AgentFailed({
    tool,
    reason: `it stopped unexpectedly (${how}). ${whyOf(stderr)}`
  })
}

/** Programs print help after the error. */
const whyOf = (stderr: AgentExit["stderr"]) =>
  stderr.findLast((line) => /^error\b/i.test(line)) ?? stderr.at(-1) ?? "It printed no reason."
