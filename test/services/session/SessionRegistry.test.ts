import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join as join_ } from "node:path"
import { afterAll } from "vitest"
import { AgentFailed } from "../../../src/adapters/AdapterError.js"
import { AdapterRegistry } from "../../../src/adapters/AdapterRegistry.js"
import {
  type ClientCommand,
  type EventBody,
  Handshake,
  MessageId,
  RequestId,
  SessionId
} from "../../../src/schema/index.js"
import { Folders } from "../../../src/services/access/Folders.js"
import {
  everything,
  type Limits,
  Principal,
  type PrincipalFields
} from "../../../src/services/access/Principal.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { Journal } from "../../../src/services/journal/Journal.js"
import { NativeSessions } from "../../../src/services/native/NativeSessions.js"
import { Recorder } from "../../../src/services/observe/Recorder.js"
import { RelayConfig, type Settings } from "../../../src/services/RelayConfig.js"
import { Sender } from "../../../src/services/session/Sender.js"
import type { Session } from "../../../src/services/session/Session.js"
import { SessionRegistry } from "../../../src/services/session/SessionRegistry.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"

const registryOf = (fake: FakeAdapter.FakeAdapter, settings: Partial<Settings> = {}) =>
  SessionRegistry.layer.pipe(
    Layer.provide(AdapterRegistry.layer(Effect.succeed([fake.adapter]))),
    Layer.provide(
      Layer.mergeAll(Folders.layer, Journal.layer, NativeSessions.layerNone, Recorder.layer)
    ),
    Layer.provide(IdGenerator.layerTest),
    Layer.provide(RelayConfig.layer({ linger: 60, max_sessions_per_sender: 2, ...settings })),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )

const handshake = (fields: object = {}) => Schema.decodeUnknownSync(Handshake)({ tool: "fake", ...fields })
const named = (session_id: string, fields: object = {}) => handshake({ session_id, ...fields })

/** A client that has joined, until it leaves. */
const join = Effect.fnUntraced(function*(handshake: Handshake) {
  const registry = yield* SessionRegistry
  const scope = yield* Scope.make()
  const joined = yield* Scope.provide(registry.join(handshake), scope).pipe(
    Effect.onInterrupt(() => Scope.close(scope, Exit.void))
  )
  return { ...joined, leave: Scope.close(scope, Exit.void) }
})

/** Wait for the session's last event. */
const ended = Effect.fnUntraced(function*({ log }: Session) {
  const events = yield* Stream.runCollect(log.tail(0))
  assert.strictEqual(events.at(-1)?.type, "session_end")
})

const isLive = (name: string) =>
  Effect.map(SessionRegistry, (registry) => registry.live(SessionId.make(name)) !== undefined)

const test = (
  name: string,
  body: (fake: FakeAdapter.FakeAdapter) => Effect.Effect<void, unknown, SessionRegistry>,
  options: () => FakeAdapter.FakeOptions = () => ({}),
  settings: Partial<Settings> = {}
) =>
  it.effect(name, () => {
    const fake = FakeAdapter.make(options())
    return Effect.provide(body(fake), registryOf(fake, settings))
  })

const folders: Array<string> = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

/** A relay on a state folder, then another one on the same. */
const restarted = <A, B>(
  first: Effect.Effect<A, unknown, SessionRegistry>,
  second: (of: A, fake: FakeAdapter.FakeAdapter) => Effect.Effect<B, unknown, SessionRegistry>,
  options: FakeAdapter.FakeOptions = {}
) =>
  Effect.suspend(() => {
    const state_dir = mkdtempSync(join_(tmpdir(), "registry-"))
    folders.push(state_dir)
    const relay = <C>(
      body: (fake: FakeAdapter.FakeAdapter) => Effect.Effect<C, unknown, SessionRegistry>
    ) => {
      const fake = FakeAdapter.make({ onCommand: FakeAdapter.answering(), ...options })
      const roots = [process.cwd(), tmpdir()]
      return Effect.scoped(Effect.provide(body(fake), registryOf(fake, { state_dir, roots })))
    }
    return Effect.flatMap(relay(() => first), (of) => relay((fake) => second(of, fake)))
  })

const limitedTo = (fields: Partial<PrincipalFields>) =>
  Effect.provideService(Principal, { ...everything, ...fields })

