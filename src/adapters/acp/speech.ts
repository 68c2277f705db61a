/**
 * speech: joins message and thought chunks and emits each whole when it is complete.
 *
 * A chunk continues the current message unless it is of another kind or names another message. The agent does
 * not mark the end of a message: its next update or the end of the turn does.
 */
import type { NativeBlock } from "../../schema/ContentBlock.js"
import { type BodyOf, type EventBody, textOf } from "../../schema/index.js"
import { textOfBlocks } from "../wire/words.js"
import type { Chunk } from "./AcpMessage.js"
import { toNativeBlock } from "./content.js"

type Kind = Chunk["sessionUpdate"]

/** Appends text to the last text block; any other block stands alone. */
const append = (blocks: ReadonlyArray<NativeBlock>, block: NativeBlock): ReadonlyArray<NativeBlock> => {
  const last = blocks.at(-1)
  return last?.type === "text" && block.type === "text"
    ? [...blocks.slice(0, -1), { type: "text", text: textOf([last, block]) }]
    : [...blocks, block]
}

const whole = (kind: Kind, blocks: ReadonlyArray<NativeBlock>): ReadonlyArray<EventBody> => {
  const text = textOfBlocks(blocks)
  if (kind === "agent_thought_chunk" && text === "") return []
  if (text === "" && blocks.every(({ type }) => type === "text")) return []
  if (kind === "agent_thought_chunk") return [{ type: "reasoning", text }]
  return [{
    type: kind === "user_message_chunk" ? "user_message" : "assistant_message",
    content: blocks,
    ...(text !== "" && { text })
  }]
}

const isText = (block: NativeBlock): block is NativeBlock & { readonly text: string } =>
  block.type === "text" && typeof block["text"] === "string"

/** The chunk itself, as a preview. */
export const toPiece = ({ content, sessionUpdate }: Chunk): BodyOf<"stream_event"> =>
  isText(content) && sessionUpdate !== "user_message_chunk"
    ? {
      type: "stream_event",
      delta: sessionUpdate === "agent_thought_chunk" ? "reasoning" : "text",
      text: content.text
    }
    : { type: "stream_event" }

export interface Speech {
  /** Adds a chunk; gives the events of whatever it completes. */
  readonly add: (chunk: Chunk) => ReadonlyArray<EventBody>
  /** The pending message or thought, whole. */
  readonly end: () => ReadonlyArray<EventBody>
  /** Message text since the last tool call; separate messages are kept apart. */
  readonly answer: () => string
  /** Drop earlier text from the answer. */
  readonly forget: () => void
  readonly isOpen: () => boolean
}

export const makeSpeech = (): Speech => {
  let kind: Kind | undefined
  let messageId: string | undefined
  let blocks: ReadonlyArray<NativeBlock> = []
  /** Chunks of the current text block, joined once. */
  let pieces: Array<string> = []
  let answers: ReadonlyArray<string> = []

  const joinPieces = () => {
    if (pieces.length > 0) blocks = append(blocks, { type: "text", text: pieces.join("") })
    pieces = []
  }

  const end = (): ReadonlyArray<EventBody> => {
    if (kind === undefined) return []
    joinPieces()
    const said = whole(kind, blocks)
    if (kind === "agent_message_chunk") answers = [...answers, textOfBlocks(blocks)]
    kind = undefined
    messageId = undefined
    blocks = []
    return said
  }

  const add = (chunk: Chunk): ReadonlyArray<EventBody> => {
    const same = kind === chunk.sessionUpdate && messageId === chunk.messageId
    const ended = same ? [] : end()
    kind = chunk.sessionUpdate
    messageId = chunk.messageId
    if (isText(chunk.content)) pieces.push(chunk.content.text)
    else {
      joinPieces()
      blocks = append(blocks, toNativeBlock(chunk.content))
    }
    return ended
  }

  return {
    add,
    end,
    answer: () => answers.filter((text) => text !== "").join("\n\n"),
    forget: () => {
      answers = []
    },
    isOpen: () => kind !== undefined
  }
}
