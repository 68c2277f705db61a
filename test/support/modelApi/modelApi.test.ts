/**
 * Tests of the scripted model over HTTP, without a CLI: what streams and failures look like in the three APIs.
 */

import { afterAll, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { type ModelApi, startModelApi } from "./ModelApi.js"
import { cut, defaultReply, fail, hang, reply, slow } from "./script.js"

let api: ModelApi
beforeAll(async () => {
  api = await startModelApi()
})
beforeEach(() => api.reset())
afterAll(() => api.close())

interface Frame {
  readonly event: string | undefined
  readonly data: unknown
}

const parseSse = (text: string): ReadonlyArray<Frame> =>
  text.split("\n\n").filter((frame) => frame !== "").map((frame) => ({
    event: /^event: (.*)$/m.exec(frame)?.[1],
    data: JSON.parse(/^data: (.*)$/m.exec(frame)![1]!)
  }))

/** What lies at "delta.text" in a value of unknown shape. */
const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), value)

const post = (path: string, body: object, signal: AbortSignal | null = null) =>
  fetch(`${api.url}${path}`, { method: "POST", body: JSON.stringify(body), signal })

const askClaude = (content: string, signal?: AbortSignal) =>
  post("/v1/messages", { model: "m", stream: true, messages: [{ role: "user", content }] }, signal)

const askCodex = (content: string, offered: ReadonlyArray<string> = []) =>
  post("/v1/responses", {
    model: "m",
    stream: true,
    tools: offered.map((name) => ({ name })),
    input: [{ type: "message", role: "user", content }]
  })

const askGemini = (text: string) =>
  post("/v1beta/models/g:streamGenerateContent?alt=sse", { contents: [{ role: "user", parts: [{ text }] }] })

const framesOf = async (response: Promise<Response>) => parseSse(await (await response).text())

const textOf = async (response: Promise<Response>) =>
  (await framesOf(response)).map(({ data }) => at(data, "delta.text") ?? "").join("")

