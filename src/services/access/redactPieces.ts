/**
 * redactPieces: removes secrets from a transcript, even those split over several deltas.
 *
 * A delta is held back, with everything after it, until its text can no longer be the start of a secret, so the order stays.
 * The amount held back is limited; released text is remembered, so that the rest of a secret is still found.
 */
import { cleanPiece, type Range, type Redactor, wordBefore } from "./redact.js"

export interface Transcript {
  /** Takes lines of ndjson, each ending in a newline; gives what of these and earlier lines may be written now. */
  readonly feed: (lines: string) => string
  /** Gives everything that is held back. */
  readonly flush: () => string
  /** Whether something is held back. */
  readonly isHolding: () => boolean
}

/** Most characters and lines to hold back. */
const mostHeld = 64 * 1024
const mostLines = 5000
/** Characters before a secret that may identify it: a name, or the first line of a key. */
const context = 64

interface Held {
  readonly line: string
  /** For a delta: its stream, and its position in that. */
  readonly piece?: { readonly stream: string; readonly at: Range; readonly event: Record<string, unknown> }
}

const isPiece = /^\{"type":"(?:stream_event|stdout)"/
const endsStreams = /^\{"type":"(?:turn_start|turn_end|session_end)"/

const identity = ["parent_tool_use_id", "tool_use_id", "agent_id", "item_id", "thread_id", "index", "stream"]

const streamOf = (event: Record<string, unknown>): string => {
  const { metadata } = event
  const fields = typeof metadata === "object" && metadata !== null ? metadata as Record<string, unknown> : {}
  return JSON.stringify([
    event["type"],
    event["delta"],
    event["tool_use_id"],
    ...identity.map((name) => fields[name])
  ])
}

export const make = (redactor: Redactor): Transcript => {
  let held: Array<Held> = []
  let size = 0
  /** Characters that came since the last look, and that were kept at that. */
  let fresh = 0
  let remembered = 0
  /** What was said last in each stream: from the first piece that is held, and a little before. */
  const streams = new Map<string, string>()

  const write = (count: number): string => {
    if (count === 0) return ""
    const ranges = new Map([...streams].map(([stream, text]) => [stream, redactor.find(text)]))
    const lines = held.slice(0, count).map(({ line, piece }) => {
      size -= line.length
      if (piece === undefined) return redactor.redact(line)
      const { at, event, stream } = piece
      const secrets = ranges.get(stream) ?? []
      const isCut = secrets.some(([from, to]) => (from < at[0] && to > at[0]) || (from < at[1] && to > at[1]))
      if (!isCut) return redactor.redact(line)
      const clean = cleanPiece(streams.get(stream) ?? "", secrets, at)
      // The native message says the same in its own way.
      const { raw: _, ...rest } = event
      return redactor.redact(JSON.stringify({ ...rest, text: clean }))
    })
    held = held.slice(count)
    forget(ranges)
    return lines.map((line) => `${line}\n`).join("")
  }

  /** Only what may be the beginning of a secret, and what is held, is still needed, with what says that it is one. */
  const forget = (ranges: ReadonlyMap<string, ReadonlyArray<Range>>) => {
    const kept = new Map<string, number>()
    for (const { piece } of held) {
      if (piece !== undefined && !kept.has(piece.stream)) kept.set(piece.stream, piece.at[0])
    }
    for (const [stream, text] of streams) {
      const needed = Math.min(redactor.unsettledFrom(text), kept.get(stream) ?? text.length)
      const secret = ranges.get(stream)?.find(([begin, end]) => begin < needed && end > needed)
      const from = wordBefore(text, Math.max(0, (secret?.[0] ?? needed) - context))
      if (from === 0) continue
      streams.set(stream, text.slice(from))
      held = held.map((line) =>
        line.piece?.stream === stream
          ? { ...line, piece: { ...line.piece, at: [line.piece.at[0] - from, line.piece.at[1] - from] } }
          : line
      )
    }
  }

  /** How many lines from the first on are settled. */
  const settled = (): number => {
    const limits = new Map([...streams].map(([stream, text]) => [stream, redactor.unsettledFrom(text)]))
    const first = held.findIndex(({ piece }) =>
      piece !== undefined && piece.at[1] > (limits.get(piece.stream) ?? Infinity)
    )
    return first === -1 ? held.length : first
  }

  const add = (line: string) => {
    size += line.length
    fresh += line.length
    if (!isPiece.test(line)) return void held.push({ line })
    const event = JSON.parse(line) as Record<string, unknown>
    const { text } = event
    if (typeof text !== "string" || text === "") return void held.push({ line })
    const stream = streamOf(event)
    const before = streams.get(stream) ?? ""
    streams.set(stream, before + text)
    held.push({ line, piece: { stream, event, at: [before.length, before.length + text.length] } })
  }

  const flush = () => write(held.length)

  const feed: Transcript["feed"] = (lines) => {
    let written = ""
    for (const line of lines.split("\n")) {
      if (line === "") continue
      add(line)
      if (endsStreams.test(line)) {
        written += flush()
        streams.clear()
      } else if (size > mostHeld || held.length > mostLines) written += flush()
    }
    // A long word is looked through again when it has grown by a part of itself, not with each of its letters.
    if (fresh * 4 < remembered) return written
    fresh = 0
    written += write(settled())
    remembered = [...streams.values()].reduce((sum, { length }) => sum + length, 0)
    return written
  }

  return { feed, flush, isHolding: () => held.length > 0 }
}
