/** What is drawn of what an agent has said and done, from its events to the words on the page. */
import { createElement } from "react"
import { renderToStaticMarkup } from "react-dom/server"
import { beforeAll, describe, expect, it } from "vitest"
import type { RelayEvent } from "../../src/client/browser.js"
import { AgentChoice } from "../../src/console/components/AgentChoice.js"
import { AskCard } from "../../src/console/components/AskCard.js"
import { ItemView } from "../../src/console/components/ItemView.js"
import { Markdown } from "../../src/console/components/Markdown.js"
import { ToolAsk } from "../../src/console/components/ToolAsk.js"
import { modelName } from "../../src/console/components/words.js"
import { reduce } from "../../src/messages/reduce.js"
import { empty, openAsks } from "../../src/messages/View.js"

type Told = { readonly type: RelayEvent["type"] } & Readonly<Record<string, unknown>>

// What a page keeps: nothing here.
beforeAll(() => {
  const nothing = { getItem: () => null, setItem: () => {}, removeItem: () => {} }
  Object.defineProperty(globalThis, "localStorage", { value: nothing, configurable: true })
})

const start: Told = { type: "session_start", metadata: { tool: "claude", folder: "/srv/shop" } }
const turn: Told = { type: "turn_start", text: "go" }

const viewOf = (events: ReadonlyArray<Told>) =>
  reduce(
    empty,
    // Tests write only the fields that matter.
    [start, turn, ...events].map((event, index) =>
      ({ ts: 1000 + index * 2, session_id: "s", seq: index + 1, ...event }) as unknown as RelayEvent
    )
  )

const wordsIn = (html: string): string =>
  html.replaceAll(/<[^>]*>/g, " ").replaceAll("&#x27;", "'").replaceAll("&quot;", "\"").replaceAll(
    "&lt;",
    "<"
  )
    .replaceAll("&gt;", ">").replaceAll("&amp;", "&").replaceAll(/\s+/g, " ").trim()

/** Each item's words, without the prompt. */
const drawn = (...events: ReadonlyArray<Told>): ReadonlyArray<string> => {
  const view = viewOf(events)
  const shared = { tool: view.tool, folder: view.folder, edit_input: true }
  return view.items.slice(1).map((item) =>
    wordsIn(renderToStaticMarkup(createElement(ItemView, { item, view: shared, onAnswer: () => {} })))
  ).filter((words) => words !== "")
}

const call = (tool: string, args: object): Told => ({ type: "tool_call", tool, tool_use_id: "t", args })
const result = (text: string, status = "ok"): Told => ({
  type: "tool_result",
  tool_use_id: "t",
  status,
  text
})
const ask = (tool: string, args: object, kind = "tool", more: object = {}): Told => ({
  type: "permission_request",
  request_id: "r",
  tool,
  args,
  text: "",
  tool_use_id: "t",
  metadata: { kind, ...more }
})
const answered = (status: string, more: object = {}): Told => ({
  type: "control_response",
  request_id: "r",
  status,
  ...more
})

