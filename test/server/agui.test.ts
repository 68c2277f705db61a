/** `/agui` over HTTP, as a strict client of the protocol uses it; the real ones judge in test/judges. */
import { assert, describe } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { AguiEvent } from "../../src/fronts/agui/encode.js"
import type { EventBody } from "../../src/schema/index.js"
import * as thread from "../fronts/agui/thread.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { type Relay, say, test } from "../support/relayServer.js"

const silent = () => Effect.void
const message = (text: string): EventBody => ({ type: "assistant_message", content: [], text })
const end: EventBody = { type: "turn_end", stop_reason: "end_turn" }

const post = (relay: Relay, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${relay.port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body)
  })

const eventsOf = async (response: Response): Promise<ReadonlyArray<AguiEvent>> => {
  assert.strictEqual(response.status, 200, response.status === 200 ? "" : await response.text())
  const text = await response.text()
  return text.split("\n\n").flatMap((event) => event.startsWith("data: ") ? [JSON.parse(event.slice(6))] : [])
}

const user = (id: string, content: unknown) => ({ id, role: "user", content })
const inputOf = (runId: string, fields: object = {}) => ({
  threadId: "t",
  runId,
  messages: [],
  state: {},
  ...fields
})

const interruptsOf = (view: ReturnType<typeof thread.make>) =>
  (view.outcome()?.["outcome"]?.interrupts ?? []) as ReadonlyArray<{ readonly id: string }>
const ask = (relay: Relay, request_id: string) =>
  Effect.runPromise(Effect.as(
    Effect.forkDetach(relay.agent().ask(FakeAdapter.askFor(request_id, { tool_use_id: "a" }))),
    undefined
  ))
const taken = (relay: Relay) => Effect.runPromise(relay.agent().next)
const opened = async (relay: Relay) => {
  while (relay.fake.agents.length === 0) await new Promise(setImmediate)
  return taken(relay)
}

