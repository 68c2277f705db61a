/**
 * pieces: streamed text of messages and thoughts that are not complete yet.
 *
 * Codex silently drops a half-sent message if its turn is interrupted or steered, or a connection breaks. Its
 * deltas were shown, so they are emitted once more as a whole: nothing is lost by ignoring `stream_event`.
 */
import type { BodyOf } from "../../schema/index.js"
import type { Encoding } from "../Adapter.js"
import type { AnyItem, Notification } from "./CodexMessage.js"

export type PieceKind = "text" | "reasoning"

interface Unfinished {
  readonly kind: PieceKind
  readonly thread: string | undefined
  readonly parts: Array<string>
}

export type Pieces = ReturnType<typeof makePieces>

const toUtf8 = (text: string, encoding: Encoding) =>
  encoding === "utf8" ? text : Buffer.from(text, "latin1").toString("utf8")

const toWhole = ({ kind, parts }: Unfinished): BodyOf<"assistant_message" | "reasoning"> => {
  const text = parts.join("")
  const metadata = { partial: true }
  return kind === "text"
    ? { type: "assistant_message", content: [{ type: "text", text }], text, metadata }
    : { type: "reasoning", text, metadata }
}

/** The user's message enters the conversation, in the middle of what the model was saying. */
const isSteer = (item: AnyItem) => item.type === "userMessage"

/** Each thread has its own items. */
const keyOf = (id: string, thread: string | undefined) => `${thread ?? ""} ${id}`

export const makePieces = () => {
  const unfinished = new Map<string, Unfinished>()

  const close = (thread: string | undefined) => {
    const cut = [...unfinished].filter(([, piece]) => piece.thread === thread)
    for (const [key] of cut) unfinished.delete(key)
    return cut.map(([, piece]) => toWhole(piece))
  }

  return {
    add: (
      id: string,
      thread: string | undefined,
      kind: PieceKind,
      text: string,
      encoding: Encoding
    ): void => {
      const key = keyOf(id, thread)
      const piece = unfinished.get(key)
      if (piece === undefined) unfinished.set(key, { kind, thread, parts: [toUtf8(text, encoding)] })
      else piece.parts.push(toUtf8(text, encoding))
    },
    /** Unfinished text this notification ends; emit it first. */
    cutBy: ({ method, params }: Notification): ReadonlyArray<BodyOf<"assistant_message" | "reasoning">> => {
      switch (method) {
        case "item/completed":
          unfinished.delete(keyOf(params.item.id, params.threadId))
          return []
        case "item/started":
          return isSteer(params.item) ? close(params.threadId) : []
        case "turn/completed":
        case "error":
          return close(params.threadId)
        default:
          return []
      }
    }
  }
}
