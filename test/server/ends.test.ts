/** An answer that is cut off: whoever reads it, over whichever front, is told why and what to do, and it does not look complete. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocket } from "ws"
import { RelayServer } from "../../src/server/RelayServer.js"
import { Auth } from "../../src/services/access/Auth.js"
import { connect } from "../support/client.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { until } from "../support/processes.js"
import { layerOf, type Options } from "../support/relayServer.js"

const operator = "operators-own-token"

// What the fronts answer: each reads what it knows is there.
type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

interface Place {
  readonly port: number
  readonly fake: FakeAdapter.FakeAdapter
  readonly token: string
  readonly ask: (path: string, init?: { method?: string; body?: object; token?: string }) => Promise<Response>
  readonly revoke: () => Promise<unknown>
  readonly end: () => Promise<void>
}

const test = (name: string, body: (place: Place) => Promise<unknown>, options: Options = {}) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const state_dir = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-ends-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const fake = FakeAdapter.make({
        onCommand: ({ type }, agent) =>
          type === "user_message"
            ? agent.say({ type: "stream_event", delta: "text", text: "Half of " })
            : type === "interrupt"
            ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
            : Effect.void,
        ...options
      })
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const built = yield* Layer.buildWithScope(
        layerOf(fake, {
          token: Redacted.make(operator),
          fronts: ["acp", "chat", "agui", "mcp"],
          drain: 0,
          state_dir,
          ...options
        }),
        scope
      )
      const { address: { port } } = Context.get(built, RelayServer)
      const { tokens } = Context.get(built, Auth)
      const { token } = yield* tokens.make({ name: "anna", scopes: ["prompt", "approve"] })
      yield* Effect.promise(() =>
        body({
          port,
          fake,
          token,
          ask: (path, { body, method = body === undefined ? "GET" : "POST", token: other = token } = {}) =>
            fetch(`http://127.0.0.1:${port}${path}`, {
              method,
              headers: { authorization: `Bearer ${other}`, "content-type": "application/json" },
              ...(body !== undefined && { body: JSON.stringify(body) })
            }),
          revoke: () => Effect.runPromise(tokens.revoke("anna")),
          end: () => Effect.runPromise(Scope.close(scope, Exit.void))
        })
      )
    }))

const dataIn = (text: string): ReadonlyArray<Json> =>
  text.split("\n").flatMap((line) =>
    line.startsWith("data: {") ? [JSON.parse(line.slice("data: ".length)) as Json] : []
  )

interface Reading {
  /** The session's name. */
  readonly id: string
  /** What the reader was told at last; fails if the answer looks complete or cancelled. */
  readonly told: Promise<string>
}

const prompt = (id: string, message = "m") => ({
  id,
  trigger: "submit-message",
  messages: [{ id: message, role: "user", parts: [{ type: "text", text: "go" }] }]
})
const run = (id: string, more: object = {}) => ({
  threadId: id,
  runId: "r",
  messages: [{ id: "u", role: "user", content: "go" }],
  tools: [],
  context: [],
  state: {},
  ...more
})

const toldInChat = async (answer: Promise<Response>) => {
  const text = await (await answer).text()
  assert.isTrue(text.endsWith("data: [DONE]\n\n"), text)
  const { errorText, type } = dataIn(text).at(-1) ?? {}
  assert.strictEqual(type, "error", text)
  return errorText as string
}
const toldInRun = async (answer: Promise<Response>) => {
  const text = await (await answer).text()
  const { code, message, type } = dataIn(text).at(-1) ?? {}
  assert.strictEqual(type, "RUN_ERROR", text)
  assert.isString(code)
  return message as string
}

