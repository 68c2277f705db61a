/**
 * Messages of other shapes than their protocol has: lists in lists, texts where objects belong, numbers as ids, words in
 * fields of other names. Each word reaches people, where it belongs: in the answer, or marked as a subagent's; and each call
 * has one result.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RelayEvent } from "../../../src/schema/index.js"
import { acp, claude, codex, type Lines } from "./lines.js"
import { ofType, playLines } from "./play.js"

type Agent = "claude" | "codex" | "acp"

/** Words that must be said: in the `answer`, by a subagent (`child`), or anywhere but by one. */
interface Said {
  readonly answer?: ReadonlyArray<string>
  readonly child?: ReadonlyArray<string>
  readonly own?: ReadonlyArray<string>
}

const wordsOf = (event: RelayEvent): string =>
  [
    "text" in event ? event.text : "",
    event.type === "tool_call" ? JSON.stringify(event.args) : ""
  ].join(" ")

const isChild = ({ metadata }: RelayEvent): boolean =>
  metadata?.["parent_tool_use_id"] !== undefined || metadata?.["thread_id"] !== undefined

/** Without previews: who ignores them loses nothing. */
const saying = (events: ReadonlyArray<RelayEvent>, word: string) =>
  events.filter((event) => event.type !== "stream_event" && wordsOf(event).includes(word))

const check = (events: ReadonlyArray<RelayEvent>, { answer = [], child = [], own = [] }: Said) => {
  assert.lengthOf(ofType(events, "turn_start"), 1)
  assert.lengthOf(ofType(events, "turn_end"), 1)
  const open = new Set<string>()
  for (const event of events) {
    if (event.type === "tool_call") open.add(event.tool_use_id)
    if (event.type === "tool_result") assert.isTrue(open.delete(event.tool_use_id), event.tool_use_id)
  }
  assert.deepStrictEqual([...open], [])
  for (const word of [...own, ...answer]) {
    assert.isTrue(saying(events, word).some((event) => !isChild(event)), `"${word}" is lost`)
  }
  for (const word of child) {
    const said = saying(events, word)
    assert.isTrue(said.some(isChild), `"${word}" is not told as the subagent's`)
    assert.isFalse(said.some(({ type }) => type === "response"), `"${word}" is taken for the answer`)
  }
  const [response] = ofType(events, "response")
  for (const word of answer) assert.include(response?.text, word)
}

const text = (words: unknown) => ({ type: "text", text: words })

type Cases = ReadonlyArray<readonly [name: string, messages: Lines, said: Said]>

const results = (parent: string | number | null, ...content: ReadonlyArray<object>) =>
  claude.says({ type: "user", message: { role: "user", content }, parent_tool_use_id: parent })
const result = (tool_use_id: unknown, content: unknown) => ({ type: "tool_result", tool_use_id, content })
const assistant = (message: unknown, parent_tool_use_id: unknown = null) =>
  claude.says({ type: "assistant", message, parent_tool_use_id })

