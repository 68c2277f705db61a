import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { RelayEvent } from "../../src/client/browser.js"
import { reduce } from "../../src/messages/reduce.js"
import { choicesOfMode } from "../../src/messages/settings.js"
import { empty, type Item, openAsks, type View } from "../../src/messages/View.js"

type Told = { readonly type: RelayEvent["type"] } & Readonly<Record<string, unknown>>

/** Events as a relay numbers them. */
const numbered = (told: ReadonlyArray<Told>, from = 1): ReadonlyArray<RelayEvent> =>
  // Tests write only the fields that matter.
  told.map((event, index) =>
    ({ ts: 1000 + index, session_id: "s", seq: from + index, ...event }) as unknown as RelayEvent
  )

const viewOf = (...told: ReadonlyArray<Told>): View => reduce(empty, numbered(told))

const start: Told = {
  type: "session_start",
  metadata: {
    tool: "claude",
    folder: "/srv/shop",
    capabilities: {
      images: true,
      steer: true,
      set_model: true,
      permission_modes: ["default", "plan"],
      terminal: false
    }
  }
}
const turn: Told = { type: "turn_start", text: "hello", message_id: "m-1" }
const ack: Told = { type: "input_ack", status: "sent", text: "hello", message_id: "m-1" }
const piece = (text: string, delta = "text"): Told => ({ type: "stream_event", delta, text })
const end: Told = { type: "turn_end", stop_reason: "end_turn" }

const kinds = ({ items }: View) => items.map(({ kind }) => kind)
const only = <Kind extends Item["kind"]>({ items }: View, kind: Kind) =>
  items.filter((item): item is Extract<Item, { readonly kind: Kind }> => item.kind === kind)

const firstOf = <A>(list: ReadonlyArray<A>): A => {
  const [first] = list
  if (first === undefined) throw new Error("there is none")
  return first
}

describe("a turn", () => {
  it("shows the prompt once, its acknowledgement included", () => {
    const view = viewOf(start, turn, ack, { type: "user_message", content: [], text: "hello" })
    assert.deepStrictEqual(only(view, "user").map(({ text }) => text), ["hello"])
    assert.isTrue(view.settled.has("m-1"))
    assert.isDefined(view.turn)
  })

  it("grows a text piece by piece, and puts the whole in its place", () => {
    const streaming = viewOf(start, turn, piece("Hel"), piece("lo **w"))
    assert.deepInclude(firstOf(only(streaming, "text")), { text: "Hello **w", whole: false })
    const whole = reduce(streaming, numbered([{ type: "assistant_message", text: "Hello **world**" }], 5))
    assert.deepStrictEqual(only(whole, "text").map(({ text, whole }) => [text, whole]), [[
      "Hello **world**",
      true
    ]])
    assert.strictEqual(only(whole, "text")[0]?.key, only(streaming, "text")[0]?.key)
  })

  it("keeps thinking and speaking apart while both stream", () => {
    const view = viewOf(start, turn, piece("Hmm", "reasoning"), piece("So"), {
      type: "reasoning",
      text: "Hmm."
    }, piece(" it is"))
    assert.deepInclude(firstOf(only(view, "reasoning")), { text: "Hmm.", whole: true })
    assert.strictEqual(only(view, "text")[0]?.text, "So it is")
  })

  it("shows a final answer that was not said before, and none that was", () => {
    const said: Told = { type: "assistant_message", text: "Four." }
    const answer: Told = { type: "response", text: "Four." }
    assert.lengthOf(only(viewOf(start, turn, said, answer, end), "text"), 1)
    assert.strictEqual(only(viewOf(start, turn, answer, end), "text")[0]?.text, "Four.")
  })

  it("loses no word of a text that is cut off", () => {
    const view = viewOf(start, turn, piece("Half a sen"), { type: "turn_end", stop_reason: "cancelled" })
    assert.deepInclude(firstOf(only(view, "text")), { text: "Half a sen", whole: true })
    assert.isUndefined(view.turn)
  })

  it("adds up what turns cost, and shows how full the context is", () => {
    const usage = { cost_usd: 0.25, context_tokens: 5000, context_window: 200_000 }
    const done: Told = { type: "turn_end", stop_reason: "end_turn", usage, context_pct: 2.5 }
    const view = viewOf(start, turn, done, turn, done)
    assert.deepInclude(view, { cost: 0.5, context_pct: 2.5, context_tokens: 5000, context_window: 200_000 })
  })
})

