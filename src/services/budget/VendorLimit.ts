/**
 * VendorLimit: handles an agent that is out of quota until some time.
 *
 * Adapters mark the message that says so (`quota_warning` with `metadata.limited`). If a turn then fails, a `status` `limited`
 * tells when the limit resets, if the agent says so in any form. If the session is set to `resume`, the failed prompt is
 * scheduled once, and queued prompts wait behind it.
 */
import type { BodyOf, EventBody, OnLimit, SessionId, UserMessage } from "../../schema/index.js"
import type { EventLog } from "../log/EventLog.js"
import type { Table } from "../schedule/Timetable.js"
import type { Sender } from "../session/Sender.js"
import type { Turns } from "../session/Turn.js"
import { resetMoment, resetTime } from "./resetTime.js"

/** Why waiting for a limit ended: the prompt was sent again, a turn succeeded, or nobody waits any longer. */
export type LimitEnd = "resumed" | "worked" | "cancelled" | "budget" | "ended"

export interface VendorLimit {
  /** Takes an event of the agent. */
  readonly notice: (event: EventBody) => void
  /** Notes the prompt of the next turn and its sender. */
  readonly nextTurnOf: (prompt: UserMessage, by: Sender.Fields) => void
  /** The same turns; one that fails because of a limit is reported. */
  readonly watching: (turns: Turns) => Turns
  /** Whether a prompt, and those queued behind it, wait for the limit to reset. */
  readonly isWaiting: () => boolean
  /** Ends the waiting. False: nothing was waiting. */
  readonly over: (why: LimitEnd) => boolean
  readonly setOnLimit: (on_limit: OnLimit) => void
  /** Fields for `session_start`. */
  readonly describe: () => Readonly<Record<string, unknown>>
}

export interface Parts {
  readonly session_id: SessionId
  readonly on_limit: OnLimit
  readonly log: EventLog["Service"]
  readonly timetable: Table
  /** In ms since 1970. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
}

/** Shortest wait after the reset in seconds, so that not everybody comes back in the same second. */
const leastWait = 5
const mostJitter = 55

/** The id of the schedule of a waiting prompt. */
export const resumeId = (session_id: SessionId) => `resume-${session_id}`

interface Limited {
  readonly resets_at: number
  readonly limit?: string
  readonly resume_at?: number
  readonly message_id?: string
}

interface Asked {
  readonly prompt: UserMessage
  readonly by: Sender.Fields
}

const moment = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/u, "Z")

