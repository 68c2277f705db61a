/**
 * serveSessionList: the list of sessions, for a client whose handshake says `watch`: all of it, then each line that changes, a
 * few times a second at most however fast an agent is.
 */
import { Effect } from "effect"
import type { SessionId, SessionLine } from "../schema/index.js"
import { makePause } from "../services/makePause.js"
import { lineOf } from "../services/session/SessionListing.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import type { Connection } from "./Connection.js"

/** What changes within this time is told at once. */
const gathered = "200 millis"

interface Changes {
  /** What has changed since it was asked last; waits for something. Undefined: the relay ends. */
  readonly next: Effect.Effect<ReadonlyArray<SessionId> | undefined>
  readonly stop: () => void
}

const follow = (watch: SessionRegistry["Service"]["watch"]): Changes => {
  let changed = new Set<SessionId>()
  let isOver = false
  let wake: (() => void) | undefined
  const stop = watch((session_id) => {
    if (session_id === undefined) isOver = true
    else changed.add(session_id)
    // Who hears of a change is in the middle of making it.
    if (wake !== undefined) queueMicrotask(wake)
    wake = undefined
  })
  const somethingNew = Effect.callback<void>((resume) => {
    const look = () => {
      if (changed.size > 0 || isOver) resume(Effect.void)
      else wake = look
    }
    look()
    return Effect.sync(() => void (wake = undefined))
  })
  const next = Effect.map(somethingNew, () => {
    if (isOver) return undefined
    const ids = [...changed]
    changed = new Set()
    return ids
  })
  return { next, stop }
}

/** Commands belong to a session; only the connection's own is answered. */
const answer = (connection: Connection): Effect.Effect<never> =>
  connection.receive.pipe(
    Effect.flatMap((decoded) => {
      return decoded._tag === "Success" && decoded.success.type === "ping"
        ? connection.tell({ type: "status", status: "pong" })
        : connection.tell({
          type: "error",
          code: "bad_command",
          text: "this connection watches the list of sessions: open another one to talk in a session"
        })
    }),
    Effect.forever
  )

/** Completes when the relay ends. */
export const serveSessionList = Effect.fn("serveSessionList")(function*(connection: Connection) {
  const registry = yield* SessionRegistry
  const changes = yield* Effect.acquireRelease(
    Effect.sync(() => follow(registry.watch)),
    ({ stop }) => Effect.sync(stop)
  )
  const told = new Set<string>()
  const tellLine = Effect.fnUntraced(function*(session_id: SessionId) {
    const line = yield* registry.listing(session_id)
    if (line !== undefined) {
      told.add(session_id)
      return yield* connection.tell({ type: "session_changed", session: lineOf(line) })
    }
    // Of one it was never told, it is not told that it is gone: it may not be for this client.
    if (told.delete(session_id)) yield* connection.tell({ type: "session_removed", removed: session_id })
  })
  const tellAll = Effect.gen(function*() {
    const pause = makePause()
    const lines: Array<SessionLine> = []
    for (const listing of yield* registry.list) {
      lines.push(lineOf(listing))
      told.add(listing.session_id)
      yield* pause
    }
    yield* connection.tellList({ type: "session_list" }, "sessions", lines)
    for (let ids = yield* changes.next; ids !== undefined; ids = yield* changes.next) {
      yield* Effect.forEach(ids, tellLine, { discard: true })
      yield* Effect.sleep(gathered)
    }
  })
  yield* Effect.raceFirst(tellAll, answer(connection))
}, Effect.scoped)
