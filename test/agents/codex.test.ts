/** The real Codex CLI: what every agent does, then what only Codex does. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { agentEnv, whyNotInstalled } from "../support/agents.js"
import { type Client, connect } from "../support/client.js"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { fail, reply, slow } from "../support/modelApi/script.js"
import { answer, ask, describeScenarios, only, setStage, textOf } from "./scenarios.js"

describeScenarios("codex", { tool: "codex" }, {
  stopsWithinMs: 500,
  free: { sandbox: "danger-full-access" },
  tellsUsage: true
})

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

const lastSeq = (client: Client) => client.events.at(-1)?.seq ?? 0

describe.skipIf(whyNotInstalled("codex") !== undefined)("real Codex", () => {
  const stage = setStage("codex", { tool: "codex" })
  /** Outside of the sandbox, so that Codex asks. */
  const touch = (name: string) =>
    ({ kind: "shell", command: `touch ${join(stage.home, name)}`, escalate: true }) as const
  const called = () => stage.api().requests.filter(({ prompt }) => prompt !== undefined)

  it("keeps one warm process: a later turn takes a fraction of the first", async () => {
    const started = performance.now()
    const client = await stage.open()
    const opened = performance.now() - started
    const timed = async (text: string) => {
      const asked = performance.now()
      const after = lastSeq(client)
      client.send({ text })
      await client.waitFor("turn_end", { after })
      return performance.now() - asked
    }
    const turns = [await timed("first"), await timed("second"), await timed("third")]
    console.log(
      `open ${opened.toFixed(0)} ms, turns ${turns.map((ms) => ms.toFixed(0)).join(", ")} ms`
    )
    expect(Math.min(...turns.slice(1))).toBeLessThan(opened)
  })

  it("tells its thread, its models and what it can do", async () => {
    const client = await stage.open({ sandbox: "workspace-write", approvalPolicy: "untrusted" })
    const { metadata } = await client.waitFor("session_start")
    expect(metadata).toMatchObject({
      model: "gpt-5.5",
      approval_policy: "untrusted",
      sandbox: "workspaceWrite",
      resumed: false,
      capabilities: { images: true, steer: true, set_model: true, resume: true }
    })
    expect(metadata.native_session_id).toMatch(/^[0-9a-f-]{36}$/)
    const offer = await client.waitFor((event) => event.status === "initialized")
    expect(offer.metadata.models.length).toBeGreaterThan(0)
    expect(offer.metadata.models[0]).toHaveProperty("value")
  })

  it("allows for the session, not for ever in every project", async () => {
    stage.api().on(/ONCE/, [reply({ tool: touch("once") }), reply({ text: "Done." })])
    const client = await stage.open()
    const asked = await ask(client, "ONCE please")
    expect(asked.metadata.options.map(({ kind }: { kind: string }) => kind)).toContain("reject_once")
    answer(client, asked.request_id, { behavior: "allow", scope: "session" })
    await client.waitFor("turn_end")
    expect(existsSync(join(stage.home, ".codex", "rules", "default.rules"))).toBe(false)
  })

  it("tells the model why it was denied", async () => {
    stage.api().on(/WHY/, [reply({ tool: touch("why") }), reply({ text: "Then not." })])
    stage.api().on(/use the other folder/, [reply({ text: "As you wish." })])
    const client = await stage.open()
    const { request_id } = await ask(client, "WHY not")
    answer(client, request_id, { behavior: "deny", message: "use the other folder" })
    expect(await client.waitFor("turn_end")).toMatchObject({ stop_reason: "end_turn" })
    expect(only(client.events, "tool_result")).toMatchObject([{
      status: "error",
      text: "use the other folder"
    }])
    expect(textOf(client.events, "response")).toBe("As you wish.")
    expect(existsSync(join(stage.home, "why"))).toBe(false)
  })

  it("does not run a command that was changed, because Codex would run the old one", async () => {
    stage.api().on(/EDIT/, [reply({ tool: touch("unwanted") }), reply({ text: "Then not." })])
    const client = await stage.open()
    const asked = await ask(client, "EDIT my input")
    answer(client, asked.request_id, { behavior: "allow", updatedInput: { command: "echo edited" } })
    await client.waitFor("turn_end")
    expect(existsSync(join(stage.home, "unwanted"))).toBe(false)
    expect(only(client.events, "tool_result")[0]?.text).toContain("changed input")
    // The input as it was is no change.
    stage.api().on(/SAME/, [reply({ tool: touch("wanted") }), reply({ text: "Done." })])
    const again = await ask(client, "SAME input")
    answer(client, again.request_id, { behavior: "allow", updatedInput: again.args })
    await client.waitFor("turn_end", { after: again.seq })
    expect(existsSync(join(stage.home, "wanted"))).toBe(true)
  })

  it("shows in the request what a patch would change", async () => {
    const path = join(stage.home, "asked.txt")
    stage.api().on(/PATCH/, [
      reply({ tool: { kind: "write", path, content: "new\n" } }),
      reply({ text: "Written." })
    ])
    const client = await stage.open()
    const asked = await ask(client, "PATCH it")
    expect(asked).toMatchObject({
      tool: "fileChange",
      args: { file_path: path, changes: [{ path, kind: { type: "add" }, diff: "new\n" }] }
    })
    answer(client, asked.request_id, { decision: "acceptForSession" })
    await client.waitFor("turn_end")
    expect(only(client.events, "file_diff")).toMatchObject([{
      file_path: path,
      diff: `--- /dev/null\n+++ ${path}\n@@ -0,0 +1,1 @@\n+new\n`
    }])
  })

  it("tells how files were edited, moved and deleted, one event for each", async () => {
    const at = (name: string) => join(stage.home, "patch", name)
    mkdirSync(at(""), { recursive: true })
    writeFileSync(at("edited.txt"), "one\ntwo\nthree\n")
    writeFileSync(at("moved.txt"), "a\nb\n")
    writeFileSync(at("gone.txt"), "x\n")
    const patch = `*** Begin Patch
*** Update File: ${at("edited.txt")}
@@
-two
+2
*** Update File: ${at("moved.txt")}
*** Move to: ${at("sub/moved.txt")}
@@
-b
+B
*** Delete File: ${at("gone.txt")}
*** End Patch
`
    stage.api().on(/MANY/, [
      reply({ tool: { kind: "shell", command: `apply_patch <<'EOF'\n${patch}EOF\n` } }),
      reply({ text: "Done." })
    ])
    const client = await stage.open({ permission_mode: "acceptEdits" })
    await client.turn("MANY files")
    expect(only(client.events, "permission_request")).toEqual([])
    const diffs = only(client.events, "file_diff").map(({ diff, file_path }) => [file_path, diff])
    expect(diffs.toSorted()).toEqual([
      [
        at("edited.txt"),
        `--- ${at("edited.txt")}\n+++ ${at("edited.txt")}\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n`
      ],
      [at("gone.txt"), `--- ${at("gone.txt")}\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n`],
      [
        at("sub/moved.txt"),
        `--- ${at("moved.txt")}\n+++ ${at("sub/moved.txt")}\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n`
      ]
    ])
    expect(readFileSync(at("sub/moved.txt"), "utf8")).toBe("a\nB\n")
  })

  it("shows a command's output while it runs", async () => {
    stage.api().on(/LINES/, [
      reply({ tool: { kind: "shell", command: "for i in 1 2 3; do echo line $i; sleep 0.3; done" } }),
      reply({ text: "Done." })
    ])
    const client = await stage.open()
    await client.turn("LINES please")
    const [call] = only(client.events, "tool_call")
    expect(textOf(client.events, "tool_progress")).toContain("line 3")
    for (const { tool_use_id } of only(client.events, "tool_progress")) {
      expect(tool_use_id).toBe(call?.tool_use_id)
    }
    expect(only(client.events, "tool_result")).toMatchObject([{
      exit_code: 0,
      text: "line 1\nline 2\nline 3\n"
    }])
  })

  it("tells a command that fails as an error, with its exit code", async () => {
    stage.api().on(/FAILS/, [
      reply({ tool: { kind: "shell", command: "echo broken; exit 3" } }),
      reply({ text: "It failed." })
    ])
    const client = await stage.open()
    await client.turn("FAILS")
    expect(only(client.events, "tool_result")).toMatchObject([{
      status: "error",
      exit_code: 3,
      text: "broken\n"
    }])
  })

  it("interrupts a turn that has hardly begun", async () => {
    stage.api().on(/SLOW/, [slow(100, 100)])
    const client = await stage.open()
    for (const round of [1, 2, 3]) {
      const after = lastSeq(client)
      client.send({ text: "SLOW please" })
      client.send({ type: "interrupt" })
      expect(await client.waitFor("turn_end", { after, within: 4000 })).toMatchObject({
        stop_reason: "cancelled",
        turn: round
      })
    }
    expect((await client.turn("still there?")).at(-1)).toMatchObject({ stop_reason: "end_turn" })
  })

  it("lets a command in the background outlive its turn, and tells how it ended", async () => {
    stage.api().on(/BACKGROUND/, [
      reply({
        tool: { name: "exec_command", input: { cmd: "sleep 1.5; echo bg-done", yield_time_ms: 300 } }
      }),
      reply({ text: "It runs." })
    ])
    const client = await stage.open()
    const turn = await client.turn("BACKGROUND it")
    expect(only(turn, "tool_result")).toEqual([])
    const result = await client.waitFor("tool_result")
    expect(result).toMatchObject({ text: "bg-done\n", exit_code: 0 })
    expect(result.turn).toBeUndefined()
  })

  it("hands a steering prompt to the running turn, and tells the cut message whole", async () => {
    stage.api().on(/BEGIN/, [slow(100, 50)])
    stage.api().on(/mind the gap/, [reply({ text: "I do." })])
    const client = await stage.open()
    client.send({ text: "BEGIN work" })
    await client.waitFor((event) => event.delta === "text")
    client.send({ text: "mind the gap", when: "steer", message_id: "s" })
    expect(await client.waitFor("turn_end")).toMatchObject({ stop_reason: "end_turn", turn: 1 })
    expect(only(client.events, "turn_start")).toHaveLength(1)
    expect(only(client.events, "response").map(({ text }) => text)).toEqual(["I do."])
    const [cut] = only(client.events, "assistant_message")
    expect(cut).toMatchObject({ metadata: { partial: true } })
    expect(cut?.text).toMatch(/^tick 1 /)
  })

  it("takes images", async () => {
    const client = await stage.open()
    client.send({
      type: "user_message",
      content: [
        { type: "text", text: "LOOK" },
        { type: "image", source: { type: "base64", media_type: "image/png", data: png } }
      ]
    })
    await client.waitFor("turn_end")
    expect(JSON.stringify(called().at(-1)?.body)).toContain(`data:image/png;base64,${png}`)
    const [echo] = only(client.events, "user_message")
    expect(echo?.content[1]).toEqual({
      type: "image",
      source: { type: "base64", media_type: "image/png", data: png }
    })
  })

  it("compacts on /compact: a turn of its own, one context_compacted", async () => {
    const client = await stage.open()
    await client.turn("remember me")
    const events = await client.turn("/compact")
    expect(only(events, "context_compacted")).toMatchObject([{ metadata: { trigger: "manual" } }])
    expect(only(events, "response")).toMatchObject([{ text: "" }])
    expect(events.at(-1)).toMatchObject({ type: "turn_end", stop_reason: "end_turn", turn: 2 })
    expect((await client.turn("go on")).at(-1)).toMatchObject({ stop_reason: "end_turn", turn: 3 })
    client.send({ text: "/compact keep the names", message_id: "c" })
    expect(await client.waitFor("error")).toMatchObject({ code: "bad_command", message_id: "c" })
  })

  it("changes model and mode for the next turn, and refuses a mode it does not have", async () => {
    const client = await stage.open()
    client.send({ type: "set_model", model: "gpt-5.4" })
    client.send({ type: "set_permission_mode", mode: "never", message_id: "m1" })
    await client.waitFor((event) => event.type === "input_ack" && event.message_id === "m1")
    stage.api().on(/RUN/, [reply({ tool: touch("never") }), reply({ text: "Done." })])
    await client.turn("RUN it")
    expect(called().at(-1)?.model).toBe("gpt-5.4")
    expect(only(client.events, "permission_request")).toEqual([])
    await client.turn("again")
    expect(called().at(-1)?.model).toBe("gpt-5.4")
    client.send({ type: "set_permission_mode", mode: "nonsense", message_id: "m2" })
    expect(await client.waitFor("error")).toMatchObject({ code: "bad_command", message_id: "m2" })
  })

  it("asks before it edits in mode default, and not any more in acceptEdits", async () => {
    const path = join(stage.home, "modes.txt")
    const write = (content: string) => reply({ tool: { kind: "write", path, content } })
    stage.api().on(/FIRST/, [write("1\n"), reply({ text: "Done." })])
    stage.api().on(/SECOND/, [write("2\n"), reply({ text: "Done." })])
    const client = await stage.open({ permission_mode: "default" })
    const { request_id, seq } = await ask(client, "FIRST")
    answer(client, request_id, { behavior: "allow" })
    await client.waitFor("turn_end", { after: seq })
    client.send({ type: "set_permission_mode", mode: "acceptEdits" })
    await client.turn("SECOND")
    expect(only(client.events, "permission_request")).toHaveLength(1)
    expect(readFileSync(path, "utf8")).toBe("2\n")
  })

  it("only plans in mode plan: asks its questions, takes the answers, and answers with the plan", async () => {
    const question = {
      id: "colour",
      header: "Colour",
      question: "Which colour?",
      options: [{ label: "Red", description: "warm" }, { label: "Blue", description: "cold" }]
    }
    stage.api().on(/PLAN/, [
      reply({ tool: { name: "request_user_input", input: { questions: [question] } } }),
      reply({ text: "<proposed_plan>\n1. Paint it.\n</proposed_plan>" })
    ])
    const client = await stage.open({ permission_mode: "plan" })
    const asked = await ask(client, "PLAN it")
    expect(asked).toMatchObject({
      metadata: { kind: "question" },
      args: { questions: [{ id: "colour", question: "Which colour?", header: "Colour" }] }
    })
    answer(client, asked.request_id, { answers: { "Which colour?": "Blue" } })
    await client.waitFor("turn_end")
    expect(JSON.stringify(called().at(-1)?.body)).toContain("Blue")
    expect(textOf(client.events, "reasoning")).toContain("1. Paint it.")
    expect(textOf(client.events, "response")).toContain("1. Paint it.")
    client.send({ type: "set_permission_mode", mode: "default" })
    await client.turn("now build")
    expect(JSON.stringify(called().at(-1)?.body)).not.toContain("<proposed_plan> block")
  })

  it("tells of the turns Codex begins by itself for a goal, and stops them", async () => {
    stage.api().on(/GOAL/, [
      reply({ tool: { name: "create_goal", input: { objective: "count" } } }),
      reply({ text: "I begin." })
    ])
    const client = await stage.open()
    await client.turn("GOAL for you")
    const unasked = await client.waitFor((event) => event.type === "turn_start" && event.turn === 2)
    expect(unasked.text).toBeUndefined()
    await client.waitFor((event) => event.type === "turn_end" && event.turn === 2)
    // A prompt finds its own turn, whatever Codex does besides.
    stage.api().on(/MINE/, [reply({ text: "Yours." })])
    client.send({ text: "MINE", message_id: "mine" })
    const begun = await client.waitFor((event) => event.type === "turn_start" && event.message_id === "mine")
    const end = await client.waitFor((event) => event.type === "turn_end" && event.turn === begun.turn)
    expect(end.stop_reason).toBe("end_turn")
    expect(only(client.events, "response").find(({ turn }) => turn === begun.turn)).toMatchObject({
      text: "Yours."
    })
  })

  it("tells each kind of failure once, and what to do", async () => {
    const client = await stage.open()
    const cases = [
      ["USED_UP", fail("usage_limit"), /./, ["quota_warning"]],
      ["TOO_LONG", fail("prompt_too_long"), /\/compact/, ["context_warning"]],
      ["BROKEN", fail(500), /again/, []]
    ] as const
    for (const [word, step, advice, also] of cases) {
      stage.api().on(new RegExp(word), [step])
      const events = await client.turn(word)
      expect(events.at(-1)).toMatchObject({ stop_reason: "error" })
      expect(only(events, "error")).toHaveLength(1)
      expect(only(events, "error")[0]?.text).toMatch(advice)
      for (const type of also) expect(only(events, type)).toHaveLength(1)
      expect(only(events, "response")).toEqual([])
    }
    expect(client.events.findLast(({ type }) => type === "context_warning")).toMatchObject({
      context_pct: 100
    })
    expect((await client.turn("still there?")).at(-1)).toMatchObject({ stop_reason: "end_turn" })
  })

  it("tells a login the API refuses as auth_required", async () => {
    stage.api().on(/LOGIN/, [fail(401)])
    const client = await stage.open()
    const events = await client.turn("LOGIN")
    expect(only(events, "error")).toMatchObject([{ code: "auth_required" }])
    expect(only(events, "error")[0]?.text).toContain("codex login")
  })

  it("ends with max_tokens and with refusal as the other agents do", async () => {
    stage.api().on(/LONG/, [reply({ text: "As far as I g", stop: "max_tokens" })])
    stage.api().on(/WRONG/, [reply({ text: "No.", stop: "refusal" })])
    const client = await stage.open()
    const long = await client.turn("LONG answer")
    expect(long.at(-1)).toMatchObject({ stop_reason: "max_tokens" })
    expect(textOf(long, "response")).toBe("As far as I g")
    expect(only(long, "error")).toEqual([])
    const wrong = await client.turn("WRONG thing")
    expect(wrong.at(-1)).toMatchObject({ stop_reason: "refusal" })
    expect(only(wrong, "error")).toHaveLength(1)
  })

  it("warns of a rate limit once for its window", async () => {
    const headers = {
      "x-codex-primary-used-percent": "91.5",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-at": String(Math.floor(Date.now() / 1000) + 3600)
    }
    stage.api().on(/NEARLY/, [reply({ text: "Yes.", headers })])
    const client = await stage.open()
    await client.turn("NEARLY there")
    await client.turn("NEARLY there again")
    const warnings = only(client.events, "quota_warning")
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.text).toContain("5-hour")
  })

  it("warns when the context is nearly full, and counts each turn's tokens", async () => {
    stage.api().on(/FILL/, [reply({ text: "Full.", usage: { input: 215_000, output: 100 } })])
    const client = await stage.open()
    const first = (await client.turn("small")).at(-1)
    expect(first).toMatchObject({ context_pct: 0, usage: { input_tokens: 10, output_tokens: 5 } })
    const second = await client.turn("FILL it")
    expect(only(second, "context_warning")).toHaveLength(1)
    expect(second.at(-1)).toMatchObject({ usage: { input_tokens: 215_000, output_tokens: 100 } })
    expect(second.at(-1)?.context_pct).toBeGreaterThan(80)
  })

  it("passes requests through and tells their answers", async () => {
    const client = await stage.open()
    client.send({ type: "raw_request", method: "model/list", params: {}, request_id: "r1" })
    const models = await client.waitFor((event) => event.request_id === "r1")
    expect(models).toMatchObject({ type: "control_response", status: "ok" })
    expect(models.content.data.length).toBeGreaterThan(0)
    client.send({ type: "raw_request", method: "getAuthStatus", params: {}, message_id: "r2" })
    expect(await client.waitFor("error")).toMatchObject({ code: "bad_command", message_id: "r2" })
  })

  it("opens no thread with options Codex does not have, and says which", async () => {
    const client = await connect(stage.daemon().url, {
      tool: "codex",
      folder: stage.home,
      approval_policy: "on-failure"
    })
    const error = await client.waitFor("error", { after: -1 })
    expect(error).toMatchObject({ code: "bad_handshake", metadata: { fatal: true } })
    expect(error.text).toContain("on-failure")
    expect(await client.closed).toBe(1008)
  })

  it("says that a conversation to resume is not there", async () => {
    const client = await connect(stage.daemon().url, {
      tool: "codex",
      folder: stage.home,
      native_session_id: "01a20231-0323-7133-893b-902485db0565"
    })
    expect(await client.waitFor("error", { after: -1 })).toMatchObject({ code: "bad_handshake" })
    expect(await client.closed).toBe(1008)
  })

  it("says what is wrong with arguments Codex does not take", async () => {
    const client = await connect(stage.daemon().url, {
      tool: "codex",
      folder: stage.home,
      extra_args: ["--bogus"]
    })
    const error = await client.waitFor("error", { after: -1 })
    expect(error.code).toBe("agent_failed")
    expect(error.text).toContain("--bogus")
  })

  it("takes configuration from extra_args and from the handshake", async () => {
    const client = await stage.open({
      extra_args: ["-c", "model=\"gpt-5.4\""],
      developerInstructions: "Speak like a pirate.",
      config: { model_reasoning_summary: "none" },
      serviceName: "a-page"
    })
    expect((await client.waitFor("session_start")).metadata.model).toBe("gpt-5.4")
    await client.turn("hello")
    expect(JSON.stringify(called().at(-1)?.body)).toContain("Speak like a pirate.")
  })

  it("keeps no ephemeral thread", async () => {
    const before = await stage.open({ ephemeral: true })
    expect((await before.waitFor("session_start")).metadata.capabilities.resume).toBe(false)
  })
})

