/**
 * Schedule: a prompt that is to be given to a session later: once (`at`), again and again (`every`, in cron's words), or
 * once more after the agent's limit is over (`resume`). Times are Unix seconds.
 */
import { Schema } from "effect"
import { ContentBlock, SessionId } from "../../schema/index.js"

export const Schedule = Schema.Struct({
  schedule_id: Schema.NonEmptyString,
  session_id: SessionId,
  kind: Schema.Literals(["at", "every", "resume"]),
  /** Cron's five fields, or a word such as `@daily`. */
  every: Schema.optionalKey(Schema.String),
  /** IANA name of the zone these are meant in. */
  time_zone: Schema.optionalKey(Schema.String),
  content: Schema.NonEmptyArray(ContentBlock),
  /** When it runs next; absent: never again. */
  next_at: Schema.optionalKey(Schema.Finite),
  paused: Schema.Boolean,
  created_at: Schema.Finite,
  /** Name of the access token of who made it: its runs are counted for that one. */
  token: Schema.optionalKey(Schema.String),
  /** Runs that were begun, and runs that were missed. */
  runs: Schema.Finite,
  missed: Schema.Finite,
  /** What became of it last. */
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
