/** `ai-relay sessions rename|rm|export` and `search`, at a relay whose agents are fakes. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { connect } from "../../src/client/node.js"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { commandLine } from "../support/commandLine.js"
import * as FakeRelay from "../support/fakeRelay.js"

const cleanUp = cleanUpAfterEach()

const said = async (...args: ReadonlyArray<string>) => (await Effect.runPromise(commandLine(...args))).lines

const started = async () => {
  const relay = await FakeRelay.start()
  cleanUp(relay.end)
  const session = connect({ url: relay.url, tool: "fake", session_id: "shop" })
  cleanUp(session.close)
  await session.ask("Mend the total")
  return { url: relay.url, session }
}

describe("ai-relay sessions", () => {
  afterEach(() => {
    process.exitCode = undefined
  })

  it("rename names a session, with nothing it takes the name away", async () => {
    const { url } = await started()
    assert.deepStrictEqual(await said("sessions", "rename", "--url", url, "shop", "Invoices", "2026"), [
      "shop is now called \"Invoices 2026\"."
    ])
    const listed = async () => {
      const answer = await fetch(`${url.replace("ws", "http")}/sessions`)
      const { sessions } = await answer.json() as {
        readonly sessions: ReadonlyArray<{ readonly title: string }>
      }
      return sessions[0]?.title
    }
    assert.strictEqual(await listed(), "Invoices 2026")
    assert.include((await said("sessions", "rename", "--url", url, "shop"))[0], "automatic title")
    assert.strictEqual(await listed(), "Mend the total")
  })

  it("export prints the events, or the conversation to read", async () => {
    const { url } = await started()
    const [json = ""] = await said("sessions", "export", "--url", url, "shop")
    const events = json.split("\n").map((line) =>
      JSON.parse(line) as { readonly type: string; readonly seq: number }
    )
    assert.deepStrictEqual(events.map(({ seq }) => seq), events.map((_, index) => index + 1))
    assert.include(events.map(({ type }) => type), "turn_end")
    const [markdown = ""] = await said("sessions", "export", "--markdown", "--url", url, "shop")
    assert.match(markdown, /^# /)
    assert.include(markdown, "> Mend the total")
  })

  it("rm removes it; what is not there is said so, and fails", async () => {
    const { url } = await started()
    assert.deepStrictEqual(await said("sessions", "rm", "--url", url, "shop"), ["Removed shop."])
    assert.include((await said("sessions", "rm", "--url", url, "shop"))[0], "there is no session \"shop\"")
    assert.strictEqual(process.exitCode, 1)
    assert.include(
      (await said("sessions", "export", "--url", url, "shop"))[0],
      "there is no session \"shop\""
    )
    assert.include((await said("sessions", "rm"))[0], "missing session")
  })
})

describe("ai-relay search", () => {
  afterEach(() => {
    process.exitCode = undefined
  })

  it("says what the relay says when there is nothing to search", async () => {
    const { url } = await started()
    assert.include((await said("search", "--url", url, "total"))[0], "--no-state")
    assert.include((await said("search", "--url", url))[0], "missing words")
    assert.strictEqual(process.exitCode, 1)
  })
})