const claudes: Cases = [
  [
    "says its messages in lists, texts and objects",
    [
      assistant({ content: [[text("w01")], text(["w02"])] }),
      assistant({ content: "w03" }),
      assistant("w04"),
      assistant([text("w05")]),
      assistant({ text: "w06" }),
      assistant({ content: [{ kind: "none", body: "w07" }, 4711] }),
      assistant({
        content: [{ type: "thinking", thinking: [{ text: "w09" }] }, { type: "thinking", text: "w10" }]
      }),
      claude.says({ type: "user", message: "w11" })
    ],
    { own: ["w01", "w02", "w03", "w04", "w05", "w06", "w07", "4711", "w09", "w10", "w11"] }
  ],
  [
    "has results of other shapes",
    [
      ...["a", "b", "c", "d", "e"].map((id) => claude.calls(id, "Bash")),
      results(
        null,
        result("a", [[text("w01")]]),
        result("b", { output: "w02" }),
        result("c", 4711),
        result("d", [text({ message: "w04" })]),
        result("e", [{ error: { message: "w05" } }])
      )
    ],
    { own: ["w01", "w02", "4711", "w04", "w05"] }
  ],
  [
    "has a result of a call whose turn is over",
    [claude.calls("a", "Bash"), claude.result({}), results(null, result("a", "late"))],
    { own: ["late"] }
  ],
  [
    "numbers its calls, two deep",
    [
      assistant({ content: [{ type: "tool_use", id: 7, name: "Task", input: {} }] }),
      assistant({ content: [text("w01"), { type: "tool_use", id: 8, name: "Task", input: {} }] }, 7),
      assistant({ content: [text("w02")] }, 8),
      results(7, result(8, "w03")),
      results(null, result(7, "w04"))
    ],
    { child: ["w01", "w02", "w03"], own: ["w04"] }
  ],
  [
    "has a subagent without a name, which is none",
    [assistant({ content: [text("w01")] }, "")],
    { own: ["w01"] }
  ],
  [
    "says something beside what a message is for",
    [
      { type: "brand_new", data: { items: [{ message: "w01" }] } },
      { type: "summary", summary: ["w02"] },
      { type: "system", subtype: "compact_boundary", summary: "w03" },
      { type: "system", subtype: "init", mcp_servers: [{ name: "db", status: "failed", error: "w04" }] },
      { type: "rate_limit_event", rate_limit_info: { status: "rejected" }, message: "w05" },
      { type: "tool_progress", tool_use_id: 1, message: "w06" },
      { type: "system", subtype: "task_progress", task_id: "k", summary: ["w07"] }
    ].map((message) => claude.says(message)),
    { own: ["w01", "w02", "w03", "w04", "w05", "w06", "w07"] }
  ],
  [
    "ends with a list",
    [claude.result({ result: [text("w01"), [text("w02")]] })],
    { answer: ["w01", "w02"] }
  ],
  [
    "ends without its answer, which was said before",
    [assistant({ content: [text("früh")] }), claude.result({ result: undefined })],
    { answer: ["früh"] }
  ],
  ...[{ errors: "why" }, { error: "why" }, { error: { message: "why" } }, { errors: [[{ error: "why" }]] }]
    .map((
      fields
    ) =>
      [
        `ends with ${JSON.stringify(fields)}`,
        [claude.result({ subtype: "error_during_execution", is_error: true, result: undefined, ...fields })],
        { own: ["why"] }
      ] as const
    )
]

const chunk = (content: unknown, more: object = {}, session?: unknown) =>
  acp.updates({ sessionUpdate: "agent_message_chunk", content, ...more }, session as string)
const call = (id: unknown, ...ends: ReadonlyArray<object>): Lines => [
  acp.calls(id, { rawInput: { id } }),
  ...ends.map((fields) => acp.goesOn(id, { status: "completed", ...fields }))
]

const acps: Cases = [
  [
    "answers in lists, texts and fields of other names",
    [
      chunk("w01"),
      chunk([text("w02"), [text("w03")]]),
      chunk({ text: "w04" }),
      chunk(text(["w05"])),
      chunk(undefined, { text: "w06" }),
      chunk({ content: "w07" }),
      chunk(text("w08"), { messageId: 5 })
    ],
    { answer: ["w01", "w02", "w03", "w04", "w05", "w06", "w07", "w08"] }
  ],
  [
    "numbers its sessions, two deep",
    [
      acp.updates({ sessionUpdate: "subagent_update", sessionId: 2, title: "A" }),
      acp.updates({ sessionUpdate: "subagent_update", sessionId: 3, title: "B" }, 2 as unknown as string),
      chunk(text("w01"), {}, 2),
      chunk(text("w02"), {}, 3),
      chunk(text("w03"))
    ],
    { child: ["w01", "w02"], answer: ["w03"] }
  ],
  [
    "has results of other shapes",
    [
      ...call("a", { content: [[{ type: "content", content: text("w01") }]] }),
      ...call("b", { content: "w02" }),
      ...call("c", { status: "failed", rawOutput: [["w03"], { error: { message: "w04" } }] }),
      ...call("d", { status: "failed", error: { message: "w05" } }),
      ...call("e", { message: "w06" }),
      ...call("f", { rawOutput: 4711 }),
      acp.goesOn("nobody", { status: "completed", rawOutput: { stdout: "w08" } })
    ],
    { own: ["w01", "w02", "w03", "w04", "w05", "w06", "4711", "w08"] }
  ],
  [
    "says something beside what an update is for",
    [
      { sessionUpdate: "plan", entries: ["w01", { content: ["w02"] }, { content: text("w03") }] },
      { sessionUpdate: "notice", title: ["w04"], description: { text: "w05" } },
      { sessionUpdate: 5, text: "w06" },
      ["w07"],
      { sessionUpdate: "usage_update", used: 1, size: 9, message: "w08" },
      { sessionUpdate: "current_mode_update", currentModeId: "x", reason: "w09" },
      { sessionUpdate: "available_commands_update", availableCommands: [], notice: "w10" }
    ].map((update) => acp.updates(update)),
    { own: ["w01", "w02", "w03", "w04", "w05", "w06", "w07", "w08", "w09", "w10"] }
  ],
  [
    "says something beside how the turn ended",
    [chunk(text("w01")), acp.answers({ id: 3, result: { stopReason: "end_turn", message: "w02" } })],
    { answer: ["w01"], own: ["w02"] }
  ],
  ...[
    { code: -32603, message: "Internal error", data: { details: { message: "why" } } },
    { code: 1, data: "why" },
    { code: "x", message: { text: "why" } },
    ["why"]
  ].map((error) =>
    [`fails with ${JSON.stringify(error)}`, [acp.answers({ id: 3, error })], { own: ["why"] }] as const
  )
]