describe("SessionRegistry", () => {
  test("opens a session in the folder the handshake names, with an id of its own", (fake) =>
    Effect.gen(function*() {
      const { attached, session } = yield* join(handshake({ model: "m-1" }))
      assert.isFalse(attached)
      assert.match(session.id, /^00000000-/)
      assert.include(fake.agent().spec, { folder: process.cwd(), model: "m-1" })
      assert.match(fake.agent().spec.fresh_uuid, /^00000000-/)
      assert.notStrictEqual(fake.agent().spec.fresh_uuid, session.id)
    }))

  test("gives clients without a session_id a session each", (fake) =>
    Effect.gen(function*() {
      const one = yield* join(handshake())
      const other = yield* join(handshake())
      assert.notStrictEqual(one.session.id, other.session.id)
      assert.lengthOf(fake.agents, 2)
    }))

  test("attaches clients who name the same session", (fake) =>
    Effect.gen(function*() {
      const one = yield* join(named("s"))
      const other = yield* join(named("s", { model: "another" }))
      assert.isFalse(one.attached)
      assert.isTrue(other.attached)
      assert.strictEqual(other.session, one.session)
      assert.lengthOf(fake.agents, 1)
    }))

  test("opens one session for fifty clients who come at once", (fake) =>
    Effect.gen(function*() {
      const clients = yield* Effect.all(Array.from({ length: 50 }, () => join(named("s"))), {
        concurrency: "unbounded"
      })
      assert.lengthOf(fake.agents, 1)
      assert.lengthOf(clients.filter(({ attached }) => !attached), 1)
      assert.lengthOf([...new Set(clients.map(({ session }) => session))], 1)
    }), () => ({ opening: () => Effect.yieldNow }))
})

describe("a session without a client", () => {
  test("ends at once if nobody knows its name", () =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(handshake())
      yield* leave
      yield* ended(session)
    }))

  test("lives on for its linger if a client named it", () =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(named("s"))
      yield* leave
      yield* TestClock.adjust("59 seconds")
      assert.isTrue(yield* isLive("s"))
      yield* TestClock.adjust("1 seconds")
      yield* ended(session)
      assert.isFalse(yield* isLive("s"))
    }))

  test("lives on as long as the handshake that opened it says", () =>
    Effect.gen(function*() {
      const long = yield* join(named("long", { linger: 3600 }))
      yield* long.leave
      yield* TestClock.adjust("59 minutes")
      assert.isTrue(yield* isLive("long"))
      const short = yield* join(named("short", { linger: 0 }))
      yield* short.leave
      yield* ended(short.session)
    }))

  test("is safe once a client has come back, and lingers anew when that one leaves", () =>
    Effect.gen(function*() {
      const first = yield* join(named("s"))
      yield* first.leave
      yield* TestClock.adjust("50 seconds")
      const second = yield* join(named("s"))
      assert.isTrue(second.attached)
      yield* TestClock.adjust("1 hour")
      assert.isTrue(yield* isLive("s"))
      yield* second.leave
      yield* TestClock.adjust("50 seconds")
      assert.isTrue(yield* isLive("s"))
      yield* TestClock.adjust("10 seconds")
      yield* ended(first.session)
    }))

  test("goes on as long as one of several clients is there", () =>
    Effect.gen(function*() {
      const one = yield* join(named("s", { linger: 0 }))
      const other = yield* join(named("s"))
      yield* one.leave
      yield* TestClock.adjust("1 hour")
      assert.isTrue(yield* isLive("s"))
      yield* other.leave
      yield* ended(one.session)
    }))
})

