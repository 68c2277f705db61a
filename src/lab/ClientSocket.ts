/**
 * ClientSocket: a client's socket before it is joined to its relay: incoming frames are kept, then the socket
 * is paused.
 */
import { Clock, Deferred, Effect } from "effect"
import type { Socket } from "node:net"
import type { RawData, WebSocket } from "ws"
import { doneSoon } from "../adapters/doneSoon.js"
import type { ErrorCode } from "../schema/index.js"
import { closeReason } from "../server/closeReason.js"

export interface Frame {
  readonly data: RawData | string
  readonly binary: boolean
}

export interface ClientSocket {
  readonly ws: WebSocket
  /** What the WebSocket reads from. */
  readonly socket: Socket
  /** The first frame once it has arrived; it is kept too. Fails if it is too long. */
  readonly first: Effect.Effect<string, "too long">
  /** Everything received so far, for the relay. Nothing is kept from here on. */
  readonly release: () => ReadonlyArray<Frame>
  /** Send an `error` event and close. */
  readonly refuse: (code: ErrorCode, text: string, closeCode: number) => Effect.Effect<void>
}

export const make = (ws: WebSocket, socket: Socket, max_handshake_bytes: number): ClientSocket => {
  const kept: Array<Frame> = []
  const first = Deferred.makeUnsafe<string, "too long">()
  const before = socket.bytesRead

  const onMessage = (data: RawData, binary: boolean) => {
    kept.push({ data, binary })
    ws.pause()
    // `nodebuffer`, the default of ws: one Buffer.
    doneSoon(first, Effect.succeed((data as Buffer).toString("utf8")))
    socket.off("data", onData)
  }
  const onData = () => {
    if (socket.bytesRead - before <= max_handshake_bytes) return
    ws.pause()
    doneSoon(first, Effect.fail("too long"))
  }
  socket.on("data", onData)
  ws.on("message", onMessage).on("error", () => ws.terminate())
  const stopKeeping = () => {
    ws.off("message", onMessage)
    socket.off("data", onData)
  }

  return {
    ws,
    socket,
    first: Deferred.await(first),
    release: () => {
      stopKeeping()
      return kept.splice(0)
    },
    refuse: (code, text, closeCode) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.sync(() => {
          stopKeeping()
          const error = { type: "error", code, text, metadata: { fatal: true }, seq: 0, ts: now / 1000 }
          ws.send(JSON.stringify(error))
          ws.close(closeCode, closeReason(text))
          // Its close frame has to be read.
          ws.resume()
        }))
  }
}