describe.skipIf(whyNotInstalled("codex") !== undefined)("real Codex with MCP servers and subagents", () => {
  const stage = setStage("codex", { tool: "codex" })
  const server = `
import { createInterface } from "node:readline"
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n")
const waiting = new Map()
createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, method, params, result } = JSON.parse(line)
  if (method === undefined) return waiting.get(id)?.(result)
  if (method === "initialize") {
    const { protocolVersion } = params
    return say({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "t", version: "1" } } })
  }
  if (method === "tools/list") {
    return say({ id, result: { tools: [{ name: "paint", description: "Paints.", inputSchema: { type: "object" } }] } })
  }
  if (method === "tools/call") {
    const properties = { colour: { type: "string", enum: ["red", "blue"], description: "Which colour?" } }
    say({ id: 900, method: "elicitation/create", params: {
      message: "Please choose.", requestedSchema: { type: "object", properties, required: ["colour"] }
    } })
    const chosen = await new Promise((resolve) => waiting.set(900, resolve))
    return say({ id, result: { content: [{ type: "text", text: "painted " + JSON.stringify(chosen) }] } })
  }
  if (id !== undefined) say({ id, result: {} })
})
`

  it("asks before it calls a server's tool, once for the session, and asks the server's questions", async () => {
    const path = join(stage.home, "server.mjs")
    writeFileSync(path, server)
    stage.api().on(/PAINT/, [
      reply({ tool: { namespace: "mcp__painter", name: "paint", input: { wall: "north" } } }),
      reply({ text: "Painted." })
    ])
    const client = await stage.open({
      config: { mcp_servers: { painter: { command: "node", args: [path] } } }
    })
    client.send({ text: "PAINT it" })
    const allow = await client.waitFor("permission_request")
    expect(allow).toMatchObject({
      tool: "mcp__painter__paint",
      args: { wall: "north" },
      metadata: { kind: "tool", server: "painter" }
    })
    client.send({
      type: "permission_response",
      request_id: allow.request_id,
      behavior: "allow",
      scope: "session"
    })
    const question = await client.waitFor("permission_request", { after: allow.seq })
    expect(question).toMatchObject({
      metadata: { kind: "question" },
      args: {
        questions: [{
          id: "colour",
          question: "Which colour?",
          options: [{ label: "red" }, { label: "blue" }]
        }]
      }
    })
    const answers = { colour: "blue" }
    client.send({ type: "permission_response", request_id: question.request_id, answers })
    await client.waitFor("turn_end")
    const [call] = only(client.events, "tool_call")
    expect(call).toMatchObject({ tool: "mcp__painter__paint", tool_use_id: allow.tool_use_id })
    expect(only(client.events, "tool_result")).toMatchObject([{ status: "ok" }])
    expect(textOf(client.events, "tool_result")).toContain("\"colour\":\"blue\"")

    const after = lastSeq(client)
    client.send({ text: "PAINT it again" })
    const next = await client.waitFor("permission_request", { after })
    expect(next.metadata.kind).toBe("question")
    client.send({ type: "permission_response", request_id: next.request_id, answers })
    await client.waitFor("turn_end", { after })
  })

  it("tells what a subagent does with the call that started it; its turns are not the session's", async () => {
    stage.api().on(/SPAWN/, [
      reply({
        tool: { namespace: "collaboration", name: "spawn_agent", input: { message: "go", task_name: "kid" } }
      }),
      reply({ tool: { namespace: "collaboration", name: "wait_agent", input: { timeout_ms: 10_000 } } }),
      reply({ text: "All done." })
    ])
    const client = await stage.open({ extra_args: ["--enable", "multi_agent_v2"] })
    client.send({ text: "SPAWN one" })
    const end = await client.waitFor("turn_end")
    expect(end).toMatchObject({ stop_reason: "end_turn", turn: 1 })
    expect(only(client.events, "turn_start")).toHaveLength(1)
    expect(only(client.events, "response")).toHaveLength(1)
    const spawned = only(client.events, "tool_call").find(({ tool }) => tool === "subAgent")
    expect(spawned).toBeDefined()
    const said = only(client.events, "assistant_message").filter(({ metadata }) =>
      metadata?.parent_tool_use_id === spawned?.tool_use_id
    )
    expect(said.length).toBeGreaterThan(0)
    expect(only(client.events, "tool_result").find(({ tool_use_id }) => tool_use_id === spawned?.tool_use_id))
      .toMatchObject({ status: "ok", text: said.at(-1)?.text })
  })
})