describe("prompts", () => {
  it("wait in the queue until their turn begins", () => {
    const queued: Told = { type: "input_ack", status: "queued", text: "next", message_id: "m-2" }
    const waiting = viewOf(start, turn, ack, queued)
    assert.deepStrictEqual(waiting.queue, [{ message_id: "m-2", text: "next" }])
    const begun = reduce(waiting, numbered([end, { type: "turn_start", text: "next", message_id: "m-2" }], 5))
    assert.deepStrictEqual(begun.queue, [])
    assert.deepStrictEqual(only(begun, "user").map(({ text }) => text), ["hello", "next"])
  })

  it("can be taken back", () => {
    const view = viewOf(
      start,
      turn,
      { type: "input_ack", status: "queued", text: "next", message_id: "m-2" },
      { type: "input_ack", status: "cancelled", message_id: "m-2" }
    )
    assert.deepStrictEqual(view.queue, [])
    assert.lengthOf(only(view, "user"), 1)
  })

  it("show when they were said into a running turn", () => {
    const view = viewOf(start, turn, ack, {
      type: "input_ack",
      status: "sent",
      text: "use less",
      message_id: "m-2"
    })
    assert.deepStrictEqual(only(view, "user").map(({ steered, text }) => [text, steered]), [
      ["hello", false],
      ["use less", true]
    ])
  })

  it("get their images from the message as the agent took it", () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }
    const view = viewOf(start, turn, {
      type: "user_message",
      text: "hello",
      content: [image, { type: "text", text: "hello" }]
    })
    assert.deepStrictEqual(only(view, "user").map(({ images }) => images.length), [1])
  })
})

describe("a tool", () => {
  const call: Told = { type: "tool_call", tool: "Bash", tool_use_id: "t-1", args: { command: "npm test" } }

  it("is one card from the first piece of its input to its changed file", () => {
    const view = viewOf(
      start,
      turn,
      { type: "stream_event", delta: "tool_input", text: "{\"command\":", tool_use_id: "t-1" },
      call,
      { type: "stream_event", delta: "tool_output", text: "1 passed\n", tool_use_id: "t-1" },
      { type: "tool_progress", text: "12 s", tool_use_id: "t-1" },
      { type: "tool_result", tool_use_id: "t-1", status: "error", text: "1 failed", exit_code: 1 },
      { type: "file_diff", file_path: "/a", diff: "…", tool_use_id: "t-1" }
    )
    assert.deepStrictEqual(kinds(view), ["user", "tool"])
    assert.deepInclude(firstOf(only(view, "tool")), {
      tool: "Bash",
      output: "1 failed",
      state: "error",
      exit_code: 1
    })
    assert.lengthOf(only(view, "tool")[0]?.diffs ?? [], 1)
  })

  it("that never ended is stopped with its turn", () => {
    assert.strictEqual(only(viewOf(start, turn, call, end), "tool")[0]?.state, "stopped")
  })

  it("leaves a diff alone that belongs to no card", () => {
    assert.deepStrictEqual(kinds(viewOf(start, { type: "file_diff", file_path: "/a", diff: "…" })), ["diff"])
  })
})

