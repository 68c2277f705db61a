/** The paths of an AI SDK client, as a page uses them, with an agent that does what the test tells it. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import type { Chunk, Dialect, UIMessage } from "../../../src/fronts/chat/Chunk.js"
import { makeReader } from "../../../src/fronts/chat/messages.js"
import type { EventBody } from "../../../src/schema/index.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"
import { type Relay, say, test } from "../../support/relayServer.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

interface Answered {
  readonly status: number
  readonly headers: Headers
  /** A refusal's. */
  readonly text: string
  readonly chunks: ReadonlyArray<Chunk>
}

/** What a page does: it holds the messages, and sends all of them each time. */
const pageOn = ({ port }: Relay, id = "c", dialect: Dialect = 6) => {
  const api = `http://127.0.0.1:${port}/chat/fake@${dialect}`
  const messages: Array<Json> = []

  const read = async (response: Response, take: (chunk: Chunk) => void = () => {}): Promise<Answered> => {
    const chunks: Array<Chunk> = []
    const { headers, status } = response
    if (status !== 200) return { status, headers, text: await response.text(), chunks }
    let rest = ""
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      const events = (rest + Buffer.from(bytes).toString()).split("\n\n")
      rest = events.pop() ?? ""
      for (const event of events) {
        if (!event.startsWith("data: ") || event === "data: [DONE]") continue
        const chunk = JSON.parse(event.slice("data: ".length)) as Chunk
        chunks.push(chunk)
        take(chunk)
      }
    }
    return { status, headers, text: "", chunks }
  }

  /** As the SDK does: into the last message, if that is the assistant's. */
  const show = () => {
    let reader: ReturnType<typeof makeReader> | undefined
    return (chunk: Chunk) => {
      if (chunk.type === "start") {
        const last = messages.at(-1)
        const isNew = last?.["role"] !== "assistant" || chunk["messageId"] !== undefined
        reader = makeReader(String(chunk["messageId"] ?? last?.["id"]), isNew ? undefined : last as UIMessage)
        if (last?.["role"] === "assistant") messages.pop()
        messages.push(reader.message)
      }
      if (chunk["transient"] !== true) reader?.take(chunk)
    }
  }

  const post = async (more: object = {}, take?: (chunk: Chunk) => void, signal?: AbortSignal) => {
    const shown = show()
    const response = await fetch(api, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id, messages, trigger: "submit-message", ...more }),
      ...(signal !== undefined && { signal })
    })
    return read(response, (chunk) => {
      shown(chunk)
      take?.(chunk)
    })
  }

  return {
    api,
    messages,
    post,
    prompt: (message_id: string, text: string, more: object = {}, take?: (chunk: Chunk) => void) => {
      messages.push({ id: message_id, role: "user", parts: [{ type: "text", text }] })
      return post(more, take)
    },
    /** A click on each request that waits; the next POST tells. */
    click: (approved: boolean, reason?: string) => {
      for (const part of messages.at(-1)?.["parts"] ?? []) {
        if (part.state !== "approval-requested") continue
        part.state = "approval-responded"
        part.approval = { id: part.approval.id, approved, ...(reason !== undefined && { reason }) }
      }
    },
    resume: async () => read(await fetch(`${api}/${id}/stream`), show()),
    stop: async () => (await fetch(`${api}/${id}/stop`, { method: "POST" })).json(),
    answer: (body: object) =>
      fetch(`${api}/${id}/answer`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body)
      }),
    history: async () => (await fetch(`${api}/${id}/messages`)).json() as Promise<ReadonlyArray<Json>>,
    parts: () => JSON.parse(JSON.stringify(messages.at(-1)?.["parts"])) as ReadonlyArray<Json>,
    states: () =>
      Object.fromEntries(
        ((messages.at(-1)?.["parts"] ?? []) as ReadonlyArray<Json>).flatMap((part) =>
          part["type"] === "dynamic-tool" ? [[part["toolCallId"], part["state"]]] : []
        )
      )
  }
}

const end: EventBody = { type: "turn_end", stop_reason: "end_turn" }
const spoken = (text: string): EventBody => ({ type: "assistant_message", content: [], text })
const called = (tool_use_id: string): EventBody => ({
  type: "tool_call",
  tool: "Bash",
  tool_use_id,
  args: { command: "ls" }
})
const done = (tool_use_id: string, text = "done"): EventBody => ({
  type: "tool_result",
  tool_use_id,
  status: "ok",
  text
})
const prompted = (relay: Relay) => Effect.runPromise(relay.agent().next)