describe.skipIf(whyNotInstalled("codex") !== undefined)("real Codex and its login", () => {
  const stage = setStage("codex", { tool: "codex" })
  const started: Array<Daemon> = []
  afterEach(async () => {
    await Promise.all(started.splice(0).map((daemon) => daemon.stop()))
  })

  /** A relay whose Codex requires a login: its provider takes no key from the environment. */
  const relayOf = async (name: string, env: Readonly<Record<string, string>> = {}) => {
    const home = join(stage.home, name)
    const own = { ...agentEnv("codex", { home, api: stage.api() }), ...env }
    const config = join(home, ".codex", "config.toml")
    const text = readFileSync(config, "utf8")
    writeFileSync(config, text.replace("env_key = \"SCRIPTED_API_KEY\"", "requires_openai_auth = true"))
    const daemon = await startDaemon({ env: own, cwd: home, args: ["--root", home] })
    started.push(daemon)
    return {
      daemon,
      home,
      key: () => stage.api().requests.findLast(({ model }) => model)?.headers.authorization
    }
  }

  it("asks for a login when there is none", async () => {
    const { daemon, home } = await relayOf("out")
    const client = await connect(daemon.url, { tool: "codex", folder: home })
    const error = await client.waitFor("error", { after: -1 })
    expect(error).toMatchObject({ code: "auth_required", metadata: { fatal: true } })
    expect(error.text).toContain("codex login")
    await client.closed
  })

  it("uses the key of the relay's environment where Codex has no login, and writes it nowhere", async () => {
    const { daemon, home, key } = await relayOf("relay-key", { OPENAI_API_KEY: "sk-of-the-relay" })
    const client = await connect(daemon.url, { tool: "codex", folder: home })
    expect((await client.turn("hello")).at(-1)).toMatchObject({ stop_reason: "end_turn" })
    expect(key()).toBe("Bearer sk-of-the-relay")
    expect(existsSync(join(home, ".codex", "auth.json"))).toBe(false)
    expect(JSON.stringify(client.events)).not.toContain("sk-of-the-relay")
    await client.close()
  })

  it("prefers Codex's own login to the relay's key, and the client's key to both", async () => {
    const { daemon, home, key } = await relayOf("both", { OPENAI_API_KEY: "sk-of-the-relay" })
    writeFileSync(
      join(home, ".codex", "auth.json"),
      JSON.stringify({ auth_mode: "apikey", OPENAI_API_KEY: "sk-of-codex" })
    )
    const client = await connect(daemon.url, { tool: "codex", folder: home })
    await client.turn("hello")
    expect(key()).toBe("Bearer sk-of-codex")
    await client.close()
    const own = await connect(daemon.url, {
      tool: "codex",
      folder: home,
      env: { OPENAI_API_KEY: "sk-of-the-client" }
    })
    await own.turn("hello again")
    expect(key()).toBe("Bearer sk-of-the-client")
    expect(readFileSync(join(home, ".codex", "auth.json"), "utf8")).toContain("sk-of-codex")
    await own.close()
  })

  it("says how to install a Codex that is not there", async () => {
    const home = join(stage.home, "missing")
    mkdirSync(home, { recursive: true })
    const daemon = await startDaemon({ env: { HOME: home, PATH: home }, cwd: home, args: ["--root", home] })
    started.push(daemon)
    const client = await connect(daemon.url, { tool: "codex", folder: home })
    const error = await client.waitFor("error", { after: -1 })
    expect(error.code).toBe("command_not_found")
    expect(error.text).toContain("npm install -g @openai/codex")
    await client.closed
  })
})
