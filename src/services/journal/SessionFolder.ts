/** SessionFolder: what the index needs of a session's folder. Imports only Node, because a thread of its own runs it, too (`folderThread.ts`). */
import { readdirSync, readFileSync, type Stats, statSync } from "node:fs"
import { join } from "node:path"
import type { SessionId } from "../../schema/index.js"

export interface SessionFolder {
  readonly session_id: SessionId
  /** Identifies the version of `meta.json` that was read; empty if there is none. */
  readonly version: string
  /** The texts of its files; undefined if there are none. */
  readonly meta: string | undefined
  readonly marks: string | undefined
  /** Bytes of its files. */
  readonly bytes: number
}

/** A session, and the version of it that is known; undefined: it is read in any case. */
export type Asked = readonly [session_id: SessionId, known: string | undefined]

const attempt = <A>(look: () => A): A | undefined => {
  try {
    return look()
  } catch {
    // It is missing or unreadable.
    return undefined
  }
}

const versionOf = (stats: Stats | undefined): string =>
  stats === undefined ? "" : `${stats.ino} ${stats.mtimeMs} ${stats.size}`

/** Undefined: it is as it was. */
export const read = (folder: string, [session_id, known]: Asked): SessionFolder | undefined => {
  const files = join(folder, session_id)
  const meta = join(files, "meta.json")
  const version = versionOf(attempt(() => statSync(meta, { throwIfNoEntry: false })))
  if (version === known) return undefined
  const text = attempt(() => readFileSync(meta, "utf8"))
  const names = attempt(() => readdirSync(files)) ?? []
  return {
    session_id,
    version,
    meta: text,
    marks: names.includes("marks.json")
      ? attempt(() => readFileSync(join(files, "marks.json"), "utf8"))
      : undefined,
    bytes: names.reduce((sum, name) => sum + (attempt(() => statSync(join(files, name)))?.size ?? 0), 0)
  }
}
