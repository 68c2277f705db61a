/**
 * serveSessionList: the list of sessions, for a client whose handshake says `watch`: first all sessions, then each one that
 * changes, at most a few times a second.
 */
import { Effect } from "effect"
import type { SessionId, SessionLine } from "../schema/index.js"
import { lineOf } from "../services/log/SessionListing.js"
import { makePause } from "../services/makePause.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import type { Connection } from "./Connection.js"

/** Changes within this time are sent together. */
const gathered = "200 millis"

interface Changes {
  /** Sessions that changed since the last call; waits for at least one. Undefined: the relay is shutting down. */
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
    // Called in the middle of a change, so it is read later.
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

/** Answers commands with an error, except those of the connection itself: commands belong to a session. */
const answer = (connection: Connection): Effect.Effect<never> =>
  connection.receive.pipe(
    Effect.flatMap((decoded) => {
      return decoded._tag === "Success" && decoded.success.type === "ping"
        ? connection.tell({ type: "status", status: "pong" })
        : connection.tell({
          type: "error",
          code: "bad_command",
          text: "this connection watches the list of sessions: open another connection to use a session"
        })
    }),
    Effect.forever
  )

/** Completes when the relay shuts down. */
export const serveSessionList = Effect.fnUntraced(function*(connection: Connection) {
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
    // The end of a session is told only to clients that saw it: others may not know of it.
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