/** An editor in a new session. */
const edit = async ({ port, token }: Place) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/acp?tool=fake`, {
    headers: { authorization: `Bearer ${token}` }
  })
  const heard: Array<Json> = []
  socket.on("message", (data: Buffer) => heard.push(JSON.parse(data.toString()) as Json))
  const closed = once(socket, "close").then(([code, reason]) => `${code} ${reason}`)
  await once(socket, "open")
  const request = async (id: number, method: string, params: object) => {
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
    const answer = () => heard.find((message) => message["id"] === id && message["method"] === undefined)
    await until(() => answer() !== undefined)
    return answer() ?? {}
  }
  await request(1, "initialize", { protocolVersion: 1, clientCapabilities: {} })
  const { result } = await request(2, "session/new", { cwd: process.cwd(), mcpServers: [] })
  const id = result.sessionId as string
  const told = async (rpcId: number) => {
    const answer = await request(rpcId, "session/prompt", {
      sessionId: id,
      prompt: [{ type: "text", text: "go" }]
    })
    assert.isDefined(answer["error"], JSON.stringify(answer))
    return answer["error"].message as string
  }
  return { id, told, closed }
}

const tool = async (place: Place, name: string, args: object) =>
  await (await place.ask("/mcp", {
    body: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } }
  })).json() as Json

const fronts: Readonly<Record<string, (place: Place) => Promise<Reading>>> = {
  "WebSocket": async ({ port, token }) => {
    const client = await connect(`ws://127.0.0.1:${port}/`, { tool: "fake", session_id: "ws", token })
    await client.waitFor("session_start")
    client.send({ text: "go" })
    return { id: "ws", told: client.closed.then(() => client.events.findLast(isError)?.["text"] as string) }
  },
  "Server-Sent Events": async ({ ask, port }) => {
    const owner = await connect(`ws://127.0.0.1:${port}/`, {
      tool: "fake",
      session_id: "sse",
      token: operator
    })
    await owner.waitFor("session_start")
    owner.send({ text: "go" })
    const answer = await ask("/sessions/sse/events")
    const told = answer.text().then((text) => dataIn(text).findLast(isError)?.["text"] as string)
    return { id: "sse", told }
  },
  ...Object.fromEntries([5, 6, 7].map((version) => [
    `AI SDK ${version}`,
    ({ ask }: Place) => {
      const id = `chat-${version}`
      return Promise.resolve({ id, told: toldInChat(ask(`/chat/fake@${version}`, { body: prompt(id) })) })
    }
  ])),
  "AG-UI": ({ ask }) =>
    Promise.resolve({ id: "agui", told: toldInRun(ask("/agui/fake", { body: run("agui") })) }),
  "AG-UI, connected": async ({ ask, fake }) => {
    const first = ask("/agui/fake", { body: run("connect"), token: operator })
    await begun(fake)
    const answer = await ask("/agui/agent/fake/connect", { body: run("connect", { messages: [] }) })
    await (await first).body?.cancel()
    const told = toldInRun(Promise.resolve(answer))
    return { id: "connect", told }
  },
  "ACP": async (place) => {
    const { closed, id, told } = await edit(place)
    return { id, told: told(3).finally(() => void closed) }
  },
  "MCP": async (place) => {
    const opened = await tool(place, "relay_open", { tool: "fake", folder: process.cwd() })
    const { session_id } = opened["result"].structuredContent
    const waited = tool(place, "relay_prompt", { session_id, text: "go" })
    const told = waited.then(({ result, text }) => {
      if (result === undefined) return text as string
      assert.strictEqual(result.structuredContent.state, "failed")
      return result.structuredContent.note as string
    })
    return { id: session_id, told }
  }
}

const isError = ({ type }: Json) => type === "error"

/** So many agents have begun to answer. */
const begun = ({ agents }: FakeAdapter.FakeAdapter, count = 1) =>
  until(() => agents.filter(({ sent }) => sent.some(({ type }) => type === "user_message")).length >= count)

/** What cuts an answer off, and what its reader is told. */
const cuts: Readonly<
  Record<string, readonly [cut: (place: Place, id: string) => Promise<unknown>, told: RegExp]>
> = {
  "its session is deleted": [
    ({ ask }, id) => ask(`/sessions/${id}`, { method: "DELETE", token: operator }),
    /^The session was deleted during this turn\. The next prompt begins a new conversation\.$/
  ],
  "somebody ends its session": [
    async ({ port }, id) => {
      const other = await connect(`ws://127.0.0.1:${port}/`, { session_id: id, token: operator })
      await other.waitFor("session_start")
      other.send({ type: "end" })
      await other.closed
    },
    /^The session was ended during this turn\. The next prompt reopens it\.$/
  ],
  "its relay is stopped": [
    ({ end }) => end(),
    /^The relay was stopped during this turn\. When it is back, the next prompt continues/
  ],
  "the agent crashes": [
    ({ fake }) => Effect.runPromise(fake.agent().exit({ exit_code: 1, stderr: ["out of memory"] })),
    /^fake stopped unexpectedly \(exit code 1\)\. out of memory Open the session again to continue\.$/
  ],
  "its token is revoked": [({ revoke }) => revoke(), /"anna" was revoked: ask the operator for a new one$/]
}

