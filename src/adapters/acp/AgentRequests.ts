/**
 * AgentRequests: answers the agent's requests.
 *
 * Permission requests and questions wait for a person; every other request is answered with "method not
 * found". When the turn ends, all open requests are withdrawn.
 */
import { Effect, Option, Predicate, Schema } from "effect"
import { RequestId } from "../../schema/Ids.js"
import type { EventBody, PermissionRequest } from "../../schema/index.js"
import type { PermissionGate, PermissionOutcome } from "../Adapter.js"
import type { AgentFailed } from "../AdapterError.js"
import { Elicitation, toElicitationAnswer, toQuestion } from "../wire/elicitation.js"
import { codes as rpcCodes, JsonRpcError, type JsonRpcId, type JsonRpcRequest } from "../wire/JsonRpc.js"
import { status } from "../wire/statusEvent.js"
import type { AgentUpdates } from "./AgentUpdates.js"
import { AskPermission, decide, toPermissionRequest } from "./permission.js"
import { codes } from "./refusal.js"
import { toolNameOf } from "./toolFields.js"

interface Parts {
  readonly threadOf: AgentUpdates["threadOf"]
  readonly gate: PermissionGate["Service"]
  /** Emit events; the first one carries the line. */
  readonly tell: (events: ReadonlyArray<EventBody>, line?: Buffer) => void
  /** Tell the agent to stop the turn. */
  readonly cancel: Effect.Effect<void, AgentFailed>
}

type Answer = Effect.Effect<unknown, JsonRpcError>

export interface AgentRequests {
  readonly onRequest: (request: JsonRpcRequest, line: Buffer) => Answer | undefined
  /** The agent no longer needs an answer to this request. */
  readonly withdraw: (id: unknown) => void
  /** The action a link asked for was completed elsewhere. */
  readonly complete: (elicitationId: unknown) => void
  /** Withdraw all open requests. */
  readonly withdrawAll: () => void
}

interface Open {
  readonly id: JsonRpcId
  readonly elicitationId?: string | undefined
  /** Withdrawn by the agent. */
  withdrawn?: boolean
  /** Completed elsewhere. */
  completed?: boolean
}

const readPermission = Schema.decodeUnknownOption(AskPermission)
const readElicitation = Schema.decodeUnknownOption(Elicitation)

const withdrawnError = new JsonRpcError({ code: codes.cancelled, reason: "Request cancelled" })

export const make = ({ cancel, gate, tell, threadOf }: Parts): AgentRequests => {
  const open = new Map<RequestId, Open>()
  let asked = 0

  const withdrawAll = () => {
    for (const request_id of [...open.keys()]) gate.withdraw(request_id)
  }

  const ask = (question: PermissionRequest, entry: Open, line: Buffer) =>
    Effect.suspend((): Effect.Effect<PermissionOutcome, JsonRpcError> => {
      open.set(question.request_id, entry)
      return Effect.flatMap(
        Effect.ensuring(
          gate.request(question, line),
          Effect.sync(() => open.delete(question.request_id))
        ),
        (outcome) => entry.withdrawn === true ? withdrawnError : Effect.succeed(outcome)
      )
    })

  const nextId = () => RequestId.make(`request-${++asked}`)

  /** Stop the turn, which settles all other open requests. */
  const stop = Effect.andThen(Effect.ignore(cancel), Effect.sync(withdrawAll))

  const permission = (id: JsonRpcId, params: AskPermission, line: Buffer): Answer =>
    Effect.gen(function*() {
      const { mark, metadata, state: { quirks, speech, tools } } = threadOf(params.sessionId)
      tell(mark(speech.end()))
      const toolCall = tools.named(params.toolCall)
      const announced = tools.announce(toolCall)
      if (announced.length > 0) speech.forget()
      tell(mark(announced))
      // The request may say more than the call did: why, and what will change.
      const call = { ...tools.fieldsOf(toolCall.toolCallId), ...toolCall }
      const asked = toPermissionRequest(nextId(), params, call, quirks, tools.nameOf(call.toolCallId))
      const question = { ...asked, metadata: { ...asked.metadata, ...metadata } }
      const outcome = yield* ask(question, { id }, line)
      const { answer, rejected } = decide(question, outcome)
      if (rejected !== undefined) tell(mark(tools.reject(call.toolCallId, rejected)))
      if (outcome.behavior === "deny" && outcome.stop === true) yield* stop
      return answer
    })

  const elicitation = (id: JsonRpcId, params: Elicitation, line: Buffer): Answer =>
    Effect.gen(function*() {
      const { mark, metadata, state } = threadOf(params.sessionId)
      tell(mark(state.speech.end()))
      const { elicitationId, toolCallId } = params
      const call = state.tools.fieldsOf(toolCallId ?? "")
      const asked = toQuestion(nextId(), params, call && toolNameOf(call, state.quirks))
      const question = {
        ...asked,
        ...(toolCallId !== undefined && { tool_use_id: state.tools.nameOf(toolCallId) }),
        metadata: { ...asked.metadata, ...metadata }
      }
      const entry: Open = { id, elicitationId }
      const outcome = yield* ask(question, entry, line)
      if (entry.completed === true) return { action: "accept" }
      if (outcome.behavior === "deny" && outcome.stop === true) yield* stop
      return toElicitationAnswer(params, outcome)
    })

  /** Unreadable params: the agent gets an error, the client sees the request. */
  const unreadable = (method: string, line: Buffer): Answer => {
    tell([status(method, "The relay could not read this request and refused it.")], line)
    return new JsonRpcError({ code: rpcCodes.invalidParams, reason: `Invalid params of ${method}` })
  }

  const onRequest: AgentRequests["onRequest"] = ({ id, method, params }, line) => {
    switch (method) {
      case "session/request_permission":
        return Option.match(readPermission(params), {
          onNone: () => unreadable(method, line),
          onSome: (params) => permission(id, params, line)
        })
      case "elicitation/create":
        return Option.match(readElicitation(params), {
          onNone: () => unreadable(method, line),
          onSome: (params) => elicitation(id, params, line)
        })
      default:
        return void tell(
          [status(method, "The relay does not know this request and refused it.")],
          line
        )
    }
  }

  return {
    onRequest,
    withdrawAll,
    withdraw: (id) => {
      for (const [request_id, entry] of open) {
        if (entry.id !== id) continue
        entry.withdrawn = true
        gate.withdraw(request_id)
      }
    },
    complete: (elicitationId) => {
      for (const [request_id, entry] of open) {
        if (!Predicate.isString(elicitationId) || entry.elicitationId !== elicitationId) continue
        entry.completed = true
        gate.withdraw(request_id)
      }
    }
  }
}
