/**
 * Scheduler: sends prompts to sessions when their schedules are due, and opens sessions that are not live.
 *
 * At most one run of a schedule is active at a time. A run that could not start when it was due, because no relay ran or the
 * machine slept, is reported as missed and not made up for; only a prompt that waits for a limit is sent late. It looks at the
 * clock at least twice a minute, to notice a clock that was set or a machine that woke up.
 */
import { Clock, Context, Effect, FiberMap, Layer, Option, Queue, Schema, Stream } from "effect"
import type { BodyOf, UserMessage } from "../../schema/index.js"
import { Auth } from "../access/Auth.js"
import { demand, Principal } from "../access/Principal.js"
import { Journal } from "../journal/Journal.js"
import * as SessionRecord from "../journal/SessionRecord.js"
import { RelayConfig } from "../RelayConfig.js"
import { Sender } from "../session/Sender.js"
import type { Session } from "../session/Session.js"
import { SessionRegistry } from "../session/SessionRegistry.js"
import { countTimes, cronProblem, nextTime } from "./cronTimes.js"
import { principalOf, tokensOf } from "./onBehalf.js"
import { toListed } from "./plan.js"
import type { Schedule } from "./Schedule.js"
import { Timetable } from "./Timetable.js"

/** Longest sleep between looks at the clock, in ms. */
const longestSleep = 30_000
/** A run this much overdue counts as missed, in seconds. */
const tolerance = 90
/** The same for a prompt that waits for a limit, since the relay may have been down. */
const resumeTolerance = 24 * 3600
/** How long a schedule that will not run again stays listed, in seconds. */
const keptFor = 7 * 24 * 3600
/** When to try again if the session could not be opened, in seconds. */
const retryAfter = 60

/** Terminals take no prompts: whatever is typed is a shell command. */
class NoPrompts extends Schema.TaggedError<NoPrompts>()("NoPrompts", {}) {
  override get message() {
    return "The session is a terminal, which takes no prompts: remove this schedule."
  }
}

type Last = NonNullable<Schedule["last"]>

/** The schedule after a run, with its next time if there is one. */
const after = (schedule: Schedule, now: number, last: Last): Schedule => {
  const { next_at: due = now, ...rest } = schedule
  const next = schedule.every === undefined
    ? undefined
    // Never the same time twice, even if the clock was set back.
    : nextTime(schedule.every, schedule.time_zone, Math.max(now, due))
  return { ...rest, ...(next !== undefined && { next_at: next }), last }
}

const tell = (session: Session | undefined, schedule: Schedule, { at, status, text }: Last) =>
  session?.log.unsafeAppend({
    type: "status",
    status: "schedule",
    ...(text !== undefined && { text }),
    metadata: {
      schedule_id: schedule.schedule_id,
      run: status,
      at,
      schedule: toListed(schedule)
    }
  })

