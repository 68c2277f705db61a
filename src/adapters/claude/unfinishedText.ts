/**
 * unfinishedText: streamed text of messages and thoughts that have not arrived whole yet.
 *
 * Claude sends each block whole once it is complete; an interrupt (in older releases) or the end of the
 * process (in every release) loses an unfinished block. Its deltas were shown, so they are emitted once more
 * as a whole.
 *
 * On the hot path: deltas are appended as bytes to one growing buffer.
 */
import type { BodyOf } from "../../schema/index.js"

type Kind = "text" | "reasoning"

/** Longest text kept, in bytes; longer text is cut here. */
const mostBytes = 4 * 1024 * 1024

interface Unfinished {
  readonly kind: Kind
  readonly parent: string | undefined
  bytes: Buffer
  length: number
  isFull: boolean
}

export interface UnfinishedText {
  /** A delta as a JSON string with its quotes. `parent` is the tool call in whose thread it was said. */
  readonly add: (kind: Kind, parent: string | undefined, json: Buffer) => void
  /** The text of this thread has arrived whole. */
  readonly forget: (parent: string | undefined) => void
  /** No more of the unfinished text will come: emit it. `name` gives the id clients know a tool call by. */
  readonly cut: (name: (id: string) => string) => ReadonlyArray<BodyOf<"assistant_message" | "reasoning">>
}

export const toJsonText = (text: string): Buffer => Buffer.from(JSON.stringify(text))

const toWhole = (
  { bytes, kind, length, parent }: Unfinished,
  name: (id: string) => string
): BodyOf<"assistant_message" | "reasoning"> => {
  // Joined parts of JSON strings are one string; each was validated when it was read.
  const text = JSON.parse(`"${bytes.toString("utf8", 0, length)}"`) as string
  const metadata = { partial: true, ...(parent !== undefined && { parent_tool_use_id: name(parent) }) }
  return kind === "text"
    ? { type: "assistant_message", content: [{ type: "text", text }], text, metadata }
    : { type: "reasoning", text, metadata }
}

export const makeUnfinishedText = (): UnfinishedText => {
  let parts: Array<Unfinished> = []
  /** Where the last delta went; the next one most likely goes there too. */
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