export const make = ({ log, now, random, session_id, timetable, ...parts }: Parts): VendorLimit => {
  const id = resumeId(session_id)
  let { on_limit } = parts
  let next: Asked | undefined
  let running: Asked | undefined
  let failed: Asked | undefined
  let told: { resets_at?: number; limit?: string } | undefined
  let limited: Limited | undefined

  const before = timetable.get(id)
  if (before?.resets_at !== undefined && before.next_at !== undefined) {
    const { limit, message_id, next_at: resume_at, resets_at } = before
    limited = {
      resets_at,
      resume_at,
      ...(limit !== undefined && { limit }),
      ...(message_id !== undefined && { message_id })
    }
  }

  const tell = (limited: Limited, reason?: LimitEnd) =>
    log.unsafeAppend({
      type: "status",
      status: "limited",
      text: `The agent's limit is used up until ${moment(limited.resets_at)}. ${
        reason !== undefined
          ? words[reason]
          : limited.resume_at === undefined
          ? "Send the prompt again after that."
          : `The prompt is sent again at ${moment(limited.resume_at)}.`
      }`,
      metadata: { ...limited, on_limit, ...(reason !== undefined && { reason }) }
    })

  /** Schedules the prompt for after the reset of its limit. */
  const plan = ({ by, prompt }: Asked, { resume_at: _before, ...limit }: Limited): Limited => {
    const at = now() / 1000
    const resume_at = Math.max(limit.resets_at, at) + leastWait + Math.round(random() * mostJitter)
    timetable.put({
      schedule_id: id,
      session_id,
      kind: "resume",
      content: prompt.content,
      next_at: resume_at,
      paused: false,
      created_at: at,
      runs: 0,
      missed: 0,
      ...limit,
      ...(by.token !== undefined && { token: by.token })
    })
    return { ...limit, resume_at }
  }

  const mayResume = (asked: Asked | undefined): asked is Asked =>
    on_limit === "resume" && asked !== undefined && asked.by.resumes !== true

  const reached = (asked: Asked | undefined, resets_at: number, limit: string | undefined) => {
    const message_id = asked?.prompt.message_id
    const found: Limited = {
      resets_at,
      ...(limit !== undefined && { limit }),
      ...(message_id !== undefined && { message_id })
    }
    failed = asked?.by.resumes === true ? undefined : asked
    limited = mayResume(asked) ? plan(asked, found) : found
    tell(limited)
  }

  const over = (why: LimitEnd) => {
    if (limited === undefined) return false
    const wasWaiting = limited.resume_at !== undefined
    if (wasWaiting) timetable.remove(id)
    const { resume_at: _, ...left } = limited
    // The limit itself still holds if only the waiting ended.
    const stands = (why === "cancelled" || why === "budget") && left.resets_at * 1000 > now()
    limited = stands ? left : undefined
    if (!stands) {
      failed = undefined
      log.unsafeAppend({ type: "status", status: "limit_over", text: words[why], metadata: { reason: why } })
    } else if (wasWaiting) tell(left, why)
    return wasWaiting
  }

  const settle = (asked: Asked | undefined, { stop_reason }: BodyOf<"turn_end">) => {
    const limit = told
    told = undefined
    if (stop_reason === "error" && limit?.resets_at !== undefined) {
      return reached(asked, limit.resets_at, limit.limit)
    }
    if (limited !== undefined && limited.resume_at === undefined && stop_reason === "end_turn") over("worked")
  }

  return {
    notice: (event) => {
      if (event.type !== "quota_warning" || event.metadata?.["limited"] !== true) return
      const { limit, resets_at, retry_after_ms } = event.metadata
      const number = typeof resets_at === "number"
        ? resets_at
        : typeof retry_after_ms === "number"
        ? (now() + retry_after_ms) / 1000
        : undefined
      const time = (number === undefined ? undefined : resetMoment(number, now())) ??
        resetTime(event.text, now())
      told = {
        ...told,
        ...(time !== undefined && { resets_at: time }),
        ...(typeof limit === "string" && { limit })
      }
    },
    nextTurnOf: (prompt, by) => {
      next = { prompt, by }
    },
    watching: (turns) => ({
      ...turns,
      begin: (...start) => {
        running = next
        next = undefined
        return turns.begin(...start)
      },
      end: (end, raw) => {
        const ended = turns.end(end, raw)
        if (ended) {
          const asked = running
          running = undefined
          settle(asked, end)
        }
        return ended
      }
    }),
    isWaiting: () => limited?.resume_at !== undefined,
    over,
    setOnLimit: (wanted) => {
      const isNew = wanted !== on_limit
      on_limit = wanted
      if (isNew) {
        log.unsafeAppend({
          type: "status",
          status: "on_limit",
          text: wanted === "resume"
            ? "A prompt that hits the agent's limit will be sent again when the limit resets."
            : "A prompt that hits the agent's limit will not be sent again.",
          metadata: { on_limit }
        })
      }
      if (wanted === "stop") over("cancelled")
      else if (limited !== undefined && limited.resume_at === undefined && mayResume(failed)) {
        limited = plan(failed, limited)
        tell(limited)
      }
    },
    describe: () => ({
      ...(on_limit !== "stop" && { on_limit }),
      ...(limited !== undefined && (limited.resume_at !== undefined || limited.resets_at * 1000 > now())
        && { limited })
    })
  }
}

const words: Readonly<Record<LimitEnd, string>> = {
  resumed: "The limit has reset: the prompt is sent again.",
  worked: "The agent's limit is over.",
  cancelled: "The prompt will not be sent again automatically.",
  budget: "The prompt will not be sent again automatically, because a budget is used up.",
  ended: "The session was ended: the prompt will not be sent again."
}
