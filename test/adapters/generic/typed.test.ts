import { assert, describe, it } from "vitest"
import { typed } from "../../../src/adapters/generic/typed.js"

const type = (text: string, marksPastes = false) => typed({ content: [{ type: "text", text }] }, marksPastes)

describe("typed", () => {
  it("leaves the Enter that submits a prompt to whoever knows when", () => {
    assert.strictEqual(type("ls -l"), "ls -l")
    assert.strictEqual(type(""), "")
    assert.strictEqual(type("", true), "")
  })

  it("is a paste, where the program can tell that", () => {
    assert.strictEqual(type(":wq", true), "\x1b[200~:wq\x1b[201~")
    assert.strictEqual(type("a\nb", true), "\x1b[200~a\rb\x1b[201~")
  })

  it("takes a line end at the end for that Enter", () => {
    assert.strictEqual(type("ls\n"), "ls")
    assert.strictEqual(type("a\r\n", true), "\x1b[200~a\x1b[201~")
    assert.strictEqual(type("a\n\n"), "a\r")
  })

  it("enters line by line where a paste cannot be marked", () => {
    assert.strictEqual(type("a\nb\r\nc"), "a\rb\rc")
  })

  it("lets nothing in a paste end it", () => {
    assert.strictEqual(
      type("a\nb\x1b[201~\rrm -rf /\x9b201~", true),
      "\x1b[200~a\rb[201~\rrm -rf /201~\x1b[201~"
    )
  })
})
