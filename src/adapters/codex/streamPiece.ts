/**
 * streamPiece: Codex's `…Delta` lines, the hot path: most of what a session prints.
 *
 * They are read byte by byte: JSON's syntax is ASCII, so a line of valid UTF-8 read as latin1 parses the
 * same, its texts come out as their original bytes, and writing them as latin1 restores the UTF-8. Lines with
 * `\u` escapes are decoded the regular way.
 */
import { Predicate } from "effect"
import { isUtf8 } from "node:buffer"
import type { Encoding } from "../Adapter.js"
import { hasUnicodeEscape } from "../wire/jsonBytes.js"
import { parseJson } from "../wire/JsonRpc.js"

export interface StreamPiece {
  readonly kind: "text" | "reasoning" | "output"
  readonly thread: string | undefined
  readonly item: string
  readonly text: string
  readonly encoding: Encoding
}

const kinds: Readonly<Record<string, StreamPiece["kind"]>> = {
  "item/agentMessage/delta": "text",
  "item/reasoning/summaryTextDelta": "reasoning",
  "item/reasoning/textDelta": "reasoning",
  "item/plan/delta": "reasoning",
  "item/commandExecution/outputDelta": "output"
}

const prefix = Buffer.from("{\"method\":\"item/")
const methodStart = "{\"method\":\"".length
const quote = 34

/** A text delta; undefined for every other line. */
export const readStreamPiece = (line: Buffer): StreamPiece | undefined => {
  if (line.length < prefix.length || prefix.compare(line, 0, prefix.length) !== 0) return undefined
  const kind = kinds[line.toString("latin1", methodStart, line.indexOf(quote, methodStart))]
  if (kind === undefined || !isUtf8(line)) return undefined
  const encoding = hasUnicodeEscape(line) ? "utf8" : "latin1"
  const message = parseJson(line.toString(encoding))
  const params = Predicate.isObject(message) ? message["params"] : undefined
  if (!Predicate.isObject(params)) return undefined
  const { delta, itemId, threadId } = params
  return typeof delta === "string" && typeof itemId === "string"
    ? {
      kind,
      thread: typeof threadId === "string" && threadId !== ""
        ? threadId
        : typeof threadId === "number"
        ? String(threadId)
        : undefined,
      item: itemId,
      text: delta,
      encoding
    }
    : undefined
}
