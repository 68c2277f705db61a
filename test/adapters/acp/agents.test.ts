/** Where single agents differ, as their real CLIs were seen to speak (`scripts/agentVersions.mjs` has the versions). */
import { describe, expect, it } from "vitest"
import type { AcpAgent } from "../../../src/adapters/acp/AcpAgent.js"
import { claudeAgent } from "../../../src/adapters/acp/agents/claudeAgent.js"
import { codexAcp } from "../../../src/adapters/acp/agents/codexAcp.js"
import { copilot } from "../../../src/adapters/acp/agents/copilot.js"
import { kimi } from "../../../src/adapters/acp/agents/kimi.js"
import { opencode } from "../../../src/adapters/acp/agents/opencode.js"
import { pi } from "../../../src/adapters/acp/agents/pi.js"
import { qwen } from "../../../src/adapters/acp/agents/qwen.js"
import { modeThatAsks, whyUnasked } from "../../../src/adapters/acp/asking.js"
import { makeChoices } from "../../../src/adapters/acp/choices.js"
import { decide } from "../../../src/adapters/acp/permission.js"
import { translateAnswer } from "../../../src/adapters/acp/promptAnswer.js"
import { makeToolCalls } from "../../../src/adapters/acp/toolCalls.js"
import { makeState, translate } from "../../../src/adapters/acp/translate.js"
import { type PermissionOption, RequestId } from "../../../src/schema/index.js"

const anyAgent: AcpAgent = { tool: "x", name: "X", command: "x", args: [], install: "", login: "" }
const offer = (...ids: ReadonlyArray<string>) => ids.map((id) => ({ id, name: id }))

describe("the mode a session begins in", () => {
  it.each([
    ["claude-agent-acp", claudeAgent, "auto", ["default", "acceptEdits", "plan", "auto"], "default"],
    ["qwen", qwen, "auto", ["plan", "default", "auto-edit", "auto", "yolo"], "default"],
    ["codex-acp", codexAcp, "agent", ["read-only", "workspace-write", "agent"], "workspace-write"],
    ["any", anyAgent, "yolo", ["yolo", "default"], "default"],
    ["any", anyAgent, "bypassPermissions", ["bypassPermissions", "ask"], "ask"]
  ])("is one that asks: %s", (_, agent, current, offered, asks) => {
    expect(modeThatAsks(agent, { current, offered: offer(...offered) })).toBe(asks)
  })

  it("is left alone where it asks already, or nothing better is offered", () => {
    expect(modeThatAsks(claudeAgent, { current: "acceptEdits", offered: offer("default", "acceptEdits") }))
      .toBeUndefined()
    expect(modeThatAsks(codexAcp, { current: "read-only", offered: offer("read-only", "workspace-write") }))
      .toBeUndefined()
    expect(modeThatAsks(anyAgent, { current: "build", offered: offer("build", "plan") })).toBeUndefined()
    expect(modeThatAsks(anyAgent, { current: "yolo", offered: offer("yolo") })).toBeUndefined()
    expect(modeThatAsks(anyAgent, { current: undefined, offered: [] })).toBeUndefined()
  })

  it("is told in plain words when nobody is asked in it", () => {
    expect(whyUnasked(pi, undefined)).toBe("Pi runs commands and changes files without asking.")
    expect(whyUnasked(qwen, "yolo")).toContain("\"yolo\"")
    expect(whyUnasked(qwen, "default")).toBeUndefined()
    expect(whyUnasked(anyAgent, undefined)).toBeUndefined()
  })
})

it("pi: how hard it thinks is no permission mode", () => {
  const levels = ["off", "medium"]
  const choices = makeChoices(pi)
  choices.opened({
    modes: { currentModeId: "medium", availableModes: levels.map((id) => ({ id })) },
    configOptions: [{
      id: "thought_level",
      category: "thought_level",
      currentValue: "medium",
      options: levels.map((value) => ({ value }))
    }]
  })
  expect(choices.mode()).toBeUndefined()
  expect(choices.modeNames()).toEqual([])
})

it("copilot: modes that are named by addresses have short names", () => {
  const choices = makeChoices(copilot)
  const address = (name: string) => `https://agentclientprotocol.com/protocol/session-modes#${name}`
  choices.opened({
    modes: {
      currentModeId: address("agent"),
      availableModes: ["agent", "plan", "autopilot"].map((name) => ({ id: address(name) }))
    }
  })
  expect(choices.modeNames()).toContain("plan")
  expect(choices.toMode("plan")).toBe(address("plan"))
  expect(whyUnasked(copilot, address("autopilot"))).toBeDefined()
})

