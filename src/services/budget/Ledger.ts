/**
 * Ledger: the usage of every turn, written to disk as it happens, so that a kill of the relay loses nothing.
 *
 * Each relay appends to its own file in `usage/` in the state folder, and shortens it to sums now and then. At the start it reads
 * the files of earlier relays and merges those of dead ones into an archive. Damaged lines and files are left out, no more. A line is written before the turn's `turn_end` is logged, so a turn whose end was
 * lost with the relay is still here, and its session takes the amount from here when it is opened again.
 *
 * Reports of a running turn are written some milliseconds later, only the latest per turn, so that model calls cost no write
 * each. A kill loses at most that, and the turn then ends with what was written.
 */
import { Schema } from "effect"
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { Budget } from "../../schema/Budget.js"
import { Usage } from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
import * as SessionLock from "../journal/SessionLock.js"
import { lower } from "./lower.js"
import { add, nothing, type Spend, subtract } from "./Spend.js"

/** Where the cost comes from: the agent, the operator's table, or nowhere (then `cost_usd` is 0 and only tokens are known). */
export type Priced = "agent" | "table" | "none"

/** The usage of one turn, or of several similar ones together. */
export interface Entry {
  readonly session_id: string
  /** The turn's number in its session; the last one's for several turns. */
  readonly turn: number
  /** Unix time in seconds of the last change. */
  readonly ts: number
  /** Unix time in seconds of its beginning, which tells it from a turn of the same number; older files lack it. */
  readonly began?: number | undefined
  /** `2026-11-28`, in the operator's time zone. */
  readonly day: string
  readonly tool: string
  readonly folder: string
  readonly model?: string | undefined
  /** Name of the access token that sent the prompt. */
  readonly token?: string | undefined
  readonly spend: Spend
  readonly priced: Priced
  /** Usage of a turn that has not ended. */
  readonly open?: Usage | undefined
  /** Usage of a turn that has ended, as in its `turn_end`, which may have been lost with the relay. */
  readonly ended?: Usage | undefined
}

/** A cap that somebody raised. `key` names scope, owner and unit. */
interface Raise {
  readonly raise: string
  readonly cap: number
}

/** Caps that clients have lowered for a session. */
interface Lowered {
  readonly session_id: string
  readonly budget: Budget
}

/** The first line of an archive: the files merged into it, which no longer count. */
interface Header {
  readonly merged: ReadonlyArray<string>
}

type Line = Entry | Raise | Lowered | Header

export const dimensions = ["session", "folder", "token", "agent", "model", "day"] as const
export type Dimension = typeof dimensions[number]

/** One line of `GET /usage`: sums over all turns with the same value of the dimension. */
export interface UsageRow extends Spend {
  /** The session's id, the folder, …; `null` for turns without one, such as turns without a token. */
  readonly name: string | null
  /** The part of the cost that belongs to turns which have not ended. */
  readonly open_cost_usd: number
  /** Turns without a cost from the agent or a price in the operator's table. */
  readonly unpriced_turns: number
}

export interface Ledger {
  /** Writes a turn's total usage so far. */
  readonly record: (entry: Entry) => void
  /** The session's unfinished turn, as far as reported. */
  readonly openTurn: (session_id: string) => Entry | undefined
  /** The session's last finished turn. */
  readonly lastTurn: (session_id: string) => Entry | undefined
  /** Takes what another relay, dead since, has written of this turn after this one read its file. */
  readonly recall: (session_id: string, turn: number) => void
  /** Marks a turn as ended whose relay was killed. */
  readonly settle: (session_id: string, ts: number) => void
  /** Total usage under a key such as `day:2026-11-28`. */
  readonly total: (key: string) => Spend
  readonly raise: (key: string, cap: number) => void
  /** What a cap was raised to; 0 if it was not. */
  readonly raised: (key: string) => number
  readonly lower: (session_id: string, budget: Budget) => void
  readonly lowered: (session_id: string) => Budget | undefined
  /** Sums by one dimension, the largest first; `since` and `until` are days, both inclusive. */
  readonly usage: (by: Dimension, since?: string, until?: string) => ReadonlyArray<UsageRow>
  /** Why usage cannot be written at the moment; undefined if it can. Counting continues in memory. */
  readonly trouble: () => string | undefined
  /** Writes what waits and closes the file. */
  readonly close: () => void
}

const ownKeys = ({ day, folder, session_id, token }: Entry): ReadonlyArray<string> => [
  `session:${session_id}`,
  `folder:${folder}`,
  `day:${day}`,
  ...token === undefined ? [] : [`token:${token}`]
]

