/**
 * NativeIndex: a cache of what is known about each conversation file while the file does not change.
 *
 * It is saved in the state folder, so that the first list after a start does not read all conversations again. Only what may be
 * shown is saved; an unreadable index counts as empty.
 */
import { Effect } from "effect"
import { closeSync, openSync, readFileSync, renameSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import type { NativeCounts, NativeFile, NativeSummary } from "../../adapters/native/NativeStore.js"
import { createFolder } from "../disk/createFolder.js"
import { makePause } from "../makePause.js"

export interface IndexEntry {
  readonly ino: number
  readonly size: number
  /** In ms. */
  readonly mtime: number
  /** Undefined: it is not a person's conversation. */
  readonly summary: NativeSummary | undefined
  counts: NativeCounts | undefined
  /** Clients may see it. */
  shown: boolean
}

/** Changes with the contents of a summary: files of another version are not read. */
const version = 2
/** Number of files remembered. */
const mostEntries = 20_000
const saveAfter = "2 seconds"

const isEntry = (value: unknown): value is [string, Omit<IndexEntry, "shown">] =>
  Array.isArray(value) && typeof value[0] === "string" && typeof value[1] === "object" && value[1] !== null

/** The path in a line of the file, as JSON. */
const pathIn = (line: string): string | undefined => /^\["(?:[^"\\]|\\.)*"/.exec(line)?.[0].slice(1)

const parseEntry = (line: string): IndexEntry | undefined => {
  try {
    const entry: unknown = JSON.parse(line)
    return isEntry(entry) ? { ...entry[1], shown: true } : undefined
  } catch {
    // It is damaged: the conversation's file is read again.
    return undefined
  }
}

export interface NativeIndex {
  /** What is known about the file's current version; reads the file if it has changed. */
  readonly look: (file: NativeFile, summary: () => NativeSummary | undefined) => IndexEntry
  /** Notes that an entry has changed. */
  readonly changed: () => void
  /** Loads the saved index, once. */
  readonly load: Effect.Effect<void>
  /** Saves changes a moment later. */
  readonly saveLater: Effect.Effect<void>
}

/** `path`: where it is saved; undefined: nowhere. */
export const make = Effect.fnUntraced(function*(path: string | undefined) {
  const scope = yield* Effect.scope
  const entries = new Map<string, IndexEntry>()
  /** Saved lines, by the JSON of their path: parsed when that file is needed. */
  const kept = new Map<string, string>()
  let changes = 0
  let saved = 0
  let isSaving = false

  const shorten = () => {
    for (const name of entries.keys()) {
      if (entries.size <= mostEntries) break
      entries.delete(name)
    }
  }

  const read = Effect.gen(function*() {
    if (path === undefined) return
    const lines = yield* Effect.try(() => readFileSync(path, "utf8").split("\n"))
    if (lines[0] !== JSON.stringify({ version })) return
    for (const line of lines.slice(1, mostEntries + 1)) {
      const path = pathIn(line)
      if (path !== undefined) kept.set(path, line)
    }
  }).pipe(
    // Missing or damaged: it is rebuilt.
    Effect.catch(() => Effect.void)
  )

  const write = Effect.gen(function*() {
    if (path === undefined || saved === changes) return
    const upTo = changes
    const pause = makePause()
    createFolder(dirname(path))
    const file = openSync(`${path}.new`, "w", 0o600)
    yield* Effect.gen(function*() {
      writeSync(file, `${JSON.stringify({ version })}\n`)
      // Entries not used since stay unchanged, before those in use.
      for (const line of [...kept.values()]) {
        writeSync(file, `${line}\n`)
        yield* pause
      }
      for (const [name, { shown, ...entry }] of [...entries]) {
        if (shown) writeSync(file, `${JSON.stringify([name, entry])}\n`)
        yield* pause
      }
    }).pipe(Effect.ensuring(Effect.sync(() => closeSync(file))))
    renameSync(`${path}.new`, path)
    saved = upTo
  }).pipe(
    Effect.catchDefect((defect) => Effect.logWarning("the index of conversations could not be saved", defect))
  )

  const saveLater = Effect.suspend(() => {
    if (path === undefined || isSaving || saved === changes) return Effect.void
    isSaving = true
    const soon = Effect.delay(
      Effect.suspend(() => {
        isSaving = false
        return write
      }),
      saveAfter
    )
    return Effect.asVoid(Effect.forkIn(soon, scope))
  })
  yield* Effect.addFinalizer(() => write)

  /** The saved entry; it is parsed now. */
  const remembered = (path: string): IndexEntry | undefined => {
    const key = JSON.stringify(path)
    const line = kept.get(key)
    const entry = line === undefined ? undefined : parseEntry(line)
    kept.delete(key)
    if (entry !== undefined) entries.set(path, entry)
    return entry
  }

  const index: NativeIndex = {
    look: (file, summary) => {
      const { ino, mtime, size } = file.stamp
      const before = entries.get(file.path) ?? remembered(file.path)
      if (before?.ino === ino && before.size === size && before.mtime === mtime) return before
      const entry: IndexEntry = { ino, size, mtime, summary: summary(), counts: undefined, shown: false }
      changes += 1
      // Recently changed entries are kept longest.
      entries.delete(file.path)
      entries.set(file.path, entry)
      shorten()
      return entry
    },
    changed: () => void (changes += 1),
    load: yield* Effect.cached(read),
    saveLater
  }
  return index
})