describe("a question of the agent", () => {
  const ask: Told = {
    type: "permission_request",
    request_id: "r-1",
    tool: "Bash",
    args: { command: "ls" },
    metadata: {
      kind: "tool",
      options: [{ option_id: "a", name: "Allow", kind: "allow_once" }, { name: "no id" }]
    }
  }

  it("is open until somebody answers", () => {
    const asked = viewOf(start, turn, ask)
    assert.lengthOf(openAsks(asked), 1)
    assert.lengthOf(openAsks(asked)[0]?.options ?? [], 1)
    const denied = reduce(
      asked,
      numbered([{ type: "control_response", request_id: "r-1", status: "deny" }], 4)
    )
    assert.lengthOf(openAsks(denied), 0)
    assert.strictEqual(only(denied, "ask")[0]?.state, "denied")
    // What was shown before has not changed.
    assert.lengthOf(openAsks(asked), 1)
  })

  it("says why nobody needs to answer any more", () => {
    const view = viewOf(start, turn, ask, {
      type: "permission_cancelled",
      request_id: "r-1",
      metadata: { reason: "interrupted" }
    })
    assert.deepInclude(firstOf(only(view, "ask")), {
      state: "cancelled",
      decided: { verdict: "cancelled", reason: "interrupted" }
    })
  })

  it("names its parts by id, or by their text", () => {
    const questions = [{ question: "Which?", options: [{ label: "A" }] }, {
      id: "q",
      question: "Why?",
      multiSelect: true
    }]
    const view = viewOf(start, { ...ask, args: { questions }, metadata: { kind: "question" } })
    assert.deepStrictEqual(openAsks(view)[0]?.questions.map(({ id, multiSelect }) => [id, multiSelect]), [
      ["Which?", false],
      ["q", true]
    ])
  })
})

describe("what a person decided", () => {
  const call: Told = { type: "tool_call", tool: "Bash", tool_use_id: "t-1", args: { command: "echo hi" } }
  const ask: Told = {
    type: "permission_request",
    request_id: "r-1",
    tool: "Bash",
    args: { command: "echo hi" },
    tool_use_id: "t-1",
    metadata: { kind: "tool" }
  }
  const answer = (status: string, metadata: object): Told => ({
    type: "control_response",
    request_id: "r-1",
    status,
    metadata
  })
  const card = (view: View) => firstOf(only(view, "tool"))

  it("stands on the tool's card, also while it waits", () => {
    const asked = viewOf(start, turn, call, ask)
    assert.deepStrictEqual(card(asked).decided, { verdict: "asked" })
    assert.isTrue(firstOf(only(asked, "ask")).onCard)
    const denied = reduce(asked, numbered([answer("deny", { message: "not today" })], 5))
    assert.deepStrictEqual(card(denied).decided, { verdict: "denied", reason: "not today" })
    const forSession = reduce(asked, numbered([answer("allow", { scope: "session" })], 5))
    assert.deepStrictEqual(card(forSession).decided, { verdict: "allowed", forSession: true })
    const alone = viewOf(start, turn, ask)
    assert.isFalse(firstOf(only(alone, "ask")).onCard)
  })

  it("is what ran instead, as the relay tells it, or as this page knows it", () => {
    const updated_input = { command: "echo edited" }
    const told = viewOf(start, turn, call, ask, answer("allow", { updated_input }))
    assert.deepStrictEqual(card(told).decided?.updated, updated_input)
    const half = viewOf(start, turn, call, ask, answer("allow", { updated_input: true }))
    assert.strictEqual(card(half).decided?.updated, true)
    const asked = viewOf(start, turn, call, ask)
    const own = {
      ...asked,
      own_answers: new Map([["r-1", { verdict: "allowed" as const, updated: updated_input }]])
    }
    const known = reduce(own, numbered([answer("allow", { updated_input: true })], 5))
    assert.deepStrictEqual(card(known).decided?.updated, updated_input)
  })

  it("is the answers to questions", () => {
    const question = { ...ask, args: { questions: [{ question: "Which?" }] }, metadata: { kind: "question" } }
    const view = viewOf(start, turn, question, answer("allow", { answers: { "Which?": ["A", "B"] } }))
    assert.deepStrictEqual(firstOf(only(view, "ask")).decided?.answers, { "Which?": "A, B" })
  })

  it("may be for the session, which says what it would allow", () => {
    const suggested = (permission_suggestions: unknown) =>
      firstOf(
        only(viewOf(start, turn, call, { ...ask, metadata: { kind: "tool", permission_suggestions } }), "ask")
      ).grants
    assert.deepStrictEqual(
      suggested([
        { type: "addRules", rules: [{ toolName: "Bash", ruleContent: "git push *" }], behavior: "allow" },
        { type: "setMode", mode: "acceptEdits" },
        { type: "addDirectories", directories: ["/tmp"] },
        { type: "addRules", rules: [{ toolName: "Read" }], behavior: "deny" }
      ]),
      [
        { grants: "rule", rule: "Bash(git push *)" },
        { grants: "mode", mode: "acceptEdits" },
        { grants: "folder", folder: "/tmp" }
      ]
    )
    assert.deepStrictEqual(suggested([]), [])
    assert.isUndefined(suggested(undefined))
  })
})

