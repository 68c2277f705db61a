/** What agents print, read for `ai-relay import`: recordings of the real programs. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
  type BadLine,
  readTranscripts,
  type Recorded
} from "../../../src/adapters/imported/readTranscripts.js"
import { EventBody } from "../../../src/schema/index.js"

const fixtures = join(import.meta.dirname, "../../fixtures")
const linesOf = (path: string) => readFileSync(join(fixtures, path), "utf8").trim().split("\n")
const at = 1_790_000_000

const read = (lines: ReadonlyArray<string>): Recorded => {
  const [recorded, ...others] = Result.getOrThrow(readTranscripts([{ name: "it", lines, at }]))
  assert.lengthOf(others, 0)
  if (recorded === undefined) return assert.fail("nothing was read")
  return recorded
}
const refused = (...files: ReadonlyArray<ReadonlyArray<string>>): BadLine => {
  const result = readTranscripts(files.map((lines, place) => ({ name: `file ${place}`, lines, at })))
  return Result.isFailure(result) ? result.failure : assert.fail("it was read")
}

/** What people see of it. */
const seen = ({ events }: Recorded): ReadonlyArray<string> =>
  events.flatMap(({ event }) =>
    event.type === "turn_start"
      ? [`turn: ${event.text ?? ""}`]
      : event.type === "tool_call"
      ? [`call: ${event.tool}`]
      : event.type === "tool_result"
      ? [`result: ${event.status} ${event.text?.trim() ?? ""}`]
      : event.type === "reasoning" || event.type === "response"
      ? [`${event.type}: ${event.text}`]
      : event.type === "turn_end"
      ? [`end: ${event.stop_reason}`]
      : []
  )

const isEvent = Schema.is(EventBody)
const wellFormed = ({ events }: Recorded) => {
  let isOpen = false
  let before = 0
  const calls = new Set<string>()
  for (const { event, ts } of events) {
    assert.isTrue(isEvent(event), JSON.stringify(event))
    assert.isAtLeast(ts, before)
    assert.isAbove(ts, 1_700_000_000)
    before = ts
    if (event.type === "turn_start") {
      assert.isFalse(isOpen)
      isOpen = true
    }
    if (event.type === "turn_end") {
      assert.isTrue(isOpen)
      isOpen = false
    }
    if (event.type === "tool_call") calls.add(event.tool_use_id)
    if (event.type === "tool_result") assert.isTrue(calls.has(event.tool_use_id), event.tool_use_id)
    if (["assistant_message", "response", "tool_call", "tool_result", "reasoning"].includes(event.type)) {
      assert.isTrue(isOpen, event.type)
    }
  }
  assert.isFalse(isOpen)
  assert.isTrue(events.some(({ event }) => event.type === "turn_start"))
}

describe("what an agent printed for one prompt", () => {
  it("of Claude Code: its prompt is not in there", () => {
    const recorded = read(linesOf("recordings/claude-stdout.jsonl"))
    wellFormed(recorded)
    assert.deepInclude(recorded, { by: "agent", tool: "claude", folder: "/home/user/shop" })
    assert.match(recorded.session_id, /^[0-9a-f-]{36}$/)
    assert.deepStrictEqual(seen(recorded).filter((line) => !line.startsWith("reasoning")), [
      "turn: ",
      "call: Bash",
      "result: ok one",
      "response: The answer is one.",
      "end: end_turn"
    ])
  })

  it("of codex exec --json", () => {
    const recorded = read(linesOf("recordings/codex-exec.jsonl"))
    wellFormed(recorded)
    assert.deepInclude(recorded, { tool: "codex", session_id: "01a2259b-bbda-7f02-a5c1-a3fa3c569b17" })
    assert.deepStrictEqual(seen(recorded), [
      "turn: ",
      "reasoning: Hm.",
      "call: commandExecution",
      "result: ok one",
      "response: The answer is one.",
      "end: end_turn"
    ])
  })

  it("of Gemini CLI", () => {
    const recorded = read(linesOf("recordings/gemini-stdout.jsonl"))
    wellFormed(recorded)
    assert.deepInclude(recorded, { tool: "gemini", model: "gemini-3.8-flash" })
    assert.deepStrictEqual(seen(recorded), [
      "turn: please list them",
      "call: run_shell_command",
      "result: ok one",
      "response: The answer is one.",
      "end: end_turn"
    ])
    // These lines say when they were.
    assert.closeTo(recorded.events[0]?.ts ?? 0, Date.parse("2026-11-29T04:41:44.014Z") / 1000, 0.001)
  })
})

