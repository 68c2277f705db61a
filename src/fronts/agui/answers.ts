/**
 * answers: converts a person's answer to an interrupt to the relay's `permission_response`.
 */
import type { ClientCommand } from "../../schema/index.js"
import { RequestId } from "../../schema/index.js"
import type { AskOp } from "../Op.js"
import { toAnswers } from "../questions.js"
import { open, questions, text } from "../read.js"
import type { Answer } from "./input.js"

type Response = Extract<ClientCommand, { readonly type: "permission_response" }>

/** Hooks pass on whatever the page's own buttons give: `true`, an option's name, or an object. */
const fieldsOf = (payload: unknown, ask: AskOp | undefined): Readonly<Record<string, unknown>> => {
  if (typeof payload === "boolean") return { approved: payload }
  if (typeof payload !== "string") return open(payload)
  const options = ask?.options ?? []
  if (options.some(({ option_id }) => option_id === payload)) return { option_id: payload }
  const [question, ...others] = questions(ask?.args)
  return question !== undefined && others.length === 0 ? { answers: { [question.id]: payload } } : {}
}

/** `ask`: the question, if known. Denies unless the answer says allow. */
export const toResponse = (
  { interruptId, isCancelled, payload }: Answer,
  ask: AskOp | undefined
): Response => {
  const request_id = RequestId.make(interruptId)
  const type = "permission_response"
  if (isCancelled) return { type, request_id, behavior: "deny", stop: true }
  const fields = fieldsOf(payload, ask)
  const asked = questions(ask?.args)
  const given = fields["answers"] ?? fields["content"] ?? fields
  const answers = fields["answers"] !== undefined
    ? open(fields["answers"])
    : ask?.kind === "question"
    ? toAnswers(asked, open(given))
    : {}
  // Answers to what asks for permission say nothing about that.
  const hasAnswers = ask?.kind !== "tool" && Object.keys(answers).length > 0
  const option_id = text(fields["option_id"]) ?? text(fields["optionId"])
  const message = text(fields["reason"]) ?? text(fields["message"])
  const edited = fields["editedArgs"] ?? fields["updatedInput"] ?? fields["updated_input"]
  const approved = fields["approved"] === true || fields["behavior"] === "allow"
  const denied = fields["approved"] === false || fields["behavior"] === "deny"
  return {
    type,
    request_id,
    ...(option_id !== undefined && !denied && { option_id }),
    // An option already implies whether it allows.
    ...(option_id === undefined || denied || approved
      ? { behavior: !denied && (approved || hasAnswers) ? "allow" as const : "deny" as const }
      : {}),
    ...(message !== undefined && { message }),
    ...(fields["scope"] === "session" && { scope: "session" as const }),
    ...(fields["stop"] === true && { stop: true }),
    ...(typeof edited === "object" && edited !== null && !Array.isArray(edited) && {
      updatedInput: open(edited)
    }),
    ...(hasAnswers && !denied && { answers: answers as Response["answers"] })
  } as Response
}
