/** scheduleRoutes: lists, adds, pauses and removes schedules over HTTP, also of sessions that are not live. */
import { Clock, Effect, Option } from "effect"
import { isSessionId, type SessionId } from "../schema/index.js"
import { NewSchedule, ScheduleChange } from "../schema/SchedulePlan.js"
import { Journal, SessionNotFound } from "../services/journal/Journal.js"
import * as plan from "../services/schedule/plan.js"
import * as Timetable from "../services/schedule/Timetable.js"
import { Sender } from "../services/session/Sender.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import { type Answer, readBody, Refused, sendJson, sendNothing, wrong } from "./Call.js"

const noSchedule = (schedule_id: string) =>
  new Refused({
    status: 404,
    code: "bad_command",
    reason: `there is no schedule "${schedule_id}": GET /schedules lists them`
  })

const wanted =
  "send JSON with `session_id`, `content` (a text, or text and image blocks), and either `at` (seconds since 1970, or a "
  + "date with time and zone) or `every` (a cron expression), with `time_zone`"

/** Largest body in bytes: a prompt may contain images. */
const mostBytes = 32 * 1024 * 1024

const now = Effect.map(Clock.currentTimeMillis, (ms) => ms / 1000)

/** Schedules of one session, or of all. */
export const listSchedules: Answer = Effect.fnUntraced(function*({ query, response }) {
  const table = yield* Timetable.current
  const session_id = query.get("session_id") ?? undefined
  if (session_id !== undefined && !isSessionId(session_id)) return yield* new SessionNotFound({ session_id })
  yield* sendJson(response, 200, { schedules: plan.listed(table, session_id) })
})

/** Scheduling counts as prompting: while a client drives the session, only that client may do it, on its connection. */
const demandNobodyDrives = (registry: SessionRegistry["Service"], session_id: SessionId | undefined) =>
  Effect.suspend(() => {
    const live = session_id === undefined ? undefined : registry.live(session_id)
    const reason = live?.drivers.objection("the change of its schedules")
    return reason === undefined
      ? Effect.void
      : Effect.fail(new Refused({ status: 409, code: "not_driving", reason }))
  })

export const addSchedule: Answer = Effect.fnUntraced(function*({ request, response }) {
  const table = yield* Timetable.current
  const registry = yield* SessionRegistry
  const { content, session_id, ...rest } = yield* readBody(request, NewSchedule, wanted, mostBytes)
  const live = registry.live(session_id)
  const journal = yield* Journal
  if (live === undefined && Option.isNone(yield* journal.find(session_id))) {
    return yield* journal.whyMissing(session_id)
  }
  if (live?.isTerminal === true) {
    return yield* wrong("a terminal takes no schedules: nobody would see what runs there")
  }
  yield* demandNobodyDrives(registry, session_id)
  const { token } = yield* Sender
  const made = plan.add(
    table,
    live?.log,
    { ...rest, content: typeof content === "string" ? [{ type: "text", text: content }] : content },
    { schedule_id: yield* table.freshId, session_id, token },
    yield* now
  )
  if (typeof made === "string") {
    return yield* wrong(made)
  }
  yield* sendJson(response, 201, plan.toListed(made))
})

export const changeSchedule: Answer<"/schedules/{schedule_id}"> = Effect.fnUntraced(
  function*({ params: { schedule_id }, request, response }) {
    const table = yield* Timetable.current
    const registry = yield* SessionRegistry
    const { paused } = yield* readBody(request, ScheduleChange, "send JSON with `paused`: true or false")
    yield* demandNobodyDrives(registry, table.get(schedule_id)?.session_id)
    const changed = plan.pause(table, (id) => registry.live(id)?.log, schedule_id, paused, yield* now)
    if (changed === undefined) return yield* noSchedule(schedule_id)
    yield* sendJson(response, 200, plan.toListed(changed))
  }
)

export const removeSchedule: Answer<"/schedules/{schedule_id}"> = Effect.fnUntraced(
  function*({ params: { schedule_id }, response }) {
    const table = yield* Timetable.current
    const registry = yield* SessionRegistry
    yield* demandNobodyDrives(registry, table.get(schedule_id)?.session_id)
    if (!plan.remove(table, (id) => registry.live(id)?.log, schedule_id)) {
      return yield* noSchedule(schedule_id)
    }
    yield* sendNothing(response)
  }
)
