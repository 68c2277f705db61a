import { assert, describe, it } from "@effect/vitest"
import { afterEach, vi } from "vitest"
import * as TerminalInput from "../../../src/services/terminal/TerminalInput.js"

/** What the program's side takes; after that it is full. */
const terminal = { room: 0, typed: "" }
const writeTo = (_: number, bytes: Buffer) => {
  if (terminal.room === 0) throw Object.assign(new Error("full"), { code: "EAGAIN" })
  const taken = bytes.subarray(0, terminal.room)
  terminal.room -= taken.length
  terminal.typed += taken.toString("utf8")
  return taken.length
}

describe("what is typed into a terminal", () => {
  afterEach(() => vi.useRealTimers())
  const open = (room: number) => {
    vi.useFakeTimers()
    Object.assign(terminal, { room, typed: "" })
    return TerminalInput.open(0, writeTo)
  }

  it("waits while the program does not read, and goes on where it was", () => {
    const input = open(3)
    assert.isTrue(input.write("hello"))
    assert.isTrue(input.write(" there"))
    assert.strictEqual(terminal.typed, "hel")
    terminal.room = 100
    vi.runAllTimers()
    assert.strictEqual(terminal.typed, "hello there")
  })

  it("is refused above a mebibyte", () => {
    const input = open(0)
    assert.isTrue(input.write("x".repeat(1024 * 1024 + 1)))
    assert.isFalse(input.write("y"))
    terminal.room = 2
    vi.advanceTimersByTime(5)
    assert.isTrue(input.write("z"))
  })

  it("is dropped by an interrupt, which waits behind nothing", () => {
    const input = open(3)
    input.write("hello")
    input.interrupt()
    input.write("ls")
    terminal.room = 100
    vi.runAllTimers()
    assert.strictEqual(terminal.typed, "hel\x03ls")
  })

  it("never reaches the descriptor once it is closed", () => {
    const input = open(0)
    input.write("hello")
    input.close()
    terminal.room = 100
    vi.runAllTimers()
    assert.strictEqual(terminal.typed, "")
  })
})
