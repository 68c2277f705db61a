/** One driver at a whole relay, over each way in: sockets, HTTP, editors and other fronts. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { WebSocket } from "ws"
import { RelayServer } from "../../src/server/RelayServer.js"
import { Auth } from "../../src/services/access/Auth.js"
import { type Client, connect } from "../support/client.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { layerOf, type Options } from "../support/relayServer.js"

const operator = "operators-own-token"

interface Door {
  readonly port: number
  readonly fake: FakeAdapter.FakeAdapter
  readonly token: (
    name: string,
    scopes: ReadonlyArray<"view" | "prompt" | "approve" | "admin">
  ) => Promise<string>
  readonly join: (token?: string) => Promise<Client>
  readonly ask: (path: string, body: object, method?: string) => Promise<{ status: number; text: string }>
}

const test = (name: string, body: (door: Door) => Promise<unknown>, options: Options = {}) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const fake = FakeAdapter.make({ onCommand: FakeAdapter.answering(), ...options })
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const built = yield* Layer.buildWithScope(
        layerOf(fake, {
          token: Redacted.make(operator),
          drivers: "one",
          fronts: ["acp", "chat", "agui", "mcp"],
          ...options
        }),
        scope
      )
      const { address: { port } } = Context.get(built, RelayServer)
      const { tokens } = Context.get(built, Auth)
      yield* Effect.promise(() =>
        body({
          port,
          fake,
          token: async (name, scopes) => (await Effect.runPromise(tokens.make({ name, scopes }))).token,
          join: async (token = operator) => {
            const client = await connect(`ws://127.0.0.1:${port}/`, { tool: "fake", session_id: "s", token })
            await client.waitFor("session_start")
            return client
          },
          ask: async (path, body, method = "POST") => {
            const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
              method,
              headers: { authorization: `Bearer ${operator}`, "content-type": "application/json" },
              ...(method !== "DELETE" && { body: JSON.stringify(body) })
            })
            return { status: answer.status, text: await answer.text() }
          }
        })
      )
    }))

/** What became of the command. */
const tried = async (client: Client, command: object) => {
  const message_id = `m${Math.random()}`
  client.send({ ...command, message_id })
  const { code, status, text } = await client.waitFor((event) =>
    event["message_id"] === message_id && (event.type === "error" || event.type === "input_ack")
  )
  return { got: code ?? status, text: String(text) }
}

const statusOf = (client: Client, name: string) =>
  client.waitFor((event) => event.type === "status" && event["status"] === name)

