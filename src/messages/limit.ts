/**
 * limit: whether the session's agent is out of quota, and for how long.
 */
import type { Draft } from "./Draft.js"
import { number, open, text } from "./read.js"
import type { Limit } from "./View.js"

type Metadata = Readonly<Record<string, unknown>>

const limitIn = (metadata: Metadata): Limit | undefined => {
  const resets_at = number(metadata["resets_at"])
  const resume_at = number(metadata["resume_at"])
  const name = text(metadata["limit"])
  return resets_at === undefined
    ? undefined
    : { resets_at, ...(resume_at !== undefined && { resume_at }), ...(name !== undefined && { name }) }
}

const set = (draft: Draft, limit: Limit | undefined) => {
  if (limit === undefined) delete draft.limit
  else draft.limit = limit
}

/** `session_start`: the current state. */
export const started = (draft: Draft, metadata: Metadata) => {
  draft.resumes = metadata["on_limit"] === "resume"
  set(draft, limitIn(open(metadata["limited"])))
}

/** `status`: what has changed. */
export const told = (draft: Draft, status: string, metadata: Metadata) => {
  if (metadata["on_limit"] !== undefined && (status === "limited" || status === "on_limit")) {
    draft.resumes = metadata["on_limit"] === "resume"
  }
  if (status === "limited") set(draft, limitIn(metadata))
  if (status === "limit_over") set(draft, undefined)
}

/** Remaining seconds as a countdown: `1:04:59`, `4:59`. */
export const countdown = (seconds: number): string => {
  const whole = Math.max(0, Math.ceil(seconds))
  const two = (value: number) => String(value).padStart(2, "0")
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
