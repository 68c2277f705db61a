/** What named tokens may do at a relay, over each way in; and that they may not, as soon as they are revoked. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import * as fc from "fast-check"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocket } from "ws"
import { commandScopes } from "../../src/schema/commandScopes.js"
import { scopes } from "../../src/schema/index.js"
import { RelayServer } from "../../src/server/RelayServer.js"
import { Auth } from "../../src/services/access/Auth.js"
import type { Wanted } from "../../src/services/access/Tokens.js"
import { SessionRegistry } from "../../src/services/session/SessionRegistry.js"
import { type Client, connect } from "../support/client.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { layerOf, type Options } from "../support/relayServer.js"

interface Door {
  readonly port: number
  readonly fake: FakeAdapter.FakeAdapter
  readonly registry: SessionRegistry["Service"]
  /** A new token. */
  readonly token: (wanted: Partial<Wanted>) => Promise<string>
  readonly revoke: (name: string) => Promise<boolean>
  readonly join: (token: string, fields?: object) => Promise<Client>
  readonly ask: (token: string, path: string, init?: RequestInit) => Promise<Response>
}

const operator = "operators-own-token"

/** A relay that everybody needs a token for. */
const test = (name: string, body: (door: Door) => Promise<unknown>, options: Options = {}) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const fake = FakeAdapter.make({ onCommand: FakeAdapter.answering(), ...options })
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const built = yield* Layer.buildWithScope(
        layerOf(fake, { token: Redacted.make(operator), ...options }),
        scope
      )
      const { address: { port } } = Context.get(built, RelayServer)
      const { tokens } = Context.get(built, Auth)
      let made = 0
      const token: Door["token"] = async (wanted) =>
        (await Effect.runPromise(tokens.make({ name: `t${++made}`, scopes: ["view"], ...wanted }))).token
      yield* Effect.promise(() =>
        body({
          port,
          fake,
          registry: Context.get(built, SessionRegistry),
          token,
          revoke: (name) => Effect.runPromise(tokens.revoke(name)),
          join: (token, fields = {}) =>
            connect(`ws://127.0.0.1:${port}/`, { tool: "fake", session_id: "s", token, ...fields }),
          ask: (token, path, init = {}) =>
            fetch(`http://127.0.0.1:${port}${path}`, {
              ...init,
              headers: { authorization: `Bearer ${token}`, ...init.headers as Record<string, string> }
            })
        })
      )
    }))

const begin = async (door: Door, fields: object = {}) => {
  const owner = await door.join(operator, fields)
  await owner.waitFor("session_start")
  return owner
}

/** What the client was refused with, by the message it sent. */
const refusedWith = async (client: Client, command: object) => {
  const message_id = `m${Math.random()}`
  client.send({ ...command, message_id })
  client.send({ type: "ping" })
  const { code, text } = await client.waitFor((event) => event["message_id"] === message_id)
  return { code, text: String(text) }
}

/** One of each, as docs/protocol.md shows them. */
const examples = new Map(
  [
    ...readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8").split(/^## /m)
      .find((section) => section.startsWith("Commands"))?.matchAll(/^```json\n([^]*?)\n```$/gm) ?? []
  ]
    .map(([, code = ""]) => JSON.parse(code) as { readonly type?: keyof typeof commandScopes })
    .map((command) => [command.type ?? "user_message", command] as const)
)

