/**
 * perform: plays a recording on Effect's Clock, at its original pace, as an agent's session.
 *
 * Permissions are asked again and playback waits where the recording waited, so the time a person took is not
 * replayed.
 */
import { Deferred, Duration, Effect, Fiber, Match, Queue } from "effect"
import type { RequestId } from "../../schema/index.js"
import {
  type AgentCommand,
  type AgentSession,
  EventSink,
  PermissionGate,
  type PermissionOutcome
} from "../Adapter.js"
import { CommandRefused } from "../AdapterError.js"
import { type Passage, passages, type Recorded } from "./Transcript.js"

export interface Play {
  readonly cmd: ReadonlyArray<string>
  readonly recording: ReadonlyArray<Recorded>
  /** Each turn waits for a prompt. */
  readonly onPrompt: boolean
  /** After the last turn, every prompt plays that one again; without it, the session ends there. */
  readonly encore?: boolean
  /** Speed factor relative to the recording; default 1. */
  readonly speed?: number
  /** What to play instead of the rest of the turn if that permission is denied. Default: the recording. */
  readonly ifDenied?: Readonly<Record<string, ReadonlyArray<Recorded>>>
}

/** Whole milliseconds: a test clock that counts nanoseconds accepts no fractions. */
const toMillis = (seconds: number) => Math.round(seconds * 1000)

export const perform = Effect.fnUntraced(function*(play: Play) {
  const { cmd, encore = false, ifDenied = {}, onPrompt, recording, speed = 1 } = play
  const sink = yield* EventSink
  const gate = yield* PermissionGate
  const prompts = yield* Queue.bounded<void>(16)
  const interrupts = yield* Queue.sliding<void>(1)
  const finished = yield* Deferred.make<void>()
  const asked = new Map<RequestId, Fiber.Fiber<PermissionOutcome>>()
  const scope = yield* Effect.scope
  let played = recording[0]?.ts ?? 0

  /** Gives what to play instead of the rest, if playback branches. */
  const playOne = Effect.fnUntraced(function*({ event, raw, ts }: Recorded) {
    const { request_id } = "request_id" in event ? event : {}
    const waiting = request_id === undefined ? undefined : asked.get(request_id as RequestId)
    // A settled permission: the recording waited for its person here, so we wait for ours.
    if (waiting !== undefined) {
      const outcome = yield* Fiber.join(waiting)
      // Playing the turn again asks it again.
      asked.delete(request_id as RequestId)
      played = ts
      return outcome.behavior === "deny" ? ifDenied[request_id ?? ""] : undefined
    }
    const pause = Math.round((toMillis(ts) - toMillis(played)) / speed)
    // A timer of 0 takes a millisecond.
    if (pause > 0) yield* Effect.sleep(Duration.millis(pause))
    played = ts
    if (event.type === "permission_request") {
      // Reported before whatever follows, even within the same millisecond.
      const request = gate.request(event, raw)
      asked.set(event.request_id, yield* Effect.forkIn(request, scope, { startImmediately: true }))
    } else if (!madeByRelay.has(event.type) && !(event.type === "turn_start" && onPrompt)) {
      sink.emit(event, raw)
    }
    return undefined
  })

  const playAll = (events: ReadonlyArray<Recorded>): Effect.Effect<void> =>
    Effect.gen(function*() {
      for (const recorded of events) {
        const instead = yield* playOne(recorded)
        if (instead !== undefined) {
          played = instead[0]?.ts ?? played
          return yield* playAll(instead)
        }
      }
    })

  const playPassage = ({ events, isTurn }: Passage) =>
    playAll(events).pipe(
      Effect.raceFirst(isTurn ? stopped(events) : Effect.never),
      Effect.tap(() =>
        isTurn
          ? Effect.sync(() => sink.inTurn() && sink.emit({ type: "turn_end", stop_reason: "error" }))
          : Effect.void
      )
    )

  /** A client interrupts: the rest of the turn is skipped. */
  const stopped = (events: ReadonlyArray<Recorded>) =>
    Effect.map(Queue.take(interrupts), () => {
      asked.clear()
      played = events.at(-1)?.ts ?? played
      sink.emit({ type: "turn_end", stop_reason: "cancelled" })
    })

  const playWhenAsked = (passage: Passage) =>
    Effect.andThen(passage.isTurn && onPrompt ? Queue.take(prompts) : Effect.void, playPassage(passage))

  const all = passages(recording)
  const last = all.findLast(({ isTurn }) => isTurn)
  const fromStart = Effect.sync(() => void (played = last?.events[0]?.ts ?? played))
  const again = encore && last !== undefined
    ? Effect.forever(Effect.andThen(fromStart, playWhenAsked(last)))
    : Effect.void
  yield* Effect.forEach(all, playWhenAsked, { discard: true }).pipe(
    Effect.andThen(again),
    Effect.ensuring(Deferred.succeed(finished, undefined)),
    Effect.forkScoped
  )

  const refuse = (reason: string) => new CommandRefused({ reason })
  const send = Match.type<AgentCommand>().pipe(
    Match.withReturnType<Effect.Effect<void, CommandRefused>>(),
    Match.discriminators("type")({
      user_message: () =>
        onPrompt
          ? Effect.asVoid(Queue.offer(prompts, undefined))
          : refuse("this replay runs without prompts; add \"--on-prompt\" to `command` to send it prompts"),
      interrupt: () => Effect.asVoid(Queue.offer(interrupts, undefined))
    }),
    Match.orElse(({ type }) => refuse(`a replay does not understand \`${type}\``))
  )

  const session: AgentSession = {
    started: { cmd, capabilities },
    send,
    exit: Effect.as(Deferred.await(finished), { exit_code: 0, stderr: [] })
  }
  return session
})

const capabilities = {
  images: true,
  steer: false,
  set_model: false,
  permission_modes: [],
  resume: false,
  terminal: false
}

/** The relay emits these itself, then as now. */
const madeByRelay = new Set(["session_start", "session_end", "input_ack", "permission_cancelled"])
