/** What real CLIs of many versions left on disk, as events. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { runSteps } from "../../../src/adapters/native/NativeFiles.js"
import { EventBody } from "../../../src/schema/index.js"
import { type Agent, eventsOf, fileOf, promptsOf, storeOf } from "../../support/nativeHomes.js"

const versions: ReadonlyArray<readonly [Agent, string]> = [
  ["claude", "1.0.65"],
  ["claude", "2.0.31"],
  ["claude", "2.1.37"],
  ["claude", "2.1.197"],
  ["claude", "2.1.332"],
  ["codex", "0.42.0"],
  ["codex", "0.98.0"],
  ["codex", "0.130.0"],
  ["codex", "0.171.0"],
  ["gemini", "0.24.0"],
  ["gemini", "0.61.0"]
]

const isEvent = Schema.is(EventBody)

describe.each(versions)("%s %s", (agent, version) => {
  const store = storeOf(agent, version)
  const files = runSteps(store.files(["/"])).filter((file) => store.summary(file) !== undefined)

  it("has conversations, each with a title, a folder and a time", () => {
    assert.isAbove(files.length, 0)
    for (const file of files) {
      const summary = store.summary(file)
      assert.strictEqual(summary?.folder, "/srv/shop")
      assert.isAbove(summary?.title?.length ?? 0, 0)
      assert.isAbove(summary?.last_active_at ?? 0, 1_795_000_000)
    }
  })

  it("follows the rules of live events", () => {
    for (const file of files) {
      let isOpen = false
      let answers = 0
      let before = 0
      for (const { event, ts } of eventsOf(store, file)) {
        assert.isTrue(isEvent(event), JSON.stringify(event))
        assert.isAtLeast(ts, before)
        before = ts
        assert.strictEqual("metadata" in event ? event.metadata?.["history"] : undefined, true)
        if (event.type === "turn_start") {
          assert.isFalse(isOpen)
          isOpen = true
          answers = 0
        }
        if (
          /^(?:assistant_message|reasoning|tool_|file_diff|user_message|response|turn_end)/.test(event.type)
        ) {
          assert.isTrue(isOpen, event.type)
        }
        if (event.type === "response") answers += 1
        if (event.type === "turn_end") {
          isOpen = false
          assert.strictEqual(answers, event.stop_reason === "end_turn" ? 1 : 0)
        }
      }
      assert.isFalse(isOpen)
    }
  })

  it("tells every tool's call before its result", () => {
    for (const file of files) {
      const called = new Set<string>()
      for (const { event } of eventsOf(store, file)) {
        if (event.type === "tool_call") called.add(event.tool_use_id)
        if (event.type === "tool_result") assert.isTrue(called.has(event.tool_use_id), event.tool_use_id)
      }
    }
  })
})

describe("Claude Code's history", () => {
  const store = storeOf("claude", "2.1.197")

  it("is in the order of the conversation, across a compaction, with what waited, failed and was interrupted", () => {
    const events = eventsOf(store, fileOf(store, "7495720d"))
    assert.deepStrictEqual(promptsOf(events), [
      "hello there, mend the total",
      "please RUN_BASH",
      "SLOW12 go",
      "WRITE_FILE /srv/shop/hello.txt",
      "EDIT_FILE /srv/shop/hello.txt",
      "TODO make list",
      "READ_IMAGE now",
      "PARALLEL now",
      "SUBAGENT go",
      "FAILBASH now",
      "BIG_OUTPUT now",
      "(by itself)",
      "SLOW40 long",
      "queued prompt one",
      "SLOW80 interrupted",
      "BIG_OUTPUT now",
      "SUBAGENT go",
      "FAILBASH now",
      "BG_BASH now",
      "(by itself)",
      "after compaction hello",
      "hello after in-app resume"
    ])
    const ends = events.flatMap(({ event }) => event.type === "turn_end" ? [event.stop_reason] : [])
    assert.deepStrictEqual(ends.filter((reason) => reason === "cancelled").length, 1)
    assert.strictEqual(ends[14], "cancelled")
    // Two prompts that waited went to the agent as one turn.
    assert.include(
      events.flatMap(({ event }) => event.type === "user_message" ? [event.text] : []),
      "queued prompt two"
    )
  })

  it("shows the output of a tool, not the note where it was put", () => {
    const results = eventsOf(store, fileOf(store, "7495720d")).flatMap(({ event }) =>
      event.type === "tool_result" ? [event.text ?? ""] : []
    )
    assert.isTrue(results.some((text) => text.startsWith("1\n2\n3")))
    assert.isFalse(results.some((text) => text.includes("<persisted-output>")))
  })

  it("tells what subagents did with the call that started them", () => {
    const inside = eventsOf(store, fileOf(store, "7495720d")).flatMap(({ event }) =>
      event.type === "tool_call" && event.metadata?.["parent_tool_use_id"] !== undefined ? [event.tool] : []
    )
    assert.deepStrictEqual(inside, ["Bash"])
  })

  it("is the branch that a resume takes, where two wrote at once", () => {
    const prompts = promptsOf(eventsOf(store, fileOf(store, "3f7cc670")))
    const file = fileOf(store, "3f7cc670")
    const { prompts: all } = runSteps(store.counts?.(file) ?? assert.fail("they are counted"))
    assert.isBelow(prompts.length, all)
    assert.strictEqual(prompts[0], "first in the new one")
  })

  it("is the same, read from the end only", () => {
    const file = fileOf(store, "7495720d")
    const whole = eventsOf(store, file).map(({ event }) => JSON.stringify(event))
    const part = eventsOf(store, file, 32 * 1024).map(({ event }) => JSON.stringify(event))
    assert.isBelow(part.length, whole.length)
    // The first turn of a part may lack its beginning.
    const second = part.findIndex((event, at) =>
      at > 0 && event.startsWith("{\"type\":\"turn_start\",\"text\"")
    )
    assert.deepStrictEqual(part.slice(second), whole.slice(-(part.length - second)))
  })
})

describe("Codex' history", () => {
  it("of a copy begins with that of its source, up to where it was copied", () => {
    const store = storeOf("codex", "0.171.0")
    const source = promptsOf(eventsOf(store, fileOf(store, "01a222a7-3924")))
    const copy = promptsOf(eventsOf(store, fileOf(store, "01a222ac-193c")))
    assert.deepStrictEqual(copy, [...source, "hello fork"])
  })

  it("leaves subagents out of the list", () => {
    const store = storeOf("codex", "0.171.0")
    assert.strictEqual(store.summary(fileOf(store, "01a222a8-f052")), undefined)
  })

  it.each(["0.42.0", "0.98.0", "0.130.0"])("has the tools of old rollouts: %s", (version) => {
    const store = storeOf("codex", version)
    const tools = runSteps(store.files(["/"])).flatMap((file) =>
      eventsOf(store, file).flatMap(({ event }) =>
        event.type === "tool_call"
          ? [[event.tool, event.args]]
          : event.type === "tool_result"
          ? [[event.status, event.exit_code, event.text]]
          : []
      )
    )
    assert.deepStrictEqual(tools[1], ["ok", 0, "hi\n"])
    assert.strictEqual(tools[0]?.[0], "commandExecution")
    assert.include(JSON.stringify(tools[0]?.[1]), "echo hi > made.txt && cat made.txt")
  })
})

describe("Gemini CLI's history", () => {
  const store = storeOf("gemini", "0.61.0")

  it("tells a message that was written twice once, with its tools", () => {
    const events = eventsOf(store, fileOf(store, "7b974545"))
    const calls = events.flatMap(({ event }) => event.type === "tool_call" ? [event.tool] : [])
    assert.deepStrictEqual(calls, ["run_shell_command", "write_file", "replace", "write_todos"])
    const diffs = events.flatMap(({ event }) => event.type === "file_diff" ? [event.diff] : [])
    assert.include(diffs[0], "-changed line\n+second line")
  })

  it("has no context that was never said", () => {
    const told = JSON.stringify(eventsOf(store, fileOf(store, "7b974545")))
    assert.notInclude(told, "session_context")
  })
})
