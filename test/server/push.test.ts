/** Web Push over the relay's HTTP: who is told, of what, and what may be answered from there; a push service of the test's own. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type PermissionRequest, RequestId, SessionId } from "../../src/schema/index.js"
import { RelayServer } from "../../src/server/RelayServer.js"
import { Auth } from "../../src/services/access/Auth.js"
import type { Wanted } from "../../src/services/access/Tokens.js"
import { SessionRegistry } from "../../src/services/session/SessionRegistry.js"
import { connect } from "../support/client.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { type Browser, type PushService, startPushService } from "../support/pushService.js"
import { layerOf } from "../support/relayServer.js"

const operator = "operators-own-token"

let service: PushService
beforeAll(async () => {
  service = await startPushService()
})
afterAll(async () => {
  await service.end()
  assert.deepStrictEqual(service.faults, [])
})

interface Relay {
  readonly ask: (
    path: string,
    init?: { method?: string; body?: unknown; token?: string; origin?: string }
  ) => Promise<Response>
  readonly token: (wanted: Partial<Wanted>) => Promise<string>
  readonly revoke: (name: string) => Promise<boolean>
  /** A browser that is subscribed with this token. */
  readonly subscribed: (token?: string) => Promise<Browser & { readonly id: string }>
  readonly mine: (token?: string) => Promise<ReadonlyArray<string>>
  /** A session that nobody looks at; its agent. */
  readonly session: (session_id: string) => Promise<FakeAdapter.FakeAgent>
  readonly registry: SessionRegistry["Service"]
}

const withRelay = <A>(
  body: (relay: Relay) => Promise<A>,
  more: { state_dir?: string; token?: string; allow_push_service?: ReadonlyArray<string> } = {}
) =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const fake = FakeAdapter.make({ onCommand: FakeAdapter.answering() })
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const { token: own = operator, ...settings } = more
    const built = yield* Layer.buildWithScope(
      layerOf(fake, { token: Redacted.make(own), allow_push_service: [service.origin], ...settings }),
      scope
    )
    const { address: { port } } = Context.get(built, RelayServer)
    const { tokens } = Context.get(built, Auth)
    const ask: Relay["ask"] = (path, { body, method = "GET", origin, token = own } = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          ...(token !== "" && { authorization: `Bearer ${token}` }),
          ...(origin !== undefined && { origin })
        },
        ...(body !== undefined && { body: JSON.stringify(body) })
      })
    const get = async (token: string) =>
      await (await ask("/push", { token })).json() as { key: string; subscriptions: Array<{ id: string }> }
    return yield* Effect.promise(() =>
      body({
        ask,
        token: async (wanted) =>
          (await Effect.runPromise(tokens.make({ name: "t", scopes: ["view"], ...wanted }))).token,
        revoke: (name) => Effect.runPromise(tokens.revoke(name)),
        subscribed: async (token = own) => {
          const browser = service.browser((await get(token)).key)
          const answer = await ask("/push/subscriptions", {
            method: "POST",
            body: browser.subscription,
            token
          })
          assert.strictEqual(answer.status, 201)
          return { ...browser, ...await answer.json() as { id: string } }
        },
        mine: async (token = own) => (await get(token)).subscriptions.map(({ id }) => id),
        session: async (session_id) => {
          const client = await connect(`ws://127.0.0.1:${port}/`, { tool: "fake", session_id, token: own })
          await client.waitFor("session_start")
          await client.close()
          const { listing } = Context.get(built, SessionRegistry)
          while ((await Effect.runPromise(listing(SessionId.make(session_id))))?.clients !== 0) {
            await new Promise(setImmediate)
          }
          return fake.agent()
        },
        registry: Context.get(built, SessionRegistry)
      })
    )
  })))

const bash = (request_id: string, command: string, more: object = {}): PermissionRequest => ({
  type: "permission_request",
  request_id: RequestId.make(request_id),
  tool: "Bash",
  args: { command, ...more },
  metadata: { kind: "tool" }
})

const asks = (agent: FakeAdapter.FakeAgent, ask: PermissionRequest) => Effect.runPromise(agent.ask(ask))

