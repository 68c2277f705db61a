/**
 * content: converts Agent Client Protocol blocks to the relay's content blocks and back.
 *
 * Text is the same on both sides; images use Claude's format, so that a page needs only one way to show them.
 */
import type { ContentBlock, NativeBlock } from "../../schema/ContentBlock.js"

export const toNativeBlock = (block: NativeBlock): NativeBlock => {
  const { data, mimeType, type, uri } = block
  if (type !== "image") return block
  return typeof data === "string" && data !== ""
    ? { type, source: { type: "base64", media_type: mimeType, data } }
    : { type, source: { type: "url", url: uri } }
}

/** A prompt block. Images given by URL become links, which every agent accepts. */
export const toPromptBlock = (block: ContentBlock): NativeBlock => {
  if (block.type === "text") return { type: "text", text: block.text }
  const { source } = block
  return source.type === "base64"
    ? { type: "image", data: source.data, mimeType: source.media_type }
    : { type: "resource_link", uri: source.url, name: source.url.split("/").at(-1) || source.url }
}
