/** Kin of the faults in `test/fixtures/cases`: what the same agents, or others, could say in the same way. */
import { assert, describe, it } from "@effect/vitest"
import { applyPatch } from "diff"
import { Effect } from "effect"
import { acp, claude, codex, type Lines } from "./lines.js"
import { first, ofType, type Played, playLines } from "./play.js"

const results = (events: Parameters<typeof ofType>[0]) =>
  ofType(events, "tool_result").map(({ status, text, tool_use_id }) => [tool_use_id, status, text])
const calls = (events: Parameters<typeof ofType>[0]) =>
  ofType(events, "tool_call").map(({ args, tool_use_id }) => [tool_use_id, args])
const statuses = (events: Parameters<typeof ofType>[0]) =>
  ofType(events, "status").map(({ status, text }) => [status, text])

describe("Claude Code, an edit", () => {
  const diffOf = (change: object) =>
    Effect.map(
      playLines("claude", claude.conversation(claude.calls("t", "Edit"), claude.answers("t", change))),
      ({ events }) => ofType(events, "file_diff").map(({ diff }) => diff)
    )
  const shown = (...lines: ReadonlyArray<string>) => [
    { oldStart: 1, oldLines: 4, newStart: 1, newLines: 4, lines }
  ]

  it.live("of a file with \\r\\n, told with \\n: the difference has the file's own line ends", () =>
    Effect.gen(function*() {
      const before = "a\r\nb\r\nc\r\nd\r\n"
      const [diff = ""] = yield* diffOf({
        filePath: "/w/a",
        oldString: "b\nc",
        newString: "B\nC",
        originalFile: before,
        structuredPatch: shown(" a", "-b", "-c", "+B", "+C", " d")
      })
      assert.strictEqual(applyPatch(before, diff, { autoConvertLineEndings: false }), "a\r\nB\r\nC\r\nd\r\n")
    }))

  it.live("of several places at once", () =>
    Effect.gen(function*() {
      const before = "a\n\tb\nc\nd\n"
      const [diff = ""] = yield* diffOf({
        filePath: "/w/a",
        edits: [
          { old_string: "b", new_string: "B" },
          { old_string: "d", new_string: "D", replace_all: true }
        ],
        originalFileContents: before,
        structuredPatch: shown(" a", "-  b", "+  B", " c", "-d", "+D")
      })
      assert.strictEqual(applyPatch(before, diff), "a\n\tB\nc\nD\n")
    }))

  it.live("that does not fit its own words: the patch, with the file's lines in it", () =>
    Effect.gen(function*() {
      const before = "a\n\tb\nc\nd\n"
      const [diff = ""] = yield* diffOf({
        filePath: "/w/a",
        oldString: "elsewhere",
        newString: "x",
        originalFile: before,
        structuredPatch: shown(" a", "-  b", "+  B", " c", " d")
      })
      assert.include(diff, "-\tb\n")
      assert.isString(applyPatch(before, diff))
    }))

  it.live("of a file nobody tells: the lines of the edit, and none around them that may be spelled otherwise", () =>
    Effect.gen(function*() {
      const [diff = ""] = yield* diffOf({
        filePath: "/w/a",
        oldString: "\tb",
        newString: "\tB",
        originalFile: null,
        structuredPatch: shown(" a", "-  b", "+  B", "   c", " d")
      })
      assert.strictEqual(applyPatch("a\n\tb\n\tc\nd\n", diff), "a\n\tB\n\tc\nd\n")
    }))

  it.live("that changes nothing is no difference", () =>
    Effect.gen(function*() {
      const same = {
        filePath: "/w/a",
        type: "update",
        content: "a\n",
        originalFile: "a\n",
        structuredPatch: []
      }
      assert.deepStrictEqual(yield* diffOf(same), [])
    }))
})

