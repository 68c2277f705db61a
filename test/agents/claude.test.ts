/** The real Claude Code CLI: what every agent does, then what only Claude does. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { whyNotInstalled } from "../support/agents.js"
import { connect, type Event } from "../support/client.js"
import { hang, reply, slow } from "../support/modelApi/script.js"
import { atHome, running, until } from "../support/processes.js"
import { allowAll, answer, ask, describeScenarios, only, setStage, textOf } from "./scenarios.js"

describeScenarios("claude", { tool: "claude" }, { stopsWithinMs: 100, tellsUsage: true })

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

describe.skipIf(whyNotInstalled("claude") !== undefined)("real Claude Code", () => {
  const stage = setStage("claude", { tool: "claude" })
  const touch = (name: string) => ({ kind: "shell", command: `touch ${join(stage.home, name)}` }) as const

  it("keeps one warm process: a later turn takes a third of the first at most", async () => {
    const client = await stage.open()
    const timed = async (text: string) => {
      const asked = performance.now()
      client.send({ text })
      await client.waitFor("turn_end", { after: client.events.at(-1)?.seq ?? 0 })
      return performance.now() - asked
    }
    const first = await timed("first")
    const later = [await timed("second"), await timed("third"), await timed("fourth")].toSorted((a, b) =>
      a - b
    )
    console.log(
      `first turn ${first.toFixed(0)} ms, later turns ${later.map((ms) => ms.toFixed(0)).join(", ")} ms`
    )
    expect(later[1]).toBeLessThan(first / 3)
  })

  it("lets the user edit what a tool is given", async () => {
    stage.api().on(/EDIT/, [reply({ tool: touch("unwanted") }), reply({ text: "Done." })])
    const client = await stage.open()
    const { request_id } = await ask(client, "EDIT my input")
    answer(client, request_id, { behavior: "allow", updatedInput: { command: "echo edited-by-user" } })
    await client.waitFor("turn_end")
    expect(textOf(client.events, "tool_result")).toBe("edited-by-user")
  })

  it("asks its questions and takes the answers", async () => {
    const question = {
      question: "Which colour?",
      header: "Colour",
      multiSelect: false,
      options: [{ label: "Red", description: "warm" }, { label: "Blue", description: "cold" }]
    }
    stage.api().on(/QUESTION/, [
      reply({ tool: { name: "AskUserQuestion", input: { questions: [question] } } }),
      reply({ text: "Thanks." })
    ])
    const client = await stage.open()
    const asked = await ask(client, "QUESTION me")
    expect(asked.metadata.kind).toBe("question")
    expect(asked.args.questions[0].question).toBe("Which colour?")
    answer(client, asked.request_id, { answers: { "Which colour?": "Blue" } })
    await client.waitFor("turn_end")
    expect(textOf(client.events, "tool_result")).toContain("Blue")
  })

  it("leaves plan mode when the plan is accepted", async () => {
    stage.api().on(/PLAN/, [
      reply({ tool: { name: "ExitPlanMode", input: { plan: "1. Build it." } } }),
      reply({ text: "Building." })
    ])
    const client = await stage.open({ permission_mode: "plan" })
    const asked = await ask(client, "PLAN it")
    expect(asked).toMatchObject({ metadata: { kind: "plan" } })
    answer(client, asked.request_id, { option_id: "acceptEdits" })
    await client.waitFor("turn_end")
    const modes = only(client.events, "status").map(({ metadata }) => metadata?.permission_mode)
    expect(modes).toContain("acceptEdits")
  })

  it("changes model and mode, and refuses a mode it does not have", async () => {
    const client = await stage.open()
    client.send({ type: "set_model", model: "claude-haiku-4-5", message_id: "m1" })
    await client.waitFor((event) => event.type === "input_ack" && event.message_id === "m1")
    await client.turn("on the new model")
    expect(stage.api().requests.findLast(({ prompt }) => prompt !== undefined)?.model).toContain("haiku")
    client.send({ type: "set_permission_mode", mode: "plan", message_id: "m2" })
    await client.waitFor((event) => event.metadata?.permission_mode === "plan")
    client.send({ type: "set_permission_mode", mode: "nonsense", message_id: "m3" })
    expect(await client.waitFor("error")).toMatchObject({ code: "bad_command", message_id: "m3" })
  })

  it("passes control requests through and tells their answers", async () => {
    const client = await stage.open()
    client.send({ type: "control_request", request_id: "c1", request: { subtype: "get_context_usage" } })
    expect(await client.waitFor("control_response")).toMatchObject({ request_id: "c1", status: "ok" })
    client.send({ type: "raw_request", method: "mcp_status", message_id: "c2" })
    expect(await client.waitFor("error")).toMatchObject({ code: "bad_command", message_id: "c2" })
  })

  it("sees images", async () => {
    const client = await stage.open()
    client.send({
      text: "LOOK at this",
      images: [{ type: "image", source: { type: "base64", media_type: "image/png", data: png } }]
    })
    await client.waitFor("turn_end")
    const request = stage.api().requests.findLast(({ prompt }) => prompt?.includes("LOOK"))
    expect(JSON.stringify(request?.body)).toContain(png)
  })

  it("runs its slash commands", async () => {
    const client = await stage.open()
    const events = await client.turn("/context")
    expect(textOf(events, "response")).toContain("Context")
    expect(events.at(-1)).toMatchObject({ type: "turn_end", stop_reason: "end_turn" })
    await client.turn("hello")
    const before = client.events.findLast((event) => event.metadata?.native_session_id)?.metadata
      .native_session_id
    await client.turn("/clear")
    await client.turn("hello")
    const after = client.events.findLast((event) => event.metadata?.native_session_id)?.metadata
      .native_session_id
    expect(after).not.toBe(before)
  })

  it("hands a steering prompt to the running turn", async () => {
    stage.api().on(/BEGIN/, [reply({ tool: touch("steer") }), reply({ text: "Both seen." })])
    const client = await stage.open()
    const { request_id } = await ask(client, "BEGIN work")
    client.send({ text: "also mind the gap", when: "steer", message_id: "s" })
    await client.waitFor((event) =>
      event.type === "input_ack" && event.message_id === "s" && event.status === "sent"
    )
    answer(client, request_id, { behavior: "allow" })
    await client.waitFor("turn_end")
    expect(only(client.events, "turn_start")).toHaveLength(1)
    const last = stage.api().requests.findLast(({ model }) => model !== undefined)
    expect(JSON.stringify(last?.body)).toContain("mind the gap")
  })

  it("tells of a turn it begins by itself when a background task ends", async () => {
    stage.api().on(/BACKGROUND/, [
      reply({ tool: { name: "Bash", input: { command: "sleep 1; echo bg-done", run_in_background: true } } }),
      reply({ text: "Started." })
    ])
    stage.api().on(/task-notification|bg-done|completed/, [reply({ text: "It has finished." })])
    const client = await stage.open()
    allowAll(client)
    await client.turn("BACKGROUND it")
    const unasked = await client.waitFor((event) => event.type === "turn_start" && event.turn === 2)
    expect(unasked.text).toBeUndefined()
    await client.waitFor((event) => event.type === "turn_end" && event.turn === 2)
  })

  it("takes a prompt while a subagent works on in the background, and counts what that uses", async () => {
    const usage = { input: 1000, output: 100 }
    const kid = { description: "kid", prompt: "KID work", subagent_type: "general-purpose" }
    stage.api().on(/SPAWN/, [
      reply({ tool: { name: "Agent", input: { ...kid, run_in_background: true } } }),
      reply({ text: "Launched." })
    ])
    stage.api().on(/KID/, [
      reply({ text: "I begin.", tool: { kind: "shell", command: "echo a && sleep 1" }, usage }),
      reply({ text: "I go on.", tool: { kind: "shell", command: "echo b && sleep 5" }, usage }),
      reply({ text: "The kid is done.", usage })
    ])
    const client = await stage.open()
    allowAll(client)
    await client.turn("SPAWN one")
    await client.waitFor(({ text }) => text === "I go on.")
    client.send({ text: "hello", message_id: "meanwhile" })
    const ack = await client.waitFor(({ message_id, type }) =>
      type === "input_ack" && message_id === "meanwhile"
    )
    expect(ack).toMatchObject({ status: "sent", turn: 2 })
    await client.waitFor(({ turn, type }) => type === "turn_end" && turn === 2)
    // Claude begins a turn when it is done.
    await client.waitFor(({ turn, type }) => type === "turn_end" && turn === 3)
    const told = only(client.events, "turn_end").reduce((sum, { usage }) => sum + usage.input_tokens, 0)
    expect(told).toBeGreaterThanOrEqual(3000)
  })

  it("tells how an edited file changed", async () => {
    const path = join(stage.home, "edited.txt")
    writeFileSync(path, "one\ntwo\nthree\n")
    stage.api().on(/CHANGE/, [
      reply({ tool: { kind: "read", path } }),
      reply({ tool: { kind: "edit", path, old: "two", new: "2" } }),
      reply({ text: "Changed." })
    ])
    const client = await stage.open()
    allowAll(client)
    await client.turn("CHANGE it")
    expect(only(client.events, "file_diff")).toMatchObject([{
      file_path: path,
      diff: `--- ${path}\n+++ ${path}\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n`
    }])
  })

  it("answers malformed frames of every kind and goes on", async () => {
    const client = await stage.open()
    const bad = [
      "{}",
      "{\"type\":\"nonsense\"}",
      "{\"type\":5}",
      "{\"text\":7}",
      "{\"text\":\"\"}",
      "   ",
      "{\"type\":\"user_message\"}",
      "{\"type\":\"user_message\",\"content\":[{\"type\":\"audio\"}]}",
      "{\"type\":\"user_message\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"base64\"}}]}",
      "{\"type\":\"permission_response\",\"behavior\":\"allow\"}",
      "{\"type\":\"permission_response\",\"request_id\":\"nope\",\"behavior\":\"allow\"}",
      "{\"type\":\"set_model\"}",
      "{\"type\":\"set_permission_mode\",\"mode\":\"x\"}",
      "{\"type\":\"resize\",\"cols\":0,\"rows\":1}",
      "{\"type\":\"stdin\",\"data\":\"x\"}",
      "{\"type\":\"cancel_queued\",\"message_id\":\"x\"}",
      "{\"type\":\"control_response\",\"response\":{\"subtype\":\"success\",\"request_id\":\"x\"}}",
      Buffer.from([0, 1, 2])
    ]
    for (const frame of bad) client.send(frame)
    await client.waitFor(() => only(client.events, "error").length === bad.length)
    for (const { code, text } of only(client.events, "error")) {
      expect(code).toBe("bad_command")
      expect(text.length).toBeGreaterThan(10)
    }
    expect((await client.turn("still fine?")).at(-1)).toMatchObject({ stop_reason: "end_turn" })
  })

  it("loses nothing for a page that is cut again and again in the middle of a turn", async () => {
    stage.api().on(/SLOW/, [slow(300, 5)])
    const session_id = "often-cut"
    const writer = await stage.open({ session_id })
    writer.send({ text: "SLOW please" })
    const seen: Array<Event> = []
    let cuts = 0
    while (seen.at(-1)?.type !== "turn_end") {
      const after_seq = seen.at(-1)?.seq ?? 0
      const page = await connect(stage.daemon().url, { session_id, after_seq })
      const quota = 1 + Math.floor(Math.random() * 30)
      const next = (event: Event) => event.seq > after_seq
      await page.waitFor((event) =>
        next(event) && (event.seq >= after_seq + quota || event.type === "turn_end")
      )
      page.drop()
      seen.push(...page.events.filter(next).slice(0, quota))
      cuts += 1
    }
    await writer.waitFor("turn_end")
    expect(cuts).toBeGreaterThan(5)
    expect(seen).toEqual(writer.events.slice(0, seen.length))
    expect(textOf(seen, "response")).toContain("tick 300")
    // A session with a name would live on.
    writer.send({ type: "end" })
    await writer.closed
  })

  it("tells usage and cost of each turn, not of the process", async () => {
    const client = await stage.open()
    const first = (await client.turn("one")).at(-1)
    const second = (await client.turn("two")).at(-1)
    expect(second?.usage.cost_usd).toBeCloseTo(first?.usage.cost_usd, 6)
    expect(second?.usage).toMatchObject({ input_tokens: 10, output_tokens: 5 })
    expect(second?.usage.context_window).toBeGreaterThan(100_000)
  })

  it("leaves no process behind when the relay is killed, not even one that ignores hangups", async () => {
    stage.api().on(/NOHUP/, [
      reply({ tool: { kind: "shell", command: "nohup sleep 600.4345 >/dev/null 2>&1 & echo started" } }),
      hang()
    ])
    const client = await stage.open()
    allowAll(client)
    client.send({ text: "NOHUP it" })
    await client.waitFor("tool_result")
    expect(running("sleep 600.4345")).toHaveLength(1)
    await stage.daemon().kill()
    const took = await until(() => atHome(stage.home).length === 0, 5000)
    expect(running("sleep 600.4345")).toHaveLength(0)
    console.log(`everything gone ${took.toFixed(0)} ms after SIGKILL`)
    await stage.crash()
  })
})
