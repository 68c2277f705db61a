/** sessionGroups: the list of sessions as a person looks for them. */
import type { SessionLine } from "../model/sessions.js"
import { agentName, sessionName } from "./words.js"

export interface Group {
  /** Undefined: those that wait for an answer, wherever they work. */
  readonly folder: string | undefined
  readonly lines: ReadonlyArray<SessionLine>
}

export const needsYou = ({ pending, state }: SessionLine): boolean => pending.length > 0 && state !== "closed"

const matches = (line: SessionLine, wanted: ReadonlyArray<string>): boolean => {
  const text = [
    sessionName(line.tool, line.folder, line.title),
    line.folder,
    agentName(line.tool),
    line.session_id
  ]
    .join(" ").toLowerCase()
  return wanted.every((word) => text.includes(word))
}

const latestFirst = (left: SessionLine, right: SessionLine) => right.last_active_at - left.last_active_at

const grouped = (lines: ReadonlyArray<SessionLine>): ReadonlyMap<string, ReadonlyArray<SessionLine>> => {
  const groups = new Map<string, Array<SessionLine>>()
  for (const line of lines) groups.set(line.folder, [...groups.get(line.folder) ?? [], line])
  return groups
}

/** Those that need a person first, then by folder, the most recently used one first. */
export const groupsOf = (
  sessions: ReadonlyArray<SessionLine>,
  filter: string,
  archived = false
): ReadonlyArray<Group> => {
  const wanted = filter.toLowerCase().split(/\s+/).filter((word) => word !== "")
  const shown = sessions
    .filter((line) => (line.archived === true && !needsYou(line)) === archived && matches(line, wanted))
    .toSorted(latestFirst)
  const waiting = shown.filter(needsYou)
  const byFolder = grouped(shown.filter((line) => !needsYou(line)))
  return [
    ...(waiting.length > 0 ? [{ folder: undefined, lines: waiting }] : []),
    ...[...byFolder].map(([folder, lines]) => ({ folder, lines }))
  ]
}
