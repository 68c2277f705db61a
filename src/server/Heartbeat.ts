/**
 * Heartbeat: all peers are pinged at the same time, so that an idle relay wakes up once and not once for each of them.
 * Who has not answered two pings is dropped when the third is due.
 */
import { Effect, Schedule } from "effect"
import type { WebSocket } from "ws"

const interval = "30 seconds"
const mostUnanswered = 2

/** Ping those that are there at each beat, until the scope closes. */
export const keep = (peers: Iterable<WebSocket>) =>
  Effect.suspend(() => {
    const unanswered = new WeakMap<WebSocket, number>()
    const beat = (peer: WebSocket) => {
      const pings = unanswered.get(peer)
      if (pings === mostUnanswered) return peer.terminate()
      if (pings === undefined) peer.on("pong", () => void unanswered.set(peer, 0))
      unanswered.set(peer, (pings ?? 0) + 1)
      peer.ping()
    }
    return Effect.sync(() => {
      for (const peer of peers) beat(peer)
    }).pipe(Effect.schedule(Schedule.spaced(interval)), Effect.forkScoped)
  })