describe("allowed for the session", () => {
  const allowed = (...options: ReadonlyArray<PermissionOption>) =>
    decide(
      {
        type: "permission_request",
        request_id: RequestId.make("r"),
        tool: "x",
        metadata: { kind: "tool", options }
      },
      { type: "permission_response", behavior: "allow", scope: "session" }
    ).answer.outcome.optionId
  const option = (option_id: string, kind: PermissionOption["kind"], name = option_id) => ({
    option_id,
    kind,
    name
  })

  it("never becomes allowed for good", () => {
    // qwen
    expect(allowed(
      option("proceed_always_project", "allow_always", "Always Allow in project: touch *"),
      option("proceed_always_user", "allow_always", "Always Allow for user: touch *"),
      option("proceed_once", "allow_once", "Allow"),
      option("cancel", "reject_once", "Reject")
    )).toBe("proceed_once")
    // codex-acp
    expect(allowed(
      option("allow_once", "allow_once"),
      option("accept_execpolicy_amendment", "allow_always", "Yes, and don't ask again for commands like this")
    )).toBe("allow_once")
    // gemini
    expect(allowed(
      option("proceed_always_and_save", "allow_always", "Allow for all future sessions"),
      option("proceed_always", "allow_always", "Allow for this session"),
      option("proceed_once", "allow_once")
    )).toBe("proceed_always")
  })

  it("takes what the agent remembers for the session", () => {
    expect(allowed(option("once", "allow_once"), option("always", "allow_always", "Always allow"))).toBe(
      "always"
    )
    expect(allowed(option("allow_once", "allow_once"), option("allow_for_session", "allow_always"))).toBe(
      "allow_for_session"
    )
  })
})

describe("tool calls", () => {
  it("opencode: are told when all of their input is there, and how a file changed though only the question said it", () => {
    const calls = makeToolCalls(opencode.quirks ?? {})
    const call = { toolCallId: "c", kind: "edit", title: "write" }
    expect(calls.update({ ...call, status: "pending", rawInput: { cwd: "/w" } })).toEqual([])
    const rawInput = { filePath: "/w/a.txt", content: "one\n" }
    expect(calls.update({ ...call, status: "in_progress", rawInput })).toMatchObject([
      { type: "tool_call", args: rawInput }
    ])
    calls.announce({
      ...call,
      status: "pending",
      content: [{ type: "diff", path: "/w/a.txt", oldText: "", newText: "one\n" }]
    })
    const told = calls.update({
      toolCallId: "c",
      status: "completed",
      content: [{ type: "content", content: { type: "text", text: "Wrote file successfully." } }]
    })
    expect(told).toMatchObject([
      { type: "tool_result", status: "ok", text: "Wrote file successfully." },
      { type: "file_diff", file_path: "/w/a.txt" }
    ])
  })

  it("tell no change that was proposed and failed", () => {
    const calls = makeToolCalls({})
    calls.update({
      toolCallId: "c",
      status: "in_progress",
      content: [{ type: "diff", path: "/a", oldText: "1", newText: "2" }]
    })
    const told = calls.update({ toolCallId: "c", status: "failed", content: [] })
    expect(told.map(({ type }) => type)).toEqual(["tool_result"])
  })

  it("kimi: have their input in a text, and their tool's name in the title", () => {
    const calls = makeToolCalls(kimi.quirks ?? {})
    const text = (text: string) => [{ type: "content", content: { type: "text", text } }]
    const pending = { toolCallId: "c", title: "Bash", kind: "execute", status: "pending" }
    expect(calls.update({ ...pending, content: text("{\"comm") })).toEqual([])
    expect(calls.update({ ...pending, content: text("{\"command\":\"ls\"}") })).toMatchObject([
      { type: "tool_call", tool: "Bash", args: { command: "ls" } }
    ])
    calls.announce({ toolCallId: "c", title: "Bash", content: text("Requesting approval to Running: ls") })
    expect(calls.fieldsOf("c")).toMatchObject({ rawInput: { command: "ls" } })
    // Allowed, it shows its input once more.
    expect(calls.update({ toolCallId: "c", status: "in_progress", content: text("{\"command\":\"ls\"}") }))
      .toEqual([])
    expect(calls.update({ toolCallId: "c", status: "in_progress", content: text("a.txt") }))
      .toMatchObject([{ type: "tool_progress", text: "a.txt" }])
  })

  it("qwen: have their input only in the question", () => {
    const calls = makeToolCalls(qwen.quirks ?? {})
    const call = { toolCallId: "c", title: "Shell", kind: "execute" }
    calls.update({ ...call, status: "in_progress", rawInput: {} }, true)
    expect(calls.release()).toMatchObject([{ type: "tool_call" }])
    const rawInput = { command: "ls" }
    expect(calls.announce({ ...call, title: "ls", rawInput })).toMatchObject([
      { type: "tool_progress", tool_use_id: "c", metadata: { args: rawInput } }
    ])
    expect(calls.announce({ ...call, title: "ls", rawInput })).toEqual([])
  })

  it("opencode: say how a command exited", () => {
    const calls = makeToolCalls(opencode.quirks ?? {})
    const rawOutput = { output: "out\n", metadata: { output: "out\n", exit: 3 } }
    const told = calls.update({ toolCallId: "c", status: "completed", rawInput: { command: "x" }, rawOutput })
    expect(told.at(-1)).toMatchObject({ type: "tool_result", text: "out\n", exit_code: 3 })
  })

  it("pi: have their command in the title", () => {
    const calls = makeToolCalls(pi.quirks ?? {})
    expect(calls.update({ toolCallId: "c", title: "ls -l", kind: "execute", status: "in_progress" }))
      .toMatchObject([{ type: "tool_call", args: { command: "ls -l" } }])
  })
})

