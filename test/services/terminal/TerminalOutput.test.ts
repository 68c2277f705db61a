import { assert, describe, it } from "vitest"
import * as TerminalOutput from "../../../src/services/terminal/TerminalOutput.js"
import * as TestSink from "../../support/testSink.js"

const markText = "0123456789"

/** A terminal that is read by hand. */
const open = () => {
  const sink = TestSink.make()
  const told: Array<string> = []
  const calls: Array<string> = []
  const output = TerminalOutput.open({
    pty: { pause: () => calls.push("pause"), resume: () => calls.push("resume") },
    mark: {
      print: () => calls.push("mark"),
      placeIn: (read) => {
        const place = read.indexOf(markText)
        return place === -1 ? undefined : place
      },
      close: () => {}
    },
    sink: sink.service,
    onOutput: (bytes) => told.push(bytes.toString()),
    onDefect: (defect) => {
      throw defect
    }
  })
  const push = (text: string) => output.push(Buffer.from(text))
  const end = () => output.end(() => calls.push("read"), () => calls.push("handed"))
  return { output, push, end, sink, told, calls }
}

describe("TerminalOutput", () => {
  it("ends at the mark, however that is cut, and tells when all is handed on", () => {
    const { calls, end, push, told } = open()
    push("first")
    end()
    for (const piece of ["la", "st012", "345", "6789and more"]) push(piece)
    push("and more")
    assert.strictEqual(told.join(""), "firstlast")
    assert.deepStrictEqual(calls, ["resume", "mark", "read", "handed"])
  })

  it("takes in what an exited program printed though the sink has enough, and hands it on later", () => {
    const { calls, end, push, sink, told } = open()
    sink.block()
    push("first")
    push("second")
    end()
    push(`last${markText}`)
    assert.deepStrictEqual(calls, ["pause", "resume", "mark", "read"])
    assert.deepStrictEqual(told, ["first"])
    sink.drain()
    assert.strictEqual(told.join(""), "firstsecondlast")
    assert.strictEqual(calls.at(-1), "handed")
  })

  it("hands on no part of the mark when the sink can take more in the middle of it", () => {
    const { end, push, sink, told } = open()
    sink.block()
    push("first")
    end()
    push(`last${markText.slice(0, 4)}`)
    sink.drain()
    push(markText.slice(4))
    assert.strictEqual(told.join(""), "firstlast")
  })

  it("ends without the mark when the terminal is closed", () => {
    const { calls, end, output, push, told } = open()
    push("all")
    output.cut()
    end()
    assert.deepStrictEqual(told, ["all"])
    assert.deepStrictEqual(calls, ["read", "handed"])
  })

  it("hears a farewell of bounded length while the sink has enough", () => {
    const { calls, output, push, sink } = open()
    sink.block()
    push("first")
    output.drainToEnd()
    for (let n = 0; n < 20; n += 1) push("x".repeat(64 * 1024))
    assert.deepStrictEqual(calls.slice(0, 3), ["pause", "resume", "pause"])
  })
})
