/** watchSessions against a real relay, over sockets that break. */
import { assert, describe, it } from "vitest"
import { connect, type SessionLine, type WatchOptions, watchSessions } from "../../src/client/node.js"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import * as FakeRelay from "../support/fakeRelay.js"

const cleanUp = cleanUpAfterEach()

/** A watch, and a way to wait until its list fits. */
const watch = (url: string, options: Partial<WatchOptions> = {}) => {
  let sessions: ReadonlyArray<SessionLine> = []
  const waiting = new Set<() => void>()
  const watching = watchSessions({
    url,
    onSessions: (lines) => {
      sessions = lines
      for (const look of [...waiting]) look()
    },
    ...options
  })
  cleanUp(watching.close)
  const until = (fits: (sessions: ReadonlyArray<SessionLine>) => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!fits(sessions)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return { watching, until }
}

describe("watchSessions", () => {
  it("is up to date again after the connection broke", async () => {
    const relay = await FakeRelay.start()
    cleanUp(relay.end)
    const network = await FakeRelay.unsteady(relay.port)
    cleanUp(network.end)
    const { until, watching } = watch(network.url)
    const session = connect({ url: relay.url, tool: "fake", session_id: "s" })
    cleanUp(session.close)
    await session.ready
    await until((sessions) => sessions.some(({ state }) => state === "idle"))
    network.leadTo(undefined)
    network.cutAll()
    await session.ask("What was missed")
    network.leadTo(relay.port)
    await until((sessions) => sessions[0]?.title === "What was missed" && sessions[0].turns === 1)
    assert.strictEqual(watching.state().status, "open")
    assert.lengthOf(watching.sessions(), 1)
  })

  it("ends with the relay's words when it is refused", async () => {
    const relay = await FakeRelay.start({ auth: "always" })
    cleanUp(relay.end)
    const state = await new Promise<string>((resolve) => {
      watch(relay.url, { onState: (state) => state.status === "closed" && resolve(state.error.code) })
    })
    assert.strictEqual(state, "unauthorized")
  })

  it("gives up after as many attempts as it may make", async () => {
    const code = await new Promise<string>((resolve) => {
      watch("ws://127.0.0.1:41799", {
        retries: 1,
        onState: (state) => state.status === "closed" && resolve(state.error.code)
      })
    })
    assert.strictEqual(code, "unreachable")
  })
})