describe("Claude's tasks", () => {
  const create = (id: string, subject: string): ReadonlyArray<Told> => [
    {
      type: "tool_call",
      tool: "TaskCreate",
      tool_use_id: `c-${id}`,
      args: { subject, activeForm: `Doing ${subject}` }
    },
    {
      type: "tool_result",
      tool_use_id: `c-${id}`,
      status: "ok",
      text: `Task #${id} created successfully: ${subject}`
    }
  ]
  const update = (taskId: string, args: object): Told => ({
    type: "tool_call",
    tool: "TaskUpdate",
    tool_use_id: `u-${taskId}`,
    args: { taskId, ...args }
  })
  const steps = ({ plan }: View) => plan.map(({ content, status }) => `${content}: ${status}`)

  it("are the checklist", () => {
    const view = viewOf(
      start,
      turn,
      ...create("1", "Look"),
      ...create("2", "Mend"),
      ...create("3", "Drop"),
      update("1", { status: "completed" }),
      update("2", { status: "in_progress", subject: "Mend it" }),
      update("3", { status: "deleted" })
    )
    assert.deepStrictEqual(steps(view), ["Look: completed", "Mend it: in_progress"])
    assert.strictEqual(view.plan[0]?.active, "Doing Look")
  })

  it("go on into the next turn until all are done", () => {
    const view = viewOf(start, turn, ...create("1", "Look"), end, { ...turn, message_id: "m-2" })
    assert.deepStrictEqual(steps(view), ["Look: pending"])
    const done = reduce(
      view,
      numbered([update("1", { status: "completed" }), end, { ...turn, message_id: "m-3" }], view.last_seq + 1)
    )
    assert.deepStrictEqual(steps(done), [])
  })

  it("are not made by a call that failed", () => {
    const view = viewOf(start, turn, ...create("1", "Look").slice(0, 1), {
      type: "tool_result",
      tool_use_id: "c-1",
      status: "error",
      text: "no"
    })
    assert.deepStrictEqual(steps(view), [])
  })
})

describe("notices", () => {
  const retry = (attempt: number): Told => ({
    type: "quota_warning",
    text: `The model API answered rate_limit (429); Claude Code is retrying (${attempt} of 10).`,
    metadata: { error: "rate_limit", error_status: 429, retry_delay_ms: 1000 }
  })

  it("of an API that is asked again are one, whatever the reason", () => {
    const limited = viewOf(start, turn, retry(1), retry(2), retry(3))
    assert.deepStrictEqual(only(limited, "notice").map(({ retry }) => retry), [{
      limited: true,
      attempt: 3,
      of: 10
    }])
    const gone = viewOf(start, turn, {
      type: "status",
      status: "api_retry",
      text: "The model API answered unknown; Claude Code is retrying (4 of 10).",
      metadata: {}
    })
    assert.deepStrictEqual(only(gone, "notice").map(({ retry }) => retry), [{
      limited: false,
      attempt: 4,
      of: 10
    }])
  })

  it("are said once, and a command's output is no prompt", () => {
    const error: Told = { type: "error", code: "turn_failed", text: "Could not compact." }
    assert.lengthOf(only(viewOf(start, turn, error, error), "notice"), 1)
    const printed = viewOf(start, {
      type: "user_message",
      content: [],
      text: "<local-command-stdout>Set model to \u001b[1msonnet\u001b[0m</local-command-stdout>"
    }, {
      type: "user_message",
      content: [],
      text: "<local-command-stdout>(no content)</local-command-stdout>"
    })
    assert.lengthOf(only(printed, "user"), 0)
    assert.deepStrictEqual(only(printed, "notice").map(({ printed, text }) => [printed, text]), [[
      true,
      "Set model to sonnet"
    ]])
  })
})