describe("work in a session without a client", () => {
  const prompt = (text: string, message_id: string): ClientCommand => ({
    type: "user_message",
    content: [{ type: "text", text }],
    message_id: MessageId.make(message_id)
  })
  /** What somebody says has been handed over, or waits behind the turn. */
  const submit = Effect.fnUntraced(function*(session: Session, command: ClientCommand) {
    yield* session.submit(command).pipe(Effect.provideService(Sender, {}))
    yield* Stream.runHead(Stream.filter(
      session.log.tail(0),
      (event) => event.type === "input_ack" && event.message_id === command.message_id
    ))
  })
  const endTurn: EventBody = { type: "turn_end", stop_reason: "end_turn" }
  const someTime = TestClock.adjust("10 hours")

  test("goes on: the turn runs to its end, and the linger counts from there", (fake) =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(named("s"))
      yield* submit(session, prompt("build it", "m-1"))
      yield* leave
      yield* someTime
      assert.isTrue(yield* isLive("s"))
      yield* fake.agent().say(endTurn)
      yield* TestClock.adjust("59 seconds")
      assert.isTrue(yield* isLive("s"))
      yield* TestClock.adjust("1 seconds")
      yield* ended(session)
    }))

  test("goes on while a background task reports between turns", (fake) =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(named("s"))
      yield* leave
      for (const text of ["a", "b", "c"]) {
        yield* TestClock.adjust("59 seconds")
        assert.isTrue(yield* isLive("s"))
        yield* fake.agent().say({ type: "tool_progress", text })
      }
      // Counted from where it was last looked at.
      yield* TestClock.adjust("120 seconds")
      yield* ended(session)
    }))

  test("goes on: a queued prompt runs when the turn before it ends", (fake) =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(named("s", { linger: 0 }))
      yield* submit(session, prompt("first", "m-1"))
      yield* submit(session, prompt("second", "m-2"))
      yield* leave
      yield* someTime
      yield* fake.agent().say(endTurn)
      yield* Stream.runHead(Stream.filter(
        session.log.tail(0),
        (event) => event.type === "turn_start" && event.message_id === "m-2"
      ))
      yield* someTime
      assert.isTrue(yield* isLive("s"))
      yield* fake.agent().say(endTurn)
      yield* ended(session)
      assert.lengthOf(fake.agent().sent, 2)
    }))

  test("goes on: an open question waits for its deadline, or for an answer", (fake) =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(named("s", { linger: 0 }))
      const asking = yield* Effect.forkChild(fake.agent().ask(FakeAdapter.askFor("q-1")))
      yield* Effect.yieldNow
      yield* leave
      yield* TestClock.adjust("29 minutes")
      assert.isTrue(yield* isLive("s"))
      const back = yield* join(named("s"))
      yield* submit(session, {
        type: "permission_response",
        request_id: RequestId.make("q-1"),
        behavior: "allow",
        message_id: MessageId.make("m-1")
      })
      assert.include(yield* Fiber.join(asking), { behavior: "allow" })
      const unanswered = yield* Effect.forkChild(fake.agent().ask(FakeAdapter.askFor("q-2")))
      yield* Effect.yieldNow
      yield* back.leave
      yield* TestClock.adjust("30 minutes")
      assert.deepInclude(yield* Fiber.join(unanswered), { behavior: "cancelled", reason: "timeout" })
      yield* ended(session)
    }))

  test("that begins by itself stops the count", (fake) =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(named("s"))
      yield* leave
      yield* TestClock.adjust("50 seconds")
      yield* fake.agent().say({ type: "turn_start" })
      yield* someTime
      assert.isTrue(yield* isLive("s"))
      yield* fake.agent().say(endTurn)
      yield* TestClock.adjust("59 seconds")
      assert.isTrue(yield* isLive("s"))
      yield* TestClock.adjust("1 seconds")
      yield* ended(session)
    }))

  test("goes on in a session that has no name when the client asked it to linger", (fake) =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(handshake({ linger: 5 }))
      yield* submit(session, prompt("build it", "m-1"))
      yield* leave
      yield* someTime
      yield* fake.agent().say(endTurn)
      yield* TestClock.adjust("5 seconds")
      yield* ended(session)
    }))

  test("ends with the connection where nobody gave the session a name or a linger", () =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(handshake())
      yield* submit(session, prompt("build it", "m-1"))
      yield* leave
      yield* Effect.forkChild(TestClock.adjust("5 seconds"))
      yield* ended(session)
    }))

  test("or none: nobody keeps a session without work for longer than the relay allows", () =>
    Effect.gen(function*() {
      const { leave, session } = yield* join(named("s", { linger: 31_536_000 }))
      yield* leave
      yield* TestClock.adjust("23 hours")
      assert.isTrue(yield* isLive("s"))
      yield* TestClock.adjust("1 hour")
      yield* ended(session)
    }))
})