describe("Claude Code", () => {
  it.live("has tools of the API's own: code that failed, a page, a refusal, tools that were found", () =>
    Effect.gen(function*() {
      const ran = (id: string, name: string, type: string, content: object) => [
        claude.assistant([{ type: "server_tool_use", id, name, input: {} }]),
        claude.assistant([{ type, tool_use_id: id, content }])
      ]
      const { events } = yield* playLines(
        "claude",
        claude.conversation(
          ...ran("a", "bash_code_execution", "bash_code_execution_tool_result", {
            type: "bash_code_execution_result",
            stdout: "out",
            stderr: "err",
            return_code: 1
          }),
          ...ran("b", "web_fetch", "web_fetch_tool_result", {
            type: "web_fetch_result",
            url: "https://example.com",
            content: { type: "document", title: "T", source: { type: "text", data: "the page" } }
          }),
          ...ran("c", "web_search", "web_search_tool_result", {
            type: "web_search_tool_result_error",
            error_code: "max_uses_exceeded"
          }),
          ...ran("d", "tool_search", "tool_search_tool_result", {
            type: "tool_search_tool_search_result",
            tool_references: [{ type: "tool_reference", tool_name: "read_file" }]
          })
        )
      )
      assert.deepStrictEqual(results(events), [
        ["a", "error", "out\nerr"],
        ["b", "ok", "T https://example.com\nthe page"],
        ["c", "error", "max_uses_exceeded"],
        ["d", "ok", "read_file"]
      ])
      assert.strictEqual(first(events, "tool_result").exit_code, 1)
    }))

  it.live("fills its window, and says so only in the message", () =>
    Effect.gen(function*() {
      const said = { role: "assistant", content: "half", stop_reason: "model_context_window_exceeded" }
      const { events } = yield* playLines(
        "claude",
        claude.conversation(
          claude.says({ type: "assistant", message: said }),
          claude.result({ stop_reason: null })
        )
      )
      assert.deepInclude(first(events, "turn_end"), { stop_reason: "max_tokens", context_pct: 100 })
    }))

  it.live("answers with an object: its words are the answer", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines(
        "claude",
        claude.conversation(claude.result({ result: { text: "the answer" }, errors: "none", modelUsage: 7 }))
      )
      assert.strictEqual(first(events, "response").text, "the answer")
    }))

  it.live("is alive in a system message, and thinks of nothing", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines(
        "claude",
        claude.conversation(
          claude.says({ type: "system", subtype: "keep_alive" }),
          claude.says({ type: "system", subtype: "command_lifecycle", state: "queued" }),
          claude.assistant([{ type: "thinking", thinking: "\n" }, { type: "thinking", thinking: null }])
        )
      )
      assert.deepStrictEqual(ofType(events, "reasoning"), [])
      assert.deepStrictEqual(statuses(events).map(([name]) => name), ["initialized"])
    }))

  it.live("has words in fields of other names, and other commands from now on", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines(
        "claude",
        claude.conversation(
          claude.says({ type: "streamlined_tool_use_summary", tool_summary: "Read 2 files" }),
          claude.says({ type: "brand_new", payload: { statusMessage: "deep words" } }),
          claude.says({
            type: "system",
            subtype: "commands_changed",
            commands: [{ name: "a", description: "b" }]
          })
        )
      )
      assert.deepInclude(statuses(events), ["streamlined_tool_use_summary", "Read 2 files"])
      assert.deepInclude(statuses(events), ["brand_new", "deep words"])
      const commands = ofType(events, "status").find(({ status }) => status === "commands")
      assert.deepStrictEqual(commands?.metadata, { commands: [{ name: "a", description: "b" }] })
    }))

  it.live("an MCP server of a subagent asks: it is told apart", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines(
        "claude",
        claude.conversation(
          claude.calls("t0", "Agent"),
          claude.calls("t1", "mcp__m__t", { parent_tool_use_id: "t0" }),
          ...claude.asks({ subtype: "elicitation", mcp_server_name: "m", message: "Sure?" })
        )
      )
      assert.deepInclude(first(events, "permission_request").metadata, { parent_tool_use_id: "t0" })
    }))
})

