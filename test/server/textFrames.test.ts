import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { PassThrough, type Writable } from "node:stream"
import * as ws from "ws"
import { makeWriter } from "../../src/server/textFrames.js"
import { encodeBatch, frameAt } from "../../src/services/log/frames.js"

const batchOf = (texts: ReadonlyArray<string>, raw: boolean) =>
  encodeBatch(
    1,
    texts.map((text, index) => ({
      head: `{"text":${JSON.stringify(text)}`,
      encoding: "utf8",
      text: undefined,
      rest: "",
      raw: raw && index % 3 !== 1 ? Buffer.from(JSON.stringify({ text })) : undefined
    }))
  )

/** A socket that hands on at once, or not before it is told to. */
const makeSocket = () => {
  const written: Array<Buffer> = []
  const waiting: Array<() => void> = []
  const socket = {
    isSlow: false,
    write: (bytes: Buffer, taken: () => void) => {
      written.push(socket.isSlow ? bytes : Buffer.from(bytes))
      if (socket.isSlow) waiting.push(taken)
      else taken()
    }
  }
  return { socket, written, handOn: () => waiting.splice(0).forEach((taken) => taken()) }
}

// Exported, but left out by @types/ws.
const { Receiver } = ws as unknown as { readonly Receiver: new(options: object) => Writable }

/** What `ws` reads of it. */
const received = async (bytes: Buffer): Promise<ReadonlyArray<string>> => {
  const texts: Array<string> = []
  const receiver = new Receiver({ isServer: false, allowSynchronousEvents: true })
  receiver.on(
    "message",
    (data: Buffer, isBinary: boolean) => texts.push(isBinary ? "binary" : data.toString())
  )
  const pipe = new PassThrough()
  const done = new Promise((resolve, reject) => receiver.once("finish", resolve).once("error", reject))
  pipe.pipe(receiver)
  pipe.end(bytes)
  await done
  return texts
}

describe("a batch as text frames", () => {
  it("is what a WebSocket client reads, frame by frame, with and without native messages, of every size", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.constantFrom(100, 101, 118, 65_500, 65_525, 70_000).map((n) => "é".padEnd(n, "x"))
          ),
          { minLength: 1, maxLength: 5 }
        ),
        fc.boolean(),
        fc.boolean(),
        async (texts, hasRaw, withRaw) => {
          const batch = batchOf(texts, hasRaw)
          const { socket, written } = makeSocket()
          makeWriter(socket, withRaw)(batch)
          const expected = batch.ends.map((_, index) => frameAt(batch, index, withRaw).toString())
          assert.deepStrictEqual(await received(Buffer.concat(written)), expected)
        }
      ),
      { numRuns: 50 }
    ))

  it("uses a buffer again when the system has its bytes, and not before", async () => {
    const { handOn, socket, written } = makeSocket()
    const write = makeWriter(socket, true)
    write(batchOf(["first"], false))
    socket.isSlow = true
    const waiting = ["second", "third", "fourth"]
    for (const text of waiting) write(batchOf([text], false))
    // Read only now: none was written over.
    const texts = (await received(Buffer.concat(written))).map((frame) => JSON.parse(frame).text)
    assert.deepStrictEqual(texts, ["first", ...waiting])
    handOn()
    for (const text of waiting) write(batchOf([text], false))
    const buffers = new Set(written.slice(1).map(({ buffer }) => buffer))
    assert.strictEqual(buffers.size, waiting.length)
  })

  it("is encoded once for all who read it alike, and kept until the last of them has it", async () => {
    const sockets = [true, true, false, true].map((withRaw) => {
      const made = makeSocket()
      made.socket.isSlow = true
      return { ...made, withRaw, write: makeWriter(made.socket, withRaw) }
    })
    const batch = batchOf(["one", "two"], true)
    for (const { write } of sockets) write(batch)
    const [first, second, bare, last] = sockets
    assert.strictEqual(first?.written[0], second?.written[0])
    assert.strictEqual(first?.written[0], last?.written[0])
    first?.handOn()
    second?.handOn()
    const others = batchOf(["other", "frames"], true)
    first?.write(others)
    const texts = await Promise.all([last, bare].map((one) => received(Buffer.concat(one?.written ?? []))))
    assert.deepStrictEqual(
      texts,
      [true, false].map((withRaw) => batch.ends.map((_, index) => frameAt(batch, index, withRaw).toString()))
    )
    for (const { handOn } of sockets) handOn()
    first?.write(batchOf(["two more", "frames"], true))
    assert.include(
      [last, bare].map((one) => one?.written[0]?.buffer),
      first?.written[2]?.buffer
    )
  })
})
