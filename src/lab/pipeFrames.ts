/**
 * pipeFrames: joins two sockets. Frames, pings and pongs pass unchanged, so that the relay and its client
 * time each other; a side that reads slowly slows down the other. A relay that is silent has gone.
 */
import { Effect } from "effect"
import { type RawData, WebSocket } from "ws"

/** Unsent bytes at which reading from the other side stops, and at which it resumes. */
const highWaterBytes = 1024 * 1024
const lowWaterBytes = 256 * 1024

/** Close codes that are never sent (RFC 6455): no code received, or no close frame at all. */
const noCode = 1005
const noGoodbye = 1006
/** Connect again. */
const serviceRestart = 1012

const passOn = (from: WebSocket, to: WebSocket): () => void => {
  const resume = () => {
    if (from.isPaused && to.bufferedAmount <= lowWaterBytes) from.resume()
  }
  const onMessage = (data: RawData, binary: boolean) => {
    to.send(data, { binary, compress: false, fin: true }, resume)
    if (to.bufferedAmount > highWaterBytes) from.pause()
  }
  const onPing = (data: Buffer) => to.ping(data)
  const onPong = (data: Buffer) => to.pong(data)
  from.on("message", onMessage).on("ping", onPing).on("pong", onPong)
  return () => from.off("message", onMessage).off("ping", onPing).off("pong", onPong)
}

/**
 * A relay pings every 30 s, so one that says nothing for this long has gone without a word, as containers do when their engine is
 * killed: no packet comes any more, and the client would wait for ever.
 */
const longestSilenceMs = 90_000

const dropSilent = (relay: WebSocket, ms: number): () => void => {
  // While the client reads slowly, nothing is read from the relay.
  const timer: NodeJS.Timeout = setTimeout(() => relay.isPaused ? timer.refresh() : relay.terminate(), ms)
  const onSign = () => void timer.refresh()
  relay.on("message", onSign).on("ping", onSign).on("pong", onSign)
  return () => {
    clearTimeout(timer)
    relay.off("message", onSign).off("ping", onSign).off("pong", onSign)
  }
}

const closed = (socket: WebSocket) =>
  Effect.callback<{ readonly code: number; readonly reason: string }>((resume) => {
    if (socket.readyState === WebSocket.CLOSED) return resume(Effect.succeed({ code: noGoodbye, reason: "" }))
    const onClose = (code: number, reason: Buffer) =>
      resume(Effect.succeed({ code, reason: reason.toString() }))
    socket.once("close", onClose)
    return Effect.sync(() => socket.off("close", onClose))
  })

/** Runs until one side closes; then the other is closed the same way. The client may have been paused. */
export const pipeFrames = (client: WebSocket, relay: WebSocket, silenceMs = longestSilenceMs) =>
  Effect.gen(function*() {
    yield* Effect.acquireRelease(
      Effect.sync(() => [passOn(client, relay), passOn(relay, client), dropSilent(relay, silenceMs)]),
      (stops) => Effect.sync(() => stops.forEach((stop) => stop()))
    )
    client.resume()
    const clientLeft = Effect.map(closed(client), ({ code, reason }) => {
      if (code === noGoodbye) relay.terminate()
      else if (code === noCode) relay.close()
      else relay.close(code, reason)
    })
    const relayLeft = Effect.map(closed(relay), ({ code, reason }) => {
      if (code === noGoodbye) client.close(serviceRestart, "the relay has gone: connect again")
      else if (code === noCode) client.close()
      else client.close(code, reason)
    })
    yield* Effect.raceFirst(clientLeft, relayLeft)
    yield* Effect.all([closed(client), closed(relay)], { concurrency: 2, discard: true })
  }).pipe(Effect.scoped)