const kindOf = ({ day, folder, model = "", priced, session_id, token = "", tool }: Entry): string =>
  JSON.stringify([day, session_id, tool, model, folder, token, priced])

const valueOf = (by: Dimension, entry: Entry): string | null =>
  by === "session"
    ? entry.session_id
    : by === "agent"
    ? entry.tool
    : by === "folder"
    ? entry.folder
    : by === "day"
    ? entry.day
    : entry[by] ?? null

/** The sums in memory, folded from lines. */
const makeBook = () => {
  const settled = new Map<string, Entry>()
  const open = new Map<string, Entry>()
  const totals = new Map<string, Spend>()
  const raises = new Map<string, number>()
  const budgets = new Map<string, Budget>()
  const last = new Map<string, Entry>()

  const count = (entry: Entry, change: typeof add) => {
    for (const key of ownKeys(entry)) totals.set(key, change(totals.get(key) ?? nothing, entry.spend))
  }

  const close = ({ open: told, ...entry }: Entry) => {
    const whole = told === undefined ? entry : { ...entry, ended: told }
    const kind = kindOf(whole)
    const before = settled.get(kind)
    settled.set(kind, before === undefined ? whole : { ...whole, spend: add(before.spend, whole.spend) })
    if ((last.get(whole.session_id)?.turn ?? 0) <= whole.turn) last.set(whole.session_id, whole)
  }

  const take = (entry: Entry) => {
    const { session_id, turn } = entry
    const before = open.get(session_id)
    // The clock was set back between the turn's beginning and its end, so they were read in the wrong order.
    if (entry.open !== undefined && hasEnded(entry)) return
    if (before !== undefined && entry.open !== undefined && isSame(before, entry)) {
      const more = subtract(entry.spend, before.spend)
      for (const key of ownKeys(entry)) totals.set(key, add(totals.get(key) ?? nothing, more))
      open.set(session_id, entry)
      return
    }
    if (before !== undefined) {
      open.delete(session_id)
      if (before.turn === turn) count(before, subtract)
      // Its relay was killed, and the session was not opened since.
      else close(before)
    }
    count(entry, add)
    if (entry.open === undefined) close(entry)
    else open.set(session_id, entry)
  }

  const hasEnded = ({ began, session_id, turn }: Entry) => {
    const ended = last.get(session_id)
    return began !== undefined && ended?.turn === turn && ended.began === began
  }

  /** Caps are only raised, and those of clients only lowered, in whatever order several relays wrote them. */
  const fold = (line: Line) => {
    if ("spend" in line) take(line)
    else if ("raise" in line) raises.set(line.raise, Math.max(line.cap, raises.get(line.raise) ?? 0))
    else if ("budget" in line) {
      const before = budgets.get(line.session_id)
      budgets.set(line.session_id, before === undefined ? line.budget : lower(before, line.budget))
    }
  }

  /** Lines from which the same sums come. */
  const lines = (): ReadonlyArray<Line> => [
    ...settled.values(),
    ...open.values(),
    ...Array.from(raises, ([raise, cap]) => ({ raise, cap })),
    ...Array.from(budgets, ([session_id, budget]) => ({ session_id, budget }))
  ]

  return { settled, open, totals, raises, budgets, last, fold, lines }
}

/** Whether two entries are of the same turn and count in the same sums. */
const isSame = (left: Entry, right: Entry) =>
  left.turn === right.turn && left.day === right.day && left.token === right.token
  && left.folder === right.folder

const usageOf = (
  entries: Iterable<Entry>,
  by: Dimension,
  since = "",
  until = "9999"
): ReadonlyArray<UsageRow> => {
  const rows = new Map<string | null, UsageRow>()
  for (const entry of entries) {
    if (entry.day < since || entry.day > until) continue
    const name = valueOf(by, entry)
    const before = rows.get(name) ?? { ...nothing, name, open_cost_usd: 0, unpriced_turns: 0 }
    rows.set(name, {
      ...before,
      ...add(before, entry.spend),
      open_cost_usd: before.open_cost_usd + (entry.open === undefined ? 0 : entry.spend.cost_usd),
      unpriced_turns: before.unpriced_turns + (entry.priced === "none" ? entry.spend.turns : 0)
    })
  }
  return [...rows.values()].toSorted((left, right) =>
    right.cost_usd - left.cost_usd || right.output_tokens - left.output_tokens
  )
}

