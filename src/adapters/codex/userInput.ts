/**
 * userInput: converts content blocks to and from Codex's input format.
 */
import type { NativeBlock } from "../../schema/ContentBlock.js"
import { type ContentBlock, textOf } from "../../schema/index.js"

const toInput = (block: ContentBlock): object =>
  block.type === "text"
    ? { type: "text", text: block.text, text_elements: [] }
    : {
      type: "image",
      url: block.source.type === "url"
        ? block.source.url
        : `data:${block.source.media_type};base64,${block.source.data}`
    }

export const toUserInput = (content: ReadonlyArray<ContentBlock>): ReadonlyArray<object> =>
  content.map(toInput)

const dataUrl = /^data:([^;,]+);base64,/

/** Spelled as a client would send it. */
export const toBlock = (input: NativeBlock): NativeBlock => {
  const { text, type, url } = input
  if (type === "text" && typeof text === "string") return { type, text }
  if (type !== "image" || typeof url !== "string") return input
  const media_type = dataUrl.exec(url)?.[1]
  return {
    type,
    source: media_type === undefined
      ? { type: "url", url }
      : { type: "base64", media_type, data: url.slice(url.indexOf(",") + 1) }
  }
}

/** Codex has no slash commands, so the relay adds this one. The text after `/compact`, if the prompt is that. */
export const compactionOf = (content: ReadonlyArray<ContentBlock>): string | undefined =>
  content.every(({ type }) => type === "text")
    ? /^\/compact(?:\s+(.*))?$/s.exec(textOf(content).trim())?.map((part) => part ?? "")[1]
    : undefined
