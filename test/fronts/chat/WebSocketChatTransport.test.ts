/** Our own transport, as the AI SDK uses it, with an agent that does what the test tells it and other clients in the session. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { WebSocket } from "ws"
import type { Chunk } from "../../../src/fronts/chat/Chunk.js"
import { WebSocketChatTransport } from "../../../src/fronts/chat/WebSocketChatTransport.js"
import type { EventBody } from "../../../src/schema/index.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"
import { type Relay, say, test } from "../../support/relayServer.js"
import * as Reader from "./reader.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const end: EventBody = { type: "turn_end", stop_reason: "end_turn" }
const spoken = (text: string): EventBody => ({ type: "assistant_message", content: [], text })
const called = (tool_use_id: string): EventBody => ({
  type: "tool_call",
  tool: "Bash",
  tool_use_id,
  args: {}
})

/** An agent that only stops when it is told to. */
const stoppable: NonNullable<FakeAdapter.FakeOptions["onCommand"]> = (command, agent) =>
  command.type === "interrupt" ? agent.say({ type: "turn_end", stop_reason: "cancelled" }) : Effect.void

const words = (text: string) => ({ type: "text", text })
const message = (id: string, ...parts: ReadonlyArray<object>) => ({ id, role: "user", parts })
const clicked = (seq: number, approval: object) => ({
  id: "t",
  role: "assistant",
  metadata: { relay: { seq } },
  parts: [{ type: "dynamic-tool", state: "approval-responded", approval }]
})

/** A page with one chat, "s". */
const pageOn = ({ port }: Relay) => {
  const transport = new WebSocketChatTransport({
    url: `ws://127.0.0.1:${port}`,
    tool: "fake",
    WebSocket: WebSocket as never
  })
  const read = async (stream: ReadableStream<Chunk> | null): Promise<ReadonlyArray<Chunk>> => {
    const reader = Reader.make(7)
    const chunks: Array<Chunk> = []
    for await (const chunk of (stream ?? []) as AsyncIterable<Chunk>) {
      // What continues a message has its beginning elsewhere.
      if ((chunks[0] ?? chunk)["messageId"] !== undefined) reader.take(chunk)
      chunks.push(chunk)
    }
    return chunks
  }
  const send = (messages: ReadonlyArray<object>, abortSignal?: AbortSignal) =>
    transport.sendMessages({ chatId: "s", messages, abortSignal })
  return {
    transport,
    send,
    post: async (...messages: ReadonlyArray<object>) => read(await send(messages)),
    resume: async () => read(await transport.reconnectToStream({ chatId: "s" })),
    read
  }
}

const ask = (relay: Relay, request_id: string, more: object = {}) =>
  Effect.runPromise(relay.agent().ask(FakeAdapter.askFor(request_id, more)))

const last = (chunks: ReadonlyArray<Chunk>) => chunks.at(-1) as Chunk
const textOf = (chunks: ReadonlyArray<Chunk>) =>
  chunks.flatMap(({ delta, type }) => type === "text-delta" ? [String(delta)] : []).join("|")
const seqOf = (chunk: Chunk) => (chunk["messageMetadata"] as Json | undefined)?.["relay"].seq as number

