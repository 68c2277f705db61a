/** The client against a real relay, over sockets that break. Its agents are fakes. */
import { Effect, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import {
  connect,
  type ConnectionState,
  type ConnectOptions,
  RelayError,
  type RelayEvent,
  type Session
} from "../../src/client/node.js"
import type { EventBody } from "../../src/schema/index.js"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { answering, askFor, type FakeOptions } from "../support/fakeAdapter.js"
import * as FakeRelay from "../support/fakeRelay.js"
import type { Options } from "../support/relayServer.js"

const cleanUp = cleanUpAfterEach()

const startRelay = async (options: Options = {}) => {
  const relay = await FakeRelay.start(options)
  cleanUp(relay.end)
  return relay
}

const unsteady = async (...args: Parameters<typeof FakeRelay.unsteady>) => {
  const network = await FakeRelay.unsteady(...args)
  cleanUp(network.end)
  return network
}

const open = (url: string, options: ConnectOptions = {}): Session => {
  const session = connect({ tool: "fake", url, ...options })
  cleanUp(session.close)
  return session
}

const failureOf = (promise: Promise<unknown>): Promise<RelayError> =>
  promise.then(() => assert.fail("it did not fail"), (error: RelayError) => error)

/** Everything a session says, and a way to wait for it. */
const watch = (session: Session) => {
  const events: Array<RelayEvent> = []
  const waiting = new Set<() => void>()
  session.onEvent((event) => {
    events.push(event)
    for (const look of [...waiting]) look()
  })
  const until = (fits: (event: RelayEvent) => boolean): Promise<RelayEvent> =>
    new Promise((resolve) => {
      const look = () => {
        const found = events.find(fits)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  return {
    events,
    until,
    logged: () => events.filter(({ seq }, index) => seq > (events[index - 1]?.seq ?? 0))
  }
}

const closed = (session: Session): Promise<RelayError> =>
  new Promise((resolve) => {
    const look = (state: ConnectionState) => {
      if (state.status === "closed") resolve(state.error)
    }
    session.onState(look)
    look(session.state())
  })

const becomes = (session: Session, status: ConnectionState["status"]): Promise<ConnectionState> =>
  new Promise((resolve) => session.onState((state) => state.status === status && resolve(state)))

const range = (to: number) => Array.from({ length: to }, (_, index) => index + 1)

/** Says each prompt back, in pieces. */
const echoing: NonNullable<FakeOptions["onCommand"]> = (command, agent) => {
  if (command.type !== "user_message") return answering()(command, agent)
  const [block] = command.content
  const text = block.type === "text" ? block.text : ""
  const pieces = range(20).map((n): EventBody => ({
    type: "stream_event",
    delta: "text",
    text: `${text} ${n}`
  }))
  return agent.say(...pieces, { type: "response", text: `you said ${text}` }, {
    type: "turn_end",
    stop_reason: "end_turn"
  })
}

describe("connect", () => {
  it("opens a session, asks, and iterates over what happens until it ends", async () => {
    const relay = await startRelay()
    const session = open(relay.url)
    const { stop_reason, text } = await session.ask("hello")
    assert.deepStrictEqual({ stop_reason, text }, { stop_reason: "end_turn", text: "Done." })
    const types: Array<string> = []
    for await (const event of session) {
      types.push(event.type)
      if (event.type === "turn_end") break
    }
    void session.end()
    for await (const event of session) types.push(event.type)
    assert.deepStrictEqual(types.filter((type) => type !== "input_ack"), [
      "session_start",
      "turn_start",
      "response",
      "turn_end",
      "session_end"
    ])
    assert.strictEqual((await closed(session)).code, "session_ended")
  })

  it("is told how the session ended now, not how it ended before", async () => {
    const state_dir = mkdtempSync(join(tmpdir(), "ai-relay-again-"))
    cleanUp(() => Promise.resolve(rmSync(state_dir, { recursive: true, force: true })))
    const relay = await startRelay({ state_dir, onCommand: () => Effect.void })
    /** The end of a session that somebody else ends. */
    const ended = async (ready: (session: Session) => Promise<unknown>) => {
      const [session, other] = [0, 0].map((after_seq) => open(relay.url, { session_id: "again", after_seq }))
      if (session === undefined || other === undefined) throw new Error("two of two")
      await session.ready
      await ready(session)
      await other.end()
      return (await session.closed).message
    }
    const turn = (session: Session) => {
      void session.prompt("hello").catch(() => {})
      return new Promise<void>((resolve) =>
        session.onEvent(({ type }) => void (type === "turn_start" && resolve()))
      )
    }
    assert.match(await ended(turn), /^The session was ended during this turn/)
    assert.strictEqual(await ended(() => Promise.resolve()), "the session has ended")
  }, 20_000)

  it("is told why the relay refuses, and does not come again", async () => {
    const relay = await startRelay()
    const session = open(relay.url, { tool: "nothing" })
    const prompt = failureOf(session.prompt("hello"))
    const states: Array<string> = []
    session.onState(({ status }) => void states.push(status))
    const refusal = await failureOf(session.ready)
    assert.strictEqual(refusal.code, "unknown_tool")
    assert.include(refusal.message, "fake")
    assert.strictEqual((await prompt).code, "unknown_tool")
    assert.deepStrictEqual(states, ["closed"])
    assert.strictEqual((await failureOf(session.prompt("more"))).code, "unknown_tool")
    await assertRejects(async () => {
      for await (const event of session) assert.strictEqual(event.type, "error")
    })
  })

  it("gives up after as many attempts as it may make", async () => {
    const relay = await startRelay()
    await relay.end()
    const session = open(relay.url, { retries: 1 })
    const waited = becomes(session, "waiting")
    assert.strictEqual((await failureOf(session.ready)).code, "unreachable")
    assert.include((await failureOf(session.prompt("hello"))).message, relay.url)
    assert.include(await waited, { code: 1006 })
  })

  it("leaves when it is told to, and the session goes on", async () => {
    const relay = await startRelay()
    const leaving = new AbortController()
    const one = open(relay.url, { session_id: "s", signal: leaving.signal })
    await one.ready
    leaving.abort()
    assert.strictEqual((await closed(one)).code, "closed")
    const other = open(relay.url, { session_id: "s", after_seq: 0 })
    await other.ask("hello")
    assert.lengthOf(relay.agents, 1)
  })

  it("tells what is wrong with a command", async () => {
    const relay = await startRelay()
    const session = open(relay.url)
    const refusal = await failureOf(session.setMode("reckless"))
    assert.strictEqual(refusal.code, "bad_command")
    assert.include(refusal.message, "default, plan")
    assert.strictEqual((await session.setMode("plan")).status, "sent")
    assert.strictEqual((await session.setModel("small")).status, "sent")
  })

  it("drops the command that is too large for the relay, and goes on", async () => {
    const relay = await startRelay({ max_frame_bytes: 10_000 })
    const session = open(relay.url)
    await session.ready
    const large = failureOf(session.prompt("x".repeat(20_000)))
    assert.strictEqual((await large).code, "too_large")
    assert.strictEqual((await session.ask("small")).text, "Done.")
  })
})

const assertRejects = async (act: () => Promise<void>) => {
  const outcome = await act().then(() => "fulfilled", () => "rejected")
  assert.strictEqual(outcome, "rejected")
}

describe("turns", () => {
  it("that fail, are stopped, wait, or are taken back are told apart", async () => {
    const relay = await startRelay({
      onCommand: (command, agent) =>
        command.type !== "user_message"
          ? answering()(command, agent)
          : command.content.some((block) => block.type === "text" && block.text === "fail")
          ? agent.say({ type: "error", code: "turn_failed", text: "no credit" }, {
            type: "turn_end",
            stop_reason: "error"
          })
          : Effect.void
    })
    const session = open(relay.url)
    const failed = await failureOf(session.ask("fail"))
    assert.include(failed, { code: "turn_failed", message: "no credit" })
    const running = session.ask("work")
    const queued = failureOf(session.ask("later", { message_id: "m1" }))
    assert.strictEqual((await session.prompt("more", { message_id: "m2" })).status, "queued")
    await session.send({ type: "cancel_queued", message_id: "m1" })
    assert.strictEqual((await queued).code, "withdrawn")
    assert.include(
      await failureOf(session.send({ type: "cancel_queued", message_id: "m9" })),
      { code: "bad_command" }
    )
    void session.interrupt()
    assert.strictEqual((await running).stop_reason, "cancelled")
  })

  it("do not exist on a terminal", async () => {
    const relay = await startRelay({ capabilities: { terminal: true }, onCommand: () => Effect.void })
    const session = open(relay.url)
    assert.include((await failureOf(session.ask("ls"))).message, "terminal")
    assert.strictEqual((await session.send({ type: "stdin", data: "ls\r" })).status, "sent")
  })
})

describe("permissions", () => {
  it("are answered by onPermission, by hand, and withdrawn when another answers", async () => {
    const relay = await startRelay()
    const asked: Array<string> = []
    const aborted: Array<string> = []
    const session = open(relay.url, {
      session_id: "s",
      onPermission: async ({ args, request_id }, signal) => {
        asked.push(request_id)
        signal.addEventListener("abort", () => void aborted.push(request_id))
        return request_id === "p1" ? "allow" : request_id === "p2"
          ? { behavior: "deny", message: "not there", stop: true }
          : request_id === "p3"
          ? { behavior: "allow", updatedInput: { ...args as object, safe: true } }
          : new Promise((_, reject) =>
            signal.addEventListener("abort", () => reject(new Error("settled elsewhere")))
          )
      }
    })
    await session.ready
    const ask = (id: string) => Effect.runPromise(relay.agent().ask(askFor(id)))
    assert.deepInclude(await ask("p1"), { behavior: "allow" })
    assert.deepInclude(await ask("p2"), { behavior: "deny", message: "not there", stop: true })
    assert.deepInclude(await ask("p3"), { behavior: "allow", updatedInput: { command: "ls", safe: true } })
    const last = ask("p4")
    const { until } = watch(session)
    await until((event) => event.type === "permission_request" && event.request_id === "p4")
    assert.deepStrictEqual(session.permissions().map(({ request_id }) => request_id), ["p4"])
    await open(relay.url, { session_id: "s" }).deny("p4", "no")
    assert.deepInclude(await last, { behavior: "deny", message: "no" })
    await until((event) => event.type === "control_response" && event.request_id === "p4")
    assert.isEmpty(session.permissions())
    assert.deepStrictEqual(asked, ["p1", "p2", "p3", "p4"])
    assert.include(aborted, "p4")
  })

  it("that wait are put to who comes later, settled ones are not", async () => {
    const relay = await startRelay()
    const first = open(relay.url, { session_id: "s" })
    await first.ready
    const ask = (id: string) => Effect.runPromise(relay.agent().ask(askFor(id)))
    const settled = ask("old")
    const { until } = watch(first)
    await until((event) => event.type === "permission_request")
    await first.allow("old")
    await settled
    const waiting = [ask("p1"), ask("p2")]
    for (const after_seq of [0, undefined]) {
      const asked: Array<string> = []
      const late = open(relay.url, {
        session_id: "s",
        ...(after_seq !== undefined && { after_seq }),
        onPermission: ({ request_id }) => {
          asked.push(request_id)
          return after_seq === undefined ? "allow" : undefined
        }
      })
      const seen = watch(late)
      await late.ready
      await Effect.runPromise(relay.agent().say({ type: "stdout", text: `${after_seq}` }))
      await seen.until((event) => event.type === "stdout" && event.text === `${after_seq}`)
      await new Promise((resolve) => setTimeout(resolve))
      assert.deepStrictEqual(asked, ["p1", "p2"])
    }
    for (const outcome of await Promise.all(waiting)) assert.strictEqual(outcome.behavior, "allow")
  })
})

describe("a network that breaks", () => {
  it("loses nothing and does nothing twice, wherever it is cut", async () => {
    const relay = await startRelay({ onCommand: echoing, linger: 600 })
    let state = 7
    const random = (below: number) => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below
    const network = await unsteady(relay.port, () => 1000 + random(12_000))
    const session = open(network.url)
    const { logged } = watch(session)
    const prompts = range(40).map(String)
    const results = await Promise.all(prompts.map(async (text) => (await session.ask(text)).text))
    assert.deepStrictEqual(results, prompts.map((text) => `you said ${text}`))
    assert.isAbove(network.cuts(), 5)
    assert.lengthOf(relay.agents, 1)
    const told = relay.agent().sent.map((command) =>
      command.type === "user_message" && command.content[0].type === "text"
        ? command.content[0].text
        : command.type
    )
    assert.deepStrictEqual(told, prompts)
    network.settle()
    await session.interrupt()
    assert.deepStrictEqual(logged().map(({ seq }) => seq), range(session.seq()))
    assert.lengthOf(logged().filter(({ type }) => type === "turn_end"), prompts.length)
  }, 60_000)
})

describe("a relay that wants to know who is there", () => {
  const token = "the-right-token-long-enough"
  const door = { auth: "always", token: Redacted.make(token), linger: 600 } as const

  const ticketOf = async (port: number): Promise<string> => {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`http://127.0.0.1:${port}/ticket`, { method: "POST", headers })
    return (await answer.json() as { readonly ticket: string }).ticket
  }

  it("is shown a new ticket at each connection, for one lets in once", async () => {
    const relay = await startRelay(door)
    const network = await unsteady(relay.port)
    const given: Array<string> = []
    const ticket = async () => {
      const one = await ticketOf(relay.port)
      given.push(one)
      return one
    }
    const session = open(network.url, { ticket })
    assert.strictEqual((await session.ask("one")).text, "Done.")
    for (const n of range(3)) {
      await cut(network, session)
      assert.strictEqual((await session.ask(`${n}`)).text, "Done.")
    }
    assert.lengthOf(new Set(given), 4)
    const spent = open(relay.url, { ticket: () => given[0] ?? "" })
    assert.strictEqual((await failureOf(spent.ready)).code, "unauthorized")
  })

  it("may get another token when it is reached again", async () => {
    const relay = await startRelay(door)
    const network = await unsteady(relay.port)
    let asked = 0
    const session = open(network.url, { token: () => asked++ === 0 ? token : "no longer the right one" })
    await session.ready
    await cut(network, session)
    assert.strictEqual((await closed(session)).code, "unauthorized")
    assert.strictEqual(asked, 2)
  })

  it("is reached later when the ticket cannot be got now, and not at all when it never can", async () => {
    const relay = await startRelay(door)
    let asked = 0
    const session = open(relay.url, {
      ticket: () => {
        if (asked++ === 0) throw new Error("the page's server is away")
        return ticketOf(relay.port)
      }
    })
    assert.deepInclude(await becomes(session, "waiting"), { reason: "the page's server is away" })
    await session.ready
    const refused = open(relay.url, {
      ticket: () => Promise.reject(new RelayError("unauthorized", "log in first"))
    })
    assert.include(await failureOf(refused.ready), { code: "unauthorized", message: "log in first" })
  })
})

/** The connection breaks, and another one is made. */
const cut = async (network: FakeRelay.Unsteady, session: Session) => {
  const lost = becomes(session, "waiting")
  network.cutAll()
  await lost
}

/** The relay is gone, and the session knows. */
const goAway = async (network: FakeRelay.Unsteady, session: Session) => {
  await session.ready
  network.leadTo(undefined)
  network.cutAll()
  await becomes(session, "waiting")
}

describe("a relay", () => {
  it("that has forgotten the session begins it anew, and the client does not take that for something it has", async () => {
    const first = await startRelay()
    const network = await unsteady(first.port)
    const session = open(network.url, { session_id: "s" })
    const { events } = watch(session)
    for (const n of range(5)) await session.ask(`${n}`)
    const before = session.seq()
    const second = await startRelay()
    network.leadTo(second.port)
    network.cutAll()
    const { text } = await session.ask("again")
    assert.strictEqual(text, "Done.")
    assert.isBelow(session.seq(), before)
    assert.deepStrictEqual(events.filter(({ type }) => type === "session_start").map(({ seq }) => seq), [
      1,
      1
    ])
    assert.lengthOf(second.agent().sent, 1)
  })

  it("that is away takes what was said in the meantime when it is back, in order", async () => {
    const relay = await startRelay({ onCommand: echoing, linger: 600 })
    const network = await unsteady(relay.port)
    const session = open(network.url)
    await goAway(network, session)
    const asked = range(5).map((n) => session.ask(`${n}`))
    network.leadTo(relay.port)
    assert.deepStrictEqual(
      (await Promise.all(asked)).map(({ text }) => text),
      range(5).map((n) => `you said ${n}`)
    )
  })

  it("is asked to end the session once, though the answer is lost", async () => {
    const relay = await startRelay({ linger: 600 })
    const network = await unsteady(relay.port)
    const session = open(network.url)
    await goAway(network, session)
    const ended = session.end()
    network.leadTo(relay.port)
    await ended
    assert.strictEqual((await session.closed).code, "session_ended")
  })
})

describe("a relay that is asked to stop", () => {
  it("is waited for, as one that was killed is", async () => {
    const relay = await startRelay()
    const session = open(relay.url, { session_id: "stays" })
    await session.ready
    const waiting = new Promise((resolve) =>
      session.onState((state) => state.status === "waiting" && resolve(state))
    )
    await relay.end()
    await waiting
    assert.notStrictEqual(session.state().status, "closed")
  })

  it("does not keep a session that this page has ended", async () => {
    const relay = await startRelay()
    const session = open(relay.url, { session_id: "ends" })
    await session.ready
    await session.end()
    assert.strictEqual((await session.closed).code, "session_ended")
  })
})