describe("live sessions", () => {
  const by = (sender: Sender.Fields) => Effect.provideService(Sender, sender)

  test("begun by one token, or one other machine, are bounded, whatever others do; this machine's are not", () =>
    Effect.gen(function*() {
      const far = by({ address: "203.0.113.7" })
      const network = ["2001:db8::1", "2001:db8::2"].map((address) => by({ address }))
      const anna = by({ address: "203.0.113.7", token: "anna" })
      const first = yield* far(join(handshake()))
      for (const sender of [far, anna, anna, ...network]) yield* sender(join(handshake()))
      for (const sender of [far, anna, by({ address: "2001:db8::3" })]) {
        const refused = yield* Effect.flip(sender(join(handshake())))
        assert.strictEqual(refused._tag, "TooManySessions")
        assert.include(refused.message, "--max-sessions-per-sender")
      }
      for (const address of ["127.0.0.1", "127.0.0.1", "127.0.0.1", undefined]) {
        yield* by({ address })(join(handshake()))
      }
      // To attach begins none.
      yield* far(join(named(first.session.id)))
    }))
})

describe("a client who comes while the session closes", () => {
  it.effect("waits until it is gone and opens a new one", () => {
    const isClosing = Deferred.makeUnsafe<void>()
    const mayClose = Deferred.makeUnsafe<void>()
    const fake = FakeAdapter.make({
      closing: () => Effect.andThen(Deferred.succeed(isClosing, undefined), Deferred.await(mayClose))
    })
    return Effect.gen(function*() {
      const old = yield* join(named("s"))
      yield* fake.agent().exit({ exit_code: 0 })
      yield* Deferred.await(isClosing)
      const joining = yield* Effect.forkChild(join(named("s")))
      yield* Effect.yieldNow
      assert.lengthOf(fake.agents, 1)
      yield* Deferred.succeed(mayClose, undefined)
      const next = yield* Fiber.join(joining)
      assert.isFalse(next.attached)
      assert.notStrictEqual(next.session, old.session)
      yield* ended(old.session)
      assert.lengthOf(fake.agents, 2)
      yield* old.leave
      assert.isTrue(yield* isLive("s"))
    }).pipe(Effect.provide(registryOf(fake)))
  })

  test("gets a new one even if it comes in the moment the last one leaves", (fake) =>
    Effect.gen(function*() {
      const old = yield* join(named("s", { linger: 0 }))
      const next = yield* Effect.andThen(old.leave, join(named("s", { linger: 0 })))
      yield* ended(old.session)
      assert.isFalse(next.attached)
      assert.lengthOf(fake.agents, 2)
      assert.isTrue(yield* isLive("s"))
    }))
})

describe("a session that cannot be opened", () => {
  const failOnce = (): FakeAdapter.FakeOptions => {
    let failures = 1
    return {
      opening: () =>
        Effect.andThen(
          Effect.yieldNow,
          failures-- > 0 ? new AgentFailed({ tool: "fake", reason: "not now" }) : Effect.void
        )
    }
  }

  test("tells all who wanted it, and may be tried again", (fake) =>
    Effect.gen(function*() {
      const failures = yield* Effect.all(
        Array.from({ length: 3 }, () => Effect.flip(join(named("s")))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(failures.map(({ _tag }) => _tag), ["AgentFailed", "AgentFailed", "AgentFailed"])
      const { attached } = yield* join(named("s"))
      assert.isFalse(attached)
      assert.lengthOf(fake.agents, 1)
    }), failOnce)

  test("because there is no such tool or folder, says so", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(join(handshake({ tool: "x" }))))._tag, "UnknownTool")
      assert.strictEqual(
        (yield* Effect.flip(join(handshake({ folder: "./nowhere" }))))._tag,
        "FolderNotFound"
      )
      assert.strictEqual((yield* Effect.flip(join(handshake({ folder: "/" }))))._tag, "ForbiddenFolder")
    }))

  test(
    "for a fault of ours fails for all who wanted it, and may be tried again",
    (fake) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(join(named("s")))
        assert.isTrue(Exit.isFailure(exit))
        yield* join(named("s"))
        assert.lengthOf(fake.agents, 1)
      }),
    () => {
      let faults = 1
      return { opening: () => faults-- > 0 ? Effect.die("kaputt") : Effect.void }
    }
  )

  it.effect("is given up when nobody waits for it any more", () => {
    const isOpening = Deferred.makeUnsafe<void>()
    const fake = FakeAdapter.make({
      opening: ({ model }) =>
        model === undefined
          ? Effect.andThen(Deferred.succeed(isOpening, undefined), Effect.never)
          : Effect.void
    })
    return Effect.gen(function*() {
      const client = yield* Effect.forkChild(join(named("s", { linger: 0 })))
      yield* Deferred.await(isOpening)
      yield* Fiber.interrupt(client)
      const next = yield* join(named("s", { model: "m-1" }))
      assert.isFalse(next.attached)
      assert.lengthOf(fake.agents, 1)
    }).pipe(Effect.provide(registryOf(fake)))
  })
})