const over = (
  book: ReturnType<typeof makeBook>,
  write: (line: Line) => void,
  { close, recall, trouble }: Pick<Ledger, "close" | "recall" | "trouble">
): Ledger => {
  const note = (line: Line) => {
    book.fold(line)
    write(line)
  }
  return {
    record: note,
    openTurn: (session_id) => book.open.get(session_id),
    lastTurn: (session_id) => book.last.get(session_id),
    recall,
    settle: (session_id, ts) => {
      const entry = book.open.get(session_id)
      if (entry === undefined) return
      const { open, ...whole } = entry
      note({ ...whole, ts, ...(open !== undefined && { ended: open }) })
    },
    total: (key) => book.totals.get(key) ?? nothing,
    raise: (raise, cap) => note({ raise, cap }),
    raised: (key) => book.raises.get(key) ?? 0,
    lower: (session_id, budget) => note({ session_id, budget }),
    lowered: (session_id) => book.budgets.get(session_id),
    usage: (...query) => usageOf([...book.settled.values(), ...book.open.values()], ...query),
    trouble,
    close
  }
}

/** In memory only. */
export const inMemory = (): Ledger =>
  over(makeBook(), () => {}, { recall: () => {}, trouble: () => undefined, close: () => {} })

// --- on disk -----------------------------------------------------------------------------------------------------------

interface DiskOptions {
  readonly folder: string
  /** This relay's name, unique among all that ever used the folder. */
  readonly relay: string
  /** Whether the relay with this name is running. */
  readonly isAlive: (relay: string) => boolean
  /** Takes a warning about files that cannot be used. */
  readonly warn?: (text: string) => void
  /** Bytes of its file from which it is written anew with sums instead of turns. */
  readonly most_bytes?: number
}

/** How long reports of a running turn may wait to be written, in ms. */
const writtenWithin = 50
const mostBytes = 8 * 1024 * 1024

const suffix = ".ndjson"
const archive = "archive-"

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
  { raise: isText, cap: isAmount },
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

/** The lines of a file, one by one: a file may be longer than a string. What is no line, such as a last one that was cut off, is left out. */
const linesOf = function*(path: string): Generator<Line> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!fstatSync(fd).isFile()) throw new Error("it is not a regular file")
    const chunk = Buffer.allocUnsafe(readBytes)
    let rest = Buffer.alloc(0)
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, read)])
      let start = 0
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
        const line = lineOf(bytes.toString("utf8", start, end))
        if (line !== undefined) yield line
        start = end + 1
      }
      // No line is that long.
      rest = bytes.length - start > readBytes ? Buffer.alloc(0) : bytes.subarray(start)
    }
    const line = lineOf(rest.toString("utf8"))
    if (line !== undefined) yield line
  } finally {
    closeSync(fd)
  }
}

/** The lines that count: of the reports of a running turn, only the latest. */
const read = (path: string): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  const running = new Map<string, Entry>()
  for (const line of linesOf(path)) {
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

const namesIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(suffix))

/** Files that can be read, by name. */
const readAll = (folder: string, warn: (text: string) => void): Map<string, ReadonlyArray<Line>> => {
  const files = new Map<string, ReadonlyArray<Line>>()
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    try {
      files.set(name, read(path))
    } catch (cause) {
      // Another relay has just merged it into an archive.
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return readAll(folder, warn)
      warn(
        `The usage in ${path} cannot be read and is not counted (${messageOf(cause)}): `
          + "fix its permissions or remove it, then restart the relay."
      )
    }
  }
  return files
}

const textOf = (lines: Iterable<Line>): string => {
  let text = ""
  for (const line of lines) text += JSON.stringify(line) + "\n"
  return text
}