describe("the streams", () => {
  const all = reply({ thinking: "hm", text: ["a", "b"], tool: { kind: "shell", command: "ls" } })

  it("speaks Anthropic Messages: blocks that open, grow and close", async () => {
    api.on(/ALL/, all)
    const frames = await framesOf(askClaude("ALL"))
    assert.deepStrictEqual(frames.map(({ event }) => event), frames.map(({ data }) => at(data, "type")))
    const types = frames.map(({ data }) =>
      at(data, "delta.type") ?? at(data, "content_block.type") ?? at(data, "type")
    )
    assert.deepStrictEqual(types, [
      "message_start",
      ...["thinking", "thinking_delta", "signature_delta", "content_block_stop"],
      ...["text", "text_delta", "text_delta", "content_block_stop"],
      ...["tool_use", "input_json_delta", "content_block_stop"],
      ...["message_delta", "message_stop"]
    ])
    assert.strictEqual(at(frames.at(-2)?.data, "delta.stop_reason"), "tool_use")
  })

  it("speaks OpenAI Responses: items that end with their whole content", async () => {
    api.on(/ALL/, all)
    const frames = await framesOf(askCodex("ALL", ["exec_command"]))
    assert.strictEqual(frames[0]?.event, "response.created")
    const done = frames.filter(({ event }) => event === "response.output_item.done")
    const items = done.map(({ data }) => at(data, "item"))
    assert.deepStrictEqual(items.map((item) => at(item, "type")), ["reasoning", "message", "function_call"])
    assert.strictEqual(at(items[1], "content.0.text"), "ab")
    assert.strictEqual(at(items[2], "arguments"), JSON.stringify({ cmd: "ls" }))
    assert.strictEqual(at(frames.at(-1)?.data, "response.usage.total_tokens"), 15)
  })

  it("speaks Gemini: parts, and a last chunk with reason and usage", async () => {
    api.on(/ALL/, all)
    const frames = await framesOf(askGemini("ALL"))
    const parts = frames.map(({ data }) => at(data, "candidates.0.content.parts.0"))
    assert.deepStrictEqual(parts.slice(0, 3), [{ text: "hm", thought: true }, { text: "a" }, { text: "b" }])
    assert.strictEqual(at(parts[3], "functionCall.name"), "run_shell_command")
    assert.strictEqual(at(frames.at(-1)?.data, "candidates.0.finishReason"), "STOP")
    assert.strictEqual(at(frames.at(-1)?.data, "usageMetadata.totalTokenCount"), 15)
  })

  it("changes a file by apply_patch where Codex offers it, else by the shell", async () => {
    api.on(/EDIT/, reply({ tool: { kind: "edit", path: "/w/f", old: "a", new: "b" } }))
    const itemOf = async (offered: ReadonlyArray<string>) =>
      (await framesOf(askCodex("EDIT", offered))).find(({ event }) => event === "response.output_item.done")
        ?.data
    const patch = "*** Begin Patch\n*** Update File: /w/f\n@@\n-a\n+b\n*** End Patch\n"
    assert.strictEqual(at(await itemOf(["exec_command", "apply_patch"]), "item.input"), patch)
    assert.strictEqual(at(await itemOf(["exec_command"]), "item.name"), "exec_command")
  })

  it("cuts a stream in its middle and leaves other calls alone", async () => {
    api.on(/CUT/, cut())
    const broken = await textOf(askClaude("CUT")).then(() => undefined, (error: unknown) => error)
    assert.instanceOf(broken, Error)
    assert.strictEqual(await textOf(askClaude("hi")), defaultReply)
    assert.isFalse(api.requests[0]?.aborted)
  })

  it("says when it was called and that the caller hung up on a silent stream", async () => {
    api.on(/HANG/, hang())
    const abort = new AbortController()
    const response = await askClaude("HANG", abort.signal)
    const request = await api.called(/HANG/)
    assert.isTrue(response.ok)
    abort.abort()
    await request.closed
    assert.isTrue(request.aborted)
  })

  it("holds a reply after its first chunk until it is released", async () => {
    let release = () => {}
    api.on(/HOLD/, reply({ text: ["a", "b"], hold: new Promise<void>((resolve) => release = resolve) }))
    const response = await askClaude("HOLD")
    let text = ""
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      text += part
      if (text.includes("\"text\":\"a\"")) release()
      else assert.notInclude(text, "\"text\":\"b\"")
    }
    assert.include(text, "message_stop")
  })

  it("streams slowly chunk by chunk", async () => {
    api.on(/SLOW/, slow(3, 1))
    assert.strictEqual(await textOf(askClaude("SLOW")), "tick 1 tick 2 tick 3 ")
  })
})

describe("failures", () => {
  it("come in each API's own shape", async () => {
    api.on(/LIMIT/, fail("usage_limit", { message: "spent" }))
    const [claude, codex, gemini] = await Promise.all([
      askClaude("LIMIT"),
      askCodex("LIMIT"),
      askGemini("LIMIT")
    ])
    assert.deepStrictEqual([claude.status, codex.status, gemini.status], [429, 429, 429])
    assert.strictEqual(claude.headers.get("anthropic-ratelimit-unified-status"), "rejected")
    assert.include(await claude.text(), "\"type\":\"rate_limit_error\",\"message\":\"spent\"")
    assert.strictEqual(at(await codex.json(), "error.type"), "usage_limit_reached")
    assert.strictEqual(at(await gemini.json(), "error.status"), "RESOURCE_EXHAUSTED")
  })

  it("can come inside an open stream", async () => {
    api.on(/LONG/, fail("prompt_too_long"))
    api.on(/BUSY/, fail(529, { inStream: true }))
    const long = await framesOf(askCodex("LONG"))
    assert.deepStrictEqual(long.map(({ event }) => event), ["response.created", "response.failed"])
    const busy = await framesOf(askClaude("BUSY"))
    assert.strictEqual(at(busy.at(-1)?.data, "error.type"), "overloaded_error")
  })

  it("answer an unknown route with 404 and record it", async () => {
    assert.strictEqual((await post("/telemetry", { event: 1 })).status, 404)
    const [{ api: name, body, path } = assert.fail("nothing recorded")] = api.requests
    assert.deepStrictEqual({ name, body, path }, { name: undefined, body: { event: 1 }, path: "/telemetry" })
  })
})