export class Scheduler extends Context.Service<Scheduler, {
  /** Ids of schedules with an active run. */
  readonly running: () => ReadonlyArray<string>
}>()("ai-relay/services/Scheduler") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const table = yield* Timetable
  const registry = yield* SessionRegistry
  const journal = yield* Journal
  const { state_dir } = yield* RelayConfig
  const tokens = tokensOf(state_dir, yield* Effect.serviceOption(Auth))
  const runs = yield* FiberMap.make<string, void>()
  const woken = yield* Queue.sliding<void>(1)
  yield* Effect.acquireRelease(
    Effect.sync(() => table.onChange(() => void Queue.offerUnsafe(woken, undefined))),
    (stop) => Effect.sync(stop)
  )

  const note = (schedule: Schedule, last: Last) => {
    const changed = { ...schedule, last }
    table.put(changed)
    tell(registry.live(schedule.session_id), changed, last)
  }

  /** Completes when the prompt's turn has ended, or if there will be none. */
  const untilDone = (session: Session, message_id: string, from: number) => {
    let begun = false
    const isEnd = (event: BodyOf<"turn_end" | "turn_start" | "input_ack" | "error" | "session_end">) => {
      switch (event.type) {
        case "turn_start":
          begun ||= event.message_id === message_id
          return false
        case "turn_end":
          return begun
        case "input_ack":
          return event.message_id === message_id && event.status === "cancelled"
        case "error":
          return event.message_id === message_id
        case "session_end":
          return true
      }
    }
    return session.log.tail(from).pipe(
      Stream.takeUntil((event) =>
        event.type === "turn_end" || event.type === "turn_start" || event.type === "input_ack"
          || event.type === "error" || event.type === "session_end"
          ? isEnd(event)
          : false
      ),
      Stream.runDrain
    )
  }

  /** Opens the session, claims the run, and sends the prompt. The claim is written first, so it runs at most once. */
  const run = Effect.fn("Scheduler.run")(
    function*(schedule: Schedule, due: number) {
      const { content, kind, schedule_id, session_id, token } = schedule
      const principal = yield* principalOf(tokens, schedule)
      yield* demand(principal, "prompt", "a schedule")
      const { session, submit } = yield* Effect.provideService(
        registry.join({ session_id, must_exist: true }),
        Principal,
        principal
      )
      const can = session.describe().metadata?.["capabilities"] as { readonly terminal?: boolean } | undefined
      if (can?.terminal === true) return yield* new NoPrompts({})
      // The schedule may have been removed meanwhile.
      if (table.get(schedule_id)?.next_at !== due || !table.claim(schedule)) return
      const now = (yield* Clock.currentTimeMillis) / 1000
      const from = session.log.lastSeq()
      const message_id = `${schedule_id}@${due}`
      const by: Sender.Fields = {
        schedule: schedule_id,
        ...(token !== undefined && { token }),
        ...(kind === "resume" && { resumes: true as const })
      }
      const prompt: UserMessage = { type: "user_message", content, message_id }
      if (kind === "resume") {
        // The session removes it: it may have a reason not to send the prompt.
        return yield* Effect.provideService(submit(prompt), Sender, by)
      }
      const last: Last = { at: now, status: "started" }
      const begun = { ...after(schedule, now, last), runs: schedule.runs + 1 }
      table.put(begun)
      tell(session, begun, last)
      yield* Effect.provideService(submit(prompt), Sender, by)
      yield* untilDone(session, message_id, from)
    },
    (ran, schedule, due) =>
      ran.pipe(
        Effect.scoped,
        Effect.catch((error) =>
          Effect.gen(function*() {
            yield* Effect.logWarning(`The schedule ${schedule.schedule_id} could not run: ${error.message}`)
            const now = (yield* Clock.currentTimeMillis) / 1000
            if (table.get(schedule.schedule_id)?.next_at !== due) return
            if (error._tag === "SessionNotFound" || error._tag === "TokenGone") {
              return void table.remove(schedule.schedule_id)
            }
            if (schedule.kind === "resume") return table.put({ ...schedule, next_at: now + retryAfter })
            const last: Last = { at: now, status: "failed", text: error.message }
            note(after(schedule, now, last), last)
          })
        )
      )
  )

  /** Whether another relay has the session open, which then runs its schedules. */
  const isElsewhere = ({ session_id }: Schedule) =>
    registry.live(session_id) !== undefined
      ? Effect.succeed(false)
      : Effect.map(journal.find(session_id), (found) => {
        const pid = Option.getOrUndefined(Option.map(found, SessionRecord.openedBy))
        return pid !== undefined && pid !== process.pid
      })

  /** Its file was damaged, or its time zone is not known here. The others go on. */
  const giveUp = ({ next_at: at = 0, ...schedule }: Schedule, problem: string) => {
    const text = `Its times cannot be read (${problem}): remove it and create it again.`
    note(schedule, { at, status: "failed", text })
    return Effect.logError(`The schedule ${schedule.schedule_id} does not run any more. ${text}`)
  }

  const handle = Effect.fnUntraced(function*(schedule: Schedule, due: number, now: number) {
    const { every, kind, schedule_id, session_id, time_zone } = schedule
    if (registry.isDraining() || (yield* isElsewhere(schedule))) return
    const problem = every === undefined ? undefined : cronProblem(every, time_zone)
    if (problem !== undefined) return yield* giveUp(schedule, problem)
    if (yield* FiberMap.has(runs, schedule_id)) {
      // Its session is still being opened.
      if (table.get(schedule_id)?.last?.status !== "started") return
      const last: Last = { at: due, status: "skipped", text: "The previous run has not ended." }
      if (table.claim(schedule)) note(after(schedule, now, last), last)
      return
    }
    if (now - due > (kind === "resume" ? resumeTolerance : tolerance)) {
      if (!table.claim(schedule)) return
      const count = every === undefined ? 1 : countTimes(every, time_zone, due, now)
      const last: Last = {
        at: due,
        status: "missed",
        text: `${
          count === 1 ? "A run was" : `${count} runs were`
        } missed: no relay ran, or the machine slept.`
      }
      const missed = { ...after(schedule, now, last), missed: schedule.missed + count }
      if (kind !== "resume") return note(missed, last)
      table.remove(schedule_id)
      return yield* Effect.logWarning(
        `A prompt of the session ${session_id} is not sent again: its limit reset more than a day ago.`
      )
    }
    yield* FiberMap.run(runs, schedule_id, run(schedule, due))
  })

  /** Runs what is due; gives the ms until the next look. */
  const look = Effect.gen(function*() {
    const now = (yield* Clock.currentTimeMillis) / 1000
    for (const schedule of table.all()) {
      const { last, next_at, paused } = schedule
      if (next_at === undefined && now - (last?.at ?? now) > keptFor) table.remove(schedule.schedule_id)
      if (!paused && next_at !== undefined && next_at <= now) yield* handle(schedule, next_at, now)
    }
    const left = table.all().flatMap(({ next_at, paused }) =>
      paused || next_at === undefined || next_at <= now ? [] : [(next_at - now) * 1000]
    )
    return Math.min(longestSleep, ...left)
  })

  yield* Effect.flatMap(look, (ms) => Effect.raceFirst(Effect.sleep(ms), Queue.take(woken))).pipe(
    Effect.catchDefect((cause) =>
      Effect.andThen(Effect.logError("Internal error in the scheduler.", cause), Effect.sleep(longestSleep))
    ),
    Effect.forever,
    Effect.forkScoped
  )

  return Scheduler.of({ running: () => Array.from(runs, ([schedule_id]) => schedule_id) })
})