describe("a token without a command's scope", () => {
  test("is refused, told which scope it needs, and the session does not notice", async (door) => {
    await begin(door)
    for (const scope of scopes.filter((scope) => scope !== "admin")) {
      const client = await door.join(await door.token({ name: `only ${scope}`, scopes: [scope] }))
      await client.waitFor("session_start")
      const before = door.registry.all()[0]?.log.lastSeq()
      assert.sameMembers([...examples.keys()], Object.keys(commandScopes))
      for (const [type, command] of examples) {
        const needs = commandScopes[type]
        if (needs === scope || needs === "view") continue
        const { code, text } = await refusedWith(client, command)
        assert.strictEqual(code, "forbidden", `${type} with ${scope}`)
        assert.include(text, `needs the scope \`${needs}\``)
        assert.include(text, `"only ${scope}"`)
      }
      assert.strictEqual(door.registry.all()[0]?.log.lastSeq(), before)
      await client.close()
    }
  })

  test("may do what its scope says", async (door) => {
    const owner = await begin(door)
    const prompting = await door.join(await door.token({ scopes: ["prompt"] }))
    await prompting.waitFor("session_start")
    prompting.send({ text: "hello" })
    await owner.waitFor("turn_end")
  })
})

describe("opening a session", () => {
  test("needs `prompt`; and more, for what decides or loads more", async (door) => {
    const view = await door.join(await door.token({ name: "viewer" }))
    const { code, text } = await view.waitFor("error")
    assert.strictEqual(code, "forbidden")
    assert.include(String(text), "`prompt`")
    assert.strictEqual(await view.closed, 1008)
    assert.isEmpty(door.registry.all())

    const token = await door.token({ scopes: ["prompt"] })
    const more: ReadonlyArray<readonly [object, string]> = [
      [{ permission_mode: "bypassPermissions" }, "approve"],
      [{ approval_policy: "never" }, "approve"],
      [{ sandbox: "danger-full-access" }, "approve"],
      [{ env: { A: "b" } }, "admin"],
      [{ extra_args: ["--x"] }, "admin"],
      [{ mcp_servers: [{ name: "x", command: "sh" }] }, "admin"],
      [{ command: ["sh"] }, "terminal"]
    ]
    for (const [fields, needs] of more) {
      const client = await door.join(token, fields)
      const error = await client.waitFor("error")
      assert.strictEqual(error["code"], "forbidden", JSON.stringify(fields))
      assert.include(String(error["text"]), `\`${needs}\``)
      await client.closed
    }
    const client = await door.join(token)
    await client.waitFor("session_start")
  }, { allow_env: ["A"] })
})