const reply = ({ ask }: Relay, ticket: string, behavior: string, origin?: string) =>
  ask("/push/answer", {
    method: "POST",
    body: { ticket, behavior },
    token: "",
    ...(origin !== undefined && { origin })
  })

describe("a browser that is subscribed", () => {
  it("gets a question nobody looks at, whole, and answers it with the ticket: once", () =>
    withRelay(async (relay) => {
      const browser = await relay.subscribed()
      const agent = await relay.session("shop")
      const outcome = asks(agent, bash("q1", "npm test", { description: "Runs the tests" }))
      const { message, ttl, urgency } = await browser.next()
      const { ticket, ...told } = message
      assert.deepStrictEqual(told, {
        kind: "question",
        session_id: "shop",
        tool: "fake",
        waiting: 1,
        ask: "tool",
        request_id: "q1",
        text: "npm test",
        answers: ["allow", "deny"]
      })
      assert.strictEqual(urgency, "high")
      assert.isTrue(ttl > 1700 && ttl <= 1800, `it may be delivered for ${ttl} s`)
      assert.strictEqual((await reply(relay, ticket, "allow")).status, 204)
      assert.strictEqual((await outcome).behavior, "allow")
      assert.strictEqual((await reply(relay, ticket, "allow")).status, 410)
      const log = relay.registry.all()[0]?.log
      assert.strictEqual(log?.summary().pending.length, 0)
    }))

  it("waits for no service of somebody else's that never answers", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1")
    await once(silent, "listening")
    const origin = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    await withRelay(async (relay) => {
      const token = await relay.token({ scopes: ["view"] })
      const { key } = await (await relay.ask("/push", { token })).json() as { key: string }
      const browsers = Array.from({ length: 8 }, (_, number) => ({
        ...service.browser(key).subscription,
        endpoint: `${origin}/${number}`
      }))
      for (const body of browsers) {
        assert.strictEqual(
          (await relay.ask("/push/subscriptions", { method: "POST", body, token })).status,
          201
        )
      }
      const browser = await relay.subscribed()
      void asks(await relay.session("shop"), bash("q1", "npm test"))
      assert.strictEqual((await browser.next()).message.request_id, "q1")
    }, { allow_push_service: [service.origin, origin] })
    silent.close()
    silent.closeAllConnections()
  }, 20_000)

  it("says no from there, too", () =>
    withRelay(async (relay) => {
      const browser = await relay.subscribed()
      const outcome = asks(await relay.session("s"), bash("q", "npm test"))
      const { message: { ticket } } = await browser.next()
      assert.strictEqual((await reply(relay, ticket, "deny")).status, 204)
      assert.strictEqual((await outcome).behavior, "deny")
    }))

  it("may not allow what it does not see whole: there is no such answer, and the relay takes none", () =>
    withRelay(async (relay) => {
      const browser = await relay.subscribed()
      const outcome = asks(await relay.session("s"), bash("q", "rm -rf build"))
      const { message: { answers, text, ticket } } = await browser.next()
      assert.deepStrictEqual([answers, text], [["deny"], "rm -rf build"])
      assert.strictEqual((await reply(relay, ticket, "allow")).status, 403)
      assert.strictEqual(relay.registry.all()[0]?.pending().length, 1)
      await relay.ask("/sessions/s", { method: "DELETE" })
      assert.strictEqual((await outcome).behavior, "cancelled")
    }))

  it("of a token that may only look is told, without a ticket", () =>
    withRelay(async (relay) => {
      const browser = await relay.subscribed(await relay.token({ scopes: ["prompt"] }))
      void asks(await relay.session("s"), bash("q", "npm test"))
      const { message } = await browser.next()
      assert.deepStrictEqual([message.text, message.ticket, message.answers], [
        "npm test",
        undefined,
        undefined
      ])
    }))

  it("of a token with limits is told of its sessions alone", () =>
    withRelay(async (relay) => {
      const limited = await relay.subscribed(await relay.token({ scopes: ["approve"], sessions: ["mine"] }))
      const all = await relay.subscribed()
      void asks(await relay.session("other"), bash("a", "npm test"))
      await all.next()
      void asks(await relay.session("mine"), bash("b", "npm run lint"))
      const { message } = await limited.next()
      assert.deepStrictEqual([message.session_id, message.waiting], ["mine", 1])
      assert.lengthOf(limited.pushed, 1)
    }))

  it("is gone with its token, whose tickets are over", () =>
    withRelay(async (relay) => {
      const token = await relay.token({ name: "phone", scopes: ["approve"] })
      const phone = await relay.subscribed(token)
      const desk = await relay.subscribed()
      const agent = await relay.session("s")
      const outcome = asks(agent, bash("q", "npm test"))
      const { message: { ticket } } = await phone.next()
      await desk.next()
      assert.isTrue(await relay.revoke("phone"))
      assert.strictEqual((await reply(relay, ticket, "allow")).status, 410)
      // Another token of the name does not inherit it.
      assert.deepStrictEqual(await relay.mine(await relay.token({ name: "phone", scopes: ["approve"] })), [])
      void asks(agent, bash("q2", "npm test"))
      await desk.next()
      assert.lengthOf(phone.pushed, 1)
      void outcome
    }))

  it("that the push service does not know any more is forgotten; a silent service is asked again", () =>
    withRelay(async (relay) => {
      const gone = await relay.subscribed()
      const busy = await relay.subscribed()
      const agent = await relay.session("s")
      gone.answer(410)
      busy.answer(503)
      void asks(agent, bash("q", "npm test"))
      while ((await relay.mine()).includes(gone.id)) await new Promise(setImmediate)
      busy.answer(201)
      assert.strictEqual((await busy.next()).message.request_id, "q")
      assert.deepStrictEqual(await relay.mine(), [busy.id])
    }))

  it("is not sent where a redirect leads", () =>
    withRelay(async (relay) => {
      const browser = await relay.subscribed()
      const other = await relay.subscribed()
      browser.answer(307, other.subscription.endpoint)
      void asks(await relay.session("s"), bash("q", "npm test"))
      await other.next()
      assert.lengthOf(other.pushed, 1)
    }))

  it("ends it, its own alone", () =>
    withRelay(async (relay) => {
      const mine = await relay.subscribed()
      const token = await relay.token({ scopes: ["view"] })
      const remove = (token?: string) =>
        relay.ask(`/push/subscriptions/${mine.id}`, {
          method: "DELETE",
          ...(token !== undefined && { token })
        })
      assert.strictEqual((await remove(token)).status, 404)
      assert.deepStrictEqual(await relay.mine(token), [])
      assert.strictEqual((await remove()).status, 204)
      assert.deepStrictEqual(await relay.mine(), [])
    }))
})