describe("modes", () => {
  const offered = (tool: string, metadata: object) =>
    choicesOfMode(viewOf({ type: "session_start", metadata: { tool, ...metadata } })).map(({ value }) =>
      value
    )

  it("are the agent's own, each once, with the one in force", () => {
    const modes = [{ id: "default", name: "Default" }, { id: "autoEdit", name: "Auto Edit" }, {
      id: "yolo",
      name: "YOLO"
    }]
    const permission_modes = ["default", "autoEdit", "yolo", "auto_edit", "acceptEdits", "bypassPermissions"]
    assert.deepStrictEqual(
      offered("gemini", { modes, permission_mode: "autoEdit", capabilities: { permission_modes } }),
      ["default", "autoEdit", "yolo"]
    )
    assert.deepStrictEqual(offered("gemini", { modes, capabilities: { permission_modes: ["default"] } }), [
      "default"
    ])
  })

  it("of Codex set all of it, and the one it began with is known", () => {
    const permission_modes = [
      "untrusted",
      "on-request",
      "read-only",
      "default",
      "acceptEdits",
      "plan",
      "bypassPermissions"
    ]
    const codex = {
      capabilities: { permission_modes },
      approval_policy: "on-request",
      sandbox: "workspaceWrite"
    }
    assert.deepStrictEqual(offered("codex", codex), ["default", "acceptEdits", "plan", "bypassPermissions"])
    assert.strictEqual(
      viewOf({ type: "session_start", metadata: { tool: "codex", ...codex } }).mode,
      "acceptEdits"
    )
    assert.strictEqual(
      viewOf({ type: "session_start", metadata: { tool: "codex", ...codex, approval_policy: "untrusted" } })
        .mode,
      "untrusted"
    )
    assert.include(offered("codex", { ...codex, approval_policy: "untrusted" }), "untrusted")
  })

  it("of Claude leave out what it was not started with", () => {
    const capabilities = { permission_modes: ["default", "plan", "bypassPermissions"] }
    assert.deepStrictEqual(offered("claude", { capabilities }), ["default", "plan"])
    assert.include(
      offered("claude", { capabilities, permission_mode: "bypassPermissions" }),
      "bypassPermissions"
    )
  })
})

describe("what is known of a session", () => {
  it("is what was told last", () => {
    const view = viewOf(
      start,
      {
        type: "status",
        status: "initialized",
        metadata: { models: [{ value: "opus", displayName: "Opus" }], commands: [{ name: "/compact" }] }
      },
      { type: "status", status: "init", metadata: { model: "opus", permission_mode: "default" } },
      { type: "status", status: "permission_mode", metadata: { permission_mode: "plan" } }
    )
    assert.deepInclude(view, { tool: "claude", model: "opus", mode: "plan", modes: ["default", "plan"] })
    assert.deepStrictEqual(view.models, [{ value: "opus", name: "Opus", description: "" }])
    assert.deepStrictEqual(view.commands.map(({ name }) => name), ["compact"])
    assert.isTrue(view.can.steer)
  })

  it("holds the plan, whether an agent calls it plan or to-do list", () => {
    const entries = [{ content: "look", status: "completed" }, { content: "mend", status: "strange" }]
    const steps = [{ content: "look", status: "completed" }, { content: "mend", status: "pending" }] as const
    assert.deepStrictEqual(
      viewOf(start, turn, { type: "status", status: "plan", metadata: { entries } }).plan,
      steps
    )
    const todo: Told = { type: "tool_call", tool: "TodoWrite", tool_use_id: "t", args: { todos: entries } }
    assert.deepStrictEqual(viewOf(start, turn, todo).plan, steps)
  })
})