describe("a token that is limited", () => {
  test("to a session sees and has no other, by any way", async (door) => {
    await begin(door)
    const other = await begin(door, { session_id: "other" })
    await other.turn("a secret")
    const token = await door.token({ scopes: ["admin"], sessions: ["s"] })

    const mine = await door.join(token)
    await mine.waitFor("session_start")
    for (const session_id of ["other", "new", undefined]) {
      const client = await door.join(token, { session_id })
      const error = await client.waitFor("error")
      assert.strictEqual(error["code"], "forbidden", String(session_id))
      assert.notInclude(JSON.stringify(client.events), "secret")
    }
    const { sessions } = await (await door.ask(token, "/sessions")).json() as {
      sessions: Array<{ session_id: string }>
    }
    assert.deepStrictEqual(sessions.map(({ session_id }) => session_id), ["s"])
    for (
      const [path, init, status] of [
        ["/sessions/other/events", {}, 404],
        ["/sessions/other", { method: "DELETE" }, 404],
        ["/sessions/other", { method: "PATCH", body: "{\"title\":\"x\"}" }, 404],
        ["/usage", {}, 403],
        ["/metrics", {}, 403],
        ["/native-sessions", {}, 403]
      ] as const
    ) {
      const answer = await door.ask(token, path, init)
      assert.strictEqual(answer.status, status, path)
      assert.notInclude(await answer.text(), "secret")
    }
    const watching = await connect(`ws://127.0.0.1:${door.port}/`, { watch: "sessions", token })
    const list = await watching.waitFor("session_list")
    assert.lengthOf(list["sessions"], 1)
    await door.ask(operator, "/sessions/other", { method: "PATCH", body: "{\"title\":\"told to nobody\"}" })
    await door.ask(operator, "/sessions/other", { method: "DELETE" })
    await door.ask(operator, "/sessions/s", { method: "PATCH", body: "{\"title\":\"mine\"}" })
    await watching.waitFor((event) => event.type === "session_changed" && event["session"].title === "mine")
    assert.notInclude(JSON.stringify(watching.events), "other")
    assert.notInclude(JSON.stringify(watching.events), "told to nobody")
  })

  test("to a folder or an agent opens nothing elsewhere", async (door) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-limits-")))
    try {
      mkdirSync(join(folder, "in"))
      mkdirSync(join(folder, "inner"))
      const token = await door.token({ scopes: ["prompt"], folders: [join(folder, "in")] })
      const outside = await door.join(token, { folder: join(folder, "inner") })
      assert.strictEqual((await outside.waitFor("error"))["code"], "forbidden")
      const inside = await door.join(token, { folder: join(folder, "in") })
      await inside.waitFor("session_start")
      const codex = await door.join(await door.token({ scopes: ["prompt"], agents: ["codex"] }), {
        session_id: "z",
        folder
      })
      assert.strictEqual((await codex.waitFor("error"))["code"], "forbidden")
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, { roots: [tmpdir()] })
})

describe("a revoked token", () => {
  test("has no connection a second later: sockets, lists, streams, editors", async (door) => {
    await begin(door)
    const token = await door.token({ name: "gone", scopes: ["prompt"] })
    const stays = await door.join(await door.token({ name: "stays", scopes: ["prompt"] }))
    await stays.waitFor("session_start")

    const socket = await door.join(token)
    await socket.waitFor("session_start")
    const { ticket } = await (await door.ask(token, "/ticket", { method: "POST" })).json() as {
      ticket: string
    }
    const byTicket = await connect(`ws://127.0.0.1:${door.port}/`, { session_id: "s", ticket })
    await byTicket.waitFor("session_start")
    const list = await connect(`ws://127.0.0.1:${door.port}/`, { watch: "sessions", token })
    await list.waitFor("session_list")
    const stream = await door.ask(token, "/sessions/s/events")
    const editor = new WebSocket(`ws://127.0.0.1:${door.port}/acp`, {
      headers: { authorization: `Bearer ${token}` }
    })
    const editorGone = once(editor, "close")
    await once(editor, "open")
    const unused = await (await door.ask(token, "/ticket", { method: "POST" })).json() as { ticket: string }

    const since = Date.now()
    await door.revoke("gone")
    const [codes] = await Promise.all([
      Promise.all([socket.closed, byTicket.closed, list.closed]),
      stream.text().catch(() => ""),
      editorGone
    ])
    assert.isBelow(Date.now() - since, 1000)
    assert.deepStrictEqual(codes, [1008, 1008, 1008])
    const error = await socket.waitFor("error")
    assert.strictEqual(error["code"], "unauthorized")
    assert.include(String(error["text"]), "\"gone\" was revoked")

    assert.strictEqual((await door.ask(token, "/sessions")).status, 401)
    const late = await connect(`ws://127.0.0.1:${door.port}/`, { session_id: "s", ticket: unused.ticket })
    assert.strictEqual((await late.waitFor("error"))["code"], "unauthorized")
    await stays.turn("still here")
  })
})

describe("a schedule over HTTP", () => {
  test("is none of a terminal's, which would run it as a command", async (door) => {
    await begin(door)
    const prompting = await door.token({ scopes: ["prompt"] })
    const body = JSON.stringify({ session_id: "s", content: "touch x", every: "* * * * *" })
    const answer = await door.ask(prompting, "/schedules", { method: "POST", body })
    assert.strictEqual(answer.status, 400)
    assert.include(await answer.text(), "a terminal takes no schedules")
  }, { capabilities: { terminal: true } })
})

describe("a ticket", () => {
  const ticketOf = async (door: Door, token: string) =>
    await (await door.ask(token, "/ticket", { method: "POST" })).json() as { readonly ticket?: string }

  test("of a token that was revoked meanwhile opens nothing", async (door) => {
    const token = await door.token({ name: "gone", scopes: ["prompt"] })
    const { ticket } = await ticketOf(door, token)
    await door.revoke("gone")
    const client = await connect(`ws://127.0.0.1:${door.port}/`, { tool: "fake", session_id: "new", ticket })
    client.send({ text: "do something" })
    assert.strictEqual((await client.waitFor("error"))["code"], "unauthorized")
    assert.lengthOf(door.fake.agents, 0)
  })

  test("is there for others, however many one token has not used", async (door) => {
    const token = await door.token({ name: "greedy" })
    let last = await ticketOf(door, token)
    for (let n = 0; n < 1000; n++) last = await ticketOf(door, token)
    assert.isUndefined(last.ticket)
    assert.isString((await ticketOf(door, operator)).ticket)
  })

  test("carries what its maker may, and no more", async (door) => {
    await begin(door)
    const token = await door.token({ name: "viewer" })
    const { ticket } = await (await door.ask(token, "/ticket", { method: "POST" })).json() as {
      ticket: string
    }
    const client = await connect(`ws://127.0.0.1:${door.port}/`, { session_id: "s", ticket })
    await client.waitFor("session_start")
    assert.strictEqual((await refusedWith(client, { text: "hello" })).code, "forbidden")
  })
})

describe("/whoami", () => {
  test("tells the name, what it may do, where, and until when", async (door) => {
    const token = await door.token({
      name: "ci",
      scopes: ["view", "prompt"],
      sessions: ["s"],
      expires_in: 60
    })
    const { expires_at, ...rest } = await (await door.ask(token, "/whoami")).json() as { expires_at: number }
    assert.deepStrictEqual(
      rest,
      { admitted: true, name: "ci", scopes: ["view", "prompt"], sessions: ["s"] } as never
    )
    assert.approximately(expires_at, Date.now() / 1000 + 60, 5)
    assert.deepStrictEqual(
      await (await door.ask(operator, "/whoami")).json(),
      { admitted: true, name: "default", scopes: ["admin"], version: "development", machine: hostname() }
    )
  })
})

describe("a link to a session", () => {
  const share = (door: Door, token: string, session_id: string, body: object) =>
    door.ask(token, `/sessions/${session_id}/share`, { method: "POST", body: JSON.stringify(body) })

  test("lets its holder do there what it says, nowhere else, and goes with whoever made it", async (door) => {
    const owner = await begin(door)
    await begin(door, { session_id: "other" })
    const maker = await door.token({ name: "maker", scopes: ["admin"] })
    const answer = await share(door, maker, "s", { scopes: ["view"], expires_in: 3600 })
    assert.strictEqual(answer.status, 201)
    const link = await answer.json() as { token: string; fragment: string; expires_at: number; name: string }
    assert.strictEqual(link.fragment, `#/s/s?token=${link.token}`)
    assert.approximately(link.expires_at, Date.now() / 1000 + 3600, 5)
    const viewer = await door.join(link.token)
    await viewer.waitFor("session_start")
    await owner.turn("seen by all")
    await viewer.waitFor("turn_end")
    assert.strictEqual((await refusedWith(viewer, { text: "hello" })).code, "forbidden")
    const elsewhere = await door.join(link.token, { session_id: "other" })
    assert.strictEqual((await elsewhere.waitFor("error"))["code"], "forbidden")

    const listed = await (await door.ask(operator, "/tokens")).text()
    assert.include(listed, link.name)
    assert.notInclude(listed, link.token)
    assert.strictEqual((await door.ask(operator, "/tokens/maker", { method: "DELETE" })).status, 204)
    assert.strictEqual(await viewer.closed, 1008)
  })

  const [state_dir, elsewhere] = ["link", "elsewhere"].map((name) =>
    mkdtempSync(join(tmpdir(), `ai-relay-${name}-`))
  ) as [string, string] // Two of two.
  afterAll(() => [state_dir, elsewhere].forEach((folder) => rmSync(folder, { recursive: true })))

  test(
    "is for that session where it is: one of its name elsewhere is another, also once it is gone",
    async (door) => {
      const owner = await begin(door)
      const answer = await share(door, operator, "s", { scopes: ["view", "prompt"], expires_in: 3600 })
      const { token } = await answer.json() as { token: string }
      const moving = async (fields: object) =>
        (await (await door.join(token, fields)).waitFor((event) =>
          event["type"] === "error" || event["type"] === "session_start"
        ))["code"]
      assert.isUndefined(await moving({ tool: undefined }))
      owner.send({ type: "end" })
      await owner.closed
      assert.strictEqual(await moving({ tool: undefined, folder: elsewhere }), "forbidden")
      assert.strictEqual((await door.ask(operator, "/sessions/s", { method: "DELETE" })).status, 204)
      assert.strictEqual(await moving({ folder: elsewhere }), "forbidden")
      await begin(door, { folder: elsewhere })
      assert.strictEqual((await door.ask(token, "/sessions/s/events")).status, 404)
    },
    { state_dir, roots: [process.cwd(), elsewhere] }
  )

  test("ends with the token it was made with, if that ends first", async (door) => {
    await begin(door)
    const maker = await door.token({ name: "brief", scopes: ["admin"], expires_in: 120 })
    const soon = Date.now() / 1000 + 130
    const links = [
      await share(door, maker, "s", { scopes: ["view"], expires_in: 3600 }),
      await door.ask(maker, "/devices", {
        method: "POST",
        body: JSON.stringify({ scopes: ["prompt"], expires_in: 3600 })
      })
    ]
    for (const link of links) {
      assert.isBelow((await link.json() as { expires_at: number }).expires_at, soon)
    }
  })

  test("is made by those who may do all, of a session that is there, with an end", async (door) => {
    await begin(door)
    const good = { scopes: ["view"], expires_in: 3600 }
    const prompting = await door.token({ scopes: ["prompt", "approve", "terminal"] })
    assert.strictEqual((await share(door, prompting, "s", good)).status, 403)
    const elsewhere = await door.token({ scopes: ["admin"], sessions: ["x"] })
    assert.strictEqual((await share(door, elsewhere, "s", good)).status, 404)
    assert.strictEqual((await share(door, operator, "nobody", good)).status, 404)
    for (
      const bad of [{ scopes: [], expires_in: 60 }, { scopes: ["admin"], expires_in: 60 }, {
        scopes: ["view"]
      }, {
        ...good,
        expires_in: 1e9
      }]
    ) {
      assert.strictEqual((await share(door, operator, "s", bad)).status, 400, JSON.stringify(bad))
    }
  })
})

describe("who asked and who allowed", () => {
  test("is told by the token's name", async (door) => {
    const owner = await begin(door)
    const client = await door.join(await door.token({ name: "anna", scopes: ["prompt", "approve"] }), {
      front: "app"
    })
    await client.waitFor("session_start")
    client.send({ type: "raw_request", method: "x", message_id: "m" })
    const outcome = Effect.runPromise(door.fake.agent().ask(FakeAdapter.askFor("r")))
    const { request_id } = await owner.waitFor("permission_request")
    client.send({ type: "permission_response", request_id, behavior: "allow" })
    const { metadata } = await owner.waitFor((event) => event.type === "control_response")
    assert.strictEqual(metadata.by.token, "anna")
    assert.strictEqual(metadata.by.front, "app")
    assert.strictEqual((await outcome).behavior, "allow")
  })
})

describe("a budget of tokens", () => {
  test("is each token's own", async (door) => {
    const owner = await begin(door)
    const clients = await Promise.all(
      ["anna", "ben"].map(async (name) => door.join(await door.token({ name, scopes: ["prompt"] })))
    )
    let last = 0
    for (const client of clients) {
      client.send({ text: "go" })
      last = (await owner.waitFor("turn_end", { after: last })).seq
    }
    clients[0]?.send({ text: "go", message_id: "anna 2" })
    const refused = await owner.waitFor((event) => event["code"] === "budget_exceeded")
    assert.include(String(refused["text"]), "This access token has used")
    assert.strictEqual(door.fake.agent().sent.filter(({ type }) => type === "user_message").length, 2)
  }, { budgets: [{ scope: "token", unit: "turns", cap: 1 }], budget_at_cap: "stop" })

  test("is one with those of the links and devices made with it", async (door) => {
    const owner = await begin(door)
    const anna = await door.join(await door.token({ name: "anna", scopes: ["prompt"] }))
    await door.token({ name: "phone", scopes: ["prompt"], made_by: "anna" })
    const link = await door.join(await door.token({ name: "link", scopes: ["prompt"], made_by: "phone" }))
    anna.send({ text: "go" })
    await owner.waitFor("turn_end")
    link.send({ text: "go on", message_id: "2" })
    const refused = await owner.waitFor((event) => event["code"] === "budget_exceeded")
    assert.include(String(refused["text"]), "This access token has used")
  }, { budgets: [{ scope: "token", unit: "turns", cap: 1 }], budget_at_cap: "stop" })
})

describe("the audit", () => {
  const audit_dir = mkdtempSync(join(tmpdir(), "ai-relay-audited-"))
  afterAll(() => rmSync(audit_dir, { recursive: true }))

  test("tells who came, asked, allowed and changed, what ran, and who was turned away", async (door) => {
    const owner = await begin(door)
    const anna = await door.join(await door.token({ name: "anna", scopes: ["prompt", "approve"] }), {
      front: "app"
    })
    await anna.waitFor("session_start")
    await anna.turn("mend the total")
    const outcome = Effect.runPromise(door.fake.agent().ask(FakeAdapter.askFor("r")))
    await anna.waitFor("permission_request")
    anna.send({ type: "permission_response", request_id: "r", behavior: "allow" })
    await outcome
    await Effect.runPromise(
      door.fake.agent().say({ type: "tool_call", tool: "Bash", tool_use_id: "t", args: { command: "ls" } })
    )
    await owner.waitFor("tool_call")
    assert.strictEqual((await refusedWith(anna, { type: "raw_request", method: "x" })).code, "forbidden")
    assert.strictEqual((await door.ask("wrong", "/sessions")).status, 401)
    const bound = await door.token({ name: "bound", scopes: ["admin"], sessions: ["mine"] })
    assert.strictEqual((await door.ask(bound, "/tokens")).status, 403)
    assert.strictEqual((await (await door.join(bound)).waitFor("error"))["code"], "forbidden")
    const wish = JSON.stringify({ scopes: ["view"], expires_in: 60 })
    await door.ask(operator, "/sessions/s/share", { method: "POST", body: wish })
    await door.ask(operator, "/sessions/s", { method: "PATCH", body: "{\"title\":\"x\"}" })
    const lines = readFileSync(join(audit_dir, "audit.ndjson"), "utf8").trim().split("\n")
      // Lines of many kinds are looked at.
      // oxlint-disable-next-line no-explicit-any
      .map((line) => JSON.parse(line) as Record<string, any>)
    const find = (what: string, more: object = {}) =>
      lines.find((line) =>
        line["what"] === what && Object.entries(more).every(([name, value]) => line[name] === value)
      )
    assert.strictEqual(find("open")?.["by"].token, "default")
    assert.deepInclude(find("attach")?.["by"], { token: "anna", front: "app", address: "127.0.0.1" })
    assert.strictEqual(find("command", { text: "mend the total" })?.["by"].token, "anna")
    assert.deepStrictEqual(find("ask", { request_id: "r" })?.["args"], { command: "ls" })
    assert.strictEqual(find("allow", { request_id: "r" })?.["by"].token, "anna")
    assert.deepStrictEqual(find("run", { tool: "Bash" })?.["args"], { command: "ls" })
    assert.strictEqual(find("forbidden", { command: "raw_request" })?.["by"].token, "anna")
    assert.strictEqual(find("forbidden", { method: "GET", path: "/tokens" })?.["by"].token, "bound")
    assert.strictEqual(find("forbidden", { session_id: "s", tool: "fake" })?.["by"].token, "bound")
    assert.strictEqual(find("token_created")?.["by"].token, "default")
    assert.strictEqual(find("refused")?.["by"].address, "127.0.0.1")
    assert.strictEqual(find("request", { method: "PATCH", path: "/sessions/s" })?.["by"].token, "default")
    assert.notInclude(lines.map((line) => JSON.stringify(line)).join(), operator)
  }, { audit_dir })
})

/** Whatever a client can send: commands that are right, nearly right, and no commands. */
const frames = fc.oneof(
  fc.constantFrom(...examples.values()),
  fc.constantFrom<object | string>(
    { text: "do something" },
    { text: "now", when: "interrupt" },
    { type: "end", if_alone: true },
    { type: "set_approval_policy", policy: "never" },
    { type: "permission_response", request_id: "ask", behavior: "allow" },
    { type: "permission_response", request_id: "ask", behavior: "deny", stop: true },
    { type: "control_request", request: { subtype: "interrupt" } },
    "a bare prompt",
    "{\"type\":",
    { type: "unknown" },
    { session_id: "s", tool: "fake", token: operator }
  )
)
const requests = fc.constantFrom<readonly [string, RequestInit]>(
  ["/sessions/s", { method: "DELETE" }],
  ["/sessions/s", { method: "PATCH", body: "{\"title\":\"x\",\"archived\":true}" }],
  ["/sessions", { method: "POST" }],
  ["/sessions", {}],
  ["/sessions/s/events?after_seq=1000", { method: "HEAD" }],
  ["/ticket", { method: "POST" }],
  ["/whoami", {}]
)
const handshakes = fc.constantFrom<object>(
  {},
  { session_id: "new" },
  { must_exist: true },
  { linger: 0 },
  { after_seq: 0, raw: false },
  { watch: "sessions", session_id: undefined },
  { permission_mode: "bypassPermissions", env: { A: "b" } },
  { native_session_id: "x", session_id: undefined }
)
const deeds = fc.array(
  fc.oneof(
    fc.record({ handshake: handshakes, frames: fc.array(frames, { maxLength: 6 }) }),
    fc.record({ request: requests })
  ),
  { minLength: 1, maxLength: 4 }
)

describe("a token that may only look", () => {
  test("changes nothing, whatever it sends, by whatever way", async (door) => {
    const owner = await begin(door)
    await owner.turn("before")
    const outcome = Effect.runPromise(door.fake.agent().ask(FakeAdapter.askFor("ask")))
    await owner.waitFor("permission_request")
    const token = await door.token({ name: "viewer" })
    const state = async () => ({
      sessions: await (await door.ask(operator, "/sessions")).json(),
      received: door.fake.agent().sent.length,
      agents: door.fake.agents.length
    })
    const before = await state()
    await fc.assert(
      fc.asyncProperty(deeds, async (deeds) => {
        for (const deed of deeds) {
          if ("request" in deed) {
            const [path, init] = deed.request
            await (await door.ask(token, path, init)).body?.cancel()
            continue
          }
          const client = await door.join(token, deed.handshake)
          for (const frame of deed.frames) client.send(frame)
          // What was sent before it has been looked at.
          client.send({ type: "ping" })
          await Promise.race([
            client.closed,
            client.waitFor((event) => event.type === "status" && event["status"] === "pong")
          ])
          client.drop()
          await client.closed
        }
        assert.deepStrictEqual(await state(), before)
      }),
      { numRuns: 60 }
    )
    // It still goes on as it would have.
    owner.send({ type: "permission_response", request_id: "ask", behavior: "allow" })
    assert.strictEqual((await outcome).behavior, "allow")
  })
})