describe("a ticket", () => {
  it("is for that very question: another of its name, or an answered one, it does not answer", () =>
    withRelay(async (relay) => {
      const browser = await relay.subscribed()
      const agent = await relay.session("s")
      const first = asks(agent, bash("q", "npm test"))
      const { message: { ticket } } = await browser.next()
      // The agent asks for something else by the same name.
      const second = asks(agent, bash("q", "npm run deploy"))
      assert.strictEqual((await first).behavior, "cancelled")
      assert.strictEqual((await reply(relay, ticket, "allow")).status, 410)
      assert.strictEqual(relay.registry.all()[0]?.pending().length, 1)
      void second
    }))

  it("is not taken of a page of a strange origin, nor guessed", () =>
    withRelay(async (relay) => {
      const browser = await relay.subscribed()
      const outcome = asks(await relay.session("s"), bash("q", "npm test"))
      const { message: { ticket } } = await browser.next()
      assert.strictEqual((await reply(relay, ticket, "allow", "https://evil.example")).status, 403)
      assert.strictEqual((await reply(relay, `${ticket}x`, "allow")).status, 410)
      assert.strictEqual((await reply(relay, ticket, "perhaps")).status, 400)
      assert.strictEqual((await reply(relay, ticket, "deny")).status, 204)
      await outcome
    }))
})

