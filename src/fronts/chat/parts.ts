/**
 * parts: reads the messages a page sends: the content of a prompt, and answers to the agent's questions. Runs in pages
 * (`WebSocketChatTransport`) and in the relay (`body.ts`).
 */
import type { ContentBlock } from "../../schema/index.js"
import { bareType, imageType, isImage } from "../images.js"
import { list, type Open, open, questions, text } from "../read.js"
import { textBlock, textOfFile } from "../textFiles.js"

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

/** Undefined if it is no text. Throws if the URL is invalid. */
const wordsOf = (mediaType: string, { data, isBase64 }: DataUrl): string | undefined => {
  const content = decodeURIComponent(data)
  // What is not base64 is text already.
  return isBase64 ? textOfFile(mediaType, content) : content
}

const fileBlock = (part: Open): ContentBlock | string => {
  const url = text(part["url"]) ?? ""
  const name = text(part["filename"]) ?? "a file"
  const data = dataOf(url)
  const given = bareType(text(part["mediaType"]) ?? "")
  // A page may know only that it is an image, or nothing.
  const mediaType = data !== undefined && (given === "" || given === "image" || given === "image/*")
    ? data.type
    : given
  if (isImage(mediaType)) {
    const media_type = imageType(mediaType)
    if (data === undefined && url !== "") return { type: "image", source: { type: "url", url } }
    return data?.isBase64 === true && data.data !== "" && media_type !== undefined
      ? { type: "image", source: { type: "base64", media_type, data: data.data } }
      : `the image ${name} cannot be read: send png, jpeg, gif or webp as a data: URL or an http(s) URL`
  }
  try {
    const words = data === undefined ? undefined : wordsOf(mediaType, data)
    return words === undefined
      ? `${name} (${mediaType}) cannot be sent to the agent: send images and text, and put other files into the folder`
      : textBlock(name, words)
  } catch {
    return `the file ${name} cannot be read: its data: URL is invalid`
  }
}

/** A prompt's content; a string says what is wrong with it. */
export const contentOf = (message: Open): ReadonlyArray<ContentBlock> | string => {
  const blocks: Array<ContentBlock> = []
  for (const part of list(message["parts"])) {
    const said = text(part["text"])
    if (part["type"] === "text" && said !== undefined && said !== "") {
      blocks.push({ type: "text", text: said })
    }
    if (part["type"] !== "file") continue
    const block = fileBlock(part)
    if (typeof block === "string") return block
    blocks.push(block)
  }
  return blocks
}

export const emptyPrompt = "the prompt is empty: send a text part or a file"

/** The approvals of a message in this state. */
export const approvalsIn = (message: Open, state: string): ReadonlyArray<Open> =>
  list(message["parts"]).flatMap((part) => part["state"] === state ? [open(part["approval"])] : [])

const jsonIn = (reason: string): Open => {
  try {
    return reason.startsWith("{") ? open(JSON.parse(reason)) : {}
  } catch {
    return {}
  }
}

/** What a reason may add to a click. It never changes a no to a yes. */
const additions = ["answers", "message", "option_id", "scope", "stop", "updatedInput"] as const

/**
 * A click in the SDK says only yes or no, with a reason. A reason that is a JSON object can say more, as in the relay's own
 * `permission_response`.
 */
export const answerIn = (approval: Open): Open & { readonly behavior: "allow" | "deny" } => {
  const reason = text(approval["reason"]) ?? ""
  const said = jsonIn(reason)
  const more = Object.fromEntries(
    additions.flatMap((name) => said[name] === undefined ? [] : [[name, said[name]]])
  )
  return {
    behavior: approval["approved"] === true ? "allow" : "deny",
    ...(Object.keys(more).length === 0 && reason !== "" ? { message: reason } : more)
  }
}

/** If one thing was asked, a plain reason is the answer. `args`: those of the request. */
export const withPlainAnswer = <Answer extends Open>(answer: Answer, args: unknown): Answer => {
  const [question, ...others] = questions(args)
  const { answers, behavior, message } = answer as Open
  return question !== undefined && others.length === 0
      && answers === undefined && behavior === "allow" && typeof message === "string"
    ? { ...answer, answers: { [question.id]: message } }
    : answer
}
