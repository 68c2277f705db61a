/**
 * sessionGroups: the list of sessions, grouped the way a person looks for them.
 */
import type { SessionLine } from "../model/sessions.js"
import { agentName, sessionName } from "./words.js"

export interface Group {
  /** Undefined: sessions waiting for an answer, in any folder. */
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

/** The session whose agent opened this one, if it is in the list. */
const parentIn = (lines: ReadonlyMap<string, SessionLine>, { opened_by }: SessionLine) =>
  lines.get(opened_by?.session_id ?? "")

/** Its topmost ancestor, opened by a person, and the number of levels between. A cyclic chain stands alone. */
const placeIn = (lines: ReadonlyMap<string, SessionLine>, line: SessionLine) => {
  const met = new Set([line.session_id])
  let top = line
  for (;;) {
    const parent = parentIn(lines, top)
    if (parent === undefined) return { top, depth: met.size - 1 }
    if (met.has(parent.session_id)) return { top: line, depth: 0 }
    met.add(parent.session_id)
    top = parent
  }
}

/** Each session's depth below the one a person opened; 0 for that one. */
export const depthsOf = (shown: ReadonlyArray<SessionLine>): ReadonlyMap<string, number> => {
  const lines = new Map(shown.map((line) => [line.session_id, line]))
  return new Map(shown.map((line) => [line.session_id, placeIn(lines, line).depth]))
}

/** Each followed by those its agent opened. */
const withChildren = (shown: ReadonlyArray<SessionLine>): ReadonlyArray<SessionLine> => {
  const lines = new Map(shown.map((line) => [line.session_id, line]))
  const depths = depthsOf(shown)
  const below = (line: SessionLine): ReadonlyArray<SessionLine> => [
    line,
    ...shown.filter((other) =>
      (depths.get(other.session_id) ?? 0) > (depths.get(line.session_id) ?? 0) &&
      parentIn(lines, other) === line
    ).flatMap(below)
  ]
  return shown.filter(({ session_id }) => depths.get(session_id) === 0).flatMap(below)
}

const latestFirst = (left: SessionLine, right: SessionLine) => right.last_active_at - left.last_active_at

/** By the folder of the session a person opened: its agent's sessions may work below it. */
const grouped = (shown: ReadonlyArray<SessionLine>): ReadonlyMap<string, ReadonlyArray<SessionLine>> => {
  const lines = new Map(shown.map((line) => [line.session_id, line]))
  const groups = new Map<string, Array<SessionLine>>()
  for (const line of shown) {
    const { folder } = placeIn(lines, line).top
    groups.set(folder, [...groups.get(folder) ?? [], line])
  }
  return new Map([...groups].map(([folder, lines]) => [folder, withChildren(lines)]))
}

/**
 * Those that need a person first, then by folder, most recently used first; sessions opened by an agent are
 * below that agent's session.
 */
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
