/**
 * SessionMarks: titles that people gave to sessions, and whether they archived them. They are saved in `marks.json` beside the
 * session's events and deleted with them; without a state folder they last as long as the relay.
 */
import { Option, Schema } from "effect"
import { existsSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { SessionId } from "../../schema/index.js"
import { SessionChange } from "../../schema/SessionChange.js"
import { readRegular } from "../disk/regularFile.js"
import { filesOf, folderIn } from "./SessionRecord.js"

/** Marks as listed; absent: none. */
export interface Marks {
  readonly title?: string
  readonly archived?: true
}

export interface SessionMarks {
  readonly get: (session_id: SessionId) => Marks
  /** The same if already in memory. */
  readonly known: (session_id: SessionId) => Marks | undefined
  /** Changes marks. Throws the disk's error if they cannot be written. */
  readonly change: (session_id: SessionId, change: SessionChange) => void
  readonly forget: (session_id: SessionId) => void
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(SessionChange))

const marksOf = ({ archived, title = "" }: SessionChange): Marks => ({
  ...(title.trim() !== "" && { title: title.trim() }),
  ...(archived === true && { archived })
})

/** Parses `marks.json`; anything invalid counts as no marks. */
export const readMarks = (text: string): Marks => marksOf(Option.getOrElse(decode(text), () => ({})))

export const make = (state_dir: string | undefined): SessionMarks => {
  const known = new Map<SessionId, Marks>()
  const folderOf = (session_id: SessionId) =>
    state_dir === undefined ? undefined : filesOf(folderIn(state_dir), session_id)

  const read = (session_id: SessionId): Marks => {
    const folder = folderOf(session_id)
    if (folder === undefined) return {}
    try {
      return readMarks(readRegular(join(folder, "marks.json")))
    } catch {
      // Most sessions have no marks.
      return {}
    }
  }

  const get = (session_id: SessionId): Marks => {
    const marks = known.get(session_id) ?? read(session_id)
    known.set(session_id, marks)
    return marks
  }

  return {
    get,
    known: (session_id) => known.get(session_id),
    change: (session_id, change) => {
      const marks = marksOf({ ...get(session_id), ...change })
      const folder = folderOf(session_id)
      if (folder !== undefined && existsSync(folder)) {
        const path = join(folder, "marks.json")
        writeFileSync(`${path}.new`, `${JSON.stringify(marks)}\n`, { mode: 0o600 })
        renameSync(`${path}.new`, path)
      }
      known.set(session_id, marks)
    },
    forget: (session_id) => void known.delete(session_id)
  }
}
