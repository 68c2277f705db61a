/**
 * Heartbeat: pings all peers at the same time, so that an idle relay wakes up once and not once per peer. A peer that has
 * not answered two pings is dropped when the third is due.
 */
import { Chunk, Effect, Schedule } from "effect"
import type { WebSocket } from "ws"

const interval = "30 seconds"
const mostUnanswered = 2
/** Peers pinged before yielding: pinging a thousand would delay every session by 20 ms. */
const atOnce = 50

const othersTurn = Effect.callback<void>((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** Pings the current peers at each beat, until the scope closes. */
export const keep = (peers: Iterable<WebSocket>) => {
  const unanswered = new WeakMap<WebSocket, number>()
  const beat = (peer: WebSocket) => {
    const pings = unanswered.get(peer)
    if (pings === mostUnanswered) return peer.terminate()
    if (pings === undefined) peer.on("pong", () => void unanswered.set(peer, 0))
    unanswered.set(peer, (pings ?? 0) + 1)
    peer.ping()
  }
  const beatAll = Effect.suspend(() =>
    Effect.forEach(
      Chunk.chunksOf(Chunk.fromIterable(peers), atOnce),
      (some) => Effect.andThen(Effect.sync(() => Chunk.forEach(some, beat)), othersTurn),
      { discard: true }
    )
  )
  return Effect.forkScoped(Effect.schedule(beatAll, Schedule.spaced(interval)))
}