describe("a tool's card", () => {
  it("names Claude's tasks as tasks, not as subagents", () => {
    expect(drawn(call("TaskCreate", { subject: "Write a test" }), result("ok"))[0]).toContain(
      "Tasks Write a test"
    )
    expect(drawn(call("TaskUpdate", { taskId: "3", status: "completed" }), result("ok"))[0]).toContain(
      "Tasks #3 · done"
    )
    expect(drawn(call("TaskStop", { task_id: "3" }), result("ok"))[0]).not.toContain("Subagent")
    expect(drawn(call("Agent", { description: "Look around" }), result("ok"))[0]).toContain("Subagent")
  })

  it("shows the pattern before where it looks, paths as they lie in the folder, and a command without its shell", () => {
    expect(drawn(call("Grep", { path: "/srv/shop/src", pattern: "TODO" }), result("x"))[0]).toContain(
      "TODO in src"
    )
    expect(drawn(call("Read", { file_path: "/srv/shop/src/a.ts" }), result("x"))[0]).toMatch(
      /Read src\/a\.ts/
    )
    const run = drawn(call("Bash", { command: "/bin/bash -lc 'npm test'" }), result("x"))[0]
    expect(run).toContain("Run npm test")
  })

  it("shows no tags of its agent, and the exit code and the time", () => {
    const [failed] = drawn(
      call("Bash", { command: "false" }),
      result("<tool_use_error>Exit code 3\nno</tool_use_error>", "error")
    )
    expect(failed).toContain("exit 3")
    expect(failed).toContain("2 s")
    expect(failed).not.toContain("tool_use_error")
  })

  it("waits for a person without a spinner, and has one row for a call and its answer", () => {
    const asked = [call("Bash", { command: "ls" }), ask("Bash", { command: "ls" })]
    expect(drawn(...asked)[0]).toContain("waiting for you")
    const done = drawn(...asked, answered("allow"), result("x"))
    expect(done).toHaveLength(1)
    expect(done[0]).toContain("Run ls allowed")
  })

  it("says why it was denied, in its line, and is no failure", () => {
    const [denied] = drawn(
      call("Bash", { command: "ls" }),
      ask("Bash", { command: "ls" }),
      answered("deny", { text: "not today", metadata: { message: "not today" } }),
      result("The user does not want it", "error")
    )
    expect(denied).toMatch(/^denied/)
    expect(denied).toContain("denied: not today")
  })

  it("says what was answered, what became of a plan, and that a question was skipped", () => {
    const question = ask("AskUserQuestion", {
      questions: [{ question: "Which?", header: "DB", options: [{ label: "SQLite" }] }]
    }, "question")
    const asks = [call("AskUserQuestion", {}), question]
    expect(
      drawn(...asks, answered("allow", { metadata: { answers: { "Which?": "SQLite" } } }), result("{}"))[0]
    )
      .toContain("Answered: SQLite")
    const skipped = drawn(...asks, answered("deny"), result("{\"a\":1}", "error"))[0]
    expect(skipped).toContain("skipped")
    expect(skipped).not.toMatch(/^failed/)
    const plan = [call("ExitPlanMode", { plan: "# Do" }), ask("ExitPlanMode", { plan: "# Do" }, "plan")]
    expect(drawn(...plan, answered("allow"), result("ok"))[0]).toContain("Plan approved")
    expect(drawn(...plan, answered("deny", { metadata: { message: "smaller" } }), result("no", "error"))[0])
      .toContain("Plan rejected")
  })
})

describe("what is said beside it", () => {
  it("is one line for an API that is asked again", () => {
    const retry = (attempt: number, type: RelayEvent["type"]): Told =>
      type === "status"
        ? { type, status: "api_retry", text: "x", metadata: { attempt, max_retries: 10 } }
        : { type, text: "x", metadata: { attempt, max_retries: 10, retry_delay_ms: 100 } }
    expect(drawn(retry(1, "status"), retry(2, "status"), retry(3, "status"))).toEqual([
      "Can’t reach the model API; retrying (3/10)"
    ])
    expect(drawn(retry(1, "quota_warning"))).toEqual(["Rate-limited; retrying (1/10)"])
  })

  it("tells the time and the tokens of a turn in words", () => {
    expect(
      drawn({ type: "turn_end", stop_reason: "cancelled", usage: { duration_ms: 1500, output_tokens: 412 } })
    )
      .toEqual(["Stopped · 1.5 s · 412 output tokens"])
  })

  it("keeps the lines of what a command printed", () => {
    const view = viewOf([{
      type: "user_message",
      content: [],
      text: "<local-command-stdout>Total cost: $0.10\nTotal time: 2 s</local-command-stdout>"
    }])
    const [, item] = view.items
    if (item === undefined) throw new Error("nothing was printed")
    const shared = { tool: "claude", folder: "", edit_input: true }
    const html = renderToStaticMarkup(createElement(ItemView, { item, view: shared, onAnswer: () => {} }))
    expect(html).toContain("data-printed=\"true\"")
    expect(html).toContain("Total cost: $0.10\nTotal time: 2 s")
  })

  it("says that the agent has forgotten what was said before /clear", () => {
    const [, said, ...items] = viewOf([
      { type: "turn_end", stop_reason: "end_turn" },
      { type: "turn_start", text: "/clear" },
      {
        type: "user_message",
        content: [],
        text: "<local-command-stdout>(no content)</local-command-stdout>"
      },
      { type: "turn_end", stop_reason: "end_turn" }
    ]).items
    expect(said?.kind).toBe("end")
    expect(items.map((item) => item.kind === "notice" ? item.about?.is : item.kind)).toEqual([
      "user",
      "cleared",
      "end"
    ])
    expect(drawn({ type: "turn_end", stop_reason: "end_turn" }).join()).not.toContain("forgotten")
  })

  it("begins with a capital", () => {
    expect(drawn({ type: "error", code: "turn_failed", text: "the agent is gone" })[0]).toMatch(/^The agent/)
  })

  it("keeps the backslashes of mathematics, and links to pictures that are elsewhere", () => {
    const text = renderToStaticMarkup(
      createElement(Markdown, { text: "\\(a+b\\) ![a plan](https://example.com/a.png)", whole: true })
    )
    expect(wordsIn(text)).toContain("\\(a+b\\)")
    expect(text).toContain("href=\"https://example.com/a.png\"")
    expect(text).not.toContain("<img")
  })
})