describe("Codex", () => {
  it.live("has tools that answer in other shapes", () =>
    Effect.gen(function*() {
      const mcp = { type: "mcpToolCall", server: "s", tool: "t", status: "completed" }
      const { events } = yield* playLines(
        "codex",
        codex.conversation(...codex.completes(
          {
            ...mcp,
            id: "a",
            result: { content: [{ type: "resource", resource: { uri: "u", text: "a file" } }] }
          },
          { ...mcp, id: "b", result: "a text" },
          { ...mcp, id: "c", result: { content: [{ type: "text", text: "no" }], isError: true } },
          { type: "functionCallOutput", id: "d", name: "x", output: { success: false, content: "bad" } },
          { type: "dynamicToolCall", id: "e", tool: "y", status: "completed", contentItems: "words" },
          { type: "commandExecution", id: "f", command: "z", status: "failed", aggregatedOutput: ["1", "2"] },
          { type: "webSearch", id: "g", query: "", action: { type: "search", queries: ["p", "q"] } }
        ))
      )
      assert.deepStrictEqual(results(events), [
        ["a", "ok", "a file"],
        ["b", "ok", "a text"],
        ["c", "error", "no"],
        ["d", "error", "bad"],
        ["e", "ok", "words"],
        ["f", "error", "1\n2"],
        ["g", "ok", "p\nq"]
      ])
    }))

  it.live("answers in parts, in any order: a comment is no part, and nothing is said twice", () =>
    Effect.gen(function*() {
      const says = (id: string, text: string, phase: string) => ({ type: "agentMessage", id, text, phase })
      const answer = (...items: ReadonlyArray<object>) =>
        Effect.map(
          playLines("codex", codex.conversation(...codex.completes(...items))),
          ({ events }) => first(events, "response").text
        )
      const one = says("1", "One. ", "partial_answer")
      const end = says("2", "End.", "final_answer")
      assert.strictEqual(yield* answer(end, one), "End.One. ")
      assert.strictEqual(yield* answer(one, says("3", "Hm", "commentary")), "One. ")
      assert.strictEqual(yield* answer(one, says("4", "One. And all.", "final_answer")), "One. And all.")
    }))

  it.live("takes a hook's words in any form", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines(
        "codex",
        codex.conversation(
          ...codex.completes(
            { type: "hookPrompt", id: "a", fragments: ["plain", { text: "object" }] },
            { type: "hookPrompt", id: "b", fragments: "alone" },
            { type: "hookPrompt", id: "c", fragments: [] }
          )
        )
      )
      assert.deepStrictEqual(ofType(events, "user_message").map(({ text }) => text), [
        "plain\nobject",
        "alone"
      ])
    }))

  it.live("names a change's kind alone, moves a file as it is, makes an empty one", () =>
    Effect.gen(function*() {
      const changes = [
        { path: "/w/a", kind: "delete", diff: "x\n" },
        { path: "/w/b", kind: { type: "update", move_path: "/w/c" }, diff: "" },
        { path: "/w/d", kind: { type: "add" }, diff: "" },
        { path: "/w/e", kind: { type: "update" }, diff: "" }
      ]
      const { events } = yield* playLines(
        "codex",
        codex.conversation(...codex.completes({ type: "fileChange", id: "f", status: "completed", changes }))
      )
      assert.deepStrictEqual(ofType(events, "file_diff").map(({ diff }) => diff), [
        "--- /w/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n",
        "diff --git /w/b /w/c\nsimilarity index 100%\nrename from /w/b\nrename to /w/c\n",
        "diff --git /w/d /w/d\nnew file mode 100644\nindex 0000000..e69de29\n--- /dev/null\n+++ /w/d\n"
      ])
    }))

  it.live("has a subagent that fails in the middle of a sentence: both are told as the subagent's", () =>
    Effect.gen(function*() {
      const threadId = "th2"
      const { events } = yield* playLines(
        "codex",
        codex.conversation(
          ...codex.completes({
            type: "collabAgentToolCall",
            id: "s",
            tool: "spawnAgent",
            status: "completed",
            receiverThreadIds: [threadId]
          }),
          codex.tells("item/agentMessage/delta", { threadId, itemId: "x", delta: "half" }),
          codex.tells("error", { threadId, error: { message: "It broke." }, willRetry: false })
        )
      )
      const origin = { thread_id: threadId, parent_tool_use_id: "s" }
      assert.deepInclude(first(events, "assistant_message"), {
        text: "half",
        metadata: { partial: true, ...origin }
      })
      const error = ofType(events, "status").find(({ status }) => status === "error")
      assert.deepInclude(error, { text: "It broke.", metadata: origin })
      assert.strictEqual(first(events, "turn_end").stop_reason, "end_turn")
    }))

  it.live("asks in OpenAI's own shape, as a list, with options: answers go in its words", () =>
    Effect.gen(function*() {
      const fields = [
        { name: "size", label: "Size", options: [{ value: "1", label: "Small" }] },
        { id: "n", label: "How many", type: "integer", required: false }
      ]
      const { told } = yield* playLines(
        "codex",
        codex.conversation(...codex.asks("mcpServer/elicitation/request", {
          serverName: "srv",
          mode: "openaiForm",
          message: "Which?",
          requestedSchema: fields
        })),
        { answer: { answers: { size: "Small", n: "7" } } }
      )
      assert.deepInclude(told.at(-1)?.result, { action: "accept", content: { size: "1", n: 7 } })
    }))
})