const wrapped = ["claude", "codex", "gemini", "claude-agent-acp"].flatMap((agent) =>
  readdirSync(join(fixtures, agent)).filter((name) => name.endsWith(".jsonl")).map((name) =>
    `${agent}/${name}`
  )
)

describe("both sides of a recorded conversation", () => {
  it.each(wrapped)("%s, wrapped, and the agent's side alone", (path) => {
    const lines = linesOf(path)
    const both = read(lines)
    wellFormed(both)
    const printed = lines.map((line) => JSON.parse(line) as { dir: string; data: unknown })
      .flatMap(({ data, dir }) => dir === "out" ? [JSON.stringify(data)] : [])
    wellFormed(read(printed))
    // What was prompted is in it where both sides were recorded.
    const prompts = lines.map((line) => JSON.parse(line)).flatMap(({ data, dir }) =>
      dir === "in" && (data.method === "session/prompt" || data.type === "user") ? [data] : []
    )
    if (prompts.length > 0) assert.match(seen(both)[0] ?? "", /^turn: ./)
  })

  it("has a turn for each prompt, with its own end", () => {
    assert.deepStrictEqual(
      seen(read(linesOf("gemini/interrupt.jsonl"))).filter((line) => /^(?:turn|end)/.test(line)).length,
      4
    )
    assert.include(seen(read(linesOf("gemini/interrupt.jsonl"))), "end: cancelled")
  })
})

describe("a recording that is not as it should be", () => {
  const claude = linesOf("recordings/claude-stdout.jsonl")
  const codex = linesOf("recordings/codex-exec.jsonl")

  it("is told with the line that is wrong, and what to do", () => {
    const torn = refused([...claude, "{\"type\":\"resu"])
    assert.deepInclude(torn, { line: claude.length + 1 })
    assert.match(torn.reason, /is not a JSON object, in what Claude Code .* remove the line and import again/)
    const mixed = refused([...claude, ...codex])
    assert.deepInclude(mixed, { line: claude.length + 1 })
    assert.match(mixed.reason, /keep the lines of each in a file of its own/)
    const relays = refused([...codex, JSON.stringify({ type: "turn_start", ts: 1, session_id: "s", seq: 1 })])
    assert.match(relays.reason, /is of a relay, those before it of codex exec/)
    assert.match(refused(codex.slice(0, 2)).reason, /nothing was said in all of it/)
    assert.match(refused(["{\"hello\":1}"]).reason, /cannot be imported: it is neither an event/)
    assert.match(refused(["[]", "null"]).reason, /is no JSON object/)
    assert.match(refused(["plain words"]).reason, /is no JSON object/)
  })

  it("is read where it can be: cut in a turn, with empty lines, with kinds of lines nobody knows", () => {
    const cut = read(claude.slice(0, -1))
    wellFormed(cut)
    wellFormed(read([...claude.slice(0, 3), "", "{\"type\":\"something_new\"}", ...claude.slice(3)]))
    const doubled = read(claude.flatMap((line) => [line, line]))
    wellFormed(doubled)
    assert.strictEqual(seen(doubled).filter((line) => line.startsWith("call:")).length, 1)
  })

  it("keeps its order where the clock was set back", () => {
    const lines = linesOf("recordings/gemini-stdout.jsonl")
    const back = lines.map((line, place) =>
      place < 3 ? line : line.replace(/"2026-11-29T04/, "\"2026-11-29T02")
    )
    wellFormed(read(back))
    assert.deepStrictEqual(seen(read(back)), seen(read(lines)))
  })
})
