/**
 * SaidFile: the searchable text of one session, beside its journal and deleted with it: `said.jsonl`, one line per message, and
 * `said.bits`, which tells how far that goes and, by its bits, which words cannot be in it. Both are made from the journal, and
 * made again if missing or torn. Secrets are removed before anything is written.
 */
import { Schema } from "effect"
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { readRegularBytes } from "../disk/regularFile.js"
import * as Segment from "../journal/Segment.js"
import type { Said } from "./said.js"
import * as TextBits from "./TextBits.js"

/** What is known of a session's text without reading it. */
export interface Known {
  /** `seq` of the last indexed event. */
  readonly seq: number
  /** Valid bytes of `said.jsonl`. */
  readonly size: number
  /** When the last message was sent, in Unix seconds. */
  readonly ts: number
  readonly bits: Uint8Array
}

/** Most bytes per session; beyond that the oldest are dropped, down to half of it. */
const mostBytes = 2 * 1024 * 1024

const saidIn = (folder: string) => join(folder, "said.jsonl")
const bitsIn = (folder: string) => join(folder, "said.bits")

export const nothing: Known = { seq: 0, size: 0, ts: 0, bits: new Uint8Array(TextBits.bytesFor(0)) }

const isHeader = Schema.is(Schema.Struct({
  seq: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  size: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  ts: Schema.Finite
}))
const isSaid = Schema.is(Schema.Struct({
  seq: Schema.Finite,
  ts: Schema.Finite,
  who: Schema.String,
  text: Schema.String
}))

/** Whether the text is there as far as it is known: somebody may have cut or replaced its file. */
const hasText = (folder: string, size: number): boolean => {
  const stat = statSync(saidIn(folder), { throwIfNoEntry: false })
  return size === 0 || (stat?.isFile() === true && stat.size >= size)
}

/** What is known of the session in this folder; `nothing` if it must be indexed from the start. */
export const read = (folder: string): Known => {
  try {
    const bytes = readRegularBytes(bitsIn(folder))
    const end = bytes.indexOf(10)
    const header: unknown = JSON.parse(bytes.toString("latin1", 0, end))
    const bits = new Uint8Array(bytes.subarray(end + 1))
    // Its size is a power of two, unless writing it was interrupted.
    return isHeader(header) && bits.length > 0 && (bits.length & (bits.length - 1)) === 0
        && hasText(folder, header.size)
      ? { ...header, bits }
      : nothing
  } catch {
    return nothing
  }
}

const write = (folder: string, { bits, ...header }: Known) => {
  const file = bitsIn(folder)
  writeFileSync(`${file}.new`, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), bits]), {
    mode: 0o600
  })
  renameSync(`${file}.new`, file)
}

/** Whether the journal is newer: written by a relay without searches, or one that was killed. */
export const isBehind = (folder: string): boolean => {
  try {
    const { mtimeMs } = statSync(bitsIn(folder))
    return readdirSync(folder).some((name) =>
      Segment.firstOf(name) !== undefined && statSync(join(folder, name)).mtimeMs >= mtimeMs
    )
  } catch {
    return true
  }
}

/** All messages, one per line; undefined if the file is gone or was cut. */
export const textOf = (folder: string, { size }: Known): string | undefined => {
  try {
    const bytes = readRegularBytes(saidIn(folder))
    return bytes.length < size ? undefined : bytes.toString("utf8", 0, size)
  } catch {
    return undefined
  }
}

const linesOf = (said: ReadonlyArray<Said>): string =>
  said.map((each) => `${JSON.stringify(each)}\n`).join("")

const bitsOf = (said: ReadonlyArray<Said>, chars: number): Uint8Array => {
  const bits = new Uint8Array(TextBits.bytesFor(chars))
  for (const { text } of said) TextBits.add(bits, text.toLowerCase())
  return bits
}

export const parse = (text: string): ReadonlyArray<Said> =>
  text.split("\n").flatMap((line) => {
    // These are our own lines; what is damaged is skipped.
    try {
      const said: unknown = line === "" ? undefined : JSON.parse(line)
      return isSaid(said) ? [said as Said] : []
    } catch {
      return []
    }
  })

/** The newest complete lines. */
const newest = (text: string): string => {
  const from = text.length - mostBytes / 2
  return text.slice(text.indexOf("\n", from) + 1)
}

/** Adds messages up to the event `seq`; gives what is known then. */
export const add = (folder: string, known: Known, said: ReadonlyArray<Said>, seq: number): Known => {
  const lines = Buffer.from(linesOf(said))
  const ts = said.at(-1)?.ts ?? known.ts
  const size = known.size + lines.length
  if (size > mostBytes) {
    return rewrite(folder, newest((textOf(folder, known) ?? "") + lines.toString("utf8")), seq, ts)
  }
  // What stands in its place may be anything.
  if (known.size === 0) rmSync(saidIn(folder), { recursive: true, force: true })
  if (lines.length > 0) {
    const fd = openSync(saidIn(folder), existsSync(saidIn(folder)) ? "r+" : "w", 0o600)
    try {
      // Anything beyond is from an interrupted write.
      ftruncateSync(fd, known.size)
      writeSync(fd, lines, 0, lines.length, known.size)
    } finally {
      closeSync(fd)
    }
  }
  const isLarger = TextBits.bytesFor(size) > known.bits.length
  const bits = isLarger ? bitsOf(parse(textOf(folder, { ...known, size }) ?? ""), size) : known.bits
  if (!isLarger) { for (const { text } of said) TextBits.add(bits, text.toLowerCase()) }
  const now = { seq, size, ts, bits }
  write(folder, now)
  return now
}

const rewrite = (folder: string, text: string, seq: number, ts: number): Known => {
  const file = saidIn(folder)
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  const size = Buffer.byteLength(text)
  const known = { seq, size, ts, bits: bitsOf(parse(text), size) }
  write(folder, known)
  return known
}

/** Deletes both files, because the journal has started over. */
export const forget = (folder: string): void => {
  rmSync(bitsIn(folder), { force: true })
  rmSync(saidIn(folder), { force: true })
}
