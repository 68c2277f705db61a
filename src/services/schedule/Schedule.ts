/**
 * Schedule: a prompt to send to a session later: once (`at`), repeatedly (`every`, a cron expression), or once more after the
 * agent's limit resets (`resume`). Times are Unix seconds.
 */
import { Schema } from "effect"
import { ContentBlock, SessionId } from "../../schema/index.js"

export const Schedule = Schema.Struct({
  schedule_id: Schema.NonEmptyString,
  session_id: SessionId,
  kind: Schema.Literals(["at", "every", "resume"]),
  /** A cron expression of five fields, or a word such as `@daily`. */
  every: Schema.optionalKey(Schema.String),
  /** IANA name of the time zone of `every`. */
  time_zone: Schema.optionalKey(Schema.String),
  content: Schema.NonEmptyArray(ContentBlock),
  /** The next run; absent: never again. */
  next_at: Schema.optionalKey(Schema.Finite),
  paused: Schema.Boolean,
  created_at: Schema.Finite,
  /** Name of the access token it was made with, for which its runs count. */
  token: Schema.optionalKey(Schema.String),
  /** Numbers of started and of missed runs. */
  runs: Schema.Finite,
  missed: Schema.Finite,
  /** The last run. */
  last: Schema.optionalKey(Schema.Struct({
    at: Schema.Finite,
    status: Schema.Literals(["started", "skipped", "missed", "failed"]),
    text: Schema.optionalKey(Schema.String)
  })),
  /** `resume`: when the limit is over, what it is called, and the prompt's own name. */
  resets_at: Schema.optionalKey(Schema.Finite),
  limit: Schema.optionalKey(Schema.String),
  message_id: Schema.optionalKey(Schema.String)
})
export type Schedule = typeof Schedule.Type
