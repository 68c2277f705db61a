/**
 * schedules: a session's scheduled prompts, from `session_start` and `status` `schedule`.
 */
import type { Draft } from "./Draft.js"
import { list, number, open, text } from "./read.js"
import type { ScheduleLine } from "./View.js"

type Metadata = Readonly<Record<string, unknown>>

const lineOf = (schedule: Metadata): ReadonlyArray<ScheduleLine> => {
  const id = text(schedule["schedule_id"])
  const [every, time_zone] = [text(schedule["every"]), text(schedule["time_zone"])]
  const next_at = number(schedule["next_at"])
  return id === undefined ? [] : [{
    schedule_id: id,
    text: text(schedule["text"]) ?? "",
    paused: schedule["paused"] === true,
    missed: number(schedule["missed"]) ?? 0,
    ...(every !== undefined && { every }),
    ...(time_zone !== undefined && { time_zone }),
    ...(next_at !== undefined && { next_at })
  }]
}

/** `session_start`: all of them. */
export const started = (draft: Draft, { schedules }: Metadata) => {
  draft.schedules = list(schedules).flatMap(lineOf)
}

/** One was added, changed or removed, or has run. */
export const told = (draft: Draft, status: string, { change, schedule, schedule_id }: Metadata) => {
  if (status !== "schedule") return
  const others = draft.schedules.filter((line) => line.schedule_id !== schedule_id)
  draft.schedules = change === "removed" ? others : [...others, ...lineOf(open(schedule))]
}