describe("the transport over the relay's own socket", () => {
  test("gives the agent images and texts as the HTTP front does, and refuses other files in words", async (relay) => {
    const { post, transport } = pageOn(relay)
    const file = (mediaType: string, content: string, more: object = {}) => ({
      type: "file",
      mediaType,
      filename: "a",
      url: `data:${mediaType};base64,${Buffer.from(content).toString("base64")}`,
      ...more
    })
    const parts = [
      file("text/plain", "héllo"),
      file("application/json", "{}"),
      file("image/jpg", "x"),
      file("IMAGE/PNG", "x"),
      file("image/png", "x", { mediaType: "image/*" })
    ]
    await post(message("m1", ...parts))
    const given = (relay.agent().sent[0] as Json)["content"] as ReadonlyArray<Json>
    assert.deepStrictEqual(given.map(({ source, text }) => source?.media_type ?? text), [
      "a:\n```\nhéllo\n```",
      "a:\n```\n{}\n```",
      "image/jpeg",
      "image/png",
      "image/png"
    ])
    for (const part of [file("application/pdf", "x"), file("image/tiff", "x"), words(" ")]) {
      const why = await post(message("m2", part)).catch((error: Error) => error.message)
      assert.match(String(why), /send/)
    }
    assert.lengthOf(relay.agent().sent, 1)
    transport.close()
  })

  test("sends nothing if the person stops before it is connected", async (relay) => {
    const { read, send, transport } = pageOn(relay)
    const stopping = new AbortController()
    const sending = send([message("m1", words("hi"))], stopping.signal)
    stopping.abort()
    assert.deepStrictEqual(await read(await sending), [])
    const watcher = await relay.join()
    const turn = await watcher.turn("another")
    assert.strictEqual(turn.find(({ type }) => type === "turn_start")?.["turn"], 1)
    transport.close()
  })

  test("stops by taking a waiting prompt back, and leaves the turn before it alone", async (relay) => {
    const { read, send, transport } = pageOn(relay)
    const other = await relay.join()
    other.send({ text: "first", message_id: "o1" })
    await other.waitFor("turn_start")
    const stopping = new AbortController()
    const chunks = read(await send([message("m1", words("hi"))], stopping.signal))
    stopping.abort()
    assert.deepStrictEqual(await chunks, [])
    await other.waitFor(({ message_id, status }) => message_id === "m1" && status === "cancelled")
    await say(relay, end)
    assert.strictEqual((await other.waitFor("turn_end"))["stop_reason"], "end_turn")
    assert.deepStrictEqual(relay.agent().sent.map(({ type }) => type), ["user_message"])
    transport.close()
  }, { onCommand: stoppable })

  test(
    "says so when another client withdraws the prompt, or the session ends before its turn",
    async (relay) => {
      const { post, read, send, transport } = pageOn(relay)
      const other = await relay.join()
      other.send({ text: "first", message_id: "o1" })
      await other.waitFor("turn_start")
      const first = read(await send([message("m1", words("hi"))]))
      other.send({ type: "cancel_queued", message_id: "m1" })
      assert.deepInclude(last(await first), {
        type: "error",
        errorText: "the prompt was withdrawn: send it again"
      })
      const second = read(await send([message("m2", words("hi"))]))
      other.send({ type: "end" })
      assert.match(String(last(await second)["errorText"]), /send it again/)
      // The next prompt reopens it.
      const third = post(message("m3", words("hi")))
      const again = await relay.join({ after_seq: 0 })
      await again.waitFor(({ message_id, type }) => type === "turn_start" && message_id === "m3")
      await say(relay, spoken("here"), end)
      assert.strictEqual(textOf(await third), "here")
      transport.close()
    },
    { onCommand: stoppable }
  )

  test(
    "shows the question of the turn a prompt waits for, and goes on to the prompt's own turn",
    async (relay) => {
      const { post, transport } = pageOn(relay)
      const other = await relay.join()
      other.send({ text: "first", message_id: "o1" })
      await other.waitFor("turn_start")
      const answer = ask(relay, "q")
      await other.waitFor("permission_request")
      const prompt = message("m1", words("hi"))
      const asked = await post(prompt)
      assert.deepInclude(last(asked), { type: "finish", finishReason: "tool-calls" })
      const rest = post(prompt, clicked(seqOf(last(asked)), { id: "q", approved: true }))
      assert.deepInclude(await answer, { behavior: "allow" })
      await say(relay, spoken("of the first"), end)
      await other.waitFor(({ message_id, type }) => type === "turn_start" && message_id === "m1")
      await say(relay, spoken("of the second"), end)
      const chunks = await rest
      assert.strictEqual(textOf(chunks), "of the first|of the second")
      assert.deepInclude(last(chunks), { type: "finish", finishReason: "stop" })
      transport.close()
    },
    { onCommand: stoppable }
  )

  test("asks while another tool has much to say", async (relay) => {
    const { read, send, transport } = pageOn(relay)
    const chunks = read(await send([message("m1", words("hi"))]))
    await say(relay, called("x"), called("y"))
    void ask(relay, "q", { tool_use_id: "x" })
    const output: EventBody = { type: "stream_event", delta: "tool_output", tool_use_id: "y", text: "line\n" }
    const talking = setInterval(() => void say(relay, output), 10)
    void chunks.then(() => clearInterval(talking))
    assert.deepInclude(last(await chunks), { type: "finish", finishReason: "tool-calls" })
    transport.close()
  }, { onCommand: stoppable })

  test(
    "never takes a no for a yes, whatever its reason says, and a plain reason for the answer",
    async (relay) => {
      const { post, read, send, transport } = pageOn(relay)
      const first = read(await send([message("m1", words("hi"))]))
      const denied = ask(relay, "q1")
      const reason = JSON.stringify({ behavior: "allow", allow: true })
      const second = post(clicked(seqOf(last(await first)), { id: "q1", approved: false, reason }))
      assert.deepInclude(await denied, { behavior: "deny" })
      const questions = [{
        required: true,
        question: "Which size?",
        header: "Size",
        options: [{ label: "S" }, { label: "L" }]
      }]
      const answered = ask(relay, "q2", { args: { questions }, metadata: { kind: "question" } })
      const third = post(clicked(seqOf(last(await second)), { id: "q2", approved: true, reason: "S" }))
      assert.deepInclude(await answered, { behavior: "allow", answers: { "Which size?": "S" } })
      const open = ask(relay, "q3", { args: { questions }, metadata: { kind: "question" } })
      // It does not fit: the person is told, and asked again.
      const fourth = await post(clicked(seqOf(last(await third)), { id: "q3", approved: true }))
      assert.isDefined(fourth.find(({ type }) => type === "data-notice"))
      assert.deepInclude(last(fourth), { finishReason: "tool-calls" })
      await transport.answer("s", "q3", { answers: { "Which size?": "L" } })
      assert.deepInclude(await open, { behavior: "allow" })
      transport.close()
    },
    { onCommand: stoppable }
  )

  test("runs a prompt once, and shows its turn again however long ago it was", async (relay) => {
    const { post, resume, transport } = pageOn(relay)
    for (const id of ["m1", "m2", "m3"]) {
      assert.strictEqual(textOf(await post(message(id, words(id)))), "Done.")
    }
    const again = await post(message("m1", words("m1")))
    assert.strictEqual(textOf(again), "Done.")
    assert.strictEqual((again[0]?.["messageMetadata"] as Json | undefined)?.["relay"].turn, 1)
    assert.lengthOf(relay.agent().sent, 3)
    // Nothing runs, and what the page has is all there is.
    assert.deepStrictEqual(await resume(), [])
    const seq = seqOf(last(again))
    const [user, shown] = [message("m3", words("m3")), clicked(seq, { id: "gone", approved: true })]
    assert.deepInclude(last(await post(user, shown)), { type: "finish" })
    transport.close()
  })

  test("stops the turn that asks when an earlier message is edited", async (relay) => {
    const { read, send, transport } = pageOn(relay)
    const first = read(await send([message("m1", words("hi"))]))
    const outcome = ask(relay, "q")
    await first
    const edited = transport.sendMessages({
      chatId: "s",
      messages: [message("m1", words("ho"))],
      messageId: "m1"
    })
    assert.deepInclude(await outcome, { behavior: "cancelled" })
    const chunks = read(await edited)
    const watcher = await relay.join({ after_seq: 0 })
    await watcher.waitFor(({ text, type }) => type === "turn_start" && text === "ho")
    await say(relay, spoken("of the edited one"), end)
    assert.strictEqual(textOf(await chunks), "of the edited one")
    transport.close()
  }, { onCommand: stoppable })

  test("opens no session for a page that only looks", async (relay) => {
    const { resume, transport } = pageOn(relay)
    assert.deepStrictEqual(await resume(), [])
    assert.lengthOf(relay.fake.agents, 0)
    transport.close()
  })
})