describe("events that come twice, or not at all", () => {
  it("shows nothing twice when an agent that was started again tells what it remembers", () => {
    const again = { metadata: { replay: true } }
    const said = { type: "assistant_message", content: [], text: "I look." } as const
    const call = { type: "tool_call", tool: "Bash", tool_use_id: "t", args: {} } as const
    const result = { type: "tool_result", tool_use_id: "t", status: "ok", text: "out" } as const
    const replayed: ReadonlyArray<Told> = [
      { type: "user_message", content: [], text: "hello and more", ...again },
      { ...call, tool_use_id: "u", ...again },
      { ...result, tool_use_id: "u", ...again },
      { ...said, ...again }
    ]
    const own = [start, turn, ack, call, result, said, end]
    assert.deepStrictEqual(viewOf(...own, ...replayed).items, viewOf(...own).items)
    // Of a conversation the session has no part of, it is all there is.
    assert.deepStrictEqual(kinds(viewOf(start, ...replayed)), ["user", "tool", "text"])
    // What Claude prints when its model is changed between turns.
    const printed = "<local-command-stdout>Set model to haiku</local-command-stdout>"
    const echo: Told = {
      type: "user_message",
      content: [],
      text: printed,
      metadata: { replay: true, uuid: "u" }
    }
    assert.strictEqual(kinds(viewOf(...own, echo)).at(-1), "notice")
  })

  it("changes nothing for what it has seen", () => {
    const events = numbered([start, turn, ack, piece("Hi"), end])
    const view = reduce(empty, events)
    assert.deepStrictEqual(reduce(view, events.slice(1)).items, view.items)
  })

  it("marks a gap and goes on after it", () => {
    const view = viewOf(start)
    const gap: Told = { type: "error", code: "gap", text: "gone", metadata: { first_seq: 40 } }
    const after = reduce(view, [...numbered([gap], 1), ...numbered([turn], 40)])
    assert.deepStrictEqual(kinds(after), ["notice", "user"])
    assert.strictEqual(after.last_seq, 40)
  })

  it("begins anew when the relay does", () => {
    const view = viewOf(start, turn, end)
    const anew = reduce(view, numbered([start, { ...turn, text: "again", message_id: "m-9" }], 1))
    assert.strictEqual(only(anew, "user").at(-1)?.text, "again")
    assert.strictEqual(anew.last_seq, 2)
  })

  it("takes a greeting that is for this page alone", () => {
    const view = reduce(empty, numbered([{ ...start, seq: 0 }]))
    assert.isTrue(view.started)
    assert.lengthOf(view.items, 0)
  })
})

describe("events that are not what they say", () => {
  it("cost themselves, not the page", () => {
    const view = viewOf(
      start,
      turn,
      { type: "tool_call", tool: 5, tool_use_id: {}, args: "text" },
      { type: "status", status: "plan", metadata: { entries: [{ content: {}, status: 1 }, null] } },
      { type: "status", status: "x", metadata: { commands: [null, { name: {} }], models: "none" } },
      { type: "assistant_message", text: { not: "text" }, content: "none" },
      { type: "reasoning", text: null },
      { type: "user_message", content: null },
      { type: "permission_request", request_id: "r", args: null, metadata: { kind: "tool", options: {} } },
      { type: "tool_result", tool_use_id: 3, status: "odd", text: [] },
      { type: "assistant_message", text: "Still here." },
      end
    )
    assert.isTrue(only(view, "text").some(({ text }) => text === "Still here."))
    assert.isUndefined(view.turn)
    assert.isAtLeast(only(view, "notice").length, 1)
  })
})