/** Replaces a file, or leaves everything as it was. */
const replace = (path: string, text: string) => {
  try {
    writeFileSync(`${path}.new`, text, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch (cause) {
    rmSync(`${path}.new`, { force: true })
    throw cause
  }
}

/** On disk. Throws the errors of `node:fs` if the folder cannot be used. */
export const onDisk = (
  { folder, isAlive, most_bytes = mostBytes, relay, warn = () => {} }: DiskOptions
): Ledger => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { book, sizes } = readFolder({ folder, isAlive, relay, warn })
  /** What this relay has written: sums of its own turns, and ends of turns that another relay began. */
  const own = makeBook()
  const foreign: Array<Entry> = []
  /** The turn that this relay has begun last in each session. */
  const begun = new Map<string, number>()
  const file = join(folder, `${relay}${suffix}`)
  /** Bytes that are to be written before anything else, if the disk took only a part. */
  let unwritten = Buffer.alloc(0)
  /** Lines to write in order, then the latest entry of each running turn, by session. */
  let waiting = ""
  const running = new Map<string, Entry>()
  let timer: NodeJS.Timeout | undefined
  let fd: number | undefined
  let size = 0
  let atMost = most_bytes
  let reason: string | undefined

  const put = (line: Line) => {
    if ("spend" in line && begun.get(line.session_id) !== line.turn) foreign.push(line)
    else own.fold(line)
    waiting += textOf([line])
  }
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    for (const entry of running.values()) put(entry)
    running.clear()
    unwritten = Buffer.concat([unwritten, Buffer.from(waiting)])
    waiting = ""
    if (unwritten.length === 0) return
    try {
      if (fd !== undefined && fstatSync(fd).nlink === 0) writeAnew()
      if (fd === undefined) {
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        fd = openSync(file, "a", 0o600)
      }
      while (unwritten.length > 0) {
        const written = writeSync(fd, unwritten)
        size += written
        unwritten = unwritten.subarray(written)
      }
      if (size > atMost) shorten()
      reason = undefined
    } catch (cause) {
      reason = messageOf(cause)
      release()
    }
  }
  /** Somebody has deleted the file. */
  const writeAnew = () => {
    release()
    size = 0
    unwritten = Buffer.from(textOf([...own.lines(), ...foreign]))
  }
  /** The file of a relay that runs for months would have a line for each model call. */
  const shorten = () => {
    const text = textOf([...own.lines(), ...foreign])
    atMost = Math.max(most_bytes, 2 * text.length)
    replace(file, text)
    size = text.length
    release()
  }
  const release = () => {
    try {
      if (fd !== undefined) closeSync(fd)
    } catch {
      // It cannot be used any more either way.
    }
    fd = undefined
  }
  const write = (line: Line) => {
    if ("spend" in line && line.open !== undefined) {
      running.set(line.session_id, line)
      begun.set(line.session_id, line.turn)
      timer ??= setTimeout(flush, writtenWithin).unref()
      return
    }
    // The latest entry includes all earlier ones.
    if ("spend" in line) running.delete(line.session_id)
    put(line)
    flush()
  }
  const close = () => {
    flush()
    release()
  }
  const trouble = () => {
    if (reason !== undefined) flush()
    return reason && `${folder} cannot be written (${reason}): free some space, or make it writable`
  }
  const recall: Ledger["recall"] = (session_id, turn) => {
    if (book.last.get(session_id)?.turn === turn) return
    const found = attempt(() =>
      namesIn(folder).filter((name) =>
        name !== basename(file) && sizes.get(name) !== statSync(join(folder, name)).size
        && !isAlive(name.slice(0, -suffix.length))
      ).flatMap((name) => attempt(() => read(join(folder, name))) ?? [])
        .findLast((line): line is Entry =>
          "spend" in line && line.session_id === session_id && line.turn === turn
        )
    )
    if (found !== undefined) book.fold(found)
  }
  return over(book, write, { recall, trouble, close })
}

/** The sums of all relays so far, and the bytes of their files; merges the files of those that are dead into an archive. */
const readFolder = (
  { folder, isAlive, relay, warn }: Required<Omit<DiskOptions, "most_bytes">>
) => {
  // Of two relays that start together one merges; otherwise there would be two archives of the same files.
  const lock = namesIn(folder).length > 1
    ? attempt(() => SessionLock.acquire(folder, relay, isAlive))
    : undefined
  // Before they are read: what is written meanwhile counts as new.
  const sizes = new Map(
    namesIn(folder).map((name) => [name, attempt(() => statSync(join(folder, name)).size)])
  )
  const files = readAll(folder, warn)
  const merged = new Set(
    [...files.values()].flatMap(([first]) => first !== undefined && "merged" in first ? first.merged : [])
  )
  const book = makeBook()
  const current = [...files].filter(([name]) => !merged.has(name))
  // In order of time, so that the latest entry of a turn counts, whichever relay wrote it.
  const timeOf = (line: Line) => "ts" in line ? line.ts : 0
  for (const line of current.flatMap(([, lines]) => lines).toSorted((a, b) => timeOf(a) - timeOf(b))) {
    book.fold(line)
  }
  const dead = current.map(([name]) => name).filter((name) => !isAlive(name.slice(0, -suffix.length)))
  if (typeof lock === "object" && dead.length > 1 && current.length === dead.length) {
    attempt(() => mergeInto(join(folder, `${archive}${relay}${suffix}`), book, dead))
  }
  if (typeof lock === "object") lock.release()
  return { book, sizes }
}

/** Undefined if it fails: the disk may be full or read-only, and then everything stays as it is. */
const attempt = <A>(act: () => A): A | undefined => {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** Writes an archive in place of files. A relay that starts now finds them listed as merged. */
const mergeInto = (path: string, book: ReturnType<typeof makeBook>, dead: ReadonlyArray<string>) => {
  replace(path, textOf([{ merged: dead }, ...book.lines()]))
  for (const merged of dead) rmSync(join(dirname(path), merged), { force: true })
}
