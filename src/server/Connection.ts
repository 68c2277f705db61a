/**
 * Connection: one WebSocket. The only place that reads and writes sockets, but for pings (`Heartbeat`).
 *
 * Inbound: a bounded Queue of decoded commands; while it is long, or the peer does not read its answers, the socket is not
 * read. Until it is known who sends them, only the first frame is looked at. Outbound: the stream of a session's events, which
 * the connection follows at its own pace, a batch of frames per write; while the peer has much to read it waits for the socket
 * to drain, and the log waits for it or cuts it off, as the log sees fit.
 */
import { Clock, Deferred, Effect, Queue, Schema, Semaphore } from "effect"
import type { Socket } from "node:net"
import type { RawData } from "ws"
import { doneSoon } from "../adapters/doneSoon.js"
import { decodeFrame, type EventBody, type JsonBounds } from "../schema/index.js"
import type { EventLog } from "../services/log/EventLog.js"
import type { LogCursor } from "../services/log/LogCursors.js"
import { makePause } from "../services/makePause.js"
import type { PeerSocket } from "./PeerSocket.js"
import type { ServerSettings } from "./ServerConfig.js"
import { makeWriter } from "./textFrames.js"
import * as UnfinishedFrames from "./UnfinishedFrames.js"

/** The client read too slowly and was cut off from the log. */
export class FellBehind extends Schema.TaggedError<FellBehind>()("FellBehind", { seq: Schema.Number }) {
  override get message() {
    return `the client read too slowly: connect again with after_seq ${this.seq}`
  }
}

export interface Connection {
  /** The first text frame, not decoded. Never completes once the peer is gone. */
  readonly opening: Effect.Effect<string>
  /** What the next text frame after it wants, or why it is no command. Never completes once the peer is gone. */
  readonly receive: Effect.Effect<ReturnType<typeof decodeFrame>>
  /**
   * Say something to this client alone; waits while it has too much to read. It repeats the `seq` the client stands at,
   * so that no cursor moves.
   */
  readonly tell: (event: EventBody) => Effect.Effect<void>
  /** The same with a long list in it, made and sent in pieces: it must hold up nobody else. `field` names it. */
  readonly tellList: (
    event: { readonly type: string },
    field: string,
    items: ReadonlyArray<unknown>
  ) => Effect.Effect<void>
  /** Send a greeting, then what is in the log after `after_seq`, and what comes, until the log is closed. */
  readonly follow: (
    log: EventLog["Service"],
    options: {
      readonly after_seq: number
      readonly raw: boolean
      readonly greeting?: EventBody | undefined
      /** Told to it alone. */
      readonly own?: EventBody | undefined
    }
  ) => Effect.Effect<void, FellBehind>
  /** Completes when the peer is gone. */
  readonly gone: Effect.Effect<void>
  /** Say goodbye. Completes when the peer is gone, or has had time to read what is left and to say so. */
  readonly close: (code: number, reason: string) => Effect.Effect<void>
}

/** Inbound frames and bytes above which the socket is not read. */
const inboundFrames = 64
const inboundBytes = 1024 * 1024
/** Frames that can wait: what one read of a socket holds (64 KiB) still comes after it; the smallest frame has 6 bytes. */
const mostInbound = inboundFrames + Math.ceil(64 * 1024 / 6)
/** Items of a list that are sent in one piece. */
const listedTogether = 50
/** How long a client may take to read why it is sent away in the middle of a frame, in ms. */
const overloadedMs = 1000
/** How long the goodbye of a client that has followed a session is waited for, and of one that has not. */
const closeTimeout = { client: "30 seconds", unauthenticated: "1 second" } as const

/** Bytes the peer may send before its first frame is complete, in any frame, and leave unread; and what JSON may hold. */
export type ConnectionOptions =
  & Pick<
    ServerSettings,
    "max_handshake_bytes" | "max_frame_bytes" | "max_unsent_bytes" | "max_json_depth" | "max_json_values"
  >
  & { readonly unfinished?: UnfinishedFrames.UnfinishedFrames }

