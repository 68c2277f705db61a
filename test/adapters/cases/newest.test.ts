/** What the newest releases of the agents say, and where they put the words meant for people. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { acp, claude, codex, type Lines } from "./lines.js"
import { first, ofType, playLines } from "./play.js"

const results = (events: Parameters<typeof ofType>[0]) =>
  ofType(events, "tool_result").map(({ status, text, tool_use_id }) => [tool_use_id, status, text])
const statuses = (events: Parameters<typeof ofType>[0]) =>
  ofType(events, "status").map(({ status, text }) => [status, text])

describe("Codex", () => {
  const threadId = "55555555-5555-7555-8555-555555555555"
  const play = (...lines: Lines) => playLines("codex", codex.conversation(...lines))

  it.live("asks questions in a message: they are part of its text", () =>
    Effect.gen(function*() {
      const { events } = yield* play(...codex.completes(
        {
          type: "agentMessage",
          id: "a",
          text: "",
          questions: [{ title: "Which colour?", options: ["red"] }]
        },
        { type: "agentMessage", id: "b", text: "One thing.", questions: [{ title: "Why?", options: null }] }
      ))
      assert.deepStrictEqual(
        ofType(events, "assistant_message").map(({ text }) => text),
        ["Which colour?\n- red", "One thing.\n\nWhy?"]
      )
    }))

  it.live("repeats what its thread had used, and its subagents use some more", () =>
    Effect.gen(function*() {
      const tokens = (inputTokens: number) => ({
        totalTokens: inputTokens,
        inputTokens,
        cachedInputTokens: 0,
        outputTokens: 0
      })
      const used = (total: number, last: number, fields: object = {}) =>
        codex.tells("thread/tokenUsage/updated", {
          tokenUsage: { total: tokens(total), last: tokens(last) },
          ...fields
        })
      const lines = codex.conversation(
        used(1010, 10),
        used(7, 7, { threadId: "99999999-9999-7999-8999-999999999999", turnId: "other" })
      )
      const begins = lines.findIndex(({ data }) => data.method === "turn/start")
      const { events } = yield* playLines(
        "codex",
        lines.toSpliced(begins, 0, used(1000, 900, { turnId: "an earlier one" }))
      )
      assert.deepInclude(first(events, "turn_end").usage, { input_tokens: 17 })
    }))

  it.live("passes on what the model API said, and says what to do", () =>
    Effect.gen(function*() {
      const fails = (message: string, codexErrorInfo: unknown = "other") =>
        Effect.map(
          play(codex.tells("error", { error: { message, codexErrorInfo }, willRetry: false })),
          ({ events }) => first(events, "error").text
        )
      assert.strictEqual(
        yield* fails("{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"too many images\"}}"),
        "too many images"
      )
      assert.strictEqual(
        yield* fails("stream disconnected before completion: x"),
        "stream disconnected before completion: x. Send the prompt again."
      )
      assert.strictEqual(
        yield* fails("unexpected status 403 Forbidden", { httpConnectionFailed: { httpStatusCode: 403 } }),
        "unexpected status 403 Forbidden. Check that the account on the relay's machine may use this model."
      )
    }))

  it.live("says in other fields why something failed or is tried again", () =>
    Effect.gen(function*() {
      const fails = (error: object, willRetry: boolean) => codex.tells("error", { error, willRetry })
      const { events } = yield* play(
        fails({ message: "Reconnecting... 1/5", additionalDetails: "the stream broke" }, true),
        fails({
          message: "Blocked",
          codexErrorInfo: "misalignmentPolicyViolation",
          misalignment: { errorType: "x", detailedExplanation: "Nobody asked for this." }
        }, false)
      )
      assert.deepInclude(statuses(events), ["api_retry", "Reconnecting... 1/5\nthe stream broke"])
      assert.strictEqual(first(events, "error").text, "Blocked\nNobody asked for this.")
    }))

  it.live("fails without a reason: an error says so, and a refusal counts as one", () =>
    Effect.gen(function*() {
      const lines = codex.conversation().slice(0, -1)
      const ends = (error: object | null) =>
        playLines("codex", [
          ...lines,
          codex.tells("turn/completed", {
            turn: { id: "66666666-6666-7666-8666-666666666666", status: "failed", error }
          })
        ])
      const { events } = yield* ends(null)
      assert.strictEqual(first(events, "error").text, "Codex gave no reason.")
      assert.strictEqual(first(events, "turn_end").stop_reason, "error")
      const refused = yield* ends({ message: "No.", codexErrorInfo: "bioPolicy" })
      assert.strictEqual(first(refused.events, "turn_end").stop_reason, "refusal")
    }))

  it.live("runs hooks, reviews and goals that have something to say", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        codex.tells("hook/completed", {
          run: {
            eventName: "stop",
            status: "blocked",
            statusMessage: "checking",
            entries: [{ text: "Test first" }]
          }
        }),
        codex.tells("item/autoApprovalReview/completed", {
          review: { status: "denied", riskLevel: "high", rationale: "It deletes the home folder." }
        }),
        codex.tells("thread/goal/updated", { goal: { objective: "Ship it", status: "active" } }),
        codex.tells("thread/name/updated", { threadName: "Fix the bug" }),
        codex.tells("model/safetyBuffering/updated", { model: "m", reasons: ["It is being checked."] })
      )
      assert.deepStrictEqual(statuses(events).filter(([, text]) => text !== undefined), [
        ["hook/completed", "Test first"],
        ["item/autoApprovalReview/completed", "It deletes the home folder."],
        ["thread/goal/updated", "Ship it"],
        ["thread/name/updated", "Fix the bug"],
        ["model/safetyBuffering/updated", "It is being checked."]
      ])
    }))

  it.live("gives images and failures of tools: no bytes as text, no failure without a word", () =>
    Effect.gen(function*() {
      const { events } = yield* play(...codex.completes(
        { type: "functionCallOutput", id: "a", output: [{ type: "input_image", image_url: "data:x" }] },
        { type: "imageGeneration", id: "b", status: "completed", result: "iVBORw0KGgo=" },
        {
          type: "collabAgentToolCall",
          id: "c",
          tool: "spawnAgent",
          status: "failed",
          agentsStates: { y: { status: "notFound", message: null } }
        },
        { type: "plan", id: "d", text: "" }
      ))
      assert.deepStrictEqual(results(events), [
        ["a", "ok", undefined],
        ["b", "ok", undefined],
        ["c", "error", "notFound"]
      ])
      assert.deepStrictEqual(ofType(events, "tool_result")[1]?.content, [
        { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } }
      ])
      assert.deepStrictEqual(ofType(events, "reasoning"), [])
    }))

  it.live("wants more than its sandbox allows, or types into a program: who is asked sees that", () =>
    Effect.gen(function*() {
      const permissions = { network: { enabled: true }, fileSystem: null }
      const ask = (fields: object) =>
        play(
          ...codex.asks("item/commandExecution/requestApproval", { itemId: "c", command: "make", ...fields })
        )
      const { events } = yield* ask({ kind: "command", additionalPermissions: permissions })
      assert.deepStrictEqual(first(events, "permission_request").args, { command: "make", permissions })
      const typed = yield* ask({ kind: "writeStdin" })
      assert.deepStrictEqual(first(typed.events, "permission_request").args, {
        command: "make",
        kind: "writeStdin"
      })
    }))

  it.live("says something after a turn: it is no part of the next answer", () =>
    Effect.gen(function*() {
      const turn = { id: "77777777-7777-7777-8777-777777777777" }
      const said = (id: string, text: string, phase: string) => ({ type: "agentMessage", id, text, phase })
      const { events } = yield* playLines("codex", [
        ...codex.conversation(),
        ...codex.completes(said("late", "late", "partial_answer")),
        { dir: "in", data: { id: 6, method: "turn/start" } },
        { dir: "out", data: { id: 6, result: { turn } } },
        { dir: "out", data: { method: "turn/started", params: { threadId, turn } } },
        ...codex.completes(said("b", "two", "final_answer")),
        {
          dir: "out",
          data: { method: "turn/completed", params: { threadId, turn: { ...turn, status: "completed" } } }
        }
      ])
      assert.deepStrictEqual(ofType(events, "response").map(({ text }) => text), ["", "two"])
    }))

  it.live("reviews: what it found is the answer", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        ...codex.completes({ type: "exitedReviewMode", id: "a", review: "Looks good." })
      )
      assert.strictEqual(first(events, "response").text, "Looks good.")
    }))

  it.live("finishes tools after their turn was stopped: what they did is told", () =>
    Effect.gen(function*() {
      const call = { type: "mcpToolCall", id: "m", server: "s", tool: "t", arguments: {} }
      const patch = {
        type: "fileChange",
        id: "f",
        changes: [{ path: "/w/a", kind: { type: "add" }, diff: "x\n" }]
      }
      const begins = [call, patch].map((item) =>
        codex.tells("item/started", { item: { ...item, status: "inProgress" } })
      )
      const { events } = yield* playLines("codex", [
        ...codex.conversation(...begins).slice(0, -1),
        codex.tells("turn/completed", {
          turn: { id: "66666666-6666-7666-8666-666666666666", status: "interrupted" }
        }),
        ...codex.completes(
          { ...call, status: "completed", result: { content: [{ type: "text", text: "late" }] } },
          { ...patch, status: "completed" }
        )
      ])
      assert.strictEqual(ofType(events, "tool_result").length, 2)
      assert.deepStrictEqual(ofType(events, "tool_progress").map(({ text }) => text), ["late", "add /w/a"])
      assert.strictEqual(first(events, "file_diff").file_path, "/w/a")
    }))

  it.live("counts what it writes into its cache, and a spending limit", () =>
    Effect.gen(function*() {
      const tokens = {
        totalTokens: 110,
        inputTokens: 100,
        cachedInputTokens: 40,
        cacheWriteInputTokens: 30,
        outputTokens: 10
      }
      const { events } = yield* play(
        codex.tells("thread/tokenUsage/updated", { tokenUsage: { total: tokens, last: tokens } }),
        codex.tells("account/rateLimits/updated", {
          rateLimits: { limitId: "codex", spendControlReached: true }
        })
      )
      const { usage } = first(events, "turn_end")
      assert.deepInclude(usage, { input_tokens: 30, cached_input_tokens: 40, cache_write_tokens: 30 })
      assert.strictEqual(first(events, "quota_warning").text, "A limit has been reached: spend control.")
    }))
})

describe("ACP", () => {
  const play = (...lines: Lines) => playLines("acp", acp.conversation(...lines))
  const runs = (toolCallId: string) =>
    acp.calls(toolCallId, { status: "in_progress", rawInput: { toolCallId } })
  const shows = (text: string) => [{ type: "content", content: { type: "text", text } }]

  it.live("says in a permission request why it asks", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        ...acp.asks({ toolCallId: "a", title: "ls", content: shows("The sandbox is too small.") })
      )
      assert.strictEqual(first(events, "permission_request").text, "ls\nThe sandbox is too small.")
    }))

  it.live("offers options of kinds of its own", () =>
    Effect.gen(function*() {
      const options = [
        { optionId: "s", name: "For this session", kind: "allow_session" },
        { optionId: "y", name: "Yes", kind: "allow" },
        { optionId: "n", name: "No", kind: "deny" },
        { optionId: "x", name: "?", kind: "explain" }
      ]
      const { events, told } = yield* play(
        acp.answers({
          id: "q1",
          method: "session/request_permission",
          params: { sessionId: "s1", toolCall: { toolCallId: "a", title: "ls" }, options }
        }),
        { dir: "in", data: { jsonrpc: "2.0", id: "q1", result: {} } }
      )
      assert.deepStrictEqual(
        first(events, "permission_request").metadata.options?.map(({ kind, option_id }) => [option_id, kind]),
        [["s", "allow_always"], ["y", "allow_once"], ["n", "reject_once"]]
      )
      assert.deepInclude(told.at(-1), { result: { outcome: { outcome: "selected", optionId: "s" } } })
    }))

  it.live("fails after it has shown something: its output and the reason are told", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        runs("a"),
        acp.goesOn("a", { status: "in_progress", content: shows("working") }),
        acp.goesOn("a", { status: "failed", error: "no space left" }),
        runs("b"),
        acp.goesOn("b", {
          status: "failed",
          rawOutput: { stdout: "out\n", stderr: "err\n", error: "exit 2" }
        }),
        runs("c"),
        acp.goesOn("c", { status: "completed", rawOutput: { content: [], structuredContent: { rows: 3 } } }),
        runs("d"),
        acp.goesOn("d", {
          status: "completed",
          content: [{ type: "content", content: { type: "resource_link", uri: "file:///a", name: "a" } }],
          rawOutput: { structuredContent: { rows: 3 } }
        })
      )
      assert.deepStrictEqual(results(events), [
        ["a", "error", "working\nno space left"],
        ["b", "error", "out\nerr\nexit 2"],
        ["c", "ok", "{\"rows\":3}"],
        ["d", "ok", "a (file:///a)"]
      ])
    }))

  it.live("has the output of a tool only after its turn", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines("acp", [
        ...acp.conversation(runs("a")),
        acp.goesOn("a", { status: "completed", rawOutput: "late" })
      ])
      assert.strictEqual(ofType(events, "tool_result").length, 1)
      assert.deepStrictEqual(ofType(events, "tool_progress").map(({ text }) => text), ["late"])
    }))

  it.live("changes a picture: no difference that empties it", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        runs("a"),
        acp.goesOn("a", { status: "completed", content: [{ type: "diff", path: "/w/a.png" }] })
      )
      assert.deepStrictEqual(ofType(events, "file_diff"), [])
    }))

  it.live("reaches a limit, and says so in the details of an internal error", () =>
    Effect.gen(function*() {
      const fails = (details: string) =>
        Effect.map(
          play(acp.answers({ id: 3, error: { code: -32603, message: "Internal error", data: { details } } })),
          ({ events }) => [ofType(events, "quota_warning").length, first(events, "turn_end").context_pct]
        )
      assert.deepStrictEqual(yield* fails("You've hit your usage limit."), [1, undefined])
      assert.deepStrictEqual(yield* fails("Resource has been exhausted (check quota)."), [1, undefined])
      assert.deepStrictEqual(yield* fails("input length and `max_tokens` exceed context limit"), [0, 100])
      assert.deepStrictEqual(yield* fails("file not found"), [0, undefined])
    }))

  it.live("fails with a message, and says more beside it", () =>
    Effect.gen(function*() {
      const error = {
        code: 1,
        message: "API error",
        data: { message: "The card was declined.", stack: "at x" }
      }
      const { events } = yield* play(acp.answers({ id: 3, error }))
      assert.include(first(events, "error").text, "API error\nThe card was declined.")
    }))

  it.live("counts what it writes into the cache", () =>
    Effect.gen(function*() {
      const usage = {
        totalTokens: 9,
        inputTokens: 5,
        outputTokens: 2,
        cachedReadTokens: 1,
        cachedWriteTokens: 2
      }
      const { events } = yield* play(acp.answers({ id: 3, result: { stopReason: "end_turn", usage } }))
      assert.strictEqual(first(events, "turn_end").usage?.cache_write_tokens, 2)
    }))
})

describe("Claude Code", () => {
  const play = (...lines: Lines) => playLines("claude", claude.conversation(...lines))
  const system = (subtype: string, fields: object) => claude.says({ type: "system", subtype, ...fields })
  const prompt = { dir: "in", data: { type: "user", message: { role: "user", content: "go" } } } as const

  it.live("holds a change for review: the file is unchanged", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        claude.calls("t", "Write"),
        claude.answers("t", { type: "create", filePath: "/w/a", content: "x\n", staged: true })
      )
      assert.deepStrictEqual(ofType(events, "file_diff"), [])
    }))

  it.live("summarizes the conversation in a block: no part of its answer", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        claude.assistant([{ type: "compaction", content: "So far" }, { type: "text", text: "Hello" }])
      )
      assert.strictEqual(first(events, "assistant_message").text, "Hello")
      assert.strictEqual(first(events, "context_compacted").text, "So far")
    }))

  it.live("says what went wrong: a plugin, a refusal, a full disk, a subagent that tries again", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        system("init", { plugin_errors: [{ plugin: "p", type: "load", message: "Plugin p is broken." }] }),
        system("model_refusal_fallback", {
          scope: "session",
          original_model: "a",
          fallback_model: "b",
          content: "Switched to b.",
          api_refusal_explanation: "It looked risky."
        }),
        system("session_writes_lost", { error_code: "ENOSPC", lost: ["transcript"] }),
        claude.calls("t", "Task"),
        claude.says({
          type: "tool_progress",
          tool_use_id: "t",
          tool_name: "Task",
          elapsed_time_seconds: 5,
          subagent_retry: { attempt: 2, max_retries: 10, error_status: 529, error_category: "overloaded" }
        }),
        system("task_notification", {
          task_id: "k",
          tool_use_id: "t",
          status: "failed",
          summary: "It failed."
        })
      )
      assert.deepStrictEqual(statuses(events).slice(1), [
        ["init", "Plugin p is broken."],
        ["model_refusal_fallback", "Switched to b.\nIt looked risky."],
        ["session_writes_lost", "ENOSPC"],
        ["task_notification", "It failed."]
      ])
      assert.deepStrictEqual(ofType(events, "status")[2]?.metadata, { model: "b" })
      assert.strictEqual(ofType(events, "status").at(-1)?.metadata?.["tool_use_id"], "t")
      assert.strictEqual(
        first(events, "tool_progress").text,
        "5 s. The model API answered overloaded (529); Claude Code is retrying (2 of 10)."
      )
    }))

  it.live("answers in a format of its own, and tools do", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        claude.calls("t", "mcp__s__t"),
        claude.says({
          type: "user",
          message: { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [] }] },
          tool_use_result: { content: [], structuredContent: { rows: 3 } }
        }),
        claude.result({ result: "", structured_output: { sum: "ä" } })
      )
      assert.deepStrictEqual(results(events), [["t", "ok", "{\"rows\":3}"]])
      assert.strictEqual(first(events, "response").text, "{\"sum\":\"ä\"}")
    }))

  it.live("writes a file after its turn: the change is told", () =>
    Effect.gen(function*() {
      const { events } = yield* playLines("claude", [
        ...claude.conversation(claude.calls("t", "Write")),
        claude.answers("t", { type: "create", filePath: "/w/a", content: "x\n" })
      ])
      assert.strictEqual(first(events, "file_diff").file_path, "/w/a")
    }))

  it.live("was interrupted: what it had said is marked as a part", () =>
    Effect.gen(function*() {
      const { events } = yield* play(
        claude.assistant([{ type: "text", text: "half" }], { aborted: true }),
        claude.result({ subtype: "error_during_execution", terminal_reason: "aborted_streaming" })
      )
      assert.deepStrictEqual(first(events, "assistant_message").metadata, { partial: true })
    }))

  it.live("asks with a title and a description beside the message", () =>
    Effect.gen(function*() {
      const { events } = yield* play(...claude.asks({
        subtype: "elicitation",
        mcp_server_name: "m",
        title: "Log in",
        message: "Your name?",
        description: "The server needs it.",
        requested_schema: { type: "object", properties: { name: { type: "string" } } }
      }))
      assert.strictEqual(first(events, "permission_request").text, "Log in\nYour name?\nThe server needs it.")
    }))

  it.live("has tool servers that do not start: each is told once, with the reason", () =>
    Effect.gen(function*() {
      const init = (...mcp_servers: ReadonlyArray<object>) => system("init", { mcp_servers })
      const [bad, shut] = [{ name: "bad", status: "failed" }, { name: "shut", status: "needs-auth" }]
      const gone = { name: "gone", status: "failed" }
      const asked = (request_id: string, subtype: string) =>
        ({ dir: "in", data: { type: "control_request", request_id, request: { subtype } } }) as const
      const answers = (request_id: string, response: object) =>
        claude.says({ type: "control_response", response: { subtype: "success", request_id, response } })
      const { events } = yield* playLines("claude", [
        asked("a", "mcp_set_servers"),
        asked("b", "initialize"),
        answers("a", { added: ["gone"], errors: { gone: "Executable not found" } }),
        answers("b", {}),
        prompt,
        init(bad, gone, { name: "ok", status: "connected" }),
        claude.result({}),
        prompt,
        init(bad, gone, shut),
        claude.result({})
      ], { handshake: { mcp_servers: [{ name: "gone", command: "nosuch" }] } })
      assert.deepStrictEqual(statuses(events).filter(([, text]) => text !== undefined), [
        ["mcp_server", "The tool server \"gone\" is not available: Executable not found."],
        ["init", "The tool server \"bad\" is not available: it did not start."],
        ["init", "The tool server \"shut\" is not available: it needs a login."]
      ])
    }))

  it.live("summarizes or forgets the conversation: its context is no longer what the last call had in it", () =>
    Effect.gen(function*() {
      const usage = { input_tokens: 900, output_tokens: 1 }
      const says = (content: ReadonlyArray<object>) =>
        claude.says({ type: "assistant", message: { role: "assistant", id: "m", content, usage } })
      const compacted = (fields: object) =>
        claude.says({
          type: "system",
          subtype: "compact_boundary",
          compact_metadata: { post_tokens: 200 },
          ...fields
        })
      const full = says([{ type: "text", text: "Hi" }])
      const end = claude.result({ modelUsage: { m: { contextWindow: 1000 } } })
      const { events } = yield* playLines("claude", [
        ...claude.conversation(full, end),
        prompt,
        compacted({ parent_tool_use_id: "a" }),
        end,
        prompt,
        compacted({}),
        end,
        prompt,
        full,
        claude.says({ type: "conversation_reset", trigger: "clear" }),
        end
      ])
      assert.deepStrictEqual(
        ofType(events, "turn_end").map(({ context_pct }) => context_pct),
        [90, 90, 20, undefined]
      )
    }))

  it.live("says what went wrong, and the relay what to do", () =>
    Effect.gen(function*() {
      const fails = (error: string, text: string, fields: object = {}) => [
        claude.assistant([{ type: "text", text }], { error }),
        claude.result({ is_error: true, result: text, ...fields })
      ]
      const { events } = yield* playLines("claude", [
        ...claude.conversation(
          ...fails("authentication_failed", "Failed to authenticate. API Error: 403 x", {
            api_error_status: 403
          })
        ),
        prompt,
        ...fails("model_not_found", "It may not exist. Run --model to pick a different model.", {
          api_error_status: 404
        }),
        prompt,
        ...fails("invalid_request", "Prompt is too long", { terminal_reason: "prompt_too_long" }),
        prompt,
        ...fails("rate_limit", "Come back at 3 pm"),
        prompt,
        ...fails("unknown", "Out of paper")
      ])
      assert.deepStrictEqual(ofType(events, "error").map(({ code, text }) => [code, text]), [
        [
          "auth_required",
          "Failed to authenticate. API Error: 403 x. Log in on the relay's machine: run `claude` and then /login, "
          + "or start the relay with ANTHROPIC_API_KEY set."
        ],
        [
          "turn_failed",
          "It may not exist. Run --model to pick a different model. Choose another model with set_model."
        ],
        ["turn_failed", "Prompt is too long. Send /compact, or open a new session."],
        ["turn_failed", "Come back at 3 pm"],
        ["turn_failed", "Out of paper"]
      ])
      assert.deepStrictEqual(ofType(events, "quota_warning").map(({ text }) => text), ["Come back at 3 pm"])
    }))

  it.live("counts the cost anew after /clear, and not at all in a turn that crashed", () =>
    Effect.gen(function*() {
      const turn = (total_cost_usd: number) => [prompt, claude.result({ total_cost_usd })]
      const { events } = yield* playLines("claude", [
        ...claude.conversation(claude.result({ total_cost_usd: 1 })),
        ...turn(0),
        ...turn(1.5),
        claude.says({ type: "conversation_reset", trigger: "clear" }),
        ...turn(2)
      ])
      assert.deepStrictEqual(ofType(events, "turn_end").map(({ usage }) => usage?.cost_usd), [1, 0, 0.5, 2])
    }))
})
