/** plan: adds, changes and lists schedules, from commands and HTTP requests. */
import { type ContentBlock, type SessionId, textOf } from "../../schema/index.js"
import type { EventLog } from "../log/EventLog.js"
import { cronProblem, nextTime } from "./cronTimes.js"
import type { Schedule } from "./Schedule.js"
import type { Table } from "./Timetable.js"

/** A requested schedule. */
export interface Plan {
  readonly content: readonly [ContentBlock, ...ReadonlyArray<ContentBlock>]
  readonly at?: number | string | undefined
  readonly every?: string | undefined
  readonly time_zone?: string | undefined
}

interface Maker {
  readonly schedule_id: string
  readonly session_id: SessionId
  /** Name of the access token it was made with. */
  readonly token?: string | undefined
}

/** A schedule as listed. Prompts that wait for a limit are not listed. */
export type ListedSchedule =
  & Omit<Schedule, "content" | "kind" | "token" | "resets_at" | "limit" | "message_id">
  & { readonly text: string }

/** Most schedules per session. */
const mostOfSession = 50
/** Characters of a prompt in the list. */
const mostText = 200

const secondsOf = (at: number | string) => typeof at === "number" ? at : Date.parse(at) / 1000

const own = (table: Table, session_id?: SessionId) =>
  table.all().filter((schedule) =>
    schedule.kind !== "resume" && (session_id === undefined || schedule.session_id === session_id)
  )

export const toListed = (
  { content, kind: _, limit: _l, message_id: _m, resets_at: _r, token: _t, ...schedule }: Schedule
): ListedSchedule => ({
  ...schedule,
  text: [...textOf(content)].slice(0, mostText).join("")
})

/** All schedules, or those of one session, oldest first. */
export const listed = (table: Table, session_id?: SessionId): ReadonlyArray<ListedSchedule> =>
  own(table, session_id).map(toListed)

/** Tells the session's clients about a change. */
const tell = (
  log: EventLog["Service"] | undefined,
  change: "added" | "changed" | "removed",
  schedule: Schedule
) =>
  log?.unsafeAppend({
    type: "status",
    status: "schedule",
    metadata: { change, schedule_id: schedule.schedule_id, schedule: toListed(schedule) }
  })

/** Adds a schedule. `now` in Unix seconds. A text is an error, and nothing has changed. */
export const add = (
  table: Table,
  log: EventLog["Service"] | undefined,
  { at, content, every, time_zone }: Plan,
  { schedule_id, session_id, token }: Maker,
  now: number
): Schedule | string => {
  if ((at === undefined) === (every === undefined)) {
    return "set either `at`, to send it once, or `every`, to repeat it"
  }
  if (own(table, session_id).length >= mostOfSession) {
    return `the session already has ${mostOfSession} schedules: remove one first`
  }
  const problem = every === undefined ? undefined : cronProblem(every, time_zone)
  if (problem !== undefined) return problem
  const next_at = at !== undefined ? secondsOf(at) : nextTime(every ?? "", time_zone, now)
  if (next_at === undefined || !(next_at > now)) return "`at` must be in the future"
  const schedule: Schedule = {
    schedule_id,
    session_id,
    kind: every === undefined ? "at" : "every",
    content,
    next_at,
    paused: false,
    created_at: now,
    runs: 0,
    missed: 0,
    ...(every !== undefined && { every: every.trim() }),
    ...(every !== undefined && time_zone !== undefined && { time_zone }),
    ...(token !== undefined && { token })
  }
  table.put(schedule)
  tell(log, "added", schedule)
  return schedule
}

const find = (table: Table, schedule_id: string, session_id: SessionId | undefined) =>
  own(table, session_id).find((schedule) => schedule.schedule_id === schedule_id)

/** Pauses or continues a schedule of any session, or of one. Runs due during a pause are skipped. Undefined: no such schedule. */
export const pause = (
  table: Table,
  log: (session_id: SessionId) => EventLog["Service"] | undefined,
  schedule_id: string,
  paused: boolean,
  now: number,
  session_id?: SessionId
): Schedule | undefined => {
  const found = find(table, schedule_id, session_id)
  if (found === undefined) return undefined
  const next_at = found.every === undefined || paused
    ? found.next_at
    : nextTime(found.every, found.time_zone, now)
  const changed = { ...found, paused, ...(next_at !== undefined && { next_at }) }
  table.put(changed)
  tell(log(found.session_id), "changed", changed)
  return changed
}

export const remove = (
  table: Table,
  log: (session_id: SessionId) => EventLog["Service"] | undefined,
  schedule_id: string,
  session_id?: SessionId
): boolean => {
  const found = find(table, schedule_id, session_id)
  if (found === undefined) return false
  table.remove(schedule_id)
  tell(log(found.session_id), "removed", found)
  return true
}