describe("whoever drives", () => {
  test("is known by the number of their connection, which each is told alone", async (door) => {
    const ann = await door.join()
    const bob = await door.join()
    const own = async (client: Client) => (await statusOf(client, "joined"))["metadata"].connection as number
    assert.notStrictEqual(await own(ann), await own(bob))
    ann.send({ text: "hello" })
    const told = await statusOf(bob, "driver")
    assert.deepInclude(told["metadata"], { reason: "took" })
    assert.strictEqual(told["metadata"].driver.connection, await own(ann))
    assert.lengthOf(
      bob.events.filter(({ type, ...event }) => type === "status" && event["status"] === "joined"),
      1
    )

    // Who comes later knows at once.
    const cid = await door.join()
    const start = await cid.waitFor("session_start")
    assert.strictEqual(start["metadata"].drivers, "one")
    assert.strictEqual(start["metadata"].driver.connection, await own(ann))

    assert.strictEqual((await tried(bob, { text: "mine" })).got, "not_driving")
    // It was told to them alone.
    ann.send({ type: "ping" })
    await statusOf(ann, "pong")
    assert.isEmpty(ann.events.filter((event) => event["code"] === "not_driving"))

    assert.strictEqual((await tried(bob, { type: "drive" })).got, "sent")
    const { metadata: { request_id } } = await statusOf(ann, "drive_requested") as never
    assert.strictEqual((await tried(ann, { type: "drive_response", request_id, allow: true })).got, "sent")
    assert.strictEqual((await tried(bob, { text: "mine" })).got, "sent")
    assert.strictEqual((await tried(ann, { type: "interrupt" })).got, "not_driving")

    await bob.close()
    await ann.waitFor((event) =>
      event.type === "status" && event["status"] === "driver" && event["metadata"].reason === "left"
    )
    assert.strictEqual((await tried(ann, { text: "again" })).got, "sent")
  })

  test("is never one who may only look, nor one whose token is gone", async (door) => {
    const ann = await door.join()
    ann.send({ text: "hello" })
    await ann.waitFor("turn_end")
    const before = ann.events.length
    const view = await door.join(await door.token("viewer", ["view"]))
    for (
      const command of [
        { type: "drive" },
        { type: "drive_response", request_id: "x", allow: true },
        { type: "suggest", text: "rm -rf /" },
        { type: "suggestion_response", suggestion_id: "x", send: true },
        { text: "mine" }
      ]
    ) {
      assert.strictEqual((await tried(view, command)).got, "forbidden", JSON.stringify(command))
    }
    await ann.close()
    assert.strictEqual((await tried(view, { type: "drive" })).got, "forbidden")
    assert.isAtLeast(before, 1)
    assert.lengthOf(door.fake.agent().sent, 1)
  })

  test("of a terminal is one who may type there", async (door) => {
    const ann = await door.join()
    const prompting = await door.join(await door.token("prompting", ["prompt"]))
    for (const type of ["drive", "interrupt", "end"]) {
      const { got, text } = await tried(prompting, { type })
      assert.strictEqual(got, "forbidden")
      assert.include(text, "needs the scope `terminal`")
    }
    assert.strictEqual((await tried(ann, { type: "stdin", data: "ls\r" })).got, "sent")
  }, { capabilities: { terminal: true } })

  test("is obeyed by every way in, and says what to do", async (door) => {
    const ann = await door.join()
    ann.send({ text: "hello" })
    await ann.waitFor("turn_end")
    const { sent } = door.fake.agent()
    const count = sent.length

    const refusals: Array<string> = []
    for (
      const [path, body, method] of [
        ["/schedules", { session_id: "s", content: "later", every: "@daily" }, "POST"],
        ["/chat/fake", {
          id: "s",
          messages: [{ id: "u1", role: "user", parts: [{ type: "text", text: "by chat" }] }],
          trigger: "submit-message"
        }, "POST"],
        ["/agui/fake", {
          threadId: "s",
          runId: "r1",
          state: {},
          messages: [{ id: "u2", role: "user", content: "by ag-ui" }],
          tools: [],
          context: [],
          forwardedProps: {}
        }, "POST"],
        ["/mcp", {
          jsonrpc: "2.0",
          id: 1,
          method: "tools/call",
          params: { name: "relay_prompt", arguments: { session_id: "s", text: "by mcp" } }
        }, "POST"]
      ] as const
    ) {
      const { text } = await door.ask(path, body, method)
      refusals.push(text)
    }
    const editor = new WebSocket(`ws://127.0.0.1:${door.port}/acp`, {
      headers: { authorization: `Bearer ${operator}` }
    })
    const answers = new Map<number, object>()
    const answered = (id: number, method: string, params: object) =>
      new Promise<Record<string, unknown>>((resolve) => {
        const onMessage = (data: Buffer) => {
          const message = JSON.parse(String(data)) as { readonly id?: number }
          if (message.id !== id) return
          answers.set(id, message)
          editor.off("message", onMessage)
          resolve(message as Record<string, unknown>)
        }
        editor.on("message", onMessage)
        editor.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
      })
    await new Promise((resolve) => editor.once("open", resolve))
    await answered(1, "initialize", { protocolVersion: 1, clientCapabilities: {} })
    await answered(2, "session/load", { sessionId: "s", cwd: process.cwd(), mcpServers: [] })
    const prompted = await answered(3, "session/prompt", {
      sessionId: "s",
      prompt: [{ type: "text", text: "by an editor" }]
    })
    refusals.push(JSON.stringify(prompted["error"]))
    editor.close()

    for (const text of refusals) assert.include(text, "drives this session", text)
    for (const text of refusals.slice(1)) assert.include(text, "`drive`", text)
    assert.lengthOf(sent, count)
    assert.lengthOf(
      (await (await fetch(`http://127.0.0.1:${door.port}/schedules`, {
        headers: { authorization: `Bearer ${operator}` }
      })).json() as { schedules: ReadonlyArray<object> }).schedules,
      0
    )

    // Once nobody drives, the same is done.
    await ann.close()
    const { text } = await door.ask("/chat/fake", {
      id: "s",
      messages: [{ id: "u3", role: "user", parts: [{ type: "text", text: "by chat" }] }],
      trigger: "submit-message"
    })
    assert.include(text, "Done.")
  })
})
