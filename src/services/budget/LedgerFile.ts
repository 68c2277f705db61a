/** LedgerFile: a file of usage, a line of JSON for each change. Damaged lines are left out and told, no more. */
import { Schema } from "effect"
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { Budget } from "../../schema/Budget.js"
import { Usage } from "../../schema/index.js"
import { type Entry, isSame, type Line } from "./Ledger.js"
import { nothing } from "./Spend.js"

const isAmount = (value: unknown) => typeof value === "number" && Number.isFinite(value)
const isText = (value: unknown) => typeof value === "string"
const isAbsentOr = (is: (value: unknown) => boolean) => (value: unknown) => value === undefined || is(value)
const isSpend = (value: unknown) =>
  typeof value === "object" && value !== null
  && Object.keys(nothing).every((unit) => isAmount(value[unit as keyof typeof value]))

/** What each field of a line must be: one damaged amount would spoil all sums. */
const fieldsOf: ReadonlyArray<Readonly<Record<string, (value: unknown) => boolean>>> = [
  {
    spend: isSpend,
    session_id: isText,
    turn: isAmount,
    ts: isAmount,
    began: isAbsentOr(isAmount),
    day: isText,
    tool: isText,
    folder: isText,
    model: isAbsentOr(isText),
    token: isAbsentOr(isText),
    priced: isText,
    open: isAbsentOr(Schema.is(Usage)),
    ended: isAbsentOr(Schema.is(Usage))
  },
  { raise: isText, cap: isAmount, of: isAbsentOr(isAmount) },
  { session_id: isText, budget: Schema.is(Budget) },
  { merged: (value) => Array.isArray(value) && value.every(isText) }
]

const lineOf = (text: string): Line | undefined => {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>> | null
    return typeof value === "object" && value !== null
        && fieldsOf.some((fields) => Object.entries(fields).every(([name, is]) => is(value[name])))
      ? value as unknown as Line
      : undefined
  } catch {
    return undefined
  }
}

const readBytes = 1024 * 1024
const newline = 10

/**
 * The lines of a file, one by one: a file may be longer than a string. `onDamaged` is called for each that is none, unless it is a
 * last one that was cut off.
 */
const linesOf = function*(path: string, onDamaged: () => void): Generator<Line> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!fstatSync(fd).isFile()) throw new Error("it is not a regular file")
    const chunk = Buffer.allocUnsafe(readBytes)
    let rest = Buffer.alloc(0)
    let isTooLong = false
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, read)])
      let start = 0
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
        const line = lineOf(bytes.toString("utf8", start, end))
        if (line !== undefined) yield line
        else if (end > start || isTooLong) onDamaged()
        isTooLong = false
        start = end + 1
      }
      // No line is that long.
      isTooLong ||= bytes.length - start > readBytes
      rest = isTooLong ? Buffer.alloc(0) : bytes.subarray(start)
    }
    const line = lineOf(rest.toString("utf8"))
    if (line !== undefined) yield line
  } finally {
    closeSync(fd)
  }
}

/** The lines that count: of the reports of a running turn, only the latest. */
export const read = (path: string, onDamaged: () => void = () => {}): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  const running = new Map<string, Entry>()
  for (const line of linesOf(path, onDamaged)) {
    if (!("spend" in line)) {
      lines.push(line)
      continue
    }
    const before = running.get(line.session_id)
    if (before !== undefined && !(isSame(before, line) && before.began === line.began)) lines.push(before)
    if (line.open !== undefined) running.set(line.session_id, line)
    else {
      running.delete(line.session_id)
      lines.push(line)
    }
  }
  return [...lines, ...running.values()]
}

export const textOf = (lines: Iterable<Line>): string => {
  let text = ""
  for (const line of lines) text += JSON.stringify(line) + "\n"
  return text
}

/** Replaces a file, or leaves everything as it was. */
export const replace = (path: string, text: string) => {
  try {
    writeFileSync(`${path}.new`, text, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch (cause) {
    rmSync(`${path}.new`, { force: true })
    throw cause
  }
}
