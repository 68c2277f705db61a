/**
 * Connection: one WebSocket. The only place that reads and writes sockets.
 *
 * Inbound: a Queue of text frames; while it is long the socket is not read. Outbound: the connection follows a session's
 * log at its own pace, a batch of frames per write; above the high-water mark it waits for the socket to drain,
 * and the log waits for it or cuts it off, as the log sees fit.
 */
import { type Context, Deferred, Effect, Queue, Schedule, Schema } from "effect"
import type { Socket } from "node:net"
import type { RawData, WebSocket } from "ws"
import type { EventBody } from "../schema/index.js"
import type { EventLog, Follower } from "../services/EventLog.js"
import { makeWriter } from "./textFrames.js"

/** The client read too slowly and was cut off from the log. */
export class FellBehind extends Schema.TaggedError<FellBehind>()("FellBehind", { seq: Schema.Number }) {
  override get message() {
    return `the client read too slowly: connect again with after_seq ${this.seq}`
  }
}

export interface Connection {
  /** The next text frame. Never completes once the peer is gone. */
  readonly receive: Effect.Effect<string>
  /** Say something to this client alone. It repeats the `seq` the client stands at, so that no cursor moves. */
  readonly tell: (event: EventBody) => Effect.Effect<void>
  /** Send a greeting, then what is in the log after `after_seq`, and what comes, until the log is closed. */
  readonly follow: (
    log: Context.Tag.Service<EventLog>,
    options: { readonly after_seq: number; readonly raw: boolean; readonly greeting?: EventBody | undefined }
  ) => Effect.Effect<void, FellBehind>
  /** Completes when the peer is gone. */
  readonly gone: Effect.Effect<void>
  readonly close: (code: number, reason: string) => Effect.Effect<void>
}

/** Unsent bytes above which a connection stops taking from the log. */
const highWaterBytes = 1024 * 1024
/** Inbound frames and bytes above which the socket is not read. */
const inboundFrames = 64
const inboundBytes = 1024 * 1024
const heartbeat = "30 seconds"

export interface ConnectionOptions {
  /** Bytes the peer may send before its first frame is complete. */
  readonly max_handshake_bytes: number
}

export const make = Effect.fnUntraced(function*(ws: WebSocket, socket: Socket, options: ConnectionOptions) {
  const clock = yield* Effect.clock
  // Bounded by `ws.pause`: what one read of the socket holds can still come after it.
  const inbound = yield* Queue.unbounded<string>()
  const gone = yield* Deferred.make<void>()
  let frames = 0
  let bytes = 0
  let position = 0
  let session_id: string | undefined

  const isFull = () => bytes > inboundBytes || frames >= inboundFrames

  /** Until the first frame is whole, nobody knows who is sending. */
  let isFirst = true
  const onFirstBytes = () => {
    if (!isFirst || socket.bytesRead <= firstByte + options.max_handshake_bytes) return
    unsafeTell(tooLong(options.max_handshake_bytes))
    ws.close(1009, "the handshake is too long")
    socket.off("data", onFirstBytes)
  }
  const firstByte = socket.bytesRead
  socket.on("data", onFirstBytes)

  const onMessage = (data: RawData, isBinary: boolean) => {
    // Being taken off in the middle of an event, the listener is called once more.
    isFirst = false
    socket.off("data", onFirstBytes)
    if (isBinary) return unsafeTell(noBinary)
    // `nodebuffer`, ws's default: one Buffer.
    const text = (data as Buffer).toString("utf8")
    frames += 1
    bytes += text.length
    inbound.unsafeOffer(text)
    if (isFull()) ws.pause()
  }
  const onGone = () => Deferred.unsafeDone(gone, Effect.void)
  yield* Effect.acquireRelease(
    Effect.sync(() => void ws.on("message", onMessage).on("close", onGone).on("error", onGone)),
    // The error listener stays: a late error must not end the process.
    () => Effect.sync(() => void ws.off("message", onMessage).off("close", onGone).terminate())
  )

  const receive = Effect.map(Queue.take(inbound), (text) => {
    frames -= 1
    bytes -= text.length
    if (ws.isPaused && !isFull()) ws.resume()
    return text
  })

  const unsafeTell = (event: EventBody) => {
    const ts = clock.unsafeCurrentTimeMillis() / 1000
    ws.send(JSON.stringify({ ...event, seq: position, ts, ...(session_id !== undefined && { session_id }) }))
  }

  const follow: Connection["follow"] = (log, { after_seq, greeting, raw }) =>
    Effect.async((resume) => {
      session_id = log.session_id
      position = after_seq
      const follower: Follower = log.unsafeFollow(after_seq, () => write())
      const send = makeWriter(socket, raw)
      const write = () => {
        if (ws.bufferedAmount > highWaterBytes) return
        for (let batch = follower.next(); batch !== undefined; batch = follower.next()) {
          // A closing socket has sent its last frame already.
          if (ws.readyState !== ws.OPEN) return
          send(batch)
          position = batch.firstSeq + batch.ends.length - 1
          if (ws.bufferedAmount > highWaterBytes) return
        }
        if (follower.overrun()) resume(new FellBehind({ seq: position }))
        else if (follower.done()) resume(Effect.void)
      }
      if (greeting !== undefined) unsafeTell(greeting)
      if (follower.gap !== undefined) unsafeTell(gap(follower.gap))
      socket.on("drain", write)
      write()
      return Effect.sync(() => {
        socket.off("drain", write)
        follower.detach()
      })
    })

  let unanswered = 0
  ws.on("pong", () => void (unanswered = 0))
  yield* Effect.sync(() => {
    if (++unanswered > 2) return ws.terminate()
    ws.ping()
  }).pipe(Effect.schedule(Schedule.spaced(heartbeat)), Effect.forkScoped)

  const connection: Connection = {
    receive,
    tell: (event) => Effect.sync(() => unsafeTell(event)),
    follow,
    gone: Deferred.await(gone),
    close: (code, reason) => Effect.sync(() => ws.close(code, reason.slice(0, 120)))
  }
  return connection
})

const noBinary: EventBody = {
  type: "error",
  code: "bad_command",
  text: "binary frames are not understood: send JSON as text; images go into a user_message as base64"
}

const tooLong = (bytes: number): EventBody => ({
  type: "error",
  code: "too_large",
  text: `the handshake may have ${bytes} bytes: send images and long texts as commands, after it`,
  metadata: { fatal: true }
})

const gap = (first_seq: number): EventBody => ({
  type: "error",
  code: "gap",
  text: `the events before ${first_seq} are no longer kept: what follows starts there`,
  metadata: { first_seq }
})