describe("a question", () => {
  const shown = (event: Told, canEdit: boolean) => {
    const [item] = openAsks(viewOf([event]))
    if (item === undefined) throw new Error("nothing is asked")
    return wordsIn(renderToStaticMarkup(createElement(ToolAsk, { item, canEdit, onAnswer: () => {} })))
  }

  it("offers an edit only where the agent takes one", () => {
    expect(shown(ask("Bash", { command: "ls" }), true)).toMatch(/Edit .*Deny/)
    expect(shown(ask("Bash", { command: "ls" }), false)).not.toContain("Edit")
  })

  it("is asked in the agent's name", () => {
    const view = viewOf([
      ask(
        "AskUserQuestion",
        { questions: [{ question: "Which?", multiSelect: true, options: [] }] },
        "question"
      )
    ])
    const [item] = openAsks(view)
    if (item === undefined) throw new Error("nothing is asked")
    const words = wordsIn(
      renderToStaticMarkup(
        createElement(AskCard, {
          item,
          view: { tool: "claude", folder: "", edit_input: true },
          onAnswer: () => {}
        })
      )
    )
    expect(words).toContain("Claude Code asks")
    expect(words).toContain("select all that apply")
  })
})

describe("a model", () => {
  it("is called as people call it", () => {
    expect(modelName("claude-opus-4-8[1m]", [])).toBe("Opus 4.8 (1M)")
    expect(modelName("claude-sonnet-5", [])).toBe("Sonnet 5")
    expect(modelName("sonnet", [{ value: "sonnet", name: "Sonnet" }])).toBe("Sonnet")
  })
})

describe("the choice of agents", () => {
  const drawnAgent = (more: object): string => {
    const agent = { tool: "x", name: "X", installed: true, logged_in: true, version: "1.2.3", ...more }
    return wordsIn(
      renderToStaticMarkup(createElement(AgentChoice, { agents: [agent], chosen: "x", onChoose: () => {} }))
    )
  }

  it("says what is known of a version: nothing of one that was tested", () => {
    expect(drawnAgent({ compatibility: "tested" })).toMatch(/X 1\.2\.3 · [^·]+$/)
  })

  it("says that a version is newer than those that were tested", () => {
    expect(drawnAgent({ compatibility: "newer than tested (1.2.0)" })).toMatch(
      / · newer than tested \(1\.2\.0\)$/
    )
  })

  it("says what trouble a version is known for", () => {
    expect(drawnAgent({ compatibility: "tested", trouble: ["forgets its mode", "drops images"] }))
      .toMatch(/ · known trouble: forgets its mode, drops images$/)
  })
})