describe("a subscription", () => {
  it("is refused where the relay could be made to knock at doors of its own network", () =>
    withRelay(async ({ ask }) => {
      const { key } = await (await ask("/push")).json() as { key: string }
      const { keys } = service.browser(key).subscription
      const refused = async (endpoint: string, given: object = keys) => {
        const answer = await ask("/push/subscriptions", { method: "POST", body: { endpoint, keys: given } })
        return [answer.status, (await answer.json() as { text: string }).text] as const
      }
      for (
        const endpoint of [
          "http://push.example.com/x",
          "https://localhost/x",
          "https://printer/x",
          "https://127.0.0.1/x",
          "https://10.1.2.3/x",
          "https://169.254.169.254/latest/meta-data",
          "https://0x7f000001/x",
          "https://2130706433/x",
          "https://[::1]/x",
          "https://[::ffff:127.0.0.1]/x",
          "https://[fd00::1]/x",
          "https://metadata.google.internal/x",
          "https://user:pass@push.example.com/x",
          "file:///etc/passwd",
          "nonsense"
        ]
      ) {
        const [status, text] = await refused(endpoint)
        assert.strictEqual(status, 400, endpoint)
        assert.match(text, /push service cannot be used/, endpoint)
      }
      const off = Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)]).toString("base64url")
      const [status, text] = await refused("https://push.example.com/x", { ...keys, p256dh: off })
      assert.deepStrictEqual([status, /PushManager/.test(text)], [400, true])
    }))

  it("outlives the relay, with keys of the relay's own that nobody else can read", async () => {
    const state_dir = mkdtempSync(join(tmpdir(), "ai-relay-push-"))
    try {
      const browser = await withRelay((relay) => relay.subscribed(), { state_dir })
      for (const name of ["push.json", "push-keys.json"]) {
        assert.strictEqual(statSync(join(state_dir, name)).mode & 0o777, 0o600, name)
      }
      await withRelay(async (relay) => {
        assert.deepStrictEqual(await relay.mine(), [browser.id])
        void asks(await relay.session("s"), bash("q", "npm test"))
        assert.strictEqual((await browser.next()).message.request_id, "q")
      }, { state_dir })
      // With another token the operator is somebody else.
      await withRelay(async (relay) => assert.deepStrictEqual(await relay.mine(), []), {
        state_dir,
        token: "another"
      })
    } finally {
      rmSync(state_dir, { recursive: true })
    }
  })

  it("stays subscribed while the tokens cannot be read", async () => {
    const state_dir = mkdtempSync(join(tmpdir(), "ai-relay-push-"))
    const file = join(state_dir, "tokens.json")
    try {
      const made = await withRelay(async (relay) => {
        const token = await relay.token({ name: "anna" })
        const { id } = await relay.subscribed(token)
        const tokens = readFileSync(file, "utf8")
        writeFileSync(file, "{", { mode: 0o600 })
        // It looks at the file twice a second.
        await new Promise((resolve) => setTimeout(resolve, 1200))
        writeFileSync(file, tokens, { mode: 0o600 })
        assert.deepStrictEqual(await relay.mine(token), [id])
        return { token, id, tokens }
      }, { state_dir })
      writeFileSync(file, "{", { mode: 0o600 })
      await withRelay(async (relay) => {
        await relay.mine()
        writeFileSync(file, made.tokens, { mode: 0o600 })
        assert.deepStrictEqual(await relay.mine(made.token), [made.id])
      }, { state_dir })
    } finally {
      rmSync(state_dir, { recursive: true })
    }
  })

  it("whose list is broken is told, and nothing is written over it; it is read again once that is mended", async () => {
    const state_dir = mkdtempSync(join(tmpdir(), "ai-relay-push-"))
    try {
      writeFileSync(join(state_dir, "push.json"), "{", { mode: 0o600 })
      await withRelay(async ({ ask, subscribed }) => {
        const answer = await ask("/push")
        assert.strictEqual(answer.status, 500)
        assert.match((await answer.json() as { text: string }).text, /push\.json is not a list.*delete it/)
        assert.strictEqual(readFileSync(join(state_dir, "push.json"), "utf8"), "{")
        rmSync(join(state_dir, "push.json"))
        await subscribed()
      }, { state_dir })
    } finally {
      rmSync(state_dir, { recursive: true })
    }
  })
})
