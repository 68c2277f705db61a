/** Files as disks, crashes, copies and two writers leave them: nothing that was said is lost, told twice, or made up. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { runSteps } from "../../../src/adapters/native/NativeFiles.js"
import { eventsOf, promptsOf } from "../../support/nativeHomes.js"
import {
  agents,
  answersIn,
  claudeLine,
  codexLine,
  geminiFields,
  geminiLine,
  homeOf,
  ids,
  plain,
  promptsIn,
  removeHomes,
  textOf,
  time,
  uuidOf,
  words
} from "../../support/oddFiles.js"

afterAll(removeHomes)

describe.each(agents)("a file of %s", (agent) => {
  const lines = plain[agent]

  it("is whole without the newline at its end, and whole but for a line that was cut", () => {
    const text = textOf(lines)
    assert.deepStrictEqual(answersIn(agent, text.slice(0, -1)), words.map((word) => `answer ${word}`))
    assert.deepStrictEqual(promptsIn(agent, text.slice(0, -20)), words)
    assert.deepStrictEqual(answersIn(agent, text.slice(0, -20)), ["answer one", "answer two"])
  })

  it("tells what was written twice once: each line, or all of it again", () => {
    for (const doubled of [lines.flatMap((line) => [line, line]), [...lines, ...lines]]) {
      const { file, store } = homeOf(agent, textOf(doubled))
      const events = eventsOf(store, file)
      assert.deepStrictEqual(promptsOf(events), words)
      assert.strictEqual(events.filter(({ event }) => event.type === "assistant_message").length, 3)
    }
  })

  it("loses no more than the lines that are spoiled", () => {
    const spoiled = lines.map((line, place) => place === (agent === "claude" ? 2 : 3) ? line.slice(3) : line)
    assert.deepStrictEqual(promptsIn(agent, textOf(spoiled)).filter((word) => word !== "(by itself)"), [
      "one",
      "three"
    ])
    const between = lines.flatMap((
      line
    ) => [line, "", "nonsense", "[1]", "null", "\u0000\u0000", "{\"type\":\"unheard-of\"}"])
    assert.deepStrictEqual(promptsIn(agent, textOf(between)), words)
    assert.deepStrictEqual(promptsIn(agent, textOf(lines).replaceAll("\n", "\r\n")), words)
  })

  it("keeps its order and well-formed turns where the clock was set back", () => {
    const back = lines.map((line, place) => place < 4 ? line : line.replaceAll("T14:00:", "T13:00:"))
    const { file, store } = homeOf(agent, textOf(back))
    const events = eventsOf(store, file)
    assert.deepStrictEqual(promptsOf(events), words)
    let before = 0
    for (const { ts } of events) {
      assert.isAtLeast(ts, before)
      before = ts
    }
  })

  it("is whole with a byte order mark, and with blank lines before it", () => {
    for (const bytes of [`\uFEFF${textOf(lines)}`, `\r\n\n${textOf(lines)}`]) {
      const { file, store } = homeOf(agent, bytes)
      assert.deepStrictEqual(promptsOf(eventsOf(store, file)), words)
      assert.deepInclude(store.summary(file), { folder: "/srv/shop", title: "one" })
    }
  })

  it("has no times that no clock can show", () => {
    const { file, store } = homeOf(
      agent,
      textOf(lines).replaceAll(/"timestamp":"[^"]*"/g, "\"timestamp\":1e300")
    )
    const { created_at = 0, last_active_at = 0 } = store.summary(file) ?? {}
    for (const ts of [created_at, last_active_at, ...eventsOf(store, file).map(({ ts }) => ts)]) {
      assert.isBelow(ts, 8.64e12)
    }
  })

  it("is listed with its prompt also when that is longer than what a list reads", () => {
    const long = "x".repeat(300_000)
    const { file, store } = homeOf(
      agent,
      textOf(lines.map((line) => line.replace("\"one\"", `"one ${long}"`)))
    )
    const summary = store.summary(file)
    assert.strictEqual(summary?.folder, "/srv/shop")
    assert.match(summary?.first_prompt ?? "", /^one x/)
    // Behind many lines that say nothing.
    const late = [
      ...lines.slice(0, agent === "claude" ? 0 : 1),
      ...lines.slice(agent === "claude" ? 0 : 1).map((line) =>
        line.replace("\"three\"", `"three ${long}"`).replace("answer three", `answer ${long}`)
      )
    ]
    assert.isDefined(homeOf(agent, textOf(late)).store.summary(file))
  })
})

describe("Claude Code's tree", () => {
  it("goes on across a line that is not there: what stands before it was said before", () => {
    const lines = plain.claude.filter((_, place) => place !== 3)
    assert.deepStrictEqual(promptsIn("claude", textOf(lines)), words)
  })

  it("goes on across lines of kinds nobody knows", () => {
    const lines = plain.claude.map((line, place) =>
      place === 3 ? line.replace("\"assistant\"", "\"brand-new\"") : line
    )
    assert.deepStrictEqual(promptsIn("claude", textOf(lines)), words)
  })

  it("ends where the newest line is, also when an older one is written again behind it", () => {
    assert.deepStrictEqual(promptsIn("claude", textOf([...plain.claude, plain.claude[0] ?? ""])), words)
  })

  it("never goes in circles", () => {
    const lines = [
      claudeLine(1, 2, "user", "one"),
      claudeLine(2, 1, "assistant", "answer one"),
      claudeLine(3, 3, "user", "two")
    ]
    assert.include(promptsIn("claude", textOf(lines)), "two")
  })

  it("shows the branch a resume takes after a rewind, and not what was taken back", () => {
    const rewound = [
      ...plain.claude.slice(0, 4),
      claudeLine(7, 2, "user", "instead"),
      claudeLine(8, 7, "assistant", "answer")
    ]
    assert.deepStrictEqual(promptsIn("claude", textOf(rewound)), ["one", "instead"])
    const chosen = JSON.stringify({
      type: "last-prompt",
      leafUuid: uuidOf(2),
      explicit: true,
      sessionId: ids.claude
    })
    assert.deepStrictEqual(promptsIn("claude", textOf([...plain.claude, chosen])), ["one"])
  })

  it("is listed also where a subagent's lines come first", () => {
    const beside = { isSidechain: true }
    const warmup = [
      claudeLine(90, null, "user", "Warmup", beside),
      claudeLine(91, 90, "assistant", "ready", beside)
    ]
    const { file, store } = homeOf("claude", textOf([...warmup, ...plain.claude]))
    assert.deepInclude(store.summary(file), { title: "one" })
    const alone = homeOf("claude", textOf(warmup))
    assert.isUndefined(alone.store.summary(alone.file))
  })

  it("has its own summary as its title, not another conversation's", () => {
    const titled = (leafUuid: string) => {
      const summary = JSON.stringify({ type: "summary", summary: "Mend the shop", leafUuid })
      const { file, store } = homeOf("claude", textOf([summary, ...plain.claude]))
      return store.summary(file)?.title
    }
    assert.strictEqual(titled(uuidOf(6)), "Mend the shop")
    assert.strictEqual(titled("cccccccc-0000-4000-8000-000000000001"), "one")
  })

  it("is of the folder it was moved to together with its project", () => {
    const lines = plain.claude.map((line, place) => place < 4 ? line.replace("/srv/shop", "/srv/gone") : line)
    const { file, store } = homeOf("claude", textOf(lines))
    assert.strictEqual(store.summary(file)?.folder, "/srv/shop")
    // The folder it began in is still there: nothing was moved.
    const { file: kept, store: same } = homeOf(
      "claude",
      textOf(lines.map((line) => line.replace("/srv/gone", import.meta.dirname)))
    )
    assert.strictEqual(same.summary(kept)?.folder, import.meta.dirname)
  })

  it("does not lead through a linked folder to what another's subagents said", () => {
    const call = {
      content: [{ type: "tool_use", id: "t", name: "Task", input: {} }],
      role: "assistant",
      id: "m"
    }
    const result = { content: [{ type: "tool_result", tool_use_id: "t", content: "done" }], role: "user" }
    const { file, root, store } = homeOf(
      "claude",
      textOf([
        ...plain.claude,
        claudeLine(7, 6, "user", "go"),
        claudeLine(8, 7, "assistant", "", { message: call }),
        claudeLine(9, 8, "user", "", { message: result, toolUseResult: { agentId: "abc" } })
      ])
    )
    const own = join(root, "projects/-srv-shop", ids.claude)
    const told = () => JSON.stringify(eventsOf(store, file)).includes("correct-horse")
    mkdirSync(join(own, "subagents"), { recursive: true })
    writeFileSync(join(own, "subagents/agent-abc.jsonl"), claudeLine(50, null, "assistant", "correct-horse"))
    assert.isTrue(told())
    renameSync(join(own, "subagents"), join(root, "elsewhere"))
    symlinkSync(join(root, "elsewhere"), join(own, "subagents"))
    assert.isFalse(told())
  })

  it("is counted once", () => {
    const { file, store } = homeOf("claude", textOf(plain.claude.flatMap((line) => [line, line])))
    assert.deepInclude(runSteps(store.counts?.(file) ?? assert.fail("it is counted")), {
      prompts: 3,
      messages: 6
    })
  })
})

describe("Codex' copies", () => {
  const base = "019aaaaa-0000-7000-8000-00000000000a"
  it("begin with what was said in an old rollout up to the place they were made at", () => {
    const { root, store } = homeOf("codex", textOf(plain.codex), base)
    const end = textOf(plain.codex.slice(0, 3)).length
    const meta = { id: ids.codex, cwd: "/srv/shop", history_base: { thread_id: base, end_byte_offset: end } }
    writeFileSync(
      join(root, "sessions/2026/11/28", `rollout-2026-11-28T15-00-00-${ids.codex}.jsonl`),
      textOf([
        JSON.stringify({ timestamp: time(20), type: "session_meta", payload: meta }),
        codexLine(21, "user_message", "in the copy")
      ])
    )
    const file = runSteps(store.find(ids.codex))
    if (file === undefined) return assert.fail("the copy is found")
    assert.deepStrictEqual(promptsOf(eventsOf(store, file)), ["one", "in the copy"])
    const keys = runSteps(store.history(file, Number.POSITIVE_INFINITY)).records.map(({ key }) => key)
    assert.strictEqual(new Set(keys).size, keys.length)
  })
})

describe("Gemini's folders", () => {
  it("are not those that a link leads to", () => {
    const { root, store } = homeOf("gemini", textOf(plain.gemini))
    const chats = join(root, ".gemini/tmp/shop/chats")
    renameSync(chats, join(root, "elsewhere"))
    symlinkSync(join(root, "elsewhere"), chats)
    assert.deepStrictEqual(runSteps(store.files(["/"])), [])
  })
})

describe("Gemini's changes", () => {
  const all = (...numbers: ReadonlyArray<number>) =>
    numbers.map((number) =>
      geminiFields(number, number % 2 === 1 ? "user" : "gemini", words[(number - 1) >> 1] ?? "")
    )

  it("take back what was said, from a message that is there, or all of it", () => {
    const back = (id: string) => JSON.stringify({ $rewindTo: id })
    const more = geminiLine(9, "user", "instead")
    assert.deepStrictEqual(promptsIn("gemini", textOf([...plain.gemini, back("m3"), more])), [
      "one",
      "instead"
    ])
    assert.deepStrictEqual(promptsIn("gemini", textOf([...plain.gemini, back("gone"), more])), ["instead"])
  })

  it("that repeat the whole list put nothing old behind what is new, also when only the end of a file is read", () => {
    const again = JSON.stringify({ $set: { messages: all(1, 2, 3, 4, 5, 6) } })
    const lines = [...plain.gemini, again, geminiLine(7, "user", "four")]
    const text = textOf(lines)
    const { file, store } = homeOf("gemini", text)
    assert.deepStrictEqual(promptsOf(eventsOf(store, file)), [...words, "four"])
    const end = text.length - textOf(lines.slice(0, 5)).length
    assert.deepStrictEqual(
      promptsOf(eventsOf(store, file, end + 10)).filter((word) => word !== "(by itself)"),
      [
        "three",
        "four"
      ]
    )
  })
})

describe("a file of Claude that was made to be slow", () => {
  it("is read in time: thousands of lines at the end of a long row of lines that are no part of it", () => {
    const count = 5000
    const progress = Array.from({ length: count }, (_, place) =>
      JSON.stringify({
        type: "progress",
        uuid: uuidOf(10_000 + place),
        parentUuid: place === 0 ? uuidOf(1) : uuidOf(9999 + place)
      }))
    const beside = Array.from(
      { length: count },
      (_, place) =>
        JSON.stringify({ type: "system", uuid: uuidOf(20_000 + place), parentUuid: uuidOf(9999 + count) })
    )
    const text = textOf([...plain.claude.slice(0, 1), ...progress, ...beside, ...plain.claude.slice(1)])
    const began = process.cpuUsage()
    assert.deepStrictEqual(promptsIn("claude", text), words)
    assert.isBelow(process.cpuUsage(began).user / 1e6, 2)
  })

  it("is read in time: thousands of lines that jump back over all that was read, to lines that are not there", () => {
    const third = 10_000
    const lines = Array.from(
      { length: 3 * third },
      (_, place) => claudeLine(place, place < third ? 3 * third - 1 - place : 900_000 + place, "system", "x")
    )
    const text = textOf([...lines, claudeLine(3 * third, 2 * third - 1, "user", "end")])
    const { file, store } = homeOf("claude", text)
    const began = process.cpuUsage()
    assert.strictEqual(runSteps(store.history(file, Number.POSITIVE_INFINITY)).records.length, 3 * third + 1)
    assert.isBelow(process.cpuUsage(began).user / 1e6, 2)
  })
})