describe("/agui", () => {
  test("answers a prompt, ends where a person is asked, goes on with the answer", async (relay) => {
    const view = thread.make("0.0")
    const first = post(relay, "/agui/fake", inputOf("r1", { messages: [user("u1", "hello")] }))
    const prompted = await opened(relay)
    assert.deepInclude(prompted, { type: "user_message", content: [{ type: "text", text: "hello" }] })
    await say(relay, message("one"), { type: "tool_call", tool: "Bash", tool_use_id: "a", args: {} })
    await ask(relay, "q1")
    view.show(await eventsOf(await first))
    assert.deepStrictEqual(interruptsOf(view).map(({ id }) => id), ["q1"])
    const second = post(
      relay,
      "/agui/fake",
      inputOf("r2", {
        messages: [user("u1", "hello")],
        state: view.state(),
        resume: [{ interruptId: "q1", status: "resolved", payload: { approved: true } }]
      })
    )
    const other = await relay.join({ session_id: "t", after_seq: 0 })
    const settled = await other.waitFor("control_response")
    assert.deepInclude(settled["metadata"]?.["by"], { front: "ag-ui" })
    await say(
      relay,
      { type: "tool_result", tool_use_id: "a", status: "ok", text: "done" },
      message("two"),
      end
    )
    view.show(await eventsOf(await second))
    assert.deepStrictEqual([...view.messages.keys()], ["1.1", "1.a", "result-1.a", "1.2"])
    assert.deepInclude(view.outcome(), { result: { stop_reason: "end_turn" } })
    // Nothing was prompted twice.
    assert.lengthOf(relay.agent().sent.filter(({ type }) => type === "user_message"), 1)
  }, { tool: "fake", onCommand: silent })

  test("tells a whole thread to who comes new, and what goes on as it goes", async (relay) => {
    const one = post(relay, "/agui/fake", inputOf("r1", { messages: [user("u1", "hello")] }))
    await opened(relay)
    await say(relay, message("one"), end)
    const live = thread.make("0.0")
    live.show(await eventsOf(await one))
    const two = post(relay, "/agui/fake", inputOf("r2", { messages: [user("u2", "again")] }))
    await taken(relay)
    await say(relay, { type: "stream_event", delta: "text", text: "tw" })
    const connecting = await post(relay, "/agui/agent/fake/connect", inputOf("r3"))
    await say(relay, message("two"), end)
    live.show(await eventsOf(await two))
    const again = thread.make("0.0")
    again.show(await eventsOf(connecting))
    const withPrompts = [...again.messages].map(([id, { text }]) => [id, text])
    assert.deepStrictEqual(withPrompts, [["u1", "hello"], ["1.1", "one"], ["u2", "again"], ["2.1", "two"]])
    assert.deepStrictEqual([...live.messages].map(([id, { text }]) => [id, text]), [["1.1", "one"], [
      "2.1",
      "two"
    ]])
    // Who has no messages at all gets the same by an ordinary run.
    const plain = thread.make("0.0")
    plain.show(await eventsOf(await post(relay, "/agui/fake", inputOf("r4"))))
    assert.strictEqual(plain.seen(), again.seen())
    const nobody = thread.make("0.0")
    nobody.show(await eventsOf(await post(relay, "/agui/fake", { ...inputOf("r5"), threadId: "nobody" })))
    assert.isTrue(nobody.hasBegun() && nobody.messages.size === 0)
  }, { tool: "fake", onCommand: silent })

  test("tells who lost the connection in mid-answer only what it lacks", async (relay) => {
    const gone = new AbortController()
    const request = fetch(`http://127.0.0.1:${relay.port}/agui/fake`, {
      method: "POST",
      signal: gone.signal,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(inputOf("r1", { messages: [user("u1", "hello")] }))
    })
    await opened(relay)
    const reader = (await request).body?.getReader()
    await say(relay, { type: "stream_event", delta: "text", text: "Good " })
    let seen = ""
    while (!seen.includes("Good ")) seen += new TextDecoder().decode((await reader?.read())?.value)
    const view = thread.make("0.0")
    view.show(
      seen.split("\n\n").flatMap((event) => event.startsWith("data: ") ? [JSON.parse(event.slice(6))] : [])
    )
    gone.abort()
    await say(relay, message("Good day"), end)
    const back = await post(
      relay,
      "/agui/fake",
      inputOf("r2", {
        messages: [user("u1", "hello"), { id: "1.1", role: "assistant", content: "Good " }],
        state: view.state()
      })
    )
    const words = (await eventsOf(back)).flatMap(({ delta, type }) =>
      type === "TEXT_MESSAGE_CONTENT" ? [delta] : []
    )
    assert.deepStrictEqual(words, ["day"])
  }, { tool: "fake", onCommand: silent })

  test("mixes a thread with none of an earlier session of its name", async (relay) => {
    const view = thread.make("0.0")
    const run = async (runId: string, words: string) => {
      view.prompt(`u-${runId}`, words)
      const input = inputOf(runId, { messages: view.sent(), state: view.state() })
      view.show(await eventsOf(await post(relay, "/agui/fake", input)))
    }
    await run("r1", "hello")
    await fetch(`http://127.0.0.1:${relay.port}/sessions/t`, { method: "DELETE" })
    await run("r2", "again")
    await run("r3", "and again")
    const shown = [...view.messages.values()].map(({ role, text }) => `${role} ${text}`)
    assert.deepStrictEqual(shown, [
      "user hello",
      "assistant Done.",
      "user again",
      "assistant Done.",
      "user and again",
      "assistant Done."
    ])
    // Somebody who comes new sees the session as it is.
    const whole = await eventsOf(await post(relay, "/agui/fake", inputOf("r4", {})))
    const ids = whole.filter(({ role }) => role === "assistant").map(({ messageId }) => messageId)
    assert.deepStrictEqual(ids, ["1.1", "2.1"])
  })

  test("stops a turn when it is told to, not when its client leaves", async (relay) => {
    const running = post(relay, "/agui/fake", inputOf("r1", { messages: [user("u1", "hello")] }))
    await opened(relay)
    const stopped = await post(relay, "/agui/agent/fake/stop/t", {})
    assert.deepStrictEqual(await stopped.json(), { stopped: true })
    assert.deepInclude(await taken(relay), { type: "interrupt" })
    await say(relay, { type: "turn_end", stop_reason: "cancelled" })
    const view = thread.make("0.0")
    view.show(await eventsOf(await running))
    assert.deepInclude(view.outcome(), { result: { stop_reason: "cancelled" } })
    const idle = await post(relay, "/agui", {
      method: "agent/stop",
      params: { agentId: "fake", threadId: "t" }
    })
    assert.deepStrictEqual(await idle.json(), { stopped: false })
  }, { tool: "fake", onCommand: silent })

  test("answers all of CopilotKit's requests on one path", async (relay) => {
    const info = await (await post(relay, "/agui", { method: "info" })).json()
    assert.deepInclude(info, { mode: "sse" })
    const both = await (await fetch(`http://127.0.0.1:${relay.port}/agui/info`)).json()
    assert.deepStrictEqual(both, info)
    const view = thread.make("0.0")
    view.show(
      await eventsOf(
        await post(relay, "/agui", {
          method: "agent/run",
          params: { agentId: "fake" },
          body: inputOf("r1", { messages: [user("u1", "hello")] })
        })
      )
    )
    assert.deepInclude(view.outcome(), { result: { stop_reason: "end_turn" } })
    assert.strictEqual((await post(relay, "/agui", { method: "what" })).status, 404)
  }, { tool: "fake" })

  test("refuses what it does not understand, in words, before it answers", async (relay) => {
    const refusalOf = async (body: unknown, headers = {}) => {
      const response = await post(relay, "/agui/fake", body, headers)
      return `${response.status} ${((await response.json()) as { text: string }).text}`
    }
    assert.match(await refusalOf({}), /^400 send a RunAgentInput: `threadId`/)
    assert.match(await refusalOf({ threadId: "t", runId: "r" }), /^400 send a RunAgentInput: `messages`/)
    const audio = [{ type: "audio", source: { type: "data", value: "", mimeType: "audio/wav" } }]
    assert.match(
      await refusalOf(inputOf("r", { messages: [user("u", audio)] })),
      /^400 content of type "audio\/wav" is not supported/
    )
    const long = inputOf("r", { messages: [user("u".repeat(257), "hello")] })
    assert.match(await refusalOf(long), /^400 the last message's `id` must have at most 256/)
    // Blanks are no prompt.
    await eventsOf(await post(relay, "/agui/fake", inputOf("r", { messages: [user("u", " \n")] })))
    assert.lengthOf(relay.fake.agents, 0)
    assert.match(await refusalOf({}, { "content-type": "text/plain" }), /^415 send JSON/)
    const unknown = await post(relay, "/agui/nobody", inputOf("r", { messages: [user("u", "hello")] }))
    assert.strictEqual(unknown.status, 400)
  }, { tool: "fake" })

  test("lets pages of an allowed origin in, and nobody without the token", async (relay) => {
    const path = `http://127.0.0.1:${relay.port}/agui/fake`
    const preflight = await fetch(path, {
      method: "OPTIONS",
      headers: { origin: "https://app.example.com", "access-control-request-method": "POST" }
    })
    assert.strictEqual(preflight.headers.get("access-control-allow-methods"), "POST")
    const body = inputOf("r1", { messages: [user("u1", "hello")] })
    const origin = { origin: "https://app.example.com" }
    assert.strictEqual((await post(relay, "/agui/fake", body, origin)).status, 401)
    const foreign = { origin: "https://evil.example.com", authorization: "Bearer s3cret" }
    assert.strictEqual((await post(relay, "/agui/fake", body, foreign)).status, 403)
    const allowed = await post(relay, "/agui/fake", body, { ...origin, authorization: "Bearer s3cret" })
    assert.strictEqual(allowed.headers.get("access-control-allow-origin"), "https://app.example.com")
    assert.isNotEmpty(await eventsOf(allowed))
  }, { tool: "fake", token: Redacted.make("s3cret"), allow_origin: ["https://app.example.com"] })

  test("is not there where it is not served", async (relay) => {
    const response = await post(relay, "/agui/fake", inputOf("r1"))
    assert.strictEqual(response.status, 404)
    assert.match(((await response.json()) as { text: string }).text, /--fronts agui/)
  }, { tool: "fake", fronts: ["acp"] })
})