describe("a long session", () => {
  it("is folded in parts as it is in one go, in time", () => {
    const told = Array.from({ length: 400 }, (_, index): ReadonlyArray<Told> => [
      { ...turn, text: `turn ${index}`, message_id: `m-${index}` },
      piece("a "),
      piece("b "),
      { type: "tool_call", tool: "Read", tool_use_id: `t-${index}`, args: {} },
      { type: "tool_result", tool_use_id: `t-${index}`, status: "ok", text: "x" },
      { type: "assistant_message", text: "a b c" },
      end
    ]).flat()
    const events = numbered([start, ...told])
    let view = empty
    for (let from = 0; from < events.length; from += 300) {
      view = reduce(view, events.slice(from, from + 300))
    }
    assert.deepStrictEqual(view.items.length, 400 * 4)
    assert.deepStrictEqual(view, reduce(empty, events))
  })
})

/** What real agents said. */
const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url))
const recorded = ["replay"].flatMap((folder) =>
  readdirSync(join(fixtures, folder)).filter((name) => name.endsWith(".ndjson")).map((name) =>
    join(fixtures, folder, name)
  )
)

describe("recordings of real agents", () => {
  for (const path of recorded.filter((path) => !path.includes("bad"))) {
    it(`${path.slice(fixtures.length + 1)} leaves nothing open`, () => {
      const lines = readFileSync(path, "utf8").split("\n").filter((line) => line !== "")
      // What a relay recorded is an event a line.
      const view = reduce(empty, lines.map((line) => JSON.parse(line) as RelayEvent))
      assert.lengthOf(openAsks(view), 0)
      assert.isUndefined(view.turn)
      assert.isAbove(only(view, "text").length, 0)
      assert.isTrue(only(view, "text").every(({ whole }) => whole))
    })
  }
})

describe("a conversation that is a terminal's, too", () => {
  const shell = "cd -- /srv/shop && claude --resume 1"
  const native = (more: object = {}): Told => ({
    ...start,
    metadata: {
      ...start["metadata"] as object,
      drive: "own",
      can_fork: true,
      continue_with: { folder: "/srv/shop", argv: ["claude", "--resume", "1"], shell },
      ...more
    }
  })
  const told = (status: string, metadata: object = {}): Told => ({ type: "status", status, metadata })
  const held = told("waiting", {
    open: { by: "terminal", waiting_for: "permission prompt" },
    reason: "in_use"
  })

  it("knows nothing of it where the agent cannot be handed over", () => {
    assert.isUndefined(viewOf(start).native)
    assert.isUndefined(viewOf(start, told("handed_over", { continue_with: { shell } })).native)
  })

  it("is handed over with the command, opened, quit, and taken back with what the agent can do", () => {
    const given = viewOf(
      native({ continue_with: undefined }),
      told("handed_over", { continue_with: { shell } })
    )
    assert.deepStrictEqual(given.native, { drive: "following", forks: true, onward: { shell } })
    const open = reduce(given, numbered([held], 3))
    assert.deepStrictEqual(open.native?.open, { waiting_for: "permission prompt" })
    const free = reduce(open, numbered([told("released")], 4))
    assert.isUndefined(free.native?.open)
    assert.strictEqual(free.native?.drive, "following")
    const back = reduce(
      free,
      numbered([
        told("taken_over", { drive: "own", capabilities: { images: true, permission_modes: ["plan"] } })
      ], 5)
    )
    assert.strictEqual(back.native?.drive, "own")
    assert.isTrue(back.can.images)
    assert.deepStrictEqual(back.modes, ["plan"])
  })

  it("is in a terminal from a refused prompt on until the agent works again", () => {
    const refused = viewOf(native(), { type: "error", code: "in_use", text: "open in a terminal" })
    assert.deepStrictEqual(refused.native?.open, {})
    const past = reduce(refused, numbered([{ ...turn, metadata: { history: true } }, end], 3))
    assert.isDefined(past.native?.open)
    assert.isUndefined(reduce(past, numbered([turn], 5)).native?.open)
  })
})

describe("an edit of what a tool asks", () => {
  it.each([["claude", true], ["demo", true], ["codex", false], ["cortex", false], ["gemini", false]])(
    "is offered only where the agent takes one: %s %s",
    (tool, edits) => {
      const metadata = { tool, capabilities: { steer: true } }
      assert.strictEqual(viewOf({ type: "session_start", metadata }).can.edit_input, edits)
    }
  )
})
