/**
 * DiskLedger: a ledger that is written to disk as it changes, so that a kill of the relay loses nothing.
 *
 * Each relay appends to its own file in `usage/` in the state folder, and shortens it to sums now and then. At the start it reads
 * the files of earlier relays and merges those of dead ones into an archive. A line is written before the turn's `turn_end` is
 * logged, so a turn whose end was lost with the relay is still here, and its session takes the amount from here when it is opened
 * again.
 *
 * Reports of a running turn are written some milliseconds later, only the latest per turn, so that model calls cost no write
 * each. A kill loses at most that, and the turn then ends with what was written.
 */
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { messageOf } from "../../schema/messageOf.js"
import { attempt } from "../attempt.js"
import { createFolder } from "../disk/createFolder.js"
import * as SessionLock from "../journal/SessionLock.js"
import { type Entry, type Ledger, type Line, makeBook, over } from "./Ledger.js"
import * as LedgerFile from "./LedgerFile.js"

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

const namesIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(suffix))

interface FileRead {
  readonly lines: ReadonlyArray<Line>
  /** How many more there are that cannot be used. */
  readonly damaged: number
}

/** Files that can be read, by name. */
const readAll = (folder: string, warn: (text: string) => void): Map<string, FileRead> => {
  const files = new Map<string, FileRead>()
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    try {
      let damaged = 0
      const lines = LedgerFile.read(path, () => void (damaged += 1))
      files.set(name, { lines, damaged })
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

/** On disk. Throws the errors of `node:fs` if the folder cannot be used. */
export const onDisk = (
  { folder, isAlive, most_bytes = mostBytes, relay, warn = () => {} }: DiskOptions
): Ledger => {
  createFolder(folder)
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
    waiting += LedgerFile.textOf([line])
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
        createFolder(folder)
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
    unwritten = Buffer.from(LedgerFile.textOf([...own.lines(), ...foreign]))
  }
  /** The file of a relay that runs for months would have a line for each model call. */
  const shorten = () => {
    const text = LedgerFile.textOf([...own.lines(), ...foreign])
    atMost = Math.max(most_bytes, 2 * text.length)
    LedgerFile.replace(file, text)
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
      ).flatMap((name) => attempt(() => LedgerFile.read(join(folder, name))) ?? [])
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
  // The disk may be full or read-only; then everything stays as it is.
  const lock = namesIn(folder).length > 1
    ? attempt(() => SessionLock.acquire(folder, relay, isAlive))
    : undefined
  // Before they are read: what is written meanwhile counts as new.
  const sizes = new Map(
    namesIn(folder).map((name) => [name, attempt(() => statSync(join(folder, name)).size)])
  )
  const files = readAll(folder, warn)
  const merged = new Set(
    [...files.values()].flatMap(({ lines: [first] }) =>
      first !== undefined && "merged" in first ? first.merged : []
    )
  )
  const book = makeBook()
  const current = [...files].filter(([name]) => !merged.has(name))
  // In order of time, so that the latest entry of a turn counts, whichever relay wrote it.
  const timeOf = (line: Line) => "ts" in line ? line.ts : 0
  for (const line of current.flatMap(([, { lines }]) => lines).toSorted((a, b) => timeOf(a) - timeOf(b))) {
    book.fold(line)
  }
  for (const [name, { damaged }] of current) {
    if (damaged > 0) {
      warn(
        `${damaged} lines of ${
          join(folder, name)
        } are damaged, and their usage is not counted: restore the file from a copy, or `
          + "remove those lines, then restart the relay."
      )
    }
  }
  // Merging would remove what is damaged.
  const dead = current.flatMap(([name, { damaged }]) =>
    damaged === 0 && !isAlive(name.slice(0, -suffix.length)) ? [name] : []
  )
  if (typeof lock === "object" && dead.length > 1 && current.length === dead.length) {
    attempt(() => mergeInto(join(folder, `${archive}${relay}${suffix}`), book, dead))
  }
  if (typeof lock === "object") lock.release()
  return { book, sizes }
}

/** Writes an archive in place of files. A relay that starts now finds them listed as merged. */
const mergeInto = (path: string, book: ReturnType<typeof makeBook>, dead: ReadonlyArray<string>) => {
  LedgerFile.replace(path, LedgerFile.textOf([{ merged: dead }, ...book.lines()]))
  for (const merged of dead) rmSync(join(dirname(path), merged), { force: true })
}