describe("a reader of an answer that is cut off is told why and what to do", () => {
  for (const [front, read] of Object.entries(fronts)) {
    for (const [name, [cut, expected]] of Object.entries(cuts)) {
      test(`${front}: when ${name}`, async (place) => {
        const { id, told } = await read(place)
        await begun(place.fake)
        await cut(place, id)
        assert.match(await told, expected)
      })
    }
  }

  for (
    const [name, expected] of Object.entries({
      "its session is deleted": /deleted before the prompt's turn began: send it again/,
      "its relay is stopped":
        /relay was stopped before the prompt's turn began: send it again when it is back/,
      "the agent crashes": /agent stopped before the prompt's turn began: send it again/
    })
  ) {
    test(`a prompt that waits behind another: when ${name}`, async (place) => {
      const { closed, id, told } = await edit(place)
      const first = told(3)
      await begun(place.fake)
      const queued = [
        told(4),
        toldInChat(place.ask("/chat/fake@7", { body: prompt(id, "m2") })),
        toldInRun(place.ask("/agui/fake", { body: run(id) }))
      ]
      const isQueued = async () => {
        const { sessions } = await (await place.ask("/sessions")).json() as { sessions: ReadonlyArray<Json> }
        return sessions[0]?.["queued"]?.length === 3
      }
      while (!(await isQueued()));
      await (cuts[name] as (typeof cuts)[string])[0](place, id)
      for (const words of await Promise.all(queued)) assert.match(words, expected)
      assert.notMatch(await first, /before the prompt's turn began/)
      if (name === "its relay is stopped") assert.match(await closed, /^1012 the relay is shutting down/)
    })
  }

  test("an editor's answers come before its connection is closed", async (place) => {
    const { closed, told } = await edit(place)
    const both = [told(3), told(4)]
    await begun(place.fake)
    await place.revoke()
    for (const words of await Promise.all(both)) assert.match(words, /"anna" was revoked/)
    assert.match(await closed, /^1008 the token "anna" was revoked/)
  })

  test("the last word of Server-Sent Events moves no cursor", async ({ ask, port, revoke }) => {
    const owner = await connect(`ws://127.0.0.1:${port}/`, {
      tool: "fake",
      session_id: "sse",
      token: operator
    })
    await owner.waitFor("session_start")
    const answer = await ask("/sessions/sse/events")
    await revoke()
    const text = await answer.text()
    const [first, last] = text.trim().split("\n\n")
    assert.match(first ?? "", /^id: 1\n/)
    const event = JSON.parse((last ?? "").replace("data: ", "")) as Json
    assert.deepInclude(event, { type: "error", code: "unauthorized", seq: 1, metadata: { fatal: true } })
  })

  test("whoever answers a question of a session that is deleted meanwhile", async ({ ask }) => {
    const approval = {
      type: "dynamic-tool",
      toolCallId: "t",
      toolName: "Bash",
      state: "approval-responded",
      input: {}
    }
    const answers = [
      ask("/chat/fake@7", {
        body: {
          id: "gone",
          trigger: "submit-message",
          messages: [
            ...prompt("gone").messages,
            {
              id: "t-2",
              role: "assistant",
              metadata: { relay: { seq: 4 } },
              parts: [{ ...approval, approval: { id: "r", approved: true } }]
            }
          ]
        }
      }),
      ask("/chat/fake@7/gone/answer", { body: { request_id: "r", behavior: "allow" } }),
      ask("/agui/fake", {
        body: run("gone", { resume: [{ interruptId: "r", status: "resolved", payload: { approved: true } }] })
      })
    ]
    for (const answer of await Promise.all(answers)) {
      assert.strictEqual(answer.status, 404)
      assert.match(
        await answer.text(),
        /there is no session .*"gone.*": send a message to begin a new conversation/
      )
    }
  })

  let isOpening = false
  test("whoever waits for a session that is deleted meanwhile", async ({ ask }) => {
    const waiting = ask("/chat/fake@7", { body: prompt("slow") })
    await until(() => isOpening)
    assert.strictEqual((await ask("/sessions/slow", { method: "DELETE", token: operator })).status, 204)
    const answer = await waiting
    assert.strictEqual(answer.status, 404)
    assert.strictEqual(
      await answer.text(),
      "there is no session \"slow\": send a message to begin a new conversation"
    )
  }, {
    opening: () =>
      Effect.sync(() => {
        isOpening = true
      }).pipe(Effect.andThen(Effect.never))
  })
})
