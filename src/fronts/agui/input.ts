/**
 * input: reads an AG-UI client's request to run an agent (`RunAgentInput`), as far as a relay session needs
 * it. The agent has its own memory: of the messages, which are all sent each time, only the last one counts,
 * if it is the person's.
 */
import { Schema } from "effect"
import { createHash } from "node:crypto"
import type { ContentBlock, SessionId } from "../../schema/index.js"
import { isSilent, longestMessageId, MessageId, SessionId as Id } from "../../schema/index.js"
import { bareType, imageType, isImage } from "../images.js"
import { list, number, type Open, open, text } from "../read.js"
import { textBlock, textOfFile } from "../textFiles.js"
import type { Dialect, Shown } from "./encode.js"

export interface Answer {
  readonly interruptId: string
  /** Undefined: the person does not answer and wants the turn to stop. */
  readonly payload: unknown
  readonly isCancelled: boolean
}

export interface Input {
  readonly threadId: string
  readonly runId: string
  readonly session_id: SessionId
  readonly dialect: Dialect
  readonly state: Open
  /** The client's position in the session's log, as sent with the last run. */
  readonly seq: number | undefined
  readonly prompt: {
    readonly message_id: string
    readonly content: readonly [ContentBlock, ...Array<ContentBlock>]
  } | undefined
  readonly answers: ReadonlyArray<Answer>
  readonly shown: Shown
  /** Begins the ids of the agent's messages, as sent with the last run; and one that begins none the client shows. */
  readonly prefix: string
  readonly newPrefix: string
  /** `forwardedProps.relay`: tool, folder, model, permission_mode, when, stop. */
  readonly wishes: Open
  /** Names of tools the page would run itself. */
  readonly tools: ReadonlyArray<string>
}

const isSessionId = Schema.is(Id)
const isMessageId = Schema.is(MessageId)

/** Another client's prompt without an id: this client received it and sends it back with the rest. */
const isOfLog = (message_id: string) => /^\d+\.(u|s\d+|x\d+)$/.test(message_id)

/** A thread may have a name no session may have. */
export const sessionOf = (threadId: string): SessionId =>
  isSessionId(threadId)
    ? threadId
    : Id.make(`agui-${createHash("sha256").update(threadId).digest("hex").slice(0, 40)}`)

const image = (
  mimeType: string,
  data: string | undefined,
  url: string | undefined
): ContentBlock | string => {
  if (url !== undefined) return { type: "image", source: { type: "url", url } }
  if (data === undefined) return "an image needs its `data` in base64, or its `url`"
  const media_type = imageType(mimeType)
  return media_type !== undefined
    ? { type: "image", source: { type: "base64", media_type, data } }
    : `images must be png, jpeg, gif or webp, not "${mimeType}"`
}

const toBlock = (part: Open): ContentBlock | string => {
  const source = open(part["source"])
  const type = text(part["type"]) ?? ""
  if (type === "text") return { type: "text", text: text(part["text"]) ?? "" }
  const mimeType = text(part["mimeType"]) ?? text(source["mimeType"]) ?? ""
  if (type === "image" || (type === "binary" && isImage(bareType(mimeType)))) {
    const value = text(source["value"])
    const isUrl = source["type"] === "url"
    return image(mimeType, isUrl ? undefined : value ?? text(part["data"]), isUrl ? value : text(part["url"]))
  }
  const name = text(part["filename"]) ?? text(open(part["metadata"])["filename"]) ?? "a file"
  const data = source["type"] === "url" ? undefined : text(source["value"]) ?? text(part["data"])
  try {
    const words = data === undefined || (type !== "document" && type !== "binary")
      ? undefined
      : textOfFile(bareType(mimeType), data)
    return words === undefined
      ? `content of type "${mimeType || type}" is not supported: send text and images`
      : textBlock(name, words)
  } catch {
    return `the file ${name} cannot be read: its data is not valid base64`
  }
}