describe("when the relay ends", () => {
  it.effect("while an agent opens, who waits for it is told", () => {
    const isOpening = Deferred.makeUnsafe<void>()
    const fake = FakeAdapter.make({
      opening: () => Effect.andThen(Deferred.succeed(isOpening, undefined), Effect.never)
    })
    return Effect.gen(function*() {
      const registry = yield* SessionRegistry
      const client = yield* Effect.forkChild(join(named("s")))
      yield* Deferred.await(isOpening)
      yield* registry.closeAll
      const exit = yield* Fiber.await(client)
      assert.isTrue(Exit.isFailure(exit))
      assert.include(JSON.stringify(exit), "TooManySessions")
    }).pipe(Effect.provide(registryOf(fake)))
  })

  it.effect("in whatever moment of its opening: no agent is left behind", () =>
    Effect.gen(function*() {
      for (let moment = 0; moment < 60; moment += 1) {
        let opened = 0
        let closed = 0
        const fake = FakeAdapter.make({
          opening: () => Effect.sync(() => void (opened += 1)),
          closing: () => Effect.sync(() => void (closed += 1))
        })
        yield* Effect.gen(function*() {
          const registry = yield* SessionRegistry
          const client = yield* Effect.forkChild(Effect.exit(join(named("s"))))
          for (let step = 0; step < moment; step += 1) yield* Effect.yieldNow
          yield* registry.closeAll
          yield* Fiber.await(client)
          assert.strictEqual(closed, fake.agents.length, `after ${moment} steps`)
          assert.isAtMost(opened, 1)
        }).pipe(Effect.provide(registryOf(fake)))
      }
    }))

  /** Agents that take as long to close as all of them need to begin. */
  const closingTogether = (count: number) => (): FakeAdapter.FakeOptions => {
    const all = Deferred.makeUnsafe<void>()
    let closing = 0
    return {
      closing: () =>
        Effect.suspend(() => ++closing === count ? Deferred.succeed(all, undefined) : Effect.void).pipe(
          Effect.andThen(Deferred.await(all))
        )
    }
  }

  test("all sessions end at the same time, each with its session_end", () =>
    Effect.gen(function*() {
      const registry = yield* SessionRegistry
      const clients = yield* Effect.forEach(["a", "b", "c"], (name) => join(named(name)))
      yield* registry.closeAll
      for (const { session } of clients) yield* ended(session)
      assert.isFalse(yield* isLive("a"))
    }), closingTogether(3))

  it.effect("sessions end before its services are gone", () =>
    Effect.gen(function*() {
      const fake = FakeAdapter.make(closingTogether(2)())
      const sessions = yield* Effect.forEach(["a", "b"], (name) => join(named(name))).pipe(
        Effect.map((clients) => clients.map(({ session }) => session)),
        Effect.provide(registryOf(fake))
      )
      for (const session of sessions) yield* ended(session)
    }))
})

