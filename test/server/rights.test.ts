/** What a token may not do, and what it no longer may, over each front: the person is told why. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { once } from "node:events"
import { WebSocket } from "ws"
import { RelayServer } from "../../src/server/RelayServer.js"
import { Auth } from "../../src/services/access/Auth.js"
import { type Client, connect } from "../support/client.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { layerOf } from "../support/relayServer.js"

const operator = "operators-own-token"

interface Door {
  readonly port: number
  readonly fake: FakeAdapter.FakeAdapter
  /** May prompt, and not approve. */
  readonly token: string
  readonly revoke: () => Promise<unknown>
  /** The operator, in the session "s", whose turn runs. */
  readonly owner: Client
  readonly request: (path: string, body?: object) => Promise<Response>
}

const silent: NonNullable<FakeAdapter.FakeOptions["onCommand"]> = (command, agent) =>
  command.type === "interrupt" ? agent.say({ type: "turn_end", stop_reason: "cancelled" }) : Effect.void

const test = (name: string, body: (door: Door) => Promise<unknown>) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const fake = FakeAdapter.make({ onCommand: silent })
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const layer = layerOf(fake, { token: Redacted.make(operator), fronts: ["acp", "chat", "agui", "mcp"] })
      const built = yield* Layer.buildWithScope(layer, scope)
      const { address: { port } } = Context.get(built, RelayServer)
      const { tokens } = Context.get(built, Auth)
      const { token } = yield* tokens.make({ name: "ann", scopes: ["prompt"] })
      yield* Effect.promise(async () => {
        const owner = await connect(`ws://127.0.0.1:${port}/`, {
          tool: "fake",
          session_id: "s",
          token: operator
        })
        owner.send({ text: "go" })
        await owner.waitFor("turn_start")
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
        await body({
          port,
          fake,
          token,
          revoke: () => Effect.runPromise(tokens.revoke("ann")),
          owner,
          request: (path, body) =>
            fetch(`http://127.0.0.1:${port}${path}`, {
              headers,
              ...(body !== undefined && { method: "POST", body: JSON.stringify(body) })
            })
        })
        owner.send({ type: "interrupt" })
        await owner.waitFor("turn_end")
      })
    }))

const runOf = (more: object = {}) => ({
  threadId: "s",
  runId: "r",
  messages: [],
  state: {},
  tools: [],
  context: [],
  forwardedProps: {},
  ...more
})

/** An editor that has loaded the session; `next` waits for a message that holds. */
const editorOn = async ({ port, token }: Door) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/acp`, {
    headers: { authorization: `Bearer ${token}` }
  })
  const said: Array<string> = []
  socket.on("message", (data) => said.push(String(data)))
  await once(socket, "open")
  const send = (message: object) => socket.send(JSON.stringify({ jsonrpc: "2.0", ...message }))
  const next = async (holds: RegExp): Promise<string> => {
    for (;;) {
      const found = said.find((text) => holds.test(text))
      if (found !== undefined) return found
      await once(socket, "message")
    }
  }
  send({ id: 1, method: "initialize", params: { protocolVersion: 1, clientCapabilities: {} } })
  send({ id: 2, method: "session/load", params: { sessionId: "s", cwd: process.cwd(), mcpServers: [] } })
  return { socket, send, next }
}

describe("a token that may not approve", () => {
  test("answers nothing, and its person is told why over each front", async (door) => {
    const { fake, owner, request } = door
    const outcome = Effect.runPromise(fake.agent().ask(FakeAdapter.askFor("q")))
    const { request_id, seq } = await owner.waitFor("permission_request")
    const editor = await editorOn(door)
    const { id } = JSON.parse(await editor.next(/session\/request_permission/)) as { id: number }
    editor.send({ id, result: { outcome: { outcome: "selected", optionId: "allow" } } })
    await editor.next(/session\/update.*needs the scope `approve`/)
    const approval = { id: request_id, approved: true }
    const part = { type: "dynamic-tool", toolCallId: "x", state: "approval-responded", approval }
    const shown = { id: "a", role: "assistant", metadata: { relay: { seq } }, parts: [part] }
    const resume = [{ interruptId: request_id, status: "resolved", payload: { approved: true } }]
    const call = { name: "relay_answer", arguments: { session_id: "s", request_id, behavior: "allow" } }
    for (
      const [path, body] of [
        ["/chat/fake@7", { id: "s", messages: [shown] }],
        ["/chat/fake@7/s/answer", { request_id, behavior: "allow" }],
        ["/agui/fake", runOf({ resume })],
        ["/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params: call }]
      ] as const
    ) {
      assert.match(await (await request(path, body)).text(), /needs the scope `approve`/, path)
    }
    owner.send({ type: "permission_response", request_id, behavior: "deny" })
    assert.deepInclude(await outcome, { behavior: "deny" })
    editor.socket.terminate()
  })
})

describe("a token that is revoked in the middle of an answer", () => {
  test("has streams that end with the reason, in their own protocol", async (door) => {
    const { fake, request, revoke } = door
    const editor = await editorOn(door)
    await editor.next(/"id":2/)
    const closed = once(editor.socket, "close")
    const answers = await Promise.all([
      request("/chat/fake@7/s/stream"),
      request("/agui/agent/fake/connect", runOf()),
      request("/sessions/s/events?after_seq=0")
    ])
    const texts = answers.map((answer) => answer.text())
    await Effect.runPromise(fake.agent().say({ type: "stream_event", delta: "text", text: "half" }))
    await editor.next(/half/)
    await revoke()
    const [chat = "", agui = "", events = ""] = await Promise.all(texts)
    for (const text of [chat, agui, events]) assert.include(text, "half")
    assert.match(chat, /"type":"error","errorText":"the token .* was revoked: ask[^]*\[DONE\]/)
    assert.match(agui, /"type":"RUN_ERROR","message":"the token .* was revoked: ask/)
    const [code, reason] = await closed as [number, Buffer]
    assert.strictEqual(code, 1008)
    assert.match(String(reason), /was revoked: ask/)
  })
})
