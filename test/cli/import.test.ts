/** `ai-relay import`: recorded sessions become kept ones, also under the eyes of a relay that runs. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import * as FakeRelay from "../support/fakeRelay.js"
import * as importsOf from "../support/importing.js"
import { eventsOf, importing, said, savedIn } from "../support/importing.js"
import { pythonFrames } from "../support/pythonRelay.js"

const cleanUp = cleanUpAfterEach()

const newFolder = () => importsOf.newFolder(cleanUp)

const python = "0b7c3c5e-4f6e-4f0e-9d37-5f0c6a1e2d4b"
const claudeFrames = () =>
  pythonFrames("claude", join(import.meta.dirname, "../fixtures/claude/write-file.jsonl"))

const recorded = (session_id: string, ...events: ReadonlyArray<object>) =>
  events.map((event, index) =>
    JSON.stringify({ ...event, seq: index + 1, ts: 1_770_000_000 + index, session_id })
  )
const shop = (session_id = "shop-42") =>
  recorded(
    session_id,
    {
      type: "session_start",
      metadata: { tool: "fake", folder: tmpdir(), permission_mode: "bypassPermissions" }
    },
    { type: "turn_start", text: "mend the invoice total", turn: 1 },
    { type: "assistant_message", content: [], text: "it is mended", turn: 1, raw: { native: true } },
    { type: "response", text: "it is mended", turn: 1 },
    { type: "turn_end", stop_reason: "end_turn", turn: 1 }
  )
const write = (folder: string, name: string, lines: ReadonlyArray<string>, end = "\n") => {
  const file = join(folder, name)
  writeFileSync(file, lines.join("\n") + end)
  return file
}

describe("ai-relay import", () => {
  afterEach(() => {
    process.exitCode = undefined
  })

  it("a recording becomes a kept session with its times and native messages; again, it is no second one", async () => {
    const { folder, state } = newFolder()
    const file = write(folder, "shop.ndjson", shop())
    assert.deepStrictEqual(await importing(state, file), [
      `Imported shop-42 (fake, ${tmpdir()}): 1 turn, 5 events.`
    ])
    const events = eventsOf(state, "shop-42")
    assert.deepStrictEqual(events.map(({ seq, type }) => [seq, type]), [
      [1, "session_start"],
      [2, "turn_start"],
      [3, "assistant_message"],
      [4, "response"],
      [5, "turn_end"],
      [6, "status"]
    ])
    assert.deepStrictEqual(
      events.slice(0, 5).map((event) => JSON.stringify(event)),
      shop().map((line) => {
        const { raw, seq, session_id, ts, turn, ...event } = JSON.parse(line) as Record<string, unknown>
        return JSON.stringify({ ...event, seq, ts, session_id, turn, raw })
      })
    )
    assert.deepInclude(events[5], { type: "status", status: "imported" })
    // Used today: it is not forgotten tomorrow, as what nobody has used for long.
    assert.isAbove(events[5]?.ts ?? 0, Date.now() / 1000 - 60)

    assert.deepStrictEqual(await importing(state, file, folder), ["shop-42 was imported before."])
    assert.lengthOf(eventsOf(state, "shop-42"), 6)
    assert.deepStrictEqual(savedIn(state), ["shop-42"])
    assert.deepStrictEqual(readdirSync(state), ["sessions"])
    assert.isUndefined(process.exitCode)
  })

  it("a file from elsewhere grants no permission mode to who goes on with it", async () => {
    const { folder, state } = newFolder()
    await importing(state, write(folder, "shop.ndjson", shop()))
    assert.notInclude(readFileSync(join(state, "sessions/shop-42/meta.json"), "utf8"), "bypassPermissions")
  })

  it("the Python relay's frames become one, a folder's files at once", async () => {
    const { folder, state } = newFolder()
    write(folder, "claude.jsonl", claudeFrames())
    write(folder, "shop.ndjson", shop(), "")
    write(folder, "notes.txt", ["no transcript"])
    assert.deepStrictEqual(await importing(state, folder), [
      `Imported ${python} (claude, /workspace): 1 turn, ${eventsOf(state, python).length - 1} events.`,
      `Imported shop-42 (fake, ${tmpdir()}): 1 turn, 5 events.`
    ])
    const types = eventsOf(state, python).map(({ type }) => type)
    assert.includeMembers(types, [
      "turn_start",
      "tool_call",
      "tool_result",
      "file_diff",
      "response",
      "turn_end"
    ])
  })

  it("with a bad line nothing is imported, of no file, and the line is named", async () => {
    const { folder, state } = newFolder()
    const good = write(folder, "good.ndjson", shop())
    const bad = write(folder, "bad.ndjson", [...shop("other"), "{\"type\":\"turn_start\",\"te"])
    const lines = await importing(state, good, bad)
    assert.lengthOf(lines, 1)
    assert.match(
      lines[0] ?? "",
      /^ai-relay: line 6 of bad\.ndjson is no JSON object: .*Nothing was imported\.$/
    )
    assert.strictEqual(process.exitCode, 1)
    assert.deepStrictEqual(savedIn(state), [])
  })

  it("what a recording was cut off in is not open for ever", async () => {
    const { folder, state } = newFolder()
    await importing(
      state,
      write(
        folder,
        "cut.ndjson",
        recorded(
          "cut",
          { type: "session_start", metadata: { tool: "fake", folder } },
          { type: "input_ack", status: "queued", message_id: "later", text: "later" },
          { type: "turn_start", text: "go" },
          { type: "permission_request", request_id: "ask", metadata: { kind: "tool" } }
        )
      )
    )
    assert.deepStrictEqual(eventsOf(state, "cut").map(({ type }) => type).slice(4), [
      "permission_cancelled",
      "input_ack",
      "turn_end",
      "status"
    ])
    const { summary } = JSON.parse(readFileSync(join(state, "sessions/cut/meta.json"), "utf8")) as {
      readonly summary: object
    }
    assert.deepInclude(summary, { pending: [], queued: [] })
    assert.notProperty(summary, "open_turn")
  })

  it("a name that is taken by another session, or by less of the same, is refused; --as chooses one", async () => {
    const { folder, state } = newFolder()
    const file = write(folder, "shop.ndjson", shop())
    await importing(state, file)
    for (const seq of [6, 7]) {
      const event = { type: "status", status: "idle", seq, ts: 1_770_000_009, session_id: "shop-42" }
      appendFileSync(file, `${JSON.stringify(event)}\n`)
    }
    assert.include(
      (await importing(state, file))[0],
      "a shorter version of shop-42 is saved already: remove it"
    )
    const other = write(
      folder,
      "other.ndjson",
      shop().map((line) => line.replace("1770000000", "1760000000"))
    )
    assert.include((await importing(state, other))[0], "another session has the id shop-42")
    assert.strictEqual(process.exitCode, 1)
    assert.lengthOf(eventsOf(state, "shop-42"), 6)
    process.exitCode = undefined
    assert.include((await importing(state, "--as", "shop-old", other))[0], "Imported shop-old")
    assert.include((await importing(state, "--as", "shop-old", other))[0], "was imported before")
    assert.include((await importing(state, "--as", "a/b", other))[0], "--as cannot be \"a/b\"")
    assert.include(
      (await importing(state, "--as", "x", write(folder, "two.ndjson", [...shop("a"), ...shop("b")])))[0],
      "but these files contain 2"
    )
    assert.deepStrictEqual(savedIn(state), ["shop-42", "shop-old"])
  })

  it("names of the Python relay that are none here are made into some, always the same", async () => {
    const { folder, state } = newFolder()
    const frame = (session_id: string) =>
      JSON.stringify({ type: "session_start", ts: 1, session_id, metadata: { tool: "x" } })
    const file = write(folder, "a.jsonl", [frame("../../etc/passwd"), frame("user 7/chat")])
    await importing(state, file)
    const names = savedIn(state)
    assert.lengthOf(names, 2)
    assert.match(names[0] ?? "", /^etc-passwd-[0-9a-f]{10}$/)
    assert.match(names[1] ?? "", /^user-7-chat-[0-9a-f]{10}$/)
    await importing(state, file)
    assert.deepStrictEqual(savedIn(state), names)
  })

  it("what an import that was killed has left is removed", async () => {
    const { folder, state } = newFolder()
    mkdirSync(join(state, "import-999999999-1/half"), { recursive: true })
    await importing(state, write(folder, "shop.ndjson", shop()))
    assert.notInclude(readdirSync(state), "import-999999999-1")
    assert.deepStrictEqual(savedIn(state), ["shop-42"])
  })

  it("says what is missing", async () => {
    const { folder, state } = newFolder()
    assert.include((await importing(state))[0], "missing file: ai-relay import")
    assert.include(
      (await importing(state, join(folder, "nowhere.ndjson")))[0],
      "nowhere.ndjson cannot be read"
    )
    assert.include((await importing(state, folder))[0], "there is no .ndjson or .jsonl file in the folder")
    assert.include((await importing(state, write(folder, "empty.ndjson", [])))[0], "nothing to import in")
  })

  it("a relay that runs lists it at once, finds what was said in it, and goes on with it", async () => {
    const { folder, state } = newFolder()
    const relay = await FakeRelay.start({ state_dir: state, roots: [tmpdir()] })
    cleanUp(relay.end)
    const http = relay.url.replace("ws", "http")
    const ask = async (path: string) =>
      (await fetch(`${http}${path}`)).json() as Promise<Record<string, unknown>>
    assert.deepStrictEqual(await ask("/sessions"), { sessions: [] })

    await importing(state, write(folder, "shop.ndjson", shop()))
    const { sessions } = await ask("/sessions") as { readonly sessions: ReadonlyArray<object> }
    assert.deepInclude(sessions[0], { session_id: "shop-42", title: "mend the invoice total", turns: 1 })
    const { results } = await ask("/search?q=mended") as { readonly results: ReadonlyArray<object> }
    assert.lengthOf(results, 1)
    const [markdown = ""] = await said("sessions", "export", "--markdown", "--url", relay.url, "shop-42")
    assert.include(markdown, "it is mended")

    // What is exported can be imported elsewhere.
    const elsewhere = join(folder, "elsewhere")
    const exported = await said("sessions", "export", "--url", relay.url, "shop-42")
    assert.include(
      (await importing(elsewhere, write(folder, "exported.ndjson", exported)))[0],
      "Imported shop-42"
    )
    // And here it is the session that there is, also when it went on.
    assert.include(
      (await importing(state, join(folder, "exported.ndjson")))[0],
      "shop-42 is saved here already"
    )
    const { connect } = await import("../../src/client/node.js")
    const session = connect({ url: relay.url, session_id: "shop-42" })
    cleanUp(session.close)
    await session.ask("and once more")
    const turns = eventsOf(state, "shop-42").filter(({ type }) => type === "turn_start").map((event) =>
      event.turn
    )
    assert.deepStrictEqual(turns, [1, 2])
  })

  it("a relay's own recording of a session it keeps is no second one", async () => {
    const { folder, state } = newFolder()
    const relay = await FakeRelay.start({ state_dir: state, roots: [tmpdir()] })
    cleanUp(relay.end)
    const { connect } = await import("../../src/client/node.js")
    const session = connect({ url: relay.url, tool: "fake", session_id: "own", folder: tmpdir() })
    cleanUp(session.close)
    await session.ask("hello")
    const exported = await said("sessions", "export", "--url", relay.url, "own")
    assert.deepStrictEqual(await importing(state, write(folder, "own.ndjson", exported)), [
      "own is saved here already."
    ])
  })
})