describe("who may not", () => {
  const viewer = limitedTo({ scopes: new Set(["view"]) })

  test("open a session with a field of the operator's is refused, and none is opened", (fake) =>
    Effect.gen(function*() {
      const prompting = limitedTo({ scopes: new Set(["prompt"]) })
      const refused = yield* Effect.flip(prompting(join(handshake({ command: ["sh"] }))))
      assert.strictEqual(refused._tag, "Forbidden")
      assert.lengthOf(fake.agents, 0)
      yield* prompting(join(handshake()))
    }))

  test("work outside of a limit opens nothing there", (fake) =>
    Effect.gen(function*() {
      const within = (limits: Limits, fields: object) =>
        limitedTo({ limits })(Effect.exit(join(handshake(fields))))
      const beside = [
        yield* within({ sessions: ["mine"] }, { session_id: "theirs" }),
        yield* within({ agents: ["codex"] }, { session_id: "mine" }),
        yield* within({ folders: ["/nowhere"] }, { session_id: "mine" })
      ]
      assert.isTrue(beside.every(Exit.isFailure))
      assert.lengthOf(fake.agents, 0)
      assert.isTrue(
        Exit.isSuccess(yield* within({ sessions: ["mine"], agents: ["fake"] }, { session_id: "mine" }))
      )
    }))

  test("do anything opens no session, and keeps none alive", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(viewer(join(named("s")))))._tag, "Forbidden")
      const { leave, session } = yield* join(named("s", { linger: 0 }))
      const watching = yield* viewer(join(named("s")))
      assert.isTrue(watching.attached)
      yield* leave
      yield* ended(session)
    }))

  test("see a session finds nothing there: no line, no events, nothing to remove", () =>
    Effect.gen(function*() {
      const registry = yield* SessionRegistry
      yield* join(named("mine"))
      yield* join(named("theirs"))
      const theirs = SessionId.make("theirs")
      const limited = limitedTo({ limits: { sessions: ["mine"] } })
      assert.deepStrictEqual((yield* limited(registry.list)).map(({ session_id }) => session_id), ["mine"])
      assert.isUndefined(yield* limited(registry.listing(theirs)))
      assert.isUndefined(yield* limited(registry.read(theirs, 0)))
      assert.strictEqual((yield* Effect.flip(limited(registry.forget(theirs))))._tag, "SessionNotFound")
      const change = limited(registry.change(theirs, { title: "mine now" }))
      assert.strictEqual((yield* Effect.flip(change))._tag, "SessionNotFound")
      assert.isTrue(yield* isLive("theirs"))
      assert.isDefined(yield* registry.listing(theirs))
    }))
})

describe("a session that was, outside of a token's limits", () => {
  const [theirs, mine] = ["theirs", "mine"].map((name) => {
    const folder = realpathSync(mkdtempSync(join_(tmpdir(), `registry-${name}-`)))
    folders.push(folder)
    return folder
  }) as [string, string]
  const within = limitedTo({ scopes: new Set(["prompt"]), limits: { folders: [mine] } })
  const opened = Effect.gen(function*() {
    const { leave, session } = yield* join(named("kept", { folder: theirs }))
    session.log.unsafeAppend({ type: "status", status: "note", text: "a secret" })
    yield* leave
  })

  it.effect(
    "is not had by naming a folder within them",
    () =>
      restarted(opened, (_, fake) =>
        Effect.gen(function*() {
          for (const fields of [{}, { folder: mine }, { folder: theirs }, { folder: mine, tool: "fake" }]) {
            const refused = yield* Effect.flip(
              within(join(handshake({ session_id: "kept", tool: null, ...fields })))
            )
            assert.strictEqual(refused._tag, "Forbidden", JSON.stringify(fields))
            assert.notInclude(refused.message, theirs)
          }
          assert.lengthOf(fake.agents, 0)
          // Nor by the token of an agent that has the relay's tools.
          const agents = limitedTo({
            scopes: new Set(["prompt"]),
            session_id: "s",
            limits: { folders: [mine] }
          })
          assert.isTrue(Exit.isFailure(yield* Effect.exit(agents(join(named("kept", { folder: mine }))))))
          yield* within(join(named("own", { folder: mine })))
          yield* join(named("kept"))
        })),
    20_000
  )

  it.effect("is not taken to another folder by a token for that session", () =>
    restarted(opened, (_, fake) =>
      Effect.gen(function*() {
        const its = limitedTo({ scopes: new Set(["prompt"]), limits: { sessions: ["kept"] } })
        const refused = yield* Effect.flip(its(join(named("kept", { folder: mine }))))
        assert.strictEqual(refused._tag, "Forbidden")
        assert.lengthOf(fake.agents, 0)
        yield* its(join(named("kept", { folder: theirs })))
      })))

  it.effect("is not told from one that never was, where it must exist, or who asks may only look", () =>
    restarted(opened, () =>
      Effect.gen(function*() {
        const looking = limitedTo({ scopes: new Set(["view"]), limits: { folders: [mine] } })
        const told = Effect.fnUntraced(function*(session_id: string) {
          const named_ = named(session_id, { must_exist: true })
          const errors = [yield* Effect.flip(within(join(named_))), yield* Effect.flip(looking(join(named_)))]
          return errors.map(({ _tag, message }) => `${_tag} ${message.replaceAll(session_id, "NAME")}`)
        })
        const never = yield* told("never")
        assert.deepStrictEqual(yield* told("kept"), never)
        yield* join(named("kept"))
        assert.deepStrictEqual(yield* told("kept"), never)
      })))

  it.effect("is told nothing of folders outside of them, there or not", () =>
    restarted(Effect.void, () =>
      Effect.gen(function*() {
        const missing = join_(theirs, "nowhere")
        const tell = (folder: string) => Effect.flip(within(join(handshake({ folder }))))
        assert.strictEqual((yield* tell(missing)).message, (yield* tell(theirs)).message)
        assert.strictEqual((yield* tell(join_(mine, "nowhere")))._tag, "FolderNotFound")
      })))
})

