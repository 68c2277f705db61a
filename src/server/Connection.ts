/**
 * Connection: one WebSocket. Apart from pings (`Heartbeat`), sockets are read and written only here.
 *
 * Inbound: a bounded Queue of decoded commands. While it is long, or while the peer does not read its answers, the socket is
 * not read. Before authentication only the first frame is looked at. Outbound: a session's events, followed at the client's
 * pace, a batch of frames per write. While the peer is behind, the connection waits for the socket to drain, and the log
 * either waits for it or cuts it off.
 */
import { Clock, Deferred, Effect, Queue, Schema, Semaphore } from "effect"
import type { Socket } from "node:net"
import type { RawData } from "ws"
import { doneSoon } from "../adapters/doneSoon.js"
import { decodeFrame, type EventBody, type JsonBounds } from "../schema/index.js"
import type { EventLog } from "../services/log/EventLog.js"
import type { LogCursor } from "../services/log/LogCursors.js"
import { makePause } from "../services/makePause.js"
import { closeReason } from "./closeReason.js"
import type { PeerSocket } from "./PeerSocket.js"
import type { ServerSettings } from "./ServerConfig.js"
import { makeWriter } from "./textFrames.js"
import * as UnfinishedFrames from "./UnfinishedFrames.js"

/** The client read too slowly, and the log cut it off. */
export class FellBehind extends Schema.TaggedError<FellBehind>()("FellBehind", { seq: Schema.Number }) {
  override get message() {
    return `the client read too slowly: connect again with after_seq ${this.seq}`
  }
}

export interface Connection {
  /** The first text frame, as text. Never completes once the peer is gone. */
  readonly opening: Effect.Effect<string>
  /** The command in the next text frame, or why it is not one. Never completes once the peer is gone. */
  readonly receive: Effect.Effect<ReturnType<typeof decodeFrame>>
  /**
   * Sends an event to this client only, after waiting while the client is behind. It repeats the client's current `seq`, so
   * that no cursor moves.
   */
  readonly tell: (event: EventBody) => Effect.Effect<void>
  /** Like `tell`, for an event with a long list in `field`, which is sent in pieces so that it does not delay others. */
  readonly tellList: (
    event: { readonly type: string },
    field: string,
    items: ReadonlyArray<unknown>
  ) => Effect.Effect<void>
  /** Sends a greeting, then the log's events after `after_seq` and new ones as they come, until the log is closed. */
  readonly follow: (
    log: EventLog["Service"],
    options: {
      readonly after_seq: number
      readonly raw: boolean
      readonly greeting?: EventBody | undefined
      /** Sent to this client only. */
      readonly own?: EventBody | undefined
    }
  ) => Effect.Effect<void, FellBehind>
  /** Completes when the peer is gone. */
  readonly gone: Effect.Effect<void>
  /** Closes the socket. Completes when the peer has closed it too, or had time to. */
  readonly close: (code: number, reason: string) => Effect.Effect<void>
}

/** The socket is not read while more inbound frames or bytes than these wait. */
const inboundFrames = 64
const inboundBytes = 1024 * 1024
/** Capacity of the queue: one more read of the socket (64 KiB) may follow, and the smallest frame has 6 bytes. */
const mostInbound = inboundFrames + Math.ceil(64 * 1024 / 6)
/** Items of a list per piece. */
const listedTogether = 50
/** Bytes of a long history that are written before others have their turn: a fast reader never makes the socket wait. */
const writtenAtOnce = 1024 * 1024
/** How long a client has to read why it was disconnected in the middle of a frame, in ms. */
const overloadedMs = 1000
/** How long to wait for the peer's close: for clients of a session, and for those that never authenticated. */
const closeTimeout = { client: "30 seconds", unauthenticated: "1 second" } as const

/** Limits on the first frame, on any frame, on unread bytes, and on JSON. */
export type ConnectionOptions =
  & Pick<
    ServerSettings,
    "max_handshake_bytes" | "max_frame_bytes" | "max_unsent_bytes" | "max_json_depth" | "max_json_values"
  >
  & { readonly unfinished?: UnfinishedFrames.UnfinishedFrames }

/** A waiting frame: its text or its command; undefined for a binary frame. */
interface Waiting<Content> {
  readonly content: Content | undefined
  readonly size: number
}