describe("an ACP agent", () => {
  const play = (...messages: Lines) => playLines("acp", acp.conversation(...messages))

  it.live("says `{}`, or no status, and the input later: the call has all of it", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        acp.calls("a", { status: "in_progress", rawInput: {} }),
        acp.goesOn("a", { status: "in_progress", rawInput: { command: "ls" } }),
        acp.goesOn("a", { status: "completed" }),
        acp.calls("b", { rawInput: { cwd: "/w" } }),
        acp.goesOn("b", { status: "in_progress", rawInput: { cwd: "/w", command: "pwd" } }),
        acp.goesOn("b", { status: "completed" })
      )
      assert.deepStrictEqual(calls(events), [["a", { command: "ls" }], ["b", { cwd: "/w", command: "pwd" }]])
    }))

  it.live("says more of the input when the call was told: it is told again", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        acp.calls("a", { status: "in_progress", rawInput: { cwd: "/w" } }),
        acp.goesOn("a", { title: "pwd", rawInput: { cwd: "/w", command: "pwd" } }),
        acp.goesOn("a", { rawInput: { cwd: "/w", command: "pwd" } }),
        acp.goesOn("a", { status: "completed" })
      )
      assert.deepStrictEqual(
        ofType(events, "tool_progress").map(({ metadata, text }) => [text, metadata]),
        [["pwd", { args: { cwd: "/w", command: "pwd" } }]]
      )
    }))

  it.live("announces a call and says no more of it: it is told, and has a result", () =>
    Effect.gen(function*() {
      const { events } = yield* play(acp.calls("a", { status: "pending", rawInput: { cwd: "/w" } }))
      assert.deepStrictEqual(calls(events), [["a", { cwd: "/w" }]])
      assert.deepStrictEqual(results(events), [[
        "a",
        "error",
        "The turn ended without a result from this tool."
      ]])
    }))

  it.live("uses an id again in another turn, in an update alone: it is another call", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        acp.calls("call_0", { status: "in_progress" }),
        acp.goesOn("call_0", { status: "completed" }),
        acp.answers({ id: 3, result: { stopReason: "end_turn" } }),
        ...acp.turn(4, acp.goesOn("call_0", { title: "cat", rawInput: { path: "/x" }, status: "completed" }))
      )
      assert.deepStrictEqual(calls(events).at(-1), ["call_0#2", { path: "/x" }])
    }))

  it.live("says nothing when it was denied: the result says why it has none", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines(
        "acp",
        acp.conversation(
          ...acp.asks({ toolCallId: "a", title: "ls", rawInput: { command: "ls" } }),
          acp.goesOn("a", { status: "failed" })
        ),
        { answer: { behavior: "deny", message: "Not here." } }
      )
      assert.deepStrictEqual(results(events), [["a", "error", "Not here."]])
    }))

  it.live("prints the same line twice in pieces, or all so far again: each is told once", () =>
    Effect.gen(function*() {
      const piece = (name: string, data: string) => acp.goesOn("a", { _meta: { [name]: { data } } })
      const { events } = yield* play(
        acp.calls("a", { status: "in_progress" }),
        piece("terminal_output_delta", "x\n"),
        piece("terminal_output_delta", "x\n"),
        piece("terminal_output", "x\nx\ny\n"),
        acp.goesOn("a", { status: "completed", _meta: { terminal_output: { data: "x\nx\ny\n" } } })
      )
      assert.deepStrictEqual(ofType(events, "tool_progress").map(({ text }) => text), ["x\n", "x\n", "y\n"])
      assert.deepStrictEqual(results(events), [["a", "ok", "x\nx\ny\n"]])
    }))

  it.live("answers with a number, or false", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        acp.calls("a", { status: "completed", rawOutput: 42 }),
        acp.calls("b", { status: "completed", rawOutput: false })
      )
      assert.deepStrictEqual(results(events), [["a", "ok", "42"], ["b", "ok", "false"]])
    }))

  it.live("compacts in pieces: an empty summary takes none of them away, a lost end loses none", () =>
    Effect.gen(function*() {
      const piece = (compactionId: string, text: string) =>
        acp.updates({
          sessionUpdate: "compaction_summary_chunk",
          compactionId,
          content: { type: "text", text }
        })
      const { events } = yield* play(
        piece("a", "We "),
        piece("b", "Half"),
        piece("a", "did."),
        acp.updates({
          sessionUpdate: "compaction_update",
          compactionId: "a",
          status: "completed",
          summary: ""
        })
      )
      assert.strictEqual(first(events, "context_compacted").text, "We did.")
      assert.deepInclude(statuses(events), ["compaction", "Half"])
    }))

  it.live("fails with a text in place of an error, names subagents otherwise, has a plan in a file", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        acp.updates({
          sessionUpdate: "subagent_update",
          subagentId: "s2",
          title: "Reviewer",
          status: "running"
        }),
        acp.updates({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "hm" } }, "s2"),
        acp.updates({ sessionUpdate: "plan_update", plan: { type: "file", uri: "file:///plan.md" } }),
        acp.answers({ id: 3, error: "out of paper" })
      )
      assert.deepInclude(statuses(events), ["subagent_update", "Reviewer: running"])
      assert.deepInclude(statuses(events), ["plan_update", "file:///plan.md"])
      assert.deepInclude(first(events, "assistant_message").metadata, { thread_id: "s2", agent: "Reviewer" })
      assert.include(first(events, "error").text, "out of paper")
    }))
})