/** An agent that asks before each prompt's work, and says what came of it. */
const asking: NonNullable<FakeAdapter.FakeOptions["onCommand"]> = (command, agent) =>
  command.type !== "user_message" ? Effect.void : Effect.asVoid(Effect.forkDetach(Effect.gen(function*() {
    yield* agent.say(called("a"))
    const { behavior } = yield* agent.ask(FakeAdapter.askFor("q", { tool_use_id: "a" }))
    if (behavior === "cancelled") return
    yield* agent.say(
      behavior === "allow"
        ? done("a")
        : { type: "tool_result", tool_use_id: "a", status: "error", text: "not allowed" },
      spoken(`It was ${behavior}.`),
      end
    )
  })))

const silent = () => Effect.void

describe("a chat", () => {
  test("streams a turn, and shows the same when it is asked for all messages", async (relay) => {
    const page = pageOn(relay)
    const { chunks, headers, status } = await page.prompt("m1", "hello")
    assert.strictEqual(status, 200)
    assert.include(headers.get("content-type"), "text/event-stream")
    assert.strictEqual(headers.get("x-vercel-ai-ui-message-stream"), "v1")
    assert.strictEqual(chunks[0]?.type, "start")
    assert.deepInclude(chunks.at(-1), { type: "finish", finishReason: "stop" })
    assert.deepStrictEqual(page.parts(), [{ type: "text", text: "Done.", state: "done" }])
    assert.deepStrictEqual(await page.history(), JSON.parse(JSON.stringify(page.messages)))
    assert.strictEqual((await page.resume()).status, 204)
    await page.prompt("m2", "again")
    assert.deepStrictEqual(await page.history(), JSON.parse(JSON.stringify(page.messages)))
    assert.deepStrictEqual(relay.agent().sent.length, 2)
  })

  test("ends at a question, and goes on with its answer in the same message", async (relay) => {
    for (const [id, approved] of [["yes", true], ["no", false]] as const) {
      const page = pageOn(relay, id, 7)
      const { chunks } = await page.prompt("m1", "hello")
      assert.deepInclude(chunks.at(-1), { type: "finish", finishReason: "tool-calls" })
      assert.deepStrictEqual(page.states(), { a: "approval-requested" })
      page.click(approved, approved ? undefined : "not here")
      await page.post()
      assert.deepStrictEqual(page.states(), { a: approved ? "output-available" : "output-denied" })
      assert.include(JSON.stringify(page.parts()), `It was ${approved ? "allow" : "deny"}.`)
      assert.lengthOf(page.messages, 2)
      assert.deepStrictEqual(await page.history(), JSON.parse(JSON.stringify(page.messages)))
    }
  }, { onCommand: asking })

  test("is gone on with by another page, and a late answer is no second one", async (relay) => {
    const phone = pageOn(relay)
    const laptop = pageOn(relay)
    await laptop.prompt("m1", "hello")
    phone.messages.push(...(await phone.history()).slice(0, 1))
    assert.strictEqual((await phone.resume()).status, 200)
    assert.deepStrictEqual(phone.states(), { a: "approval-requested" })
    phone.click(true)
    await phone.post()
    laptop.click(false)
    await laptop.post()
    for (const page of [laptop, phone]) {
      assert.deepStrictEqual(page.states(), { a: "output-available" })
      assert.include(JSON.stringify(page.parts()), "It was allow.")
    }
  }, { onCommand: asking })

  test(
    "goes on when its page leaves, is shown again from the beginning, and stops when it is told to",
    async (relay) => {
      const page = pageOn(relay)
      const leaving = new AbortController()
      page.messages.push({ id: "m1", role: "user", parts: [{ type: "text", text: "hello" }] })
      const left = page.post({}, (chunk) => chunk.type === "text-delta" && leaving.abort(), leaving.signal)
        .catch((error: Error) => error.name)
      await until(() => relay.fake.agents.length > 0)
      await prompted(relay)
      await say(relay, { type: "stream_event", delta: "text", text: "I " })
      assert.strictEqual(await left, "AbortError")
      await say(relay, { type: "stream_event", delta: "text", text: "work" })
      const again = page.resume()
      await until(() => JSON.stringify(page.messages).includes("I work"))
      assert.lengthOf(page.messages, 2)
      assert.deepStrictEqual(await page.stop(), { stopped: true })
      assert.strictEqual((await Effect.runPromise(relay.agent().next)).type, "interrupt")
      await say(relay, spoken("I work"), { type: "turn_end", stop_reason: "cancelled" })
      assert.deepStrictEqual((await again).chunks.at(-1), { type: "abort" })
      assert.deepStrictEqual(page.parts(), [{ type: "text", text: "I work", state: "done" }])
      assert.deepStrictEqual(await page.stop(), { stopped: false })
    },
    { onCommand: silent }
  )

  test("runs a prompt once, however often it is sent, and an edited one as another", async (relay) => {
    const page = pageOn(relay)
    await page.prompt("m1", "hello")
    const [first] = page.messages
    page.messages.splice(1)
    await page.post()
    assert.deepStrictEqual(page.parts(), [{ type: "text", text: "Done.", state: "done" }])
    assert.lengthOf(relay.agent().sent, 1)
    page.messages.splice(0, 2, { ...first, parts: [{ type: "text", text: "other" }] })
    await page.post({ messageId: "m1" })
    assert.lengthOf(relay.agent().sent, 2)
    page.messages.splice(1)
    await page.post({ trigger: "regenerate-message" })
    assert.lengthOf(relay.agent().sent, 3)
  })

  test("gives the agent images and texts, and refuses other files in words", async (relay) => {
    const page = pageOn(relay)
    const file = (mediaType: string, content: string, filename: string) => ({
      type: "file",
      mediaType,
      filename,
      url: `data:${mediaType};base64,${Buffer.from(content).toString("base64")}`
    })
    const send = (...parts: ReadonlyArray<object>) => {
      page.messages.push({ id: `m${page.messages.length}`, role: "user", parts })
      return page.post()
    }
    await send(
      { type: "text", text: "look" },
      file("image/png", "x", "a.png"),
      file("text/plain", "a ``` b", "a.txt")
    )
    const [given] = relay.agent().sent
    assert.deepStrictEqual((given as Json)["content"], [
      { type: "text", text: "look" },
      { type: "image", source: { type: "base64", media_type: "image/png", data: "eA==" } },
      { type: "text", text: "a.txt:\n````\na ``` b\n````" }
    ])
    for (const part of [file("application/pdf", "x", "a.pdf"), file("image/tiff", "x", "a.tiff")]) {
      const { status, text } = await send(part)
      assert.strictEqual(status, 400)
      assert.include(text, String(part.filename))
    }
    assert.lengthOf(relay.agent().sent, 1)
    // A page may know only that it is an image, call its type otherwise, or know nothing.
    const png = file("image/png", "x", "b.png")
    const page2 = [
      { ...png, mediaType: "image/*" },
      { ...png, mediaType: undefined },
      {
        ...png,
        mediaType: "IMAGE/PNG",
        url: png.url.replace("data:image/png;base64", "DATA:IMAGE/PNG;BASE64")
      },
      file("image/jpg", "x", "c.jpg")
    ]
    await send(...page2)
    const last = relay.agent().sent.at(-1) as Json
    assert.deepStrictEqual(
      last["content"].map(({ source }: Json) => source.media_type),
      ["image/png", "image/png", "image/png", "image/jpeg"]
    )
  })

  test("ends at once where the page is further on than the session, as after another of that name", async (relay) => {
    const page = pageOn(relay)
    await page.prompt("m1", "hello")
    const last = page.messages.at(-1) as Json
    last["metadata"].relay.seq = 1_000_000_000
    const { chunks } = await page.post()
    assert.deepInclude(chunks.at(-1), { type: "finish" })
  })

  test(
    "takes more than yes or no: options and answers, in the reason or by a path of its own",
    async (relay) => {
      const questions = [{
        required: true,
        question: "Which size?",
        header: "Size",
        options: [{ label: "S" }, { label: "L" }]
      }]
      const ask = (request_id: string) =>
        Effect.runPromise(
          relay.agent().ask(
            FakeAdapter.askFor(request_id, { args: { questions }, metadata: { kind: "question" } })
          )
        )
      const page = pageOn(relay)
      const prompt = page.prompt("m1", "hello")
      await until(() => relay.fake.agents.length > 0)
      await prompted(relay)
      const first = ask("q1")
      await prompt
      page.click(true, JSON.stringify({ answers: { "Which size?": "L" } }))
      const second = page.post()
      assert.deepInclude(await first, { behavior: "allow", answers: { "Which size?": "L" } })
      const plain = ask("q2")
      await second
      page.click(true, "S")
      const third = page.post()
      assert.deepInclude(await plain, { behavior: "allow", answers: { "Which size?": "S" } })
      const last = ask("q3")
      await third
      // It does not fit: the question stays, and the person is asked again.
      page.click(true)
      await page.post()
      assert.deepInclude(page.states(), { "ask-q3": "approval-requested" })
      assert.strictEqual(
        (await page.answer({ request_id: "q3", answers: { "Which size?": ["S"] } })).status,
        204
      )
      assert.deepInclude(await last, { behavior: "allow" })
      assert.strictEqual((await page.answer({ request_id: "q3" })).status, 400)
      assert.strictEqual((await page.answer({ behavior: "allow" })).status, 400)
    },
    { onCommand: silent }
  )

  test("asks a client without approvals in a part, and waits with it", async (relay) => {
    const page = pageOn(relay, "c", 5)
    const answered = page.prompt("m1", "hello", {}, (chunk) => {
      const data = chunk["data"] as Json
      if (chunk.type === "data-permission" && data["status"] === "waiting") {
        void page.answer({ request_id: data["request_id"], behavior: "allow" })
      }
    })
    const { chunks } = await answered
    assert.deepInclude(chunks.at(-1), { type: "finish", finishReason: "stop" })
    assert.deepStrictEqual(page.states(), { a: "output-available" })
  }, { onCommand: asking })

  test("takes a prompt instead of an answer for a no", async (relay) => {
    const page = pageOn(relay)
    await page.prompt("m1", "hello")
    assert.deepStrictEqual(page.states(), { a: "approval-requested" })
    const second = page.prompt("m2", "something else", {}, () => {
      page.click(true)
    })
    await second
    const history = await page.history()
    assert.deepStrictEqual(
      history.map(({ id, role }) => role === "user" ? id : role),
      ["m1", "assistant", "m2", "assistant"]
    )
    assert.strictEqual(history[1]?.["metadata"].relay.stop_reason, "cancelled")
    // An edited message is one, too, though its page no longer shows the question.
    page.messages.splice(0, 4, { id: "m1", role: "user", parts: [{ type: "text", text: "other" }] })
    await page.post({ messageId: "m1" })
    const reasons = (await page.history()).map(({ metadata }) => metadata?.relay.stop_reason)
    assert.deepStrictEqual(reasons, [undefined, "cancelled", undefined, "cancelled", undefined, undefined])
  }, {
    onCommand: (command, agent) =>
      command.type === "interrupt"
        ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
        : asking(command, agent)
  })

  test("refuses with a status and plain words", async (relay) => {
    const post = (body: unknown, type = "application/json", tool = "fake") =>
      fetch(`http://127.0.0.1:${relay.port}/chat/${tool}`, {
        method: "POST",
        headers: { "content-type": type },
        body: typeof body === "string" ? body : JSON.stringify(body)
      })
    const prompt = { id: "c", messages: [{ id: "m", role: "user", parts: [{ type: "text", text: "x" }] }] }
    const cases: ReadonlyArray<readonly [() => Promise<Response>, number, string]> = [
      [() => post("{"), 400, "not JSON"],
      [() => post(prompt, "text/plain"), 415, "application/json"],
      [() => post({ ...prompt, id: "a/b" }), 400, "`id`"],
      [() => post({ id: "c", messages: [] }), 400, "`messages`"],
      [() => post({ id: "c", messages: [{ role: "system", parts: [] }] }), 400, "from the user"],
      [() => post({ id: "c", messages: [{ role: "user", parts: [] }] }), 400, "empty"],
      [
        () => post({ id: "c", messages: [{ role: "user", parts: [{ type: "text", text: " " }] }] }),
        400,
        "empty"
      ],
      [() => post({ id: "c", messages: [{ role: "assistant", parts: [] }] }), 400, "metadata.relay"],
      [() => post({ ...prompt, id: "d", folder: "/does/not/exist" }), 403, "/does/not/exist"],
      [() => post({ ...prompt, id: "d", folder: "does-not-exist" }), 404, "does-not-exist"],
      [() => post({ ...prompt, id: "e" }, "application/json", "nobody"), 400, "nobody"],
      [
        () =>
          post({ id: "c", messages: [{ role: "assistant", metadata: { relay: { seq: 1 } }, parts: [] }] }),
        404,
        "c"
      ],
      [
        () => post({ ...prompt, messages: [{ ...prompt.messages[0], text: "x".repeat(70_000) }] }),
        413,
        "65536"
      ]
    ]
    for (const [ask, status, words] of cases) {
      const response = await ask()
      const text = await response.text()
      assert.strictEqual(response.status, status, text)
      assert.include(text, words)
      assert.notInclude(text, "{\"text\"")
    }
    assert.deepStrictEqual(await pageOn(relay, "none").history(), [])
    assert.strictEqual((await pageOn(relay, "none").resume()).status, 204)
  }, { max_frame_bytes: 65_536 })

  test("may be used by pages of an allowed origin alone", async ({ port }) => {
    const ask = (origin: string) =>
      fetch(`http://127.0.0.1:${port}/chat/fake`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" }
      })
    const allowed = await ask("https://app.example.com")
    assert.strictEqual(allowed.headers.get("access-control-allow-origin"), "https://app.example.com")
    assert.include(allowed.headers.get("access-control-allow-methods"), "POST")
    assert.strictEqual((await ask("https://evil.example.com")).status, 403)
  }, { allow_origin: ["https://app.example.com"] })

  test("is not there where it is not served", async (relay) => {
    const { status, text } = await pageOn(relay).prompt("m1", "hello")
    assert.strictEqual(status, 404)
    assert.include(text, "--fronts chat")
  }, { fronts: ["acp"] })
})

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