export const make = Effect.fnUntraced(function*(ws: PeerSocket, socket: Socket, options: ConnectionOptions) {
  const clock = yield* Clock.Clock
  const bounds: JsonBounds = { levels: options.max_json_depth, values: options.max_json_values }
  const commands = yield* Queue.bounded<Waiting<ReturnType<typeof decodeFrame>>>(mostInbound)
  /** Frames of a client that is not authenticated yet; undefined: it is. */
  let early: Queue.Queue<Waiting<string>> | undefined = yield* Queue.bounded<Waiting<string>>(mostInbound)
  const gone = yield* Deferred.make<void>()
  let frames = 0
  let bytes = 0
  let position = 0
  let session_id: string | undefined
  let isClosing = false

  const isFull = () => bytes > inboundBytes || frames >= inboundFrames
  const isBehind = () => ws.bufferedAmount > options.max_unsent_bytes

  /** The first frame is not complete: the sender is unknown. */
  let isFirst = true
  const onFirstBytes = () => {
    if (!isFirst || socket.bytesRead <= firstByte + options.max_handshake_bytes) return
    unsafeTell(tooLong(options.max_handshake_bytes))
    isClosing = true
    ws.close(1009, "the handshake is too long")
    socket.off("data", onFirstBytes)
  }
  const firstByte = socket.bytesRead

  /** Bytes of the incomplete frame that `unfinished` counts. */
  let counted = 0
  let frameBegan = firstByte
  const count = (bytes: number) => {
    const more = bytes - counted
    counted = bytes
    return options.unfinished?.add(more) ?? true
  }
  const onBytes = () => {
    const bytes = socket.bytesRead - frameBegan
    if (isClosing || bytes <= UnfinishedFrames.uncounted || count(bytes)) return
    unsafeTell(tooMuchUnfinished)
    isClosing = true
    ws.close(1013, "too many large frames at once")
    ws.pause()
    count(0)
    setTimeout(() => ws.terminate(), overloadedMs).unref()
  }
  const onMessage = (data: RawData, isBinary: boolean) => {
    if (isClosing) return
    frameBegan = socket.bytesRead
    count(0)
    if (!isBinary) {
      // A listener that is removed during an event is still called once more.
      isFirst = false
      socket.off("data", onFirstBytes)
    }
    // `nodebuffer`, ws's default: one Buffer.
    const { length: size } = data as Buffer
    frames += 1
    bytes += size
    const text = isBinary ? undefined : (data as Buffer).toString("utf8")
    const isTaken = early === undefined
      ? deliver(text, size)
      : Queue.offerUnsafe(early, { content: text, size })
    if (!isTaken) ws.terminate()
    else if (isFull()) ws.pause()
  }
  // A peer whose frame breaks a rule is told which rule.
  ws.onClosing = (code) => {
    const complaint = isClosing ? undefined : broken(code, options)
    if (complaint !== undefined) unsafeTell(complaint)
  }
  const onGone = () => doneSoon(gone, Effect.void)
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      socket.on("data", onFirstBytes).on("data", onBytes)
      ws.on("message", onMessage).on("close", onGone).on("error", () => {})
    }),
    // The error listener stays, so that a late error cannot end the process. A close follows every error.
    () =>
      Effect.sync(() => {
        socket.off("data", onFirstBytes).off("data", onBytes)
        count(0)
        ws.onClosing = undefined
        ws.off("message", onMessage).off("close", onGone).terminate()
      })
  )

  const deliver = (text: string | undefined, size: number) =>
    Queue.offerUnsafe(commands, { content: text === undefined ? undefined : decodeFrame(text, bounds), size })

  /** The next text frame; binary frames are answered and skipped. */
  const takeFrom = <Content>(queue: Queue.Queue<Waiting<Content>>): Effect.Effect<Content> =>
    Effect.flatMap(Queue.take(queue), ({ content, size }) => {
      frames -= 1
      bytes -= size
      if (ws.isPaused && !isFull()) ws.resume()
      return content === undefined
        ? Effect.andThen(tell(noBinary), takeFrom(queue))
        : Effect.succeed(content)
    })

  const opening: Connection["opening"] = Effect.suspend(() =>
    early === undefined ? Effect.never : takeFrom(early)
  )

  /** The client is authenticated: decodes frames that arrived meanwhile, and from now on every frame on arrival. */
  const admit = Effect.suspend(() => {
    if (early === undefined) return Effect.void
    const waiting = early
    early = undefined
    return Effect.map(Queue.clear(waiting), (frames) => {
      for (const { content, size } of frames) deliver(content, size)
    })
  })

  const receive: Connection["receive"] = Effect.andThen(admit, takeFrom(commands))

  const unsafeTell = (event: EventBody) => {
    const ts = clock.currentTimeMillisUnsafe() / 1000
    ws.send(JSON.stringify({ ...event, seq: position, ts, ...(session_id !== undefined && { session_id }) }))
  }

  const drained = Effect.callback<void>((resume) => {
    const onDrain = () => resume(Effect.void)
    if (!isBehind()) return onDrain()
    socket.once("drain", onDrain)
    return Effect.sync(() => socket.off("drain", onDrain))
  })

  /** Keeps other messages out from between the pieces of one. */
  const oneByOne = Semaphore.makeUnsafe(1)

  const tell: Connection["tell"] = (event) =>
    oneByOne.withPermits(1)(Effect.suspend(() => {
      unsafeTell(event)
      return drained
    }))

  const tellList: Connection["tellList"] = (event, field, items) =>
    Effect.gen(function*() {
      const pause = makePause()
      const ts = clock.currentTimeMillisUnsafe() / 1000
      const head = JSON.stringify({ ...event, seq: position, ts }).slice(0, -1)
      ws.send(`${head},${JSON.stringify(field)}:[`, { fin: false })
      for (let at = 0; at < items.length; at += listedTogether) {
        const piece = items.slice(at, at + listedTogether).map((item) => JSON.stringify(item)).join(",")
        ws.send(at === 0 ? piece : `,${piece}`, { fin: false })
        yield* drained
        yield* pause
      }
      ws.send("]}", { fin: true })
      yield* drained
      // If the sender is interrupted, the connection is closed: an incomplete message must not be continued.
    }).pipe(oneByOne.withPermits(1))

  /** Stops reading the peer's frames and only waits for its close. */
  const close: Connection["close"] = (code, reason) =>
    Effect.suspend(() => {
      isClosing = true
      ws.close(code, closeReason(reason))
      ws.resume()
      const patience = session_id === undefined ? closeTimeout.unauthenticated : closeTimeout.client
      return Effect.asVoid(Effect.timeoutOption(Deferred.await(gone), patience))
    })

  const follow: Connection["follow"] = (log, { after_seq, greeting, own, raw }) =>
    Effect.callback((resume) => {
      session_id = log.session_id
      position = after_seq
      const follower: LogCursor = log.unsafeFollow(after_seq, () => more())
      const send = makeWriter(socket, raw)
      let pausing: NodeJS.Immediate | undefined
      const write = () => {
        pausing = undefined
        if (isBehind()) return
        let written = 0
        for (let batch = follower.next(); batch !== undefined; batch = follower.next()) {
          // A closing socket has already sent its last frame.
          if (ws.readyState !== ws.OPEN) return
          send(batch)
          position = batch.firstSeq + batch.ends.length - 1
          if (isBehind()) return
          written += batch.bytes.length
          if (written > writtenAtOnce) return void (pausing = setImmediate(write))
        }
        if (follower.overrun()) resume(new FellBehind({ seq: position }))
        else if (follower.done()) resume(Effect.void)
      }
      if (greeting !== undefined) unsafeTell(greeting)
      if (follower.gap !== undefined) unsafeTell(gap(follower.gap))
      if (own !== undefined) unsafeTell(own)
      // After the pause, if there is one.
      const more = () => {
        if (pausing === undefined) write()
      }
      const onDrain = () => void (pausing ??= setImmediate(write))
      socket.on("drain", onDrain)
      write()
      return Effect.sync(() => {
        socket.off("drain", onDrain)
        clearImmediate(pausing)
        follower.detach()
      })
    })

  const connection: Connection = {
    opening,
    receive,
    tell,
    tellList,
    follow,
    gone: Deferred.await(gone),
    close
  }
  return connection
})

