import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { PassThrough, type Writable } from "node:stream"
import * as ws from "ws"
import { makeWriter } from "../../src/server/textFrames.js"
import { encodeBatch, frameAt } from "../../src/services/frames.js"

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

/** A socket that hands on at once, or not yet. */
const makeSocket = () => {
  const written: Array<Buffer> = []
  const socket = { writableLength: 0, isSlow: false, write: (bytes: Buffer) => void take(bytes) }
  const take = (bytes: Buffer) => {
    written.push(socket.isSlow ? bytes : Buffer.from(bytes))
    socket.writableLength = socket.isSlow ? socket.writableLength + bytes.length : 0
  }
  return { socket, written }
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

  it("uses its buffer again only when the socket has handed on all it was given", async () => {
    const { socket, written } = makeSocket()
    const write = makeWriter(socket, true)
    const texts = ["first", "second", "third", "fourth"]
    write(batchOf(["first"], false))
    socket.isSlow = true
    write(batchOf(["second"], false))
    write(batchOf(["third"], false))
    socket.isSlow = false
    write(batchOf(["fourth"], false))
    assert.deepStrictEqual(
      (await received(Buffer.concat(written))).map((frame) => JSON.parse(frame).text),
      texts
    )
  })
})
