/**
 * opening: joins sessions, replays them from the start or resumes them, follows them and leaves them.
 */
import { Cause, Deferred, Effect, Exit, Scope, Stream } from "effect"
import type { Handshake, RelayEvent } from "../../schema/index.js"
import type { Op } from "../Op.js"
import * as project from "../project.js"
import { type Open, open } from "../read.js"
import type { PortError, PortSession, SessionPort } from "../SessionPort.js"
import type { Asking } from "./asking.js"
import { type Attached, configOptionsOf, learn } from "./Attached.js"
import * as Encoder from "./encode.js"
import type { Following } from "./following.js"
import type { PathMap } from "./PathMap.js"
import { refusal } from "./refusals.js"

export interface OpeningOptions {
  readonly attached: Map<string, Attached>
  readonly port: Effect.Effect<SessionPort["Service"], PortError>
  readonly drained: Effect.Effect<void>
  readonly paths: PathMap
  /** The client's capabilities. */
  readonly client: () => Open
  readonly front: () => string
  readonly following: Following
  readonly asking: Asking
}

const isObject = (value: unknown) => typeof value === "object" && value !== null

export const make = (
  { asking, attached, client, drained, following, front, paths, port }: OpeningOptions
) => {
  const follow = (entry: Attached): Effect.Effect<void> => {
    return Stream.runForEach(
      entry.session.events,
      (event) => Effect.andThen(Effect.sync(() => following.onEvent(entry, event)), drained)
    ).pipe(
      Effect.matchCause({
        onSuccess: () =>
          following.onOver(
            entry,
            refusal("session_ended", entry.why || "the session has ended; the next prompt reopens it")
          ),
        onFailure: (cause) => {
          const [failure] = cause.reasons.filter(Cause.isFailReason)
          const { code = "internal", reason = "the session can no longer be followed: load it again" } =
            failure?.error ?? {}
          following.onOver(entry, refusal(code, reason))
        }
      }),
      Effect.forkIn(entry.scope),
      Effect.asVoid
    )
  }

  const enter = Effect.fnUntraced(function*(
    handshake: Handshake,
    projection: (session: PortSession) => project.Options
  ) {
    const relay = yield* port
    const scope = yield* Scope.make()
    const session = yield* Scope.provide(relay.join({ ...handshake, front: front() }), scope).pipe(
      Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, Exit.void))
    )
    const wants = open(client()["session"])
    const has = (capability: string) => isObject(wants[capability])
    const entry: Attached = {
      id: session.session_id,
      session,
      scope,
      projector: project.make(projection(session)),
      encoder: Encoder.make({
        paths,
        terminals: open(client()["_meta"])["terminal_output"] === true,
        notices: has("notices"),
        compaction: has("compaction"),
        isOwn: (message_id) => entry.prompts.has(message_id),
        configOptions: () => configOptionsOf(entry)
      }),
      handshake,
      held: undefined,
      prompts: new Map(),
      commands: new Map(),
      asked: new Map(),
      answers: new Map(),
      tries: new Map(),
      settings: { modes: [], models: [] },
      can: { images: false, set_model: false },
      settled: Deferred.makeUnsafe(),
      over: Deferred.makeUnsafe(),
      why: "",
      isStopping: false
    }
    // The current state, whatever was reported before.
    const start = project.make().next({ ...session.start, seq: 1, ts: 0 } as RelayEvent)
    const early: Array<Op> = []
    for (const op of start) {
      learn(entry, op)
      if (op.type === "commands") early.push(op)
    }
    const before = attached.get(entry.id)
    attached.set(entry.id, entry)
    if (before !== undefined) yield* leave(before)
    return { entry, early }
  })

  const leave = (entry: Attached) =>
    Effect.andThen(
      Effect.sync(() => {
        if (attached.get(entry.id) === entry) attached.delete(entry.id)
        following.onOver(entry, refusal("session_ended", "the session was left"))
      }),
      Scope.close(entry.scope, Exit.void)
    )

  const tellEarly = (entry: Attached, early: ReadonlyArray<Op>) =>
    Effect.sync(() => {
      for (const op of early) {
        following.tell(entry, op, { seq: entry.session.last_seq, ts: 0 })
      }
    })

  const findListing = Effect.fnUntraced(function*(id: string) {
    const relay = yield* port
    const sessions = yield* relay.list
    return sessions.find(({ session_id }) => session_id === id)
  })

  const reopen = (handshake: Handshake, replays: boolean) =>
    Effect.gen(function*() {
      const { session_id = "" } = handshake
      const listing = yield* findListing(session_id)
      const { early, entry } = yield* enter({ ...handshake, must_exist: true }, ({ attached, last_seq }) => ({
        settled_until: attached && listing?.open_turn_seq !== undefined
          ? listing.open_turn_seq - 1
          : last_seq,
        cost_usd: replays ? 0 : listing?.cost_usd ?? 0
      }))
      const { projector, session } = entry
      const waiting = Object.values(listing?.pending_seqs ?? {})
      const from = replays
        ? 0
        : Math.min(listing?.open_turn_seq ?? Infinity, ...waiting, session.last_seq + 1) - 1
      const replay = (event: RelayEvent) => {
        for (const op of projector.next(event)) {
          learn(entry, op)
          // Pending questions are asked after everything else is replayed.
          if (replays && op.type !== "ask") following.tell(entry, op, event)
          // The client already has it; the encoder must know what is open and what was sent of it.
          if (!replays) entry.encoder.encode(op, event.ts)
        }
      }
      yield* Stream.runForEach(
        session.history(from),
        (event) => Effect.andThen(Effect.sync(() => replay(event)), drained)
      )
      for (const op of project.make().next({ ...session.start, seq: 1, ts: 0 } as RelayEvent)) {
        learn(entry, op)
      }
      const begin = Effect.gen(function*() {
        yield* tellEarly(entry, early)
        for (const op of projector.asking()) asking.ask(entry, op)
        yield* follow(entry)
      })
      return { entry, begin }
    })

  return { enter, follow, leave, reopen, tellEarly }
}