/** A frame that waits: its text, or what that wants; undefined for a binary frame. */
interface Waiting<Content> {
  readonly content: Content | undefined
  readonly size: number
}

export const make = Effect.fnUntraced(function*(ws: PeerSocket, socket: Socket, options: ConnectionOptions) {
  const clock = yield* Clock.Clock
  const bounds: JsonBounds = { levels: options.max_json_depth, values: options.max_json_values }
  const commands = yield* Queue.bounded<Waiting<ReturnType<typeof decodeFrame>>>(mostInbound)
  /** Frames of a client that nobody knows yet; undefined: it is known. */
  let early: Queue.Queue<Waiting<string>> | undefined = yield* Queue.bounded<Waiting<string>>(mostInbound)
  const gone = yield* Deferred.make<void>()
  let frames = 0
  let bytes = 0
  let position = 0
  let session_id: string | undefined
  let isClosing = false

  const isFull = () => bytes > inboundBytes || frames >= inboundFrames
  const isBehind = () => ws.bufferedAmount > options.max_unsent_bytes

  /** Until the first frame is whole, nobody knows who is sending. */
  let isFirst = true
  const onFirstBytes = () => {
    if (!isFirst || socket.bytesRead <= firstByte + options.max_handshake_bytes) return
    unsafeTell(tooLong(options.max_handshake_bytes))
    isClosing = true
    ws.close(1009, "the handshake is too long")
    socket.off("data", onFirstBytes)
  }
  const firstByte = socket.bytesRead

  /** What the frame that is coming holds, of all that may. */
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
      // Being taken off in the middle of an event, the listener is called once more.
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
  // When a frame breaks a rule the peer is told which.
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
    // The error listener stays: a late error must not end the process. After any there is a close.
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

  /** The next one that is no binary frame. */
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

  /** It is known who speaks: what came meanwhile is decoded, and from now on each frame when it comes. */
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

  /** Pieces of one message have no other between them. */
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
      // Who leaves in the middle of it closes the connection: a message that is not whole is none.
    }).pipe(oneByOne.withPermits(1))

  /** What the peer still sends is not read any more, only its own goodbye is waited for. */
  const close: Connection["close"] = (code, reason) =>
    Effect.suspend(() => {
      isClosing = true
      ws.close(code, reason.slice(0, 120))
      ws.resume()
      const patience = session_id === undefined ? closeTimeout.unauthenticated : closeTimeout.client
      return Effect.asVoid(Effect.timeoutOption(Deferred.await(gone), patience))
    })

  const follow: Connection["follow"] = (log, { after_seq, greeting, own, raw }) =>
    Effect.callback((resume) => {
      session_id = log.session_id
      position = after_seq
      const follower: LogCursor = log.unsafeFollow(after_seq, () => write())
      const send = makeWriter(socket, raw)
      const write = () => {
        if (isBehind()) return
        for (let batch = follower.next(); batch !== undefined; batch = follower.next()) {
          // A closing socket has sent its last frame already.
          if (ws.readyState !== ws.OPEN) return
          send(batch)
          position = batch.firstSeq + batch.ends.length - 1
          if (isBehind()) return
        }
        if (follower.overrun()) resume(new FellBehind({ seq: position }))
        else if (follower.done()) resume(Effect.void)
      }
      if (greeting !== undefined) unsafeTell(greeting)
      if (follower.gap !== undefined) unsafeTell(gap(follower.gap))
      if (own !== undefined) unsafeTell(own)
      socket.on("drain", write)
      write()
      return Effect.sync(() => {
        socket.off("drain", write)
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
    "too many large frames are coming at once: connect again and send it later, or start the relay with a higher "
    + "--max-unfinished-bytes",
  metadata: { fatal: true }
}

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

const broken = (code: number | undefined, { max_frame_bytes }: ConnectionOptions): EventBody | undefined =>
  code === 1009
    ? {
      type: "error",
      code: "too_large",
      text: `a frame may have ${max_frame_bytes} bytes: send less at once, or start the relay with a higher `
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
  text: `the events before ${first_seq} are no longer kept: what follows starts there`,
  metadata: { first_seq }
})