describe("sessions of an ACP agent's that write to each other", () => {
  const play = (...messages: Lines) => playLines("acp", acp.conversation(...messages))
  const piece = (messageId: string, text: string) => ({
    sessionUpdate: "session_message_chunk",
    messageId,
    content: { type: "text", text }
  })
  const messages = (events: Played["events"]) =>
    ofType(events, "status").filter(({ status }) => status === "session_message")
      .map(({ metadata, text }) => [text, metadata])

  it.live("are told whole, with who wrote to whom, in whatever order that is said", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        acp.updates(piece("m1", "Look at ")),
        acp.updates({
          sessionUpdate: "session_message",
          messageId: "m1",
          senderSessionId: "s1",
          recipientSessionId: "s2"
        }),
        acp.updates(piece("m1", "the tests")),
        acp.updates({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "the answer" } }),
        acp.updates({
          sessionUpdate: "session_message",
          messageId: "m2",
          senderSessionId: "s1",
          recipientSessionId: "s2",
          content: [{ type: "text", text: "Hurry" }]
        }, "s2")
      )
      assert.deepStrictEqual(messages(events), [
        ["Look at the tests", { message_id: "m1", from: "s1", to: "s2" }],
        ["Hurry", { message_id: "m2", from: "s1", to: "s2", thread_id: "s2" }]
      ])
      assert.strictEqual(first(events, "response").text, "the answer")
    }))

  it.live("lose no word when the turn ends, and say none twice", () =>
    Effect.gen(function*() {
      const whole = {
        sessionUpdate: "session_message",
        messageId: "m1",
        content: [{ type: "text", text: "one" }]
      }
      const { events } = yield* play(
        acp.updates(whole),
        acp.calls("t", { status: "completed" }),
        acp.updates(whole),
        acp.updates({ ...piece("", "two"), messageId: null }),
        acp.updates({ ...piece("", " three"), messageId: undefined })
      )
      assert.deepStrictEqual(messages(events).map(([text]) => text), ["one", "two three"])
    }))
})

