/** The link's clock: when it asks, gives up, and comes again. Its sockets are played. */
import { afterEach, assert, beforeEach, describe, it, vi } from "vitest"
import * as ReconnectingSocket from "../../src/client/ReconnectingSocket.js"

class PlayedSocket implements ReconnectingSocket.Socket {
  static all: Array<PlayedSocket> = []
  readonly sent: Array<string> = []
  readonly #listeners = new Map<string, (event: object) => void>()
  closed = false

  constructor(readonly url: string) {
    PlayedSocket.all.push(this)
  }
  send(data: string) {
    this.sent.push(data)
  }
  close() {
    this.closed = true
  }
  addEventListener(type: string, listener: (event: object) => void) {
    this.#listeners.set(type, listener)
  }
  play(type: string, event: object = {}) {
    this.#listeners.get(type)?.(event)
  }
}

const start = (prepare?: () => Promise<void>) => {
  const lost: Array<string> = []
  const pauses: Array<number> = []
  const link = ReconnectingSocket.open({
    url: "ws://relay",
    WebSocket: PlayedSocket,
    ...(prepare !== undefined && { prepare }),
    handshake: () => ({ tool: "fake" }),
    onFrame: () => {},
    onConnecting: () => {},
    onLost: ({ reason }) => lost.push(reason) > 0,
    onWaiting: (_, retry_ms) => void pauses.push(retry_ms)
  })
  return { link, lost, pauses }
}
const last = () => PlayedSocket.all.at(-1) ?? assert.fail("no socket was opened")

beforeEach(() => {
  PlayedSocket.all = []
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

describe("ReconnectingSocket", () => {
  it("comes again after an error that no close follows, as on Node 22", () => {
    const { lost, pauses } = start()
    last().play("error", { message: "Received network error or non-101 status code." })
    vi.advanceTimersByTime(1000)
    assert.deepStrictEqual(lost, ["Received network error or non-101 status code."])
    assert.lengthOf(pauses, 1)
    assert.lengthOf(PlayedSocket.all, 2)
  })

  it("takes an error and the close behind it for one loss", () => {
    const { lost } = start()
    const first = last()
    first.play("error", { message: "refused" })
    first.play("close", { code: 1006, reason: "" })
    vi.advanceTimersByTime(200)
    first.play("close", { code: 1006, reason: "" })
    assert.deepStrictEqual(lost, ["refused"])
  })

  it("asks a quiet relay whether it is there, and comes again when it does not say", () => {
    const { link, lost } = start()
    const first = last()
    first.play("open")
    link.greeted()
    vi.advanceTimersByTime(15_000)
    first.play("message", { data: "{}" })
    vi.advanceTimersByTime(20_000)
    assert.deepStrictEqual(first.sent, ["{\"tool\":\"fake\"}"], "it heard something a moment ago")
    vi.advanceTimersByTime(6000)
    assert.strictEqual(first.sent.at(-1), "{\"type\":\"ping\"}")
    first.play("message", { data: "{}" })
    vi.advanceTimersByTime(30_000)
    assert.isFalse(first.closed)
    vi.advanceTimersByTime(30_000)
    assert.isTrue(first.closed)
    assert.lengthOf(lost, 1)
    vi.advanceTimersByTime(1000)
    assert.lengthOf(PlayedSocket.all, 2)
  })

  it("asks at once when the network or the page comes and goes, and does not wait when it waits", () => {
    const page = new EventTarget()
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page))
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page))
    const { link, lost } = start()
    vi.unstubAllGlobals()
    const first = last()
    first.play("open")
    page.dispatchEvent(new Event("offline"))
    assert.lengthOf(first.sent, 1, "nothing is asked before the relay has accepted")
    link.greeted()
    page.dispatchEvent(new Event("visibilitychange"))
    assert.strictEqual(first.sent.at(-1), "{\"type\":\"ping\"}")
    first.play("message", { data: "{}" })
    vi.advanceTimersByTime(10_000)
    assert.isEmpty(lost)

    // Whoever looks again and again waits no longer for it.
    for (const sign of ["offline", "online", "pageshow"]) {
      page.dispatchEvent(new Event(sign))
      vi.advanceTimersByTime(4000)
    }
    assert.lengthOf(lost, 1)
    assert.isTrue(first.closed)
    vi.advanceTimersByTime(300)
    assert.lengthOf(PlayedSocket.all, 2)
    last().play("close", { code: 1006, reason: "" })
    page.dispatchEvent(new Event("visibilitychange"))
    assert.lengthOf(PlayedSocket.all, 3)
    link.stop()
  })

  it("gives up a relay that does not accept, or does not greet, and waits longer each time", () => {
    const { link, pauses } = start()
    for (let attempt = 1; attempt <= 8; attempt++) {
      vi.advanceTimersByTime(10_000)
      assert.lengthOf(pauses, attempt)
      vi.advanceTimersByTime(pauses.at(-1) ?? 0)
    }
    for (const [index, pause] of pauses.entries()) {
      const longest = Math.min(15_000, 250 * 2 ** index)
      assert.isAtLeast(pause, longest / 2)
      assert.isAtMost(pause, longest)
    }
    last().play("open")
    vi.advanceTimersByTime(119_000)
    assert.lengthOf(pauses, 8)
    vi.advanceTimersByTime(1000)
    assert.lengthOf(pauses, 9)
    link.stop()
    const count = PlayedSocket.all.length
    vi.advanceTimersByTime(60_000)
    assert.lengthOf(PlayedSocket.all, count)
  })

  it("does not listen to a connection it has given up", () => {
    const { lost } = start()
    const first = last()
    vi.advanceTimersByTime(10_000)
    first.play("close", { code: 1006, reason: "" })
    assert.lengthOf(lost, 1)
  })

  it("waits no longer for what it was to show the relay than for the relay, and then does not use it", async () => {
    const late: Array<() => void> = []
    const { link, lost, pauses } = start(() => new Promise((resolve) => late.push(resolve)))
    vi.advanceTimersByTime(10_000)
    assert.lengthOf(lost, 1)
    vi.advanceTimersByTime(pauses[0] ?? 0)
    late[0]?.()
    await Promise.resolve()
    assert.isEmpty(PlayedSocket.all)
    late[1]?.()
    await Promise.resolve()
    assert.lengthOf(PlayedSocket.all, 1)
    link.stop()
  })
})
