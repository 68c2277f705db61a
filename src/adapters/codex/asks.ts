/**
 * asks: puts Codex's questions to a person through the gate.
 *
 * Each question is registered in the step that reads its line. Requests that nobody here can answer (another
 * client's tool, a token) are refused, so that Codex never waits for them.
 */
import { Effect, Option, Schema } from "effect"
import { RequestId } from "../../schema/Ids.js"
import type { PermissionRequest } from "../../schema/index.js"
import type { EventSink, PermissionGate, PermissionOutcome } from "../Adapter.js"
import type { JsonRpcError, JsonRpcRequest } from "../wire/JsonRpc.js"
import { status } from "../wire/statusEvent.js"
import type { Commands } from "./commands.js"
import { Approval, type Reply, toPermissionRequest, toReply } from "./permission.js"
import * as questions from "./questions.js"
import { type CodexState, originOf } from "./translate.js"

/** Clients get an id from the relay; Codex's ids start at 0 and may be of any type. */
export const requestIdOf = (id: unknown): RequestId => RequestId.make(`codex-${JSON.stringify(id)}`)

interface Ask {
  readonly request: PermissionRequest
  readonly thread: string | undefined
  readonly reply: (outcome: PermissionOutcome) => Reply
}

const readApproval = Schema.decodeUnknownOption(Approval)
const readUserInput = Schema.decodeUnknownOption(questions.UserInputRequest)
const readElicitation = Schema.decodeUnknownOption(questions.ServerElicitation)

const toAsk = (message: JsonRpcRequest, { tools }: CodexState): Ask | undefined => {
  const request_id = requestIdOf(message.id)
  const approval = Option.getOrUndefined(readApproval(message))
  if (approval !== undefined) {
    const { itemId, threadId } = approval.params
    const request = toPermissionRequest(
      request_id,
      approval,
      tools.find(itemId, threadId),
      itemId === "" ? undefined : tools.nameOf(itemId, threadId)
    )
    return {
      request,
      thread: approval.params.threadId,
      reply: (outcome) => toReply(approval, request, outcome)
    }
  }
  if (message.method === "item/tool/requestUserInput") {
    return Option.getOrUndefined(Option.map(readUserInput(message.params), (ask) => ({
      request: questions.toQuestion(
        request_id,
        ask,
        ask.itemId === "" ? undefined : tools.nameOf(ask.itemId, ask.threadId)
      ),
      thread: ask.threadId,
      reply: (outcome) => questions.toUserInput(ask, outcome)
    })))
  }
  if (message.method === "mcpServer/elicitation/request") {
    return Option.getOrUndefined(Option.map(readElicitation(message.params), (ask) => {
      const call = tools.findServerCall(ask.serverName, questions.approvedTool(ask))
      const request = questions.toServerQuestion(request_id, ask, call)
      return {
        request,
        thread: ask.threadId,
        reply: (outcome) => questions.toServerAnswer(ask, request, outcome)
      }
    }))
  }
  return undefined
}

interface Parts {
  readonly gate: PermissionGate["Service"]
  readonly sink: EventSink["Service"]
  readonly state: CodexState
  readonly commands: Pick<Commands, "say" | "stop">
}

export const makeAsks = ({ commands, gate, sink, state }: Parts) => {
  const settle = ({ request, reply, thread }: Ask, outcome: PermissionOutcome) =>
    Effect.gen(function*() {
      const { reason, result, say, stop } = reply(outcome)
      const { tool_use_id } = request
      if (tool_use_id !== undefined && outcome.behavior === "allow") state.tools.allowed(tool_use_id)
      if (tool_use_id !== undefined && reason !== undefined) state.tools.declined(tool_use_id, reason)
      // Before the answer, while the turn still waits: the model reads it along with the refusal. Subagents
      // cannot receive it.
      if (say !== undefined && thread === state.thread) yield* commands.say(say)
      if (stop === true) commands.stop()
      return result
    })

  /** Undefined: this is not for a person. */
  const answer = (
    message: JsonRpcRequest,
    line: Buffer
  ): Effect.Effect<unknown, JsonRpcError> | undefined => {
    const ask = toAsk(message, state)
    if (ask === undefined) {
      sink.emit(status("request", message.method), line)
      return undefined
    }
    const { request, thread } = ask
    if (request.tool_use_id !== undefined) state.tools.asked(request.tool_use_id)
    const metadata = { ...request.metadata, ...originOf(thread, state) }
    return Effect.flatMap(gate.request({ ...request, metadata }, line), (outcome) => settle(ask, outcome))
  }

  return { answer }
}
