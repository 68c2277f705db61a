import { assert, describe, it } from "vitest"
import { typed } from "../../../src/adapters/generic/typed.js"

const type = (text: string, marksPastes = false) => typed({ content: [{ type: "text", text }] }, marksPastes)

describe("typed", () => {
  it("ends a prompt with the Enter key", () => {
    assert.strictEqual(type("ls -l"), "ls -l\r")
    assert.strictEqual(type(":wq", true), ":wq\r")
  })

  it("does not press Enter twice for a text that ends with a line end", () => {
    assert.strictEqual(type("ls\n"), "ls\r")
    assert.strictEqual(type("a\r\n", true), "a\r")
    assert.strictEqual(type("a\n\n"), "a\r\r")
  })

  it("enters line by line where a paste cannot be marked", () => {
    assert.strictEqual(type("a\nb\r\nc"), "a\rb\rc\r")
  })

  it("marks several lines as one paste, then enters them", () => {
    assert.strictEqual(type("a\nb", true), "\x1b[200~a\rb\x1b[201~\r")
  })

  it("lets nothing in a paste end it", () => {
    assert.strictEqual(
      type("a\nb\x1b[201~\rrm -rf /\x9b201~", true),
      "\x1b[200~a\rb[201~\rrm -rf /201~\x1b[201~\r"
    )
  })
})
