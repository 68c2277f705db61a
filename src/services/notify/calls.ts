/**
 * calls: decides when to notify people: a session waits for an answer, or a long turn has ended.
 *
 * If nobody is connected, at once. If somebody is, only if the question is still open after a while, and not about turns.
 */
import { Clock, Duration, Effect, FiberMap, Queue } from "effect"
import type { SessionId } from "../../schema/index.js"
import type { SessionListing } from "../log/SessionListing.js"
import { SessionRegistry } from "../session/SessionRegistry.js"

export type Call =
  | { readonly kind: "question"; readonly line: SessionListing; readonly request_id: string }
  | { readonly kind: "done"; readonly line: SessionListing }

/** How long connected clients have to answer before people are notified. */
const whileLookedAt = Duration.seconds(30)
/** Shortest turn to notify about, in seconds. */
const longTurn = 60

interface Seen {
  readonly asked: ReadonlySet<string>
  /** When the running turn was first seen, in Unix seconds. */
  readonly since: number | undefined
}
const unseen: Seen = { asked: new Set(), since: undefined }

/** Calls `onCall` for each notification until the scope ends; it must not block. */
export const watch = Effect.fnUntraced(function*(onCall: (call: Call) => void) {
  const registry = yield* SessionRegistry
  const seen = new Map<SessionId, Seen>()
  const changed = yield* Queue.sliding<SessionId>(1000)
  const waiting = yield* FiberMap.make<string>()

  /** Notifies about the question if it is still open. */
  const call = Effect.fnUntraced(function*(session_id: SessionId, request_id: string) {
    const before = yield* registry.listing(session_id)
    if ((before?.clients ?? 0) > 0) yield* Effect.sleep(whileLookedAt)
    const line = yield* registry.listing(session_id)
    if (line?.pending.includes(request_id) !== true) return
    onCall({ kind: "question", line, request_id })
  })

  const look = Effect.fnUntraced(function*(session_id: SessionId) {
    const line = yield* registry.listing(session_id)
    const { asked, since } = seen.get(session_id) ?? unseen
    if (line === undefined || line.state === "closed") return void seen.delete(session_id)
    const now = (yield* Clock.currentTimeMillis) / 1000
    const isRunning = line.state === "running"
    seen.set(session_id, { asked: new Set(line.pending), since: isRunning ? since ?? now : undefined })
    for (const request_id of line.pending) {
      if (asked.has(request_id)) continue
      yield* FiberMap.run(waiting, `${session_id} ${request_id}`, call(session_id, request_id))
    }
    for (const request_id of asked) {
      if (!line.pending.includes(request_id)) yield* FiberMap.remove(waiting, `${session_id} ${request_id}`)
    }
    const isOver = !isRunning && since !== undefined && now - since >= longTurn
    if (isOver && line.clients === 0) onCall({ kind: "done", line })
  })

  const stop = registry.watch((session_id) => {
    if (session_id !== undefined) Queue.offerUnsafe(changed, session_id)
  })
  yield* Effect.addFinalizer(() => Effect.sync(stop))
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(changed), look)))
})
