/**
 * readLines: reads the lines of a large file in steps, its first and last lines at once, and fields from
 * their JSON.
 */
import { isUtf8 } from "node:buffer"
import type { FileStamp, NativeFiles, Steps } from "./NativeFiles.js"

const block = 256 * 1024
/** Longer lines are skipped: they are no conversation. */
const longest = 64 * 1024 * 1024
const newline = 10

/** A conversation's id, as written by the agents. */
export const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The end of an object: a last line without a newline may be whole. */
const brace = 125

/**
 * Whole lines between two offsets; a partial line at either end is left out. A file's last line may lack its
 * newline: it is included if it may be whole.
 */
export function* readLines(
  files: NativeFiles,
  path: string,
  from: number,
  to: number,
  onLine: (line: Buffer, at: number) => void
): Steps<void> {
  let pieces: Array<Buffer> = []
  let held = 0
  // Only the preceding byte tells whether a line begins at `from`.
  let begun = from === 0 || files.read(path, from - 1, 1)[0] === newline
  for (let at = from; at < to;) {
    const read = files.read(path, at, Math.min(block, to - at))
    if (read.length === 0) return
    let start = 0
    for (let end = read.indexOf(newline); end !== -1; end = read.indexOf(newline, start)) {
      if (begun && held + end - start <= longest) {
        const line = pieces.length === 0
          ? read.subarray(start, end)
          : Buffer.concat([...pieces, read.subarray(start, end)])
        if (line.length > 0) onLine(line, at + start - held)
      }
      pieces = []
      held = 0
      begun = true
      start = end + 1
    }
    held += read.length - start
    if (begun && held <= longest) pieces.push(read.subarray(start))
    else pieces = []
    at += read.length
    yield
  }
  const rest = begun && held > 0 && held <= longest ? Buffer.concat(pieces) : undefined
  if (rest?.at(-1) === brace) onLine(rest, to - held)
}

/** Up to where a file of this size consists of whole lines: its last line may still be being written. */
export const endOfLines = (files: NativeFiles, path: string, size: number): number => {
  if (size === 0 || files.read(path, size - 1, 1)[0] === newline) return size
  for (let end = size; end > 0; end -= block) {
    const from = Math.max(0, end - block)
    const last = files.read(path, from, end - from).lastIndexOf(newline)
    if (last !== -1) return from + last + 1
  }
  return 0
}

/** How far to look for a line after a very long one, in bytes, step by step. */
const heads = [256 * 1024, 1024 * 1024, 16 * 1024 * 1024, longest + block] as const

/**
 * What `pick` finds in the first lines of a file that begins with longer lines than `endsOf` reads; reads as
 * little as possible.
 */
export const findInHead = <A>(
  files: NativeFiles,
  path: string,
  { size }: FileStamp,
  pick: (lines: ReadonlyArray<Fields>) => A | undefined
): A | undefined => {
  for (const [step, bytes] of heads.entries()) {
    const head = files.read(path, 0, bytes).toString("utf8").split("\n")
    const found = pick(parseLines(size <= bytes ? head : head.slice(0, -1)))
    if (found !== undefined || size <= bytes || step === heads.length - 1) return found
  }
  return undefined
}

/** Its first and last whole lines; for a small file, all of it. */
export const endsOf = (files: NativeFiles, path: string, { size }: FileStamp, bytes = 64 * 1024) => {
  const linesIn = (text: Buffer, isStart: boolean, isEnd: boolean) => {
    const lines = text.toString("utf8").split("\n")
    return lines.slice(isStart ? 0 : 1, isEnd ? undefined : -1)
  }
  if (size <= 2 * bytes) {
    const lines = linesIn(files.read(path, 0, size), true, true)
    return { head: lines, tail: lines }
  }
  return {
    head: linesIn(files.read(path, 0, bytes), true, false),
    tail: linesIn(files.read(path, size - bytes, bytes), false, true)
  }
}

/** Whether there is a folder of this name, not a link to one. */
export const hasFolder = (files: NativeFiles, parent: string, name: string): boolean =>
  files.entries(parent).some((entry) => entry.isFolder && entry.name === name)

export type Fields = Readonly<Record<string, unknown>>

/** Editors and shells on Windows put it before a file's first line. */
const byteOrderMark = "\uFEFF"

/** A JSON object, or undefined. */
export const toFields = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    // Checked just now.
    ? value as Fields
    : undefined

/** A line's JSON object; undefined for anything else, including excessive nesting. */
export const parseLine = (line: Buffer | string): Fields | undefined => {
  try {
    const json = typeof line === "string" ? line : line.toString(isUtf8(line) ? "utf8" : "latin1")
    return toFields(JSON.parse(json.startsWith(byteOrderMark) ? json.slice(1) : json))
  } catch {
    return undefined
  }
}

export const field = (fields: Fields | undefined, name: string): Fields | undefined =>
  toFields(fields?.[name])
export const text = (fields: Fields | undefined, name: string): string | undefined => {
  const value = fields?.[name]
  return typeof value === "string" ? value : undefined
}
export const number = (fields: Fields | undefined, name: string): number | undefined => {
  const value = fields?.[name]
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}
export const list = (fields: Fields | undefined, name: string): ReadonlyArray<unknown> => {
  const value = fields?.[name]
  return Array.isArray(value) ? value : []
}

/** The objects of a list. */
export const objects = (fields: Fields | undefined, name: string): ReadonlyArray<Fields> =>
  list(fields, name).map(toFields).filter((found) => found !== undefined)

/** The objects in these lines; anything else is left out. */
export const parseLines = (lines: ReadonlyArray<string>): ReadonlyArray<Fields> =>
  lines.map(parseLine).filter((found) => found !== undefined)

/** Seconds since 1970 of an ISO time, or of one in ms; undefined if no clock can show it. */
export const secondsOf = (time: unknown): number | undefined => {
  const ms = typeof time === "string" ? Date.parse(time) : typeof time === "number" ? time : Number.NaN
  return Number.isFinite(new Date(ms).getTime()) ? ms / 1000 : undefined
}

/** Terminal colours and control characters mean nothing to a reader and may do harm in a terminal. */
export const plainText = (value: string): string =>
  value.replaceAll(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g, "")
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0080-\u009f\u202a-\u202e\u2066-\u2069]/g, "")

/** One line for a list. */
export const toTitle = (value: string): string => {
  const line = plainText(value.slice(0, 2000)).replaceAll(/\s+/g, " ").trim()
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`
}
