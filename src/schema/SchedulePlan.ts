/** SchedulePlan: when to send a prompt to a session: once at a given time, or repeatedly. */
import { Schema } from "effect"
import { ContentBlock } from "./ContentBlock.js"
import { NonEmptyText, says } from "./fields.js"
import { SessionId } from "./Ids.js"

/** A time: Unix seconds, or a date with time and zone, such as `2026-12-01T09:00:00+01:00`. */
export const Moment = Schema.Union([
  Schema.Finite,
  Schema.String.check(
    Schema.isPattern(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/u)
  )
]).annotate(says(
  "must be seconds since 1970, or a date with time and zone, such as \"2026-12-01T09:00:00+01:00\""
))

/** A cron expression of five fields, minutes first, or a word such as `@daily`. */
export const Every = NonEmptyText.annotate(
  says("must be a cron expression, such as \"0 9 * * 1-5\" (working days at nine), or @daily")
)

export const ScheduleId = Schema.NonEmptyString.check(Schema.isMaxLength(256)).annotate(
  says("must be the schedule_id of a schedule of this session")
)

/** Body of `POST /schedules`. */
export const NewSchedule = Schema.Struct({
  session_id: SessionId,
  content: Schema.Union([Schema.NonEmptyString, Schema.NonEmptyArray(ContentBlock)]),
  at: Schema.optionalKey(Moment),
  every: Schema.optionalKey(Every),
  time_zone: Schema.optionalKey(Schema.NonEmptyString)
})

/** Body of `PATCH /schedules/ID`. */
export const ScheduleChange = Schema.Struct({ paused: Schema.Boolean })
