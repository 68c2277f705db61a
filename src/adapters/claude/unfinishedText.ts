/**
 * unfinishedText: what was streamed of messages and thoughts that have not come whole yet.
 *
 * Claude tells each block whole when it is complete; older releases lose what an interrupt, and every release what the
 * end of the process cuts. Its pieces were shown, so they are told once more, whole.
 *
 * On the hot path: pieces are added as the bytes they are, into one buffer that grows.
 */
import type { BodyOf } from "../../schema/index.js"

type Kind = "text" | "reasoning"

/** Longest text kept, in bytes: what is longer is told as far as it goes. */
const mostBytes = 4 * 1024 * 1024

interface Unfinished {
  readonly kind: Kind
  readonly parent: string | undefined
  bytes: Buffer
  length: number
  isFull: boolean
}

export interface UnfinishedText {
  /** A piece, as a JSON string with its quotes. `parent` is the tool call in whose thread it was said. */
  readonly add: (kind: Kind, parent: string | undefined, json: Buffer) => void
  /** What was said in this thread has come whole. */
  readonly forget: (parent: string | undefined) => void
  /** Nothing more will come of what was half said: tell it. `name` is what clients call a tool call. */
  readonly cut: (name: (id: string) => string) => ReadonlyArray<BodyOf<"assistant_message" | "reasoning">>
}

export const toJsonText = (text: string): Buffer => Buffer.from(JSON.stringify(text))

const toWhole = (
  { bytes, kind, length, parent }: Unfinished,
  name: (id: string) => string
): BodyOf<"assistant_message" | "reasoning"> => {
  // Pieces of JSON strings, joined, are one: it was read as such before.
  const text = JSON.parse(`"${bytes.toString("utf8", 0, length)}"`) as string
  const metadata = { partial: true, ...(parent !== undefined && { parent_tool_use_id: name(parent) }) }
  return kind === "text"
    ? { type: "assistant_message", content: [{ type: "text", text }], text, metadata }
    : { type: "reasoning", text, metadata }
}

export const makeUnfinishedText = (): UnfinishedText => {
  let parts: Array<Unfinished> = []
  /** Where the last piece went; the next most likely goes there, too. */
  let last: Unfinished | undefined

  const place = (kind: Kind, parent: string | undefined): Unfinished => {
    if (last !== undefined && last.kind === kind && last.parent === parent) return last
    last = parts.find((part) => part.kind === kind && part.parent === parent)
    if (last === undefined) {
      parts.push(last = { kind, parent, bytes: Buffer.allocUnsafe(1024), length: 0, isFull: false })
    }
    return last
  }

  return {
    add: (kind, parent, json) => {
      const part = place(kind, parent)
      const length = json.length - 2
      if (part.length + length > mostBytes) part.isFull = true
      if (length <= 0 || part.isFull) return
      if (part.length + length > part.bytes.length) {
        const larger = Buffer.allocUnsafe(Math.max(part.bytes.length * 2, part.length + length))
        part.bytes.copy(larger, 0, 0, part.length)
        part.bytes = larger
      }
      json.copy(part.bytes, part.length, 1, json.length - 1)
      part.length += length
    },
    forget: (parent) => {
      if (parts.length === 0) return
      parts = parts.filter((part) => part.parent !== parent)
      last = undefined
    },
    cut: (name) => {
      const cut = parts.filter(({ length }) => length > 0)
      parts = []
      last = undefined
      return cut.map((part) => toWhole(part, name))
    }
  }
}
