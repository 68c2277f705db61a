/**
 * content: blocks of the Agent Client Protocol as the relay's events have them, and back.
 *
 * Text is the same on both sides; an image is spelled as Claude spells it, so that a page needs one way to show it.
 */
import type { ContentBlock, NativeBlock } from "../../schema/ContentBlock.js"

export const toNativeBlock = (block: NativeBlock): NativeBlock => {
  const { data, mimeType, type, uri } = block
  if (type !== "image") return block
  return typeof data === "string" && data !== ""
    ? { type, source: { type: "base64", media_type: mimeType, data } }
    : { type, source: { type: "url", url: uri } }
}

/** A block of a prompt. Images by address go as a link, which every agent takes. */
export const toPromptBlock = (block: ContentBlock): NativeBlock => {
  if (block.type === "text") return { type: "text", text: block.text }
  const { source } = block
  return source.type === "base64"
    ? { type: "image", data: source.data, mimeType: source.media_type }
    : { type: "resource_link", uri: source.url, name: source.url.split("/").at(-1) || source.url }
}