describe("a content block of a kind nobody knows", () => {
  const card = (word: string) => ({
    type: "card",
    id: "c1",
    title: word,
    rows: [{ text: `Row of ${word.toLowerCase()}` }]
  })
  const text = (word: string) => ({ type: "text", text: word })

  it.live("of Claude's is in the text of answers and of tools' results", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines(
        "claude",
        claude.conversation(
          claude.assistant([card("Alone")]),
          claude.calls("t", "Read"),
          claude.says({
            type: "user",
            message: {
              role: "user",
              content: [{ type: "tool_result", tool_use_id: "t", content: [text("Beside"), card("Result")] }]
            },
            parent_tool_use_id: null
          })
        )
      )
      assert.strictEqual(first(events, "assistant_message").text, "Alone\nRow of alone")
      assert.deepStrictEqual(results(events), [["t", "ok", "Beside\nResult\nRow of result"]])
    }))

  it.live("of an ACP agent's is in the text of answers, thoughts and tools' results", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines(
        "acp",
        acp.conversation(
          acp.updates({ sessionUpdate: "agent_thought_chunk", content: card("Thought") }),
          acp.calls("t"),
          acp.goesOn("t", { status: "completed", content: [{ type: "content", content: card("Result") }] }),
          acp.updates({ sessionUpdate: "agent_message_chunk", content: card("Answer") })
        )
      )
      assert.include(first(events, "reasoning").text, "Row of thought")
      assert.include(String(results(events)[0]?.[2]), "Row of result")
      assert.include(first(events, "assistant_message").text ?? "", "Row of answer")
      assert.include(ofType(events, "response")[0]?.text ?? "", "Row of answer")
    }))

  it.live("of a prompt's is in the text of what Codex says was asked", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines(
        "codex",
        codex.conversation(...codex.completes({
          type: "userMessage",
          id: "u",
          content: [text("Look: "), card("Prompt"), { type: "image", url: "data:image/png;base64,AA==" }]
        }))
      )
      const asked = ofType(events, "user_message").at(-1)
      assert.include(asked?.text, "Look: ")
      assert.include(asked?.text, "Row of prompt")
      assert.notInclude(asked?.text, "AA==")
    }))

  it.live("of Codex' is in the text of tools' results", () =>
    Effect.gen(function*() {
      const item = { type: "mcpToolCall", id: "m", server: "s", tool: "t", arguments: {} }
      const { events } = yield* playLines(
        "codex",
        codex.conversation(
          codex.tells("item/started", { item: { ...item, status: "inProgress" } }),
          ...codex.completes({
            ...item,
            status: "completed",
            result: { content: [text("Beside"), card("Result")] }
          })
        )
      )
      assert.include(String(results(events)[0]?.[2]), "Beside")
      assert.include(String(results(events)[0]?.[2]), "Row of result")
    }))
})
