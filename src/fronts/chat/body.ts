/**
 * body: reads an AI SDK client's POST. It sends the whole conversation each time; only its end is new: a
 * prompt, or answers to the agent's questions.
 */
import { Schema } from "effect"
import {
  ContentBlock,
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
import { bareType, imageType } from "../images.js"
import { list, number, type Open, open, text } from "../read.js"
import { PortError } from "../SessionPort.js"

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
}
export interface Answers extends Asked {
  readonly type: "answers"
  readonly answers: ReadonlyArray<PermissionResponse>
  /** The client has all events up to this one. */
  readonly seq: number
}

const isMessageId = Schema.is(MessageId)
const isBlock = Schema.is(ContentBlock)
const isWhen = Schema.is(When)
const decodeAnswer = Schema.decodeUnknownOption(PermissionAnswer)

const bad = (reason: string) => new PortError({ code: "bad_command", reason })

const isImage = (mediaType: string) => mediaType === "image" || mediaType.startsWith("image/")
const isText = (mediaType: string) => mediaType.startsWith("text/") || mediaType === "application/json"

/** Longer than any run of backticks in it. */
const fenced = (words: string): string => {
  const longest = Math.max(2, ...Array.from(words.matchAll(/`+/g), ([run]) => run.length))
  const fence = "`".repeat(longest + 1)
  return `${fence}\n${words.replace(/\n$/, "")}\n${fence}`
}

/** The content of a `data:` URL; undefined for any other. */
const dataOf = (url: string): DataUrl | undefined => {
  const comma = url.indexOf(",")
  if (!/^data:/i.test(url) || comma < 0) return undefined
  const about = url.slice("data:".length, comma)
  return { type: bareType(about), isBase64: /;\s*base64$/i.test(about), data: url.slice(comma + 1) }
}
interface DataUrl {
  readonly type: string
  readonly isBase64: boolean
  readonly data: string
}

const words = ({ data, isBase64 }: DataUrl): string =>
  isBase64 ? Buffer.from(data, "base64").toString("utf8") : decodeURIComponent(data)

const fileBlock = (part: Open): ContentBlock | PortError => {
  const url = text(part["url"]) ?? ""
  const name = text(part["filename"]) ?? "a file"
  const data = dataOf(url)
  const given = bareType(text(part["mediaType"]) ?? "")
  // A page may know only that it is an image, or nothing.
  const mediaType = data !== undefined && (given === "" || given === "image" || given === "image/*")
    ? data.type
    : given
  if (isImage(mediaType)) {
    const source = data === undefined
      ? { type: "url", url }
      : { type: "base64", media_type: imageType(mediaType), data: data.data }
    const block = { type: "image", source }
    if ((data === undefined || data.isBase64) && isBlock(block)) return block
    return bad(
      `the image ${name} cannot be read: send png, jpeg, gif or webp as a data: URL or an http(s) URL`
    )
  }
  if (data === undefined || !isText(mediaType)) {
    return bad(
      `${name} (${mediaType}) cannot be sent to the agent: send images and text, and put other files into the folder`
    )
  }
  try {
    return { type: "text", text: `${name}:\n${fenced(words(data))}` }
  } catch {
    return bad(`the file ${name} cannot be read: its data: URL is invalid`)
  }
}

const contentOf = (message: Open): ReadonlyArray<ContentBlock> | PortError => {
  const blocks: Array<ContentBlock> = []
  for (const part of list(message["parts"])) {
    const said = text(part["text"])
    if (part["type"] === "text" && said !== undefined && said !== "") {
      blocks.push({ type: "text", text: said })
    }
    if (part["type"] !== "file") continue
    const block = fileBlock(part)
    if (block instanceof PortError) return block
    blocks.push(block)
  }
  return blocks
}

const jsonIn = (reason: string): Open => {
  try {
    return reason.startsWith("{") ? open(JSON.parse(reason)) : {}
  } catch {
    return {}
  }
}

/**
 * A click in the SDK says only yes or no, with a reason. A reason that is a JSON object can say more:
 * `option_id`, `answers`, `scope`, `message`, `updatedInput` or `stop`, as in the relay's own
 * `permission_response`.
 */
const answerOf = (approval: Open): PermissionResponse | undefined => {
  const reason = text(approval["reason"]) ?? ""
  const { answers, message, option_id, scope, stop, updatedInput } = jsonIn(reason)
  const more = { answers, message, option_id, scope, stop, updatedInput }
  const isMore = Object.values(more).some((value) => value !== undefined)
  const answer = decodeAnswer({
    type: "permission_response",
    request_id: approval["id"],
    behavior: approval["approved"] === true ? "allow" : "deny",
    ...(isMore
      ? Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined))
      : reason !== "" && { message: reason })
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

const approvalsIn = (message: Open, state: string): ReadonlyArray<Open> =>
  list(message["parts"]).flatMap((part) => part["state"] === state ? [open(part["approval"])] : [])

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
  if (content instanceof PortError) return content
  const [first, ...others] = content
  if (first === undefined || isSilent(content)) return bad("the prompt is empty: send a text part or a file")
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
    command: {
      type: "user_message",
      content: [first, ...others],
      message_id,
      ...(isWhen(when) && { when })
    }
  }
}
