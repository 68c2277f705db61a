import { expect, it } from "vitest"
import { terminalFeed } from "../../src/console/components/terminalFeed.js"

/** A terminal that prints when it is told to. */
const slowTerminal = () => {
  const printed: Array<string> = []
  const pending: Array<() => void> = []
  const feed = terminalFeed((text, done) => {
    printed.push(text)
    pending.push(done)
  })
  const printAll = () => {
    for (let done = pending.shift(); done !== undefined; done = pending.shift()) done()
  }
  return { feed, pending, printAll, printed }
}

const flood = (feed: ReturnType<typeof slowTerminal>["feed"], isOld: boolean) => {
  for (let index = 0; index < 1000; index++) feed.write(`${index} ${"x".repeat(60_000)}\r\n`, isOld)
}

it("skips what a terminal cannot keep up with, but for its end and the modes it was set to", () => {
  const { feed, pending, printAll, printed } = slowTerminal()
  feed.isWhole()
  feed.write("\x1b[?1049h\x1b[?25l\x1b[?25h\r\n", false)
  feed.write("\x1b[?2004h", false)
  flood(feed, false)
  expect(pending.length).toBeLessThan(10)
  printAll()
  const all = printed.join("")
  expect(all.length).toBeLessThan(9_000_000)
  expect(all.endsWith(`999 ${"x".repeat(60_000)}\r\n`)).toBe(true)
  expect(all.match(/\x1b\[\?\d+[hl]/g)?.slice(-2)).toEqual(["\x1b[?25h", "\x1b[?2004h"])
})

it("prints the end of what came before the page once all of it is there, and knows which is which", () => {
  const { feed, pending, printed } = slowTerminal()
  flood(feed, true)
  expect(printed).toEqual([])
  feed.isWhole()
  feed.write("new", false)
  expect(feed.isOld()).toBe(true)
  for (let done = pending.shift(); done !== undefined; done = pending.shift()) done()
  expect(feed.isOld()).toBe(false)
  expect(printed.at(-1)).toBe("new")
  expect(printed.join("").length).toBeLessThan(4_000_010)
})

it("leaves nothing out of what a terminal can keep up with", () => {
  const { feed, printed } = slowTerminal()
  feed.write("$ ls\r\na  b\r\n$ ", true)
  feed.isWhole()
  expect(printed.join("")).toBe("$ ls\r\na  b\r\n$ ")
})
