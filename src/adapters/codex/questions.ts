/**
 * questions: questions to a person from Codex or one of its MCP servers, and the answers in their format.
 */
import { Array as Arr, Predicate, Schema } from "effect"
import type { PermissionRequest, RequestId } from "../../schema/index.js"
import type { PermissionAllowed, PermissionOutcome } from "../Adapter.js"
import {
  Elicitation,
  toElicitationAnswer,
  toQuestion as toElicitation,
  wantsYes
} from "../wire/elicitation.js"
import { AnyObject, flag, id, items, optional, text, withFallback, words } from "../wire/lenient.js"
import { asAsked, refusal, type Reply } from "./permission.js"

const Option = Schema.Struct({ label: Schema.String, description: text })

export const UserInputRequest = Schema.Struct({
  itemId: withFallback(id, ""),
  threadId: optional(id),
  questions: withFallback(
    items(Schema.Struct({
      id: Schema.String,
      header: text,
      question: words,
      options: optional(items(Option)),
      isOther: flag,
      isSecret: flag
    })),
    []
  )
})
export type UserInputRequest = typeof UserInputRequest.Type

export const ServerElicitation = Elicitation.pipe(
  Schema.fieldsAssign({
    serverName: withFallback(Schema.String, "server"),
    threadId: optional(id),
    _meta: optional(AnyObject)
  })
)
export type ServerElicitation = typeof ServerElicitation.Type

/** `tool_use_id` is the id clients know the call by. */
export const toQuestion = (
  request_id: RequestId,
  ask: UserInputRequest,
  tool_use_id: string | undefined
): PermissionRequest => ({
  type: "permission_request",
  request_id,
  tool: "requestUserInput",
  args: { questions: ask.questions.map((question) => ({ ...question, multiSelect: false })) },
  ...(tool_use_id !== undefined && { tool_use_id }),
  text: ask.questions.map(({ question }) => question).join("\n"),
  metadata: { kind: "question" }
})

const answersOf = ({ questions }: UserInputRequest, { answers, updatedInput }: PermissionAllowed): object => {
  const given: Readonly<Record<string, unknown>> = answers
    ?? (Predicate.isObject(updatedInput?.["answers"]) ? updatedInput["answers"] : {})
  return Object.fromEntries(
    questions.flatMap(({ id, question }) => {
      const answer = given[id] ?? given[question]
      return answer === undefined
        ? []
        : [[id, { answers: (Array.isArray(answer) ? answer : [answer]).map(String) }]]
    })
  )
}

/** Codex has no value for "no answer": none is sent. */
export const toUserInput = (ask: UserInputRequest, outcome: PermissionOutcome): Reply => {
  switch (outcome.behavior) {
    case "allow":
      return { result: { answers: answersOf(ask, outcome) } }
    case "deny":
      return { result: { answers: {} }, ...refusal(outcome) }
    case "cancelled":
      return { result: outcome.reason === "timeout" ? { answers: {} } : undefined }
  }
}

/** Codex asks this before it calls a tool of an MCP server. */
const isApproval = wantsYes

/** How long a yes may be remembered, in Codex's terms: `session`, `always`. */
const lastsFor = ({ _meta }: ServerElicitation, word: string): boolean => {
  const persist = _meta?.["persist"]
  return persist === word || (Array.isArray(persist) && persist.includes(word))
}

/** The tool's own name, if an approval gives it. */
export const approvedTool = ({ _meta }: ServerElicitation): string | undefined => {
  const name = _meta?.["tool_name"]
  return typeof name === "string" ? name : undefined
}

const remembering = [
  { option_id: "session", name: "Allow for this session", kind: "allow_always" },
  { option_id: "always", name: "Allow always", kind: "allow_always" }
] as const

const toolOf = (ask: ServerElicitation): string =>
  ["mcp", ask.serverName, ...Arr.fromNullishOr(approvedTool(ask))].join("__")

/** `tool_use_id` is the call the server is running, if known. */
export const toServerQuestion = (
  request_id: RequestId,
  ask: ServerElicitation,
  tool_use_id: string | undefined
): PermissionRequest => {
  const request: PermissionRequest = {
    ...toElicitation(request_id, ask, toolOf(ask)),
    ...(tool_use_id !== undefined && { tool_use_id })
  }
  if (!isApproval(ask)) return { ...request, metadata: { ...request.metadata, server: ask.serverName } }
  return {
    ...request,
    args: ask._meta?.["tool_params"] ?? {},
    metadata: {
      kind: "tool",
      server: ask.serverName,
      options: [
        { option_id: "accept", name: "Allow once", kind: "allow_once" },
        ...remembering.filter(({ option_id }) => lastsFor(ask, option_id)),
        { option_id: "decline", name: "Deny", kind: "reject_once" }
      ]
    }
  }
}

/** How long the yes lasts, in Codex's terms. */
const persistOf = (ask: ServerElicitation, { option_id, scope }: PermissionAllowed): object | null => {
  const wanted = option_id === "always" ? "always" : scope === "session" ? "session" : undefined
  return wanted !== undefined && lastsFor(ask, wanted) ? { persist: wanted } : null
}

const answerTo = (ask: ServerElicitation, outcome: PermissionOutcome): object =>
  outcome.behavior === "allow" && isApproval(ask)
    ? { action: "accept", content: null, _meta: persistOf(ask, outcome) }
    : { content: null, _meta: null, ...toElicitationAnswer(ask, outcome) }

export const toServerAnswer = (
  ask: ServerElicitation,
  request: PermissionRequest,
  outcome: PermissionOutcome
): Reply => {
  if (outcome.behavior === "cancelled" && outcome.reason !== "timeout") return { result: undefined }
  const settled = isApproval(ask) ? asAsked(request, outcome) : outcome
  return { result: answerTo(ask, settled), ...(settled.behavior === "deny" && refusal(settled)) }
}
