/** A conversation of a terminal, from the command line: listed, gone on with by the beginning of its id, refused in words. */
import { Effect } from "effect"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { findNative } from "../../src/cli/nativeConversations.js"
import { commandLine } from "../support/commandLine.js"
import * as FakeRelay from "../support/fakeRelay.js"
import { makeTerminal } from "../support/nativeTerminal.js"

const terminal = makeTerminal()
terminal.turn("mend the invoice total")

let relay: FakeRelay.FakeRelay
beforeAll(async () => {
  relay = await FakeRelay.start(terminal.options)
})
afterAll(async () => {
  await relay.end()
  terminal.remove()
})

const said = async (...args: ReadonlyArray<string>) =>
  (await Effect.runPromise(commandLine(...args, "--url", relay.url))).lines.join("\n")

describe("ai-relay sessions native", () => {
  it("lists what was said in a terminal, by words, and as JSON", async () => {
    const table = await said("sessions", "native")
    assert.match(table.split("\n")[0] ?? "", /^ID +TOOL +FOLDER +OPEN IN +LAST ACTIVE +TITLE$/)
    assert.include(table, `${terminal.id}  claude  ${terminal.folder}`)
    assert.include(table, "mend the invoice total")
    assert.include(await said("sessions", "native", "invoice", "--tool", "claude"), terminal.id)
    assert.include(await said("sessions", "native", "nobody said this"), "below its --root")
    const { sessions } = JSON.parse(await said("sessions", "native", "--json")) as {
      sessions: ReadonlyArray<object>
    }
    assert.deepInclude(sessions[0], { native_session_id: terminal.id })
  })
})

describe("the conversation of an id", () => {
  it("is found by the beginning of it", async () => {
    const found = await Effect.runPromise(findNative({ url: relay.url }, terminal.id.slice(0, 8)))
    assert.deepInclude(found, { tool: "claude", native_session_id: terminal.id, folder: terminal.folder })
  })

  it("that nobody knows is told with what to do", async () => {
    const { message } = await Effect.runPromise(Effect.flip(findNative({ url: relay.url }, "ffffffff")))
    assert.include(
      message,
      "there is no conversation \"ffffffff\" that this relay may show: `ai-relay sessions native` lists"
    )
  })
})
