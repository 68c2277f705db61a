/**
 * ReplayAdapter: plays a recorded session on Effect's Clock, at the pace it was recorded.
 *
 * `command` is the transcript file, in the session's folder. With `--on-prompt` after it, each turn waits for a prompt;
 * else the recording plays by itself. Permissions are asked anew and the play waits where the recording waited, so
 * the time a person took is not replayed. Whatever the answer, what follows is what was recorded.
 */
import { FileSystem, Path } from "@effect/platform"
import { Context, Deferred, Effect, Fiber, Layer, Match, Queue } from "effect"
import type { RequestId } from "../../schema/index.js"
import { type Adapter, type AgentCommand, type AgentSpec, EventSink, PermissionGate } from "../Adapter.js"
import { BadHandshake, CommandRefused } from "../AdapterError.js"
import { parse, type Passage, passages, type Recorded } from "./Transcript.js"

export class ReplayAdapter extends Context.Tag("ai-relay/adapters/ReplayAdapter")<ReplayAdapter, Adapter>() {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

const usage = "set `command` to [\"FILE\"], a transcript recorded with `ai-relay serve --record DIR`"

const make = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const read = Effect.fn("ReplayAdapter.read")(function*({ command, folder }: AgentSpec) {
    const [name, ...flags] = typeof command === "string" ? [command] : command ?? []
    if (name === undefined) return yield* new BadHandshake({ reason: `a replay needs a file: ${usage}` })
    const file = yield* Effect.mapError(
      files.realPath(path.resolve(folder, name)),
      () => new BadHandshake({ reason: `the transcript "${name}" does not exist: ${usage}` })
    )
    if (path.relative(folder, file).startsWith("..")) {
      return yield* new BadHandshake({
        reason: `the transcript "${name}" is not in the session's folder: set \`folder\` to where it is`
      })
    }
    const text = yield* Effect.mapError(
      files.readFileString(file),
      () =>
        new BadHandshake({
          reason: `the transcript "${name}" cannot be read: check that it is a file the relay may read`
        })
    )
    const recording = yield* Effect.mapError(
      parse(text),
      ({ line }) => new BadHandshake({ reason: `line ${line} of "${name}" is no recorded event: ${usage}` })
    )
    return { cmd: [name, ...flags], onPrompt: flags.includes("--on-prompt"), recording }
  })

  const open = Effect.fn("ReplayAdapter.open")(function*(spec: AgentSpec) {
    const sink = yield* EventSink
    const gate = yield* PermissionGate
    const { cmd, onPrompt, recording } = yield* read(spec)
    const prompts = yield* Queue.bounded<void>(16)
    const interrupts = yield* Queue.sliding<void>(1)
    const finished = yield* Deferred.make<void>()
    const asked = new Map<RequestId, Fiber.Fiber<unknown>>()
    const scope = yield* Effect.scope
    let played = recording[0]?.ts ?? 0

    const play = Effect.fnUntraced(function*({ event, raw, ts }: Recorded) {
      const { request_id } = "request_id" in event ? event : {}
      const waiting = request_id === undefined ? undefined : asked.get(request_id as RequestId)
      // A settled permission: here the recording waited for its person, so do we for ours.
      if (waiting !== undefined) yield* Fiber.await(waiting)
      else yield* Effect.sleep(`${Math.max(0, (ts - played) * 1000)} millis`)
      played = ts
      if (waiting !== undefined || madeByRelay.has(event.type)) return
      if (event.type === "turn_start" && onPrompt) return
      if (event.type === "permission_request") {
        asked.set(event.request_id, yield* Effect.forkIn(gate.request(event, raw), scope))
        return
      }
      sink.emit(event, raw)
    })

    const playPassage = ({ events, isTurn }: Passage) =>
      Effect.forEach(events, play, { discard: true }).pipe(
        Effect.raceFirst(isTurn ? stopped(events) : Effect.never),
        Effect.tap(() =>
          isTurn
            ? Effect.sync(() => sink.inTurn() && sink.emit({ type: "turn_end", stop_reason: "error" }))
            : Effect.void
        )
      )

    /** A client interrupts: the rest of the turn is left out. */
    const stopped = (events: ReadonlyArray<Recorded>) =>
      Effect.map(Queue.take(interrupts), () => {
        played = events.at(-1)?.ts ?? played
        sink.emit({ type: "turn_end", stop_reason: "cancelled" })
      })

    const whole = Effect.forEach(
      passages(recording),
      (passage) =>
        Effect.zipRight(passage.isTurn && onPrompt ? Queue.take(prompts) : Effect.void, playPassage(passage)),
      { discard: true }
    )
    yield* whole.pipe(Effect.ensuring(Deferred.succeed(finished, undefined)), Effect.forkScoped)

    const refuse = (reason: string) => new CommandRefused({ reason })
    const send = Match.type<AgentCommand>().pipe(
      Match.withReturnType<Effect.Effect<void, CommandRefused>>(),
      Match.discriminators("type")({
        user_message: () =>
          onPrompt
            ? Effect.asVoid(Queue.offer(prompts, undefined))
            : refuse("this replay plays by itself; add \"--on-prompt\" to `command` to prompt it"),
        interrupt: () => Effect.asVoid(Queue.offer(interrupts, undefined))
      }),
      Match.orElse(({ type }) => refuse(`a replay does not understand \`${type}\``))
    )

    return {
      started: { cmd, capabilities },
      send,
      exit: Effect.as(Deferred.await(finished), { exit_code: 0, stderr: [] })
    }
  })

  return ReplayAdapter.of({ tool: "replay", open })
})

const capabilities = {
  images: true,
  steer: false,
  set_model: false,
  permission_modes: [],
  resume: false,
  terminal: false
}

/** The relay says these by itself, now as then. */
const madeByRelay = new Set(["session_start", "session_end", "input_ack", "permission_cancelled"])
