/**
 * ContentBlock: the parts of a message.
 *
 * Clients send text and images. Agents send these and more (tool calls, documents, …), so what comes from an agent
 * is open: an object with a `type`.
 */
import { Schema } from "effect"
import { NonEmptyText, oneOf, says, Text } from "./fields.js"

export const TextBlock = Schema.Struct({ type: Schema.Literal("text"), text: Text })
export type TextBlock = typeof TextBlock.Type

export const ImageBlock = Schema.Struct({
  type: Schema.Literal("image"),
  source: Schema.Union([
    Schema.Struct({
      type: Schema.Literal("base64"),
      media_type: oneOf("image/png", "image/jpeg", "image/gif", "image/webp"),
      data: NonEmptyText
    }),
    Schema.Struct({ type: Schema.Literal("url"), url: NonEmptyText })
  ]).annotate(says(
    "must be {\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"…\"} (png, jpeg, gif or webp) "
      + "or {\"type\":\"url\",\"url\":\"https://…\"}"
  ))
})
export type ImageBlock = typeof ImageBlock.Type

/** A block a client may send. */
export const ContentBlock = Schema.Union([TextBlock, ImageBlock])
export type ContentBlock = typeof ContentBlock.Type

/** A block from an agent, passed on as is. */
export const NativeBlock = Schema.StructWithRest(Schema.Struct({ type: Schema.String }), [
  Schema.Record(Schema.String, Schema.Unknown)
])
export type NativeBlock = typeof NativeBlock.Type

/** The text of a message: its text blocks, joined without a separator, since they are pieces of one text. */
export const textOf = (content: ReadonlyArray<{ readonly type: string; readonly text?: unknown }>): string =>
  content.map((block) => block.type === "text" && typeof block.text === "string" ? block.text : "").join("")

/** Whether a prompt says nothing: blanks and no image. */
export const isSilent = (content: ReadonlyArray<ContentBlock>): boolean =>
  textOf(content).trim() === "" && !content.some(({ type }) => type === "image")