describe("the end of a turn", () => {
  const message = (text: string, _meta?: Readonly<Record<string, unknown>>) => ({
    sessionUpdate: "agent_message_chunk" as const,
    content: { type: "text", text },
    ...(_meta !== undefined && { _meta })
  })

  it("qwen: counts the tokens told beside its messages", () => {
    const state = makeState(qwen)
    for (const inputTokens of [10, 30]) {
      translate(message("", { usage: { inputTokens, outputTokens: 5, cachedReadTokens: 1 } }), state)
    }
    expect(translateAnswer({ stopReason: "end_turn" }, state).at(-1)).toMatchObject({
      usage: { input_tokens: 40, output_tokens: 10, cached_input_tokens: 2 }
    })
  })

  it("copilot: takes the tokens of earlier turns off", () => {
    const state = makeState(copilot)
    const end = (inputTokens: number) =>
      translateAnswer({ stopReason: "end_turn", usage: { inputTokens, outputTokens: 5 } }, state).at(-1)
    expect(end(10)).toMatchObject({ usage: { input_tokens: 10, output_tokens: 5 } })
    state.tokens_before = state.tokens
    expect(end(30)).toMatchObject({ usage: { input_tokens: 20, output_tokens: 0 } })
  })

  it.each([["pi", pi], ["kimi", kimi]])("%s: is an error when nothing was answered", (_, agent) => {
    const state = makeState(agent)
    translate(message("Retrying (attempt 1/3, waiting 2s)..."), makeState(pi))
    const told = translateAnswer({ stopReason: "end_turn" }, state)
    expect(told).toMatchObject([{ type: "error", code: "turn_failed" }, {
      type: "turn_end",
      stop_reason: "error"
    }])
  })

  it.each<[agent: AcpAgent, says: string, code: string]>([
    [codexAcp, "unexpected status 401 Unauthorized: no key, url: http://x\n\n", "auth_required"],
    [codexAcp, "exceeded retry limit, last status: 429 Too Many Requests\n\n", "turn_failed"],
    [copilot, "Error: Authentication failed with provider at http://x (HTTP 401).", "auth_required"],
    [copilot, "Error: Failed to get response from the AI model; retried 5 times", "turn_failed"]
  ])("is a failure that was told as a message: %o %s", (agent, says, code) => {
    const state = makeState(agent)
    translate(message("Half a sen"), state)
    translate(message(says), state)
    const told = translateAnswer(
      { stopReason: "end_turn", usage: { inputTokens: 1, outputTokens: 2 } },
      state
    )
    expect(told[0]).toMatchObject({
      type: "error",
      code,
      text: expect.stringContaining(says.trim().slice(7, 30))
    })
    expect(told.some(({ type }) => type === "quota_warning")).toBe(says.includes("429"))
    expect(told.at(-1)).toMatchObject({ type: "turn_end", stop_reason: "error", usage: { output_tokens: 2 } })
  })

  it("is none when the model speaks of errors, or goes on after one", () => {
    const said = { ...message("unexpected status 404, says the log"), messageId: "m" }
    for (const [agent, update] of [[codexAcp, said], [copilot, message("Error: ")]] as const) {
      const state = makeState(agent)
      expect(translate(update, state)).toMatchObject([{ type: "stream_event", delta: "text" }])
      expect(translateAnswer({ stopReason: "end_turn" }, state).at(-1)).toMatchObject({
        stop_reason: "end_turn"
      })
    }
    const state = makeState(copilot)
    translate(message("Error: 500 oops"), state)
    expect(translate(message("Here it is."), state)).toMatchObject([
      { type: "stream_event", delta: "text" },
      { type: "status", status: "failure", text: "500 oops" }
    ])
    expect(translateAnswer({ stopReason: "end_turn" }, state).at(-1)).toMatchObject({
      stop_reason: "end_turn"
    })
  })

  it("pi and copilot: what they say on the side is no message", () => {
    expect(translate(message("Retrying (attempt 1/3, waiting 2s)..."), makeState(pi))).toMatchObject([
      { type: "status", status: "api_retry" }
    ])
    expect(translate(message("Info: /w/a.txt"), makeState(copilot))).toMatchObject([
      { type: "status", status: "notice" }
    ])
    expect(translate(message("Info: two\nlines"), makeState(copilot))).toMatchObject([{
      type: "stream_event"
    }])
  })
})