describe("what a session was opened with", () => {
  const elsewhere = realpathSync(mkdtempSync(join_(tmpdir(), "registry-elsewhere-")))
  folders.push(elsewhere)
  const prompting = limitedTo({ scopes: new Set(["prompt"]) })

  it.effect("is taken to another folder by nobody who may not choose it", () =>
    restarted(
      Effect.gen(function*() {
        for (
          const [name, fields] of [["free", { permission_mode: "bypassPermissions" }], ["plain", {}]] as const
        ) {
          const { leave } = yield* join(named(name, fields))
          yield* leave
        }
      }),
      () =>
        Effect.gen(function*() {
          const refused = yield* Effect.flip(prompting(join(named("free", { folder: elsewhere }))))
          assert.strictEqual(refused._tag, "Forbidden")
          assert.include(refused.message, "`permission_mode`")
          yield* prompting(join(named("free")))
          yield* prompting(join(named("plain", { folder: elsewhere })))
        })
    ))
})

describe("the list of sessions", () => {
  test(
    "has as many as may live, and no more",
    () =>
      Effect.gen(function*() {
        yield* join(named("one"))
        yield* join(named("two"))
        const refused = yield* Effect.flip(join(named("three")))
        assert.strictEqual(refused._tag, "TooManySessions")
        assert.include(refused.message, "--max-sessions")
        yield* join(named("one"))
      }),
    () => ({}),
    { max_sessions: 2, max_sessions_per_sender: 10 }
  )

  test("tells who watches it what has come, changed and gone, until they stop", () =>
    Effect.gen(function*() {
      const registry = yield* SessionRegistry
      const heard = new Set<string | undefined>()
      const stop = registry.watch((session_id) => void heard.add(session_id))
      const hears = (name: string) => {
        assert.isTrue(heard.has(name), name)
        heard.clear()
      }
      const { leave, session } = yield* join(named("s", { linger: 0 }))
      hears("s")
      yield* registry.change(session.id, { title: "A name" })
      hears("s")
      assert.strictEqual((yield* registry.listing(session.id))?.title, "A name")
      session.log.unsafeAppend({ type: "turn_start" })
      hears("s")
      yield* leave
      yield* ended(session)
      hears("s")
      stop()
      yield* join(named("t"))
      assert.strictEqual(heard.size, 0)
    }))

  it.effect("keeps sessions that were, with the names people gave them, until they are forgotten", () => {
    const id = SessionId.make("s")
    return restarted(
      Effect.gen(function*() {
        const { leave, session } = yield* join(named("s", { front: "chat" }))
        yield* (yield* SessionRegistry).change(session.id, { title: "A name" })
        yield* leave
      }),
      () =>
        Effect.gen(function*() {
          const registry = yield* SessionRegistry
          const [line] = yield* registry.list
          assert.deepInclude(line, { session_id: id, title: "A name", state: "closed" })
          assert.deepInclude(line?.opened_by, { front: "chat" })
          assert.isDefined(yield* registry.read(id, 0))
          yield* registry.forget(id)
          assert.deepStrictEqual(yield* registry.list, [])
          assert.isUndefined(yield* registry.read(id, 0))
          assert.strictEqual((yield* Effect.flip(registry.forget(id)))._tag, "SessionNotFound")
        })
    )
  })

  test("loses a live session that is forgotten: it ends, and the next of its name is another", (fake) =>
    Effect.gen(function*() {
      const registry = yield* SessionRegistry
      const { session } = yield* join(named("s"))
      yield* registry.forget(session.id)
      yield* ended(session)
      const next = yield* join(named("s"))
      assert.isFalse(next.attached)
      assert.strictEqual(next.session.log.summary().turns, 0)
      assert.lengthOf(fake.agents, 2)
    }))
})
