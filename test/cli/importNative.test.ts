/** `ai-relay import` of what agents keep and print themselves: one command, a session each, or a word what is wrong. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { RelayEvent } from "../../src/schema/index.js"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import * as importsOf from "../support/importing.js"
import { eventsOf, importing, savedIn } from "../support/importing.js"
import { samples } from "../support/nativeHomes.js"

const cleanUp = cleanUpAfterEach()

const newFolder = () => importsOf.newFolder(cleanUp)
const promptsOf = (events: ReadonlyArray<RelayEvent>) =>
  events.flatMap((event) => event.type === "turn_start" ? [event.text ?? ""] : [])

const claude = "7495720d-081f-400a-bb52-9ff7a65f842d"
const claudeFile = join(samples, `claude/2.1.197/projects/-srv-shop/${claude}.jsonl`)
const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jsonl"))
    .map((name) => join(folder, name))
const codexFile = filesIn(join(samples, "codex/0.171.0/sessions")).find((path) => path.includes("3924"))
const geminiFile = filesIn(join(samples, "gemini/0.61.0/.gemini/tmp/shop/chats")).find((path) =>
  path.endsWith("7b974545.jsonl")
)

describe("ai-relay import of an agent's own file", () => {
  afterEach(() => {
    process.exitCode = undefined
  })

  it("keeps a transcript of Claude Code, with all its turns, and can go on with it; again, it is no second one", async () => {
    const { state } = newFolder()
    const [line = ""] = await importing(state, claudeFile)
    assert.match(line, new RegExp(`^Imported ${claude} \\(claude, /srv/shop\\): 22 turns, \\d+ events\\.$`))
    const events = eventsOf(state, claude)
    assert.include(promptsOf(events), "after compaction hello")
    assert.include(promptsOf(events), "please RUN_BASH")
    const { summary } = JSON.parse(readFileSync(join(state, "sessions", claude, "meta.json"), "utf8"))
    assert.deepInclude(summary, { native_session_id: claude, tool: "claude", folder: "/srv/shop" })
    assert.deepStrictEqual(await importing(state, claudeFile), [`${claude} was imported before.`])
  })

  it("keeps a rollout of Codex and a chat of Gemini CLI, wherever they lie", async () => {
    const { folder, state } = newFolder()
    if (codexFile === undefined || geminiFile === undefined) return assert.fail("there are samples")
    const copy = join(folder, "copied from the other machine.jsonl")
    cpSync(geminiFile, copy)
    const lines = await importing(state, codexFile, copy)
    assert.match(lines.join("\n"), /Imported \S+ \(codex, \/srv\/shop\): \d+ turns/)
    assert.match(lines.join("\n"), /Imported 7b974545-\S+ \(gemini\): \d+ turns/)
    assert.lengthOf(savedIn(state), 2)
    for (const id of savedIn(state)) {
      const events = eventsOf(state, id)
      assert.isAbove(promptsOf(events).length, 1)
      assert.strictEqual(
        events.filter(({ type }) => type === "turn_start").length,
        events.filter(({ type }) => type === "turn_end").length
      )
    }
  })

  it("takes of a folder what is one, and says what it leaves out", async () => {
    const { folder, state } = newFolder()
    const project = join(folder, "project")
    cpSync(join(samples, "claude/2.0.31/projects/-srv-shop"), project, { recursive: true })
    const lines = await importing(state, project)
    assert.isAbove(lines.filter((line) => line.startsWith("Imported ")).length, 0, lines.join("\n"))
    assert.isTrue(
      lines.some((line) => /is skipped: it is a subagent's conversation/.test(line)),
      lines.join("\n")
    )
    assert.isUndefined(process.exitCode)
  })

  it("reads a file that was cut, and refuses one in which nothing was said, with a word what to do", async () => {
    const { folder, state } = newFolder()
    const cut = join(folder, "cut.jsonl")
    writeFileSync(cut, readFileSync(claudeFile).subarray(0, 60_000))
    assert.match(
      (await importing(state, "--as", "cut", cut))[0] ?? "",
      /^Imported cut \(claude, \/srv\/shop\): \d+ turn/
    )
    const nothing = join(folder, "nothing.jsonl")
    writeFileSync(
      nothing,
      `${JSON.stringify({ type: "file-history-snapshot", messageId: "m", snapshot: {} })}\n`
    )
    assert.match(
      (await importing(state, nothing))[0] ?? "",
      /^ai-relay: nothing\.jsonl is a file of Claude Code in which nothing was said: .* Nothing was imported\.$/
    )
    assert.strictEqual(process.exitCode, 1)
  })

  it("says what to do about two files of one conversation, and about what cannot be read", async () => {
    const { folder, state } = newFolder()
    const copy = join(folder, `${claude}.jsonl`)
    cpSync(claudeFile, copy)
    assert.match(
      (await importing(state, claudeFile, copy))[0] ?? "",
      /several of these files belong to 7495720d-\S+: import only the longest/
    )
    mkdirSync(join(folder, "empty"))
    assert.include((await importing(state, join(folder, "empty")))[0], "name the files themselves")
    assert.match(
      (await importing(state, join(folder, "nowhere.jsonl")))[0] ?? "",
      /cannot be read/
    )
    assert.deepStrictEqual(savedIn(state), [])
  })
})

describe("ai-relay import of what an agent printed", () => {
  afterEach(() => {
    process.exitCode = undefined
  })

  it("keeps a session of each program's output, named as the agent named it", async () => {
    const { state } = newFolder()
    const recordings = join(import.meta.dirname, "../fixtures/recordings")
    const lines = await importing(state, recordings)
    assert.deepStrictEqual(
      lines.map((line) => line.replace(/^Imported \S+ /, "").replace(/\d+ events/, "N events")),
      [
        "(claude, /home/user/shop): 1 turn, N events.",
        "(codex): 1 turn, N events.",
        "(gemini): 1 turn, N events."
      ]
    )
    for (const id of savedIn(state)) {
      const events = eventsOf(state, id)
      assert.isTrue(events.some((event) => event.type === "response" && event.text === "The answer is one."))
      // The file's own time, where its lines have none.
      assert.isAbove(events[0]?.ts ?? 0, 1_700_000_000)
    }
    assert.deepStrictEqual(
      (await importing(state, recordings)).map((line) => line.split(" ").slice(1).join(" ")),
      ["was imported before.", "was imported before.", "was imported before."]
    )
  })
})