/** A person's message as a prompt; a string says what is wrong with it. */
const toContent = (content: unknown): ReadonlyArray<ContentBlock> | string => {
  const parts = typeof content === "string" ? [{ type: "text", text: content }] : list(content)
  const blocks: Array<ContentBlock> = []
  for (const part of parts) {
    const block = toBlock(part)
    if (typeof block === "string") return block
    if (block.type !== "text" || block.text !== "") blocks.push(block)
  }
  return blocks
}

/** Context from the page for its agent, placed before the prompt. */
const contextOf = (context: unknown): ContentBlock | undefined => {
  const lines = list(context).flatMap((entry) => {
    const value = text(entry["value"])
    return value === undefined || value === ""
      ? []
      : [`- ${text(entry["description"]) ?? "context"}: ${value}`]
  })
  return lines.length === 0
    ? undefined
    : { type: "text", text: `Context of the page:\n${lines.join("\n")}\n` }
}

const digestOf = (block: ContentBlock | undefined) =>
  block === undefined ? "" : createHash("sha256").update(JSON.stringify(block)).digest("hex").slice(0, 16)

/** Given to the agent once, and again after a change: a client returns the state it received. */
export const memoryOf = (body: unknown) => {
  const { context, tools } = open(body)
  return {
    context: digestOf(contextOf(context)),
    tools: list(tools).flatMap((tool) => text(tool["name"]) ?? []).join(", ")
  }
}

/** A string says what is wrong with it. */
export const parse = (body: unknown): Input | string => {
  const input = open(body)
  const threadId = text(input["threadId"]) ?? ""
  const runId = text(input["runId"]) ?? ""
  if (threadId === "" || runId === "") return "send a RunAgentInput: `threadId` and `runId` must be strings"
  if (!Array.isArray(input["messages"])) return "send a RunAgentInput: `messages` must be a list"
  const messages = list(input["messages"])
  const last = messages.at(-1) ?? {}
  const message_id = text(last["id"])
  const content = last["role"] === "user" ? toContent(last["content"]) : []
  if (typeof content === "string") return content
  const state = open(input["state"])
  const relay = open(state["relay"])
  const context = contextOf(input["context"])
  const isNews = context !== undefined && digestOf(context) !== relay["page_context"]
  const blocks = isNews ? [context, ...content] : content
  const [first, ...more] = isSilent(content) ? [] : blocks
  if (last["role"] === "user" && first !== undefined && (message_id ?? "") === "") {
    return "the last message needs an `id`, so that a request that is sent twice is answered once"
  }
  if (first !== undefined && !isMessageId(message_id)) {
    return `the last message's \`id\` must have at most ${longestMessageId} characters`
  }
  return {
    threadId,
    runId,
    session_id: sessionOf(threadId),
    dialect: text(input["protocolVersion"])?.startsWith("1.") === true ? "1.0" : "0.0",
    state,
    seq: number(relay["seq"]),
    prompt: first === undefined || message_id === undefined || isOfLog(message_id)
      ? undefined
      : { message_id, content: [first, ...more] },
    answers: list(input["resume"]).flatMap(({ interruptId, payload, status }) =>
      typeof interruptId === "string" ? [{ interruptId, payload, isCancelled: status === "cancelled" }] : []
    ),
    shown: {
      texts: new Map(
        messages.flatMap(({ content, id }) =>
          typeof id === "string" ? [[id, text(content) ?? ""] as const] : []
        )
      ),
      calls: new Set(
        messages.flatMap(({ toolCalls }) => list(toolCalls).flatMap(({ id }) => text(id) ?? []))
      )
    },
    prefix: text(relay["prefix"])?.slice(0, 20) ?? "",
    newPrefix: `${createHash("sha256").update(runId + (message_id ?? "")).digest("hex").slice(0, 8)}.`,
    wishes: open(open(input["forwardedProps"])["relay"]),
    tools: list(input["tools"]).flatMap((tool) => text(tool["name"]) ?? [])
  }
}
