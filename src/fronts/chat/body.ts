/**
 * body: reads an AI SDK client's POST. It sends the whole conversation each time; only its end is new: a
 * prompt, or answers to the agent's questions.
 */
import { Schema } from "effect"
import {
  isSessionId,
  isSilent,
  MessageId,
  PermissionAnswer,
  type PermissionResponse,
  type SessionId,
  toPermissionResponse,
  type UserMessage,
  When
} from "../../schema/index.js"
import { list, number, type Open, open, text } from "../read.js"
import { PortError } from "../SessionPort.js"
import { answerIn, approvalsIn, contentOf, emptyPrompt } from "./parts.js"

/** Settings to open the session with and to use from now on. */
export interface Settings {
  readonly folder?: string | undefined
  readonly model?: string | undefined
  readonly permission_mode?: string | undefined
}

interface Asked extends Settings {
  readonly session_id: SessionId
  /** The id of the last prompt, if the client gives one. */
  readonly message_id: string | undefined
}
export interface Prompt extends Asked {
  readonly type: "prompt"
  readonly command: UserMessage & { readonly message_id: string }
  /** Questions its last message shows as pending: the person typed instead. */
  readonly unanswered: ReadonlyArray<string>
  /** An edited or regenerated one: the page no longer shows what followed, pending questions included. */
  readonly isAgain: boolean
}
export interface Answers extends Asked {
  readonly type: "answers"
  readonly answers: ReadonlyArray<PermissionResponse>
  /** The client has all events up to this one. */
  readonly seq: number
}

const isMessageId = Schema.is(MessageId)
const isWhen = Schema.is(When)
const decodeAnswer = Schema.decodeUnknownOption(PermissionAnswer)

const bad = (reason: string) => new PortError({ code: "bad_command", reason })

const answerOf = (approval: Open): PermissionResponse | undefined => {
  const answer = decodeAnswer({
    ...answerIn(approval),
    type: "permission_response",
    request_id: approval["id"]
  })
  return answer._tag === "Some" ? toPermissionResponse(answer.value) : undefined
}

/** An answer in the format of the relay's own clients, `{"request_id":"…","behavior":"allow"}`. */
export const readAnswer = (body: unknown): PermissionResponse | PortError => {
  const answer = decodeAnswer({ ...open(body), type: "permission_response" })
  return answer._tag === "Some" && answer.value.request_id !== undefined
    ? toPermissionResponse(answer.value)
    : bad(
      "send {\"request_id\":\"…\",\"behavior\":\"allow\" or \"deny\"}; also `answers`, `option_id`, `message`, `scope`"
    )
}

/** The request in this body. `newId` names a prompt that is to run again. */
export const read = (body: unknown, newId: () => string): Prompt | Answers | PortError => {
  const { folder, id, messageId, messages, model, permission_mode, trigger, when } = open(body)
  if (!isSessionId(id)) {
    return bad("`id` must name the chat: 1 to 128 letters, digits and . _ : -")
  }
  const all = list(messages)
  const last = all.at(-1)
  if (last === undefined) return bad("`messages` must hold at least the prompt")
  const settings = {
    session_id: id,
    folder: text(folder),
    model: text(model),
    permission_mode: text(permission_mode)
  }
  if (last["role"] === "assistant") {
    const { seq, turn_seq } = open(open(last["metadata"])["relay"])
    const answers = approvalsIn(last, "approval-responded").flatMap((approval) => answerOf(approval) ?? [])
    const place = number(seq) ?? number(turn_seq)
    if (place === undefined) {
      return bad(
        "the last message has no `metadata.relay`: send it unchanged, as the relay's stream produced it"
      )
    }
    const prompt = all.findLast(({ role }) => role === "user")?.["id"]
    const message_id = isMessageId(prompt) ? prompt : undefined
    return { type: "answers", ...settings, message_id, answers, seq: Math.max(0, place) }
  }
  if (last["role"] !== "user") {
    return bad("the last message must be from the user, or from the assistant with answers")
  }
  const content = contentOf(last)
  if (typeof content === "string") return bad(content)
  const [first, ...others] = content
  if (first === undefined || isSilent(content)) return bad(emptyPrompt)
  const given = isMessageId(last["id"]) ? last["id"] : newId()
  // An agent cannot forget a prompt: an edited or regenerated one is sent as a new prompt.
  const isAgain = trigger === "regenerate-message" || text(messageId) !== undefined
  const message_id = isAgain ? newId() : given
  const shown = all.at(-2)
  const unanswered = shown?.["role"] === "assistant"
    ? approvalsIn(shown, "approval-requested").flatMap(({ id }) => text(id) ?? [])
    : []
  return {
    type: "prompt",
    ...settings,
    message_id,
    unanswered,
    isAgain,
    command: {
      type: "user_message",
      content: [first, ...others],
      message_id,
      ...(isWhen(when) && { when })
    }
  }
}
