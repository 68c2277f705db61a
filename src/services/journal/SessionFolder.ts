/**
 * SessionFolder: what the index needs of a session's folder. It imports little but Node, because a thread of its own runs it, too
 * (`folderThread.ts`).
 */
import { readdirSync, type Stats, statSync } from "node:fs"
import { join } from "node:path"
import type { SessionId } from "../../schema/index.js"
import { attempt } from "../attempt.js"
import { readRegular } from "../disk/regularFile.js"

export interface SessionFolder {
  readonly session_id: SessionId
  /** Identifies the version of `meta.json` and of the attachments that were read; empty if there are none. */
  readonly version: string
  /** The texts of its files; undefined if there are none. */
  readonly meta: string | undefined
  readonly marks: string | undefined
  /** Bytes of its files, with its attachments. */
  readonly bytes: number
}

/** The folder of its attachments (`services/workspace/attachments.ts`). */
const attachmentsName = "attachments"

/** A session, and the version of it that is known; undefined: it is read in any case. */
export type Asked = readonly [session_id: SessionId, known: string | undefined]

const statsOf = (path: string) => attempt(() => statSync(path, { throwIfNoEntry: false }))
/** Undefined if there is no such file. */
const textOf = (path: string, stats: Stats | undefined) =>
  stats === undefined ? undefined : attempt(() => readRegular(path))

/** Sizes of the files in a folder together. */
const bytesIn = (folder: string): number =>
  (attempt(() => readdirSync(folder)) ?? []).reduce(
    (sum, name) => sum + (statsOf(join(folder, name))?.size ?? 0),
    0
  )

/** Undefined: it is as it was. */
export const read = (folder: string, [session_id, known]: Asked): SessionFolder | undefined => {
  const files = join(folder, session_id)
  const meta = join(files, "meta.json")
  const stats = statsOf(meta)
  const attached = statsOf(join(files, attachmentsName))
  const version = stats === undefined
    ? ""
    : `${stats.ino} ${stats.mtimeMs} ${stats.size} ${attached?.mtimeMs ?? ""}`
  if (version === known) return undefined
  const all = new Map(
    (attempt(() => readdirSync(files)) ?? []).map((name) => [
      name,
      name === "meta.json" ? stats : statsOf(join(files, name))
    ])
  )
  return {
    session_id,
    version,
    meta: textOf(meta, stats),
    marks: textOf(join(files, "marks.json"), all.get("marks.json")),
    bytes: [...all.values()].reduce(
      (sum, stats) => sum + (stats?.size ?? 0),
      attached === undefined ? 0 : bytesIn(join(files, attachmentsName))
    )
  }
}
