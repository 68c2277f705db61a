/**
 * Client: a WebSocket client that costs next to nothing, so that the relay is what is measured.
 *
 * It counts frames without looking into them, and sees where the agent's end mark goes by. Who wants frames whole asks
 * for them (`onFrame`). Text in, text out, no extensions.
 */
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { type IncomingMessage, request } from "node:http"
import type { Socket } from "node:net"

/**
 * What the agent's last line of a turn holds, followed by the turn's number; a frame may say it more than once. It begins
 * with a byte that is rare elsewhere: one byte is looked for ten times as fast as several.
 */
const endMark = Buffer.from("~THE-END-OF-IT-")
const markStart = 0x7e
const markLength = endMark.length + 6

export interface Client {
  readonly send: (text: string) => void
  /** Text frames received so far. */
  readonly frames: () => number
  /** Resolves when the next end mark has come. */
  readonly ended: () => Promise<void>
  /** Resolves when there are so many frames in all. */
  readonly has: (frames: number) => Promise<void>
  /** Be given every frame from now on; undefined: only count again. */
  readonly onFrame: (listener: ((payload: Buffer) => void) | undefined) => void
  /** Read nothing more from the socket, until `resume`. */
  readonly pause: () => void
  readonly resume: () => void
  readonly close: () => Promise<void>
}

const text = 0x1
const closing = 0x8
const ping = 0x9
const pong = 0xa

/** A frame as clients must send it: masked, here with zeros, which change nothing. */
const toFrame = (opcode: number, payload: Buffer): Buffer => {
  const { length } = payload
  const header = length < 126
    ? Buffer.from([0x80 | opcode, 0x80 | length, 0, 0, 0, 0])
    : Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 0xff, 0, 0, 0, 0])
  return Buffer.concat([header, payload])
}

const longestHeader = 10

/** Where the payload of the frame that begins at `at` begins. */
const payloadAt = (bytes: Buffer, at: number): number => {
  const short = (bytes[at + 1] ?? 0) & 0x7f
  return at + (short < 126 ? 2 : short === 126 ? 4 : longestHeader)
}

/** Cuts a stream of bytes into frames. A payload is only kept if `wants` says so. */
class FrameReader {
  private header = Buffer.alloc(0)
  private opcode = 0
  private left = 0
  private pieces: Array<Buffer> | undefined

  constructor(
    private readonly wants: () => boolean,
    private readonly onFrame: (opcode: number, payload: Buffer | undefined) => void
  ) {}

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.left === 0) {
        const taken = this.readHeader(chunk, at)
        if (taken === undefined) return
        at = taken
      }
      const end = Math.min(chunk.length, at + this.left)
      this.pieces?.push(chunk.subarray(at, end))
      this.left -= end - at
      at = end
      if (this.left === 0) this.finish()
    }
  }

  /** Where the payload begins; undefined when the header is not here yet. An empty payload is finished at once. */
  private readHeader(chunk: Buffer, at: number): number | undefined {
    const held = this.header.length
    if (held === 0 && at + longestHeader <= chunk.length) return this.begin(chunk, at)
    const bytes = Buffer.concat([this.header, chunk.subarray(at, at + longestHeader)])
    this.header = bytes.subarray(0, 0)
    if (bytes.length < 2 || bytes.length < payloadAt(bytes, 0)) {
      this.header = bytes
      return undefined
    }
    return at + this.begin(bytes, 0) - held
  }

  /** Of a header that is whole. */
  private begin(bytes: Buffer, at: number): number {
    const start = payloadAt(bytes, at)
    const size = start - at
    this.opcode = (bytes[at] ?? 0) & 0xf
    this.left = size === 2
      ? (bytes[at + 1] ?? 0) & 0x7f
      : size === 4
      ? bytes.readUInt16BE(at + 2)
      : Number(bytes.readBigUInt64BE(at + 2))
    this.pieces = this.opcode !== text || this.wants() ? [] : undefined
    if (this.left === 0) this.finish()
    return start
  }

  private finish(): void {
    this.onFrame(this.opcode, this.pieces && Buffer.concat(this.pieces))
  }
}

const upgrade = (url: string): Promise<{ socket: Socket; head: Buffer }> =>
  new Promise((resolve, reject) => {
    const asked = request(url.replace("ws://", "http://"), {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64")
      }
    })
    asked.once("upgrade", (_, socket: Socket, head: Buffer) => resolve({ socket, head }))
    asked.once("response", ({ statusCode }: IncomingMessage) =>
      reject(new Error(`${url} answers ${statusCode}`)))
    asked.once("error", reject)
    asked.end()
  })

export const connect = async (url: string): Promise<Client> => {
  const { head, socket } = await upgrade(url)
  let frames = 0
  let marks = 0
  let listener: ((payload: Buffer) => void) | undefined
  let tail = Buffer.alloc(0)
  let isClosed = false
  const waiting = new Set<
    { readonly is: () => boolean; readonly resolve: () => void; readonly reject: (error: Error) => void }
  >()

  const until = (is: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      if (is()) return resolve()
      waiting.add({ is, resolve, reject })
    })
  const look = () => {
    for (const waiter of waiting) {
      if (waiter.is()) waiter.resolve()
      else if (isClosed) waiter.reject(new Error(`the relay closed the connection after ${frames} frames`))
      else continue
      waiting.delete(waiter)
    }
  }

  const reader = new FrameReader(() => listener !== undefined, (opcode, payload) => {
    if (opcode === ping) return socket.write(toFrame(pong, payload ?? Buffer.alloc(0)))
    if (opcode === closing) return socket.end()
    frames += 1
    if (payload !== undefined) listener?.(payload)
    return undefined
  })
  const lookForMark = (bytes: Buffer) => {
    for (let at = bytes.indexOf(markStart); at !== -1; at = bytes.indexOf(markStart, at + 1)) {
      const mark = bytes.subarray(at, at + markLength)
      if (mark.length === markLength && mark.indexOf(endMark) === 0) {
        marks = Math.max(marks, Number(mark.toString("latin1", endMark.length)))
      }
    }
  }
  const onBytes = (chunk: Buffer) => {
    reader.push(chunk)
    // A mark may lie on the border of two chunks.
    lookForMark(Buffer.concat([tail, chunk.subarray(0, markLength - 1)]))
    lookForMark(chunk)
    tail = Buffer.from(chunk.subarray(-(markLength - 1)))
    if (waiting.size > 0) look()
  }
  socket.on("data", onBytes)
  socket.on("error", () => socket.destroy())
  socket.once("close", () => {
    isClosed = true
    look()
  })
  if (head.length > 0) onBytes(head)

  return {
    send: (message) => void socket.write(toFrame(text, Buffer.from(message))),
    frames: () => frames,
    ended: () => {
      const before = marks
      return until(() => marks > before)
    },
    has: (count) => until(() => frames >= count),
    onFrame: (next) => {
      listener = next
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: async () => {
      if (isClosed) return
      const closed = once(socket, "close")
      // The relay may have said that it closes.
      if (socket.writable) socket.write(toFrame(closing, Buffer.alloc(0)))
      const timer = setTimeout(() => socket.destroy(), 2000)
      socket.resume()
      await closed
      clearTimeout(timer)
    }
  }
}

/** A connection that has said its greeting, where one is wanted, and heard the answer. */
export const converse = async (url: string, greeting: string | undefined): Promise<Client> => {
  const client = await connect(url)
  if (greeting !== undefined) {
    client.send(greeting)
    await client.has(1)
  }
  return client
}
