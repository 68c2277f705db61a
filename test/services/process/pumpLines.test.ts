import { assert, describe, it } from "@effect/vitest"
import { PassThrough } from "node:stream"
import { setImmediate as nextTurn } from "node:timers/promises"
import { pumpLines } from "../../../src/services/process/pumpLines.js"
import * as TestSink from "../../support/testSink.js"

const pump = (onLine = (_line: Buffer) => {}) => {
  const pipe = new PassThrough()
  const sink = TestSink.make()
  const defects: Array<unknown> = []
  const finish = pumpLines({
    pipe,
    sink: sink.service,
    onLine,
    maxLineBytes: 1_000_000,
    onDefect: (defect) => defects.push(defect)
  })
  return { pipe, sink, finish, defects }
}

describe("pumpLines", () => {
  it("hands a chunk's lines on as one batch", async () => {
    const lines: Array<string> = []
    const { pipe, sink } = pump((line) => lines.push(line.toString()))
    pipe.write("a\nb\nc")
    await nextTurn()
    assert.deepStrictEqual(lines, ["a", "b"])
    assert.strictEqual(sink.batches(), 1)
  })

  it("does not read while the sink has enough", async () => {
    const { pipe, sink } = pump()
    sink.block()
    pipe.write("a\n")
    pipe.write("b\n")
    await nextTurn()
    assert.isTrue(pipe.isPaused())
    assert.strictEqual(sink.batches(), 1)
    sink.drain()
    await nextTurn()
    assert.isFalse(pipe.isPaused())
    assert.strictEqual(sink.batches(), 2)
  })

  it("gives way to others after 64 KiB", async () => {
    const { pipe, sink } = pump()
    const chunk = Buffer.alloc(40 * 1024, "x")
    for (let n = 0; n < 4; n++) pipe.write(chunk)
    while (sink.batches() < 2) await nextTurn()
    assert.isTrue(pipe.isPaused())
    assert.strictEqual(sink.batches(), 2)
    while (sink.batches() < 4) await nextTurn()
  })

  it("hands on the last line when all was read", async () => {
    const lines: Array<string> = []
    const { finish, pipe } = pump((line) => lines.push(line.toString()))
    pipe.end("a\nb")
    await nextTurn()
    finish()
    finish()
    assert.deepStrictEqual(lines, ["a", "b"])
  })

  it("tells what was thrown, instead of throwing it at everyone", async () => {
    const fault = new Error("a fault")
    const { defects, finish, pipe } = pump(() => {
      throw fault
    })
    pipe.write("a\n")
    await nextTurn()
    assert.deepStrictEqual(defects, [fault])
    pipe.write("b")
    await nextTurn()
    finish()
    assert.deepStrictEqual(defects, [fault, fault])
  })
})