const tooMuchUnfinished: EventBody = {
  type: "error",
  code: "overloaded",
  text:
    "too many large frames are arriving at once: connect again and send it later, or start the relay with a higher "
    + "--max-unfinished-bytes",
  metadata: { fatal: true }
}

const noBinary: EventBody = {
  type: "error",
  code: "bad_command",
  text: "binary frames are not supported: send JSON as text, and images as base64 in a user_message"
}

const tooLong = (bytes: number): EventBody => ({
  type: "error",
  code: "too_large",
  text: `the handshake may have at most ${bytes} bytes: send images and long texts as commands, after it`,
  metadata: { fatal: true }
})

const broken = (code: number | undefined, { max_frame_bytes }: ConnectionOptions): EventBody | undefined =>
  code === 1009
    ? {
      type: "error",
      code: "too_large",
      text:
        `a frame may have at most ${max_frame_bytes} bytes: send less at once, or start the relay with a higher `
        + "--max-frame-bytes",
      metadata: { fatal: true }
    }
    : code === 1007
    ? {
      type: "error",
      code: "bad_command",
      text: "the frame is not valid UTF-8: send JSON as UTF-8 text",
      metadata: { fatal: true }
    }
    : undefined

const gap = (first_seq: number): EventBody => ({
  type: "error",
  code: "gap",
  text: `events before ${first_seq} are no longer available: the following events start there`,
  metadata: { first_seq }
})
