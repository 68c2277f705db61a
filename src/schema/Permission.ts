/**
 * Permission: an agent asks whether a tool may run, and a person answers.
 *
 * Web pages spell the answer in many ways. It denies unless it says allow.
 */
import { Schema } from "effect"
import { AnyObject, Flag, NonEmptyText, oneOf, optional, present, says, Text } from "./fields.js"
import { MessageId, RequestId } from "./Ids.js"

/** An answer offered by the agent. `kind` says what it means; the id is the agent's own. */
export const PermissionOption = Schema.Struct({
  option_id: Schema.String,
  name: Schema.String,
  kind: Schema.Literals(["allow_once", "allow_always", "reject_once", "reject_always"])
})
export type PermissionOption = typeof PermissionOption.Type

/** The question, as it is logged. */
export const PermissionRequest = Schema.Struct({
  type: Schema.Literal("permission_request"),
  request_id: RequestId,
  tool: present(Schema.String),
  args: present(Schema.Unknown),
  tool_use_id: present(Schema.String),
  text: present(Schema.String),
  metadata: Schema.StructWithRest(
    Schema.Struct({
      kind: Schema.Literals(["tool", "plan", "question", "other", "budget"]),
      options: present(Schema.Array(PermissionOption)),
      expires_at: present(Schema.Finite)
    }),
    [Schema.Record(Schema.String, Schema.Unknown)]
  ),
  raw: present(Schema.Unknown)
})
export type PermissionRequest = typeof PermissionRequest.Type

/** Answers to questions: from each `id` (or text) to what was chosen or typed. */
export const Answers = Schema.Record(
  Schema.String,
  Schema.Union([Schema.String, Schema.Array(Schema.String)])
).annotate(says("must be an object from each question's id (or text) to a string or a list of strings"))
export type Answers = typeof Answers.Type

/** The answer in canonical form. It has at least one of `request_id` and `tool_use_id`. */
export const PermissionResponse = Schema.Struct({
  type: Schema.Literal("permission_response"),
  request_id: present(RequestId),
  tool_use_id: present(Schema.String),
  behavior: present(Schema.Literals(["allow", "deny"])),
  option_id: present(Schema.String),
  updatedInput: present(AnyObject),
  message: present(Schema.String),
  scope: present(Schema.Literals(["once", "session"])),
  stop: present(Schema.Boolean),
  answers: present(Answers),
  message_id: present(MessageId)
})
export type PermissionResponse = typeof PermissionResponse.Type

/** The spellings clients may use. */
export const PermissionAnswer = Schema.Struct({
  type: Schema.Literal("permission_response"),
  request_id: optional(RequestId),
  tool_use_id: optional(NonEmptyText),
  behavior: optional(Text),
  allow: optional(Flag),
  approved: optional(Flag),
  decision: optional(Text),
  optionId: optional(NonEmptyText),
  option_id: optional(NonEmptyText),
  updatedInput: optional(AnyObject),
  updated_input: optional(AnyObject),
  message: optional(Text),
  scope: optional(oneOf("once", "session")),
  stop: optional(Flag),
  answers: optional(Answers),
  message_id: optional(MessageId)
}).check(
  Schema.makeFilter((answer) =>
    answer.request_id === undefined && answer.tool_use_id === undefined
      ? { path: ["request_id"], issue: "is missing: copy it from the permission_request you answer" }
      : undefined
  )
)
type PermissionAnswer = typeof PermissionAnswer.Type

const allowing = new Set([
  "allow",
  "approve",
  "approved",
  "accept",
  "accepted",
  "acceptForSession",
  "approved_for_session",
  "allow_once",
  "allow_always",
  "yes"
])
const forSession = new Set(["acceptForSession", "approved_for_session", "allow_always"])
const stopping = new Set(["cancel", "abort"])

const wordsOf = (answer: PermissionAnswer): ReadonlyArray<string> =>
  [answer.behavior, answer.decision].filter((word) => word !== undefined)

/** Any word that does not allow denies; without a word or flag, the chosen option decides. */
const behaviorOf = (answer: PermissionAnswer): "allow" | "deny" | undefined => {
  const words = wordsOf(answer)
  const flags = [answer.allow, answer.approved].filter((flag) => flag !== undefined)
  if (words.length + flags.length === 0) return undefined
  return words.every((word) => allowing.has(word)) && flags.every((flag) => flag) ? "allow" : "deny"
}

/**
 * The answer in canonical form. `behavior` stays absent if the client only named an option or answered a question: the broker
 * knows what was offered and asked.
 */
export const toPermissionResponse = (answer: PermissionAnswer): PermissionResponse => {
  const option_id = answer.option_id ?? answer.optionId
  const updatedInput = answer.updatedInput ?? answer.updated_input
  const behavior = behaviorOf(answer) ??
    (option_id === undefined && answer.answers === undefined ? "deny" : undefined)
  const words = wordsOf(answer)
  const lasting = behavior === "allow" && words.some((word) => forSession.has(word))
  const scope = answer.scope ?? (lasting ? "session" : undefined)
  const stop = answer.stop ?? (words.some((word) => stopping.has(word)) ? true : undefined)
  return {
    type: "permission_response",
    ...(answer.request_id !== undefined && { request_id: answer.request_id }),
    ...(answer.tool_use_id !== undefined && { tool_use_id: answer.tool_use_id }),
    ...(behavior !== undefined && { behavior }),
    ...(option_id !== undefined && { option_id }),
    ...(updatedInput !== undefined && { updatedInput }),
    ...(answer.message !== undefined && { message: answer.message }),
    ...(scope !== undefined && { scope }),
    ...(stop !== undefined && { stop }),
    ...(answer.answers !== undefined && { answers: answer.answers }),
    ...(answer.message_id !== undefined && { message_id: answer.message_id })
  }
}
