/** What a page is told when it never reached a relay: its browser says no more than that. */
import { assert, describe, it } from "vitest"
import { WebSocket as Ws } from "ws"
import { connect, type ConnectionState } from "../../src/client/node.js"
import { unreachable } from "../../src/client/unreachable.js"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import * as FakeRelay from "../support/fakeRelay.js"

const cleanUp = cleanUpAfterEach()
const relay = "ws://localhost:8765"
const pageAt = (origin: string) => ({ origin, protocol: new URL(origin).protocol })

/** The state after the first attempt has failed. */
const afterFirst = (url: string, WebSocket?: typeof Ws) =>
  new Promise<ConnectionState>((resolve) => {
    const session = connect({
      url,
      onState: (state) => state.status === "waiting" && resolve(state),
      ...(WebSocket !== undefined && { WebSocket })
    })
    cleanUp(session.close)
  })

describe("a relay that was never reached", () => {
  it("is told after the first attempt, with what to look at", async () => {
    const state = await afterFirst("ws://127.0.0.1:41798")
    assert.isTrue(state.status === "waiting" && state.reason.startsWith("cannot reach ws://127.0.0.1:41798"))
    assert.include(state.status === "waiting" ? state.reason : "", "is the relay running there?")
  })

  it("that refuses the origin is told with the status, where the engine tells it", async () => {
    const refusing = await FakeRelay.start()
    cleanUp(refusing.end)
    class FromElsewhere extends Ws {
      constructor(url: string | URL) {
        super(url, { origin: "https://elsewhere.example" })
      }
    }
    const state = await afterFirst(refusing.url, FromElsewhere as typeof Ws)
    assert.include(state.status === "waiting" ? state.reason : "", "(HTTP 403)")
  })

  it("is told once in the page's console, however often it is tried", async () => {
    const warned: Array<string> = []
    const { console: page } = globalThis
    const { warn } = page
    page.warn = (text: string) => void warned.push(text)
    cleanUp(() => void (page.warn = warn))
    await new Promise<void>((resolve) => {
      let times = 0
      const session = connect({
        url: "ws://127.0.0.1:41798",
        onState: (state) => state.status === "waiting" && ++times === 3 && resolve()
      })
      cleanUp(session.close)
    })
    assert.lengthOf(warned, 1)
    assert.include(warned[0] ?? "", "ai-relay: cannot reach")
  })

  it("names the flag that lets a page of another origin in", () => {
    assert.include(
      unreachable(relay, "", pageAt("http://localhost:5173")),
      "--allow-origin http://localhost:5173"
    )
    assert.notInclude(unreachable(relay, "", pageAt("http://localhost:8765")), "--allow-origin")
    assert.include(unreachable(relay, "", { origin: "null", protocol: "file:" }), "--allow-origin null")
    assert.include(unreachable("ws://relay.lan:8765", "", pageAt("https://app.example")), "wss://")
  })

  it("that was there once is only lost", async () => {
    const there = await FakeRelay.start()
    const states: Array<ConnectionState> = []
    let tell = (_reason: string) => {}
    const lost = new Promise<string>((resolve) => (tell = resolve))
    const network = await FakeRelay.unsteady(there.port)
    cleanUp(there.end)
    cleanUp(network.end)
    const session = connect({
      url: network.url,
      tool: "fake",
      onState: (state) => {
        states.push(state)
        if (state.status === "waiting" && states.filter(({ status }) => status === "waiting").length === 2) {
          tell(state.reason)
        }
      }
    })
    cleanUp(session.close)
    await session.ready
    network.leadTo(undefined)
    network.cutAll()
    assert.notInclude(await lost, "cannot reach")
  })
})