const mcp = (id: string, fields: object) => ({
  type: "mcpToolCall",
  id,
  server: "s",
  tool: "t",
  status: "completed",
  ...fields
})

const codexes: Cases = [
  [
    "answers in a list, and tells its last message by the turn's end alone",
    [
      ...codex.completes({ type: "agentMessage", id: 1, text: ["w01"], phase: "partial_answer" }),
      codex.tells("turn/completed", {
        turn: {
          id: "66666666-6666-7666-8666-666666666666",
          status: "completed",
          items: [{ type: "agentMessage", id: 1, text: "w01" }, { type: "agentMessage", id: 2, text: "w02" }]
        }
      })
    ],
    { answer: ["w01", "w02"] }
  ],
  [
    "has results of other shapes",
    codex.completes(
      mcp("a", { result: ["w01"] }),
      mcp("b", { result: { text: "w02" } }),
      mcp("c", { result: { content: [[text("w03")]] } }),
      mcp("d", { status: "failed", result: { isError: true, message: "w04" } }),
      mcp("e", { status: "failed", error: [{ message: "w05" }] }),
      { type: "dynamicToolCall", id: "f", tool: "t", status: "failed", error: { message: "w06" } },
      { type: "commandExecution", id: "g", command: "x", status: "failed", error: "w07" },
      { type: "fileChange", id: "h", status: "failed", error: "w08", changes: [] },
      {
        type: "webSearch",
        id: "i",
        query: ["w09"],
        results: [{ title: "w10", url: "https://example.com" }]
      },
      { type: "functionCallOutput", id: "j", output: [[text("w11")]] }
    ),
    {
      own: ["w01", "w02", "w03", "w04", "w05", "w06", "w07", "w08", "w09", "w10", "w11"]
    }
  ],
  [
    "numbers its threads",
    [
      codex.tells("item/completed", { threadId: 7, item: { type: "agentMessage", id: "a", text: "w01" } }),
      codex.tells("item/agentMessage/delta", { threadId: 7, itemId: "b", delta: "w02" }),
      codex.tells("turn/completed", { threadId: 7, turn: { id: 3, status: "completed" } }),
      ...codex.completes({ type: "agentMessage", id: "c", text: "w03" })
    ],
    { child: ["w01", "w02"], answer: ["w03"] }
  ],
  [
    "plans in words alone, and says why",
    [codex.tells("turn/plan/updated", { explanation: ["w01"], plan: ["w02", { step: ["w03"] }] })],
    { own: ["w01", "w02", "w03"] }
  ]
]

const agents: ReadonlyArray<readonly [Agent, (...messages: Lines) => Lines, Cases]> = [
  ["claude", claude.conversation, claudes],
  ["acp", acp.conversation, acps],
  ["codex", codex.conversation, codexes]
]

describe.each(agents)("%s", (agent, conversation, cases) => {
  it.live.each(cases)("%s", ([, messages, said]) =>
    Effect.gen(function*() {
      const { events } = yield* playLines(agent, conversation(...messages))
      check(events, said)
    }))
})
