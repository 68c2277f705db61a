/**
 * parts: reads the messages a page sends: the content of a prompt, and answers to the agent's questions. Runs in pages
 * (`WebSocketChatTransport`) and in the relay (`body.ts`).
 */
import type { ContentBlock } from "../../schema/index.js"
import { bareType, imageType } from "../images.js"
import { list, type Open, open, questions, text } from "../read.js"

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

const fromBase64 = (data: string): string => {
  const bytes = atob(data.replaceAll("-", "+").replaceAll("_", "/"))
  const all = new Uint8Array(bytes.length)
  for (let at = 0; at < all.length; at++) all[at] = bytes.charCodeAt(at)
  return new TextDecoder().decode(all)
}

/** Throws if the URL is invalid. */
const words = ({ data, isBase64 }: DataUrl): string =>
  isBase64 ? fromBase64(decodeURIComponent(data)) : decodeURIComponent(data)

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
  if (data === undefined || !isText(mediaType)) {
    return `${name} (${mediaType}) cannot be sent to the agent: send images and text, and put other files into the folder`
  }
  try {
    return { type: "text", text: `${name}:\n${fenced(words(data))}` }
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
