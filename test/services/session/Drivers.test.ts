/**
 * One driver, many viewers (`--drivers one`): the real registry and the real session, against a model of who may drive.
 * Random sequences of people who come, leave, prompt, ask, answer, suggest and wait, while the relay is restarted.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AdapterRegistry } from "../../../src/adapters/AdapterRegistry.js"
import {
  type ClientCommand,
  Handshake,
  MessageId,
  type RelayEvent,
  RequestId
} from "../../../src/schema/index.js"
import { Folders } from "../../../src/services/access/Folders.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { Journal } from "../../../src/services/journal/Journal.js"
import { NativeSessions } from "../../../src/services/native/NativeSessions.js"
import { Recorder } from "../../../src/services/observe/Recorder.js"
import { RelayConfig, type Settings } from "../../../src/services/RelayConfig.js"
import { ClientKey } from "../../../src/services/session/Drivers.js"
import { Sender } from "../../../src/services/session/Sender.js"
import { type Joined, SessionRegistry } from "../../../src/services/session/SessionRegistry.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"

const deadline = 30

const layerOf = (fake: FakeAdapter.FakeAdapter, folder: string, settings: Partial<Settings>) =>
  SessionRegistry.layer.pipe(
    Layer.provide(AdapterRegistry.layer(Effect.succeed([fake.adapter]))),
    Layer.provide(
      Layer.mergeAll(Folders.layer, Journal.layerDisk(folder), NativeSessions.layerNone, Recorder.layer)
    ),
    Layer.provide(IdGenerator.layer),
    Layer.provide(
      RelayConfig.layer({ linger: 86_400, drivers: "one", take_over_timeout: deadline, ...settings })
    ),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )

const handshake = Schema.decodeUnknownSync(Handshake)({ tool: "fake", session_id: "s" })

/** A relay that can be restarted, and those who are there. */
class Relay {
  readonly fake: FakeAdapter.FakeAdapter
  readonly people = new Map<string, Joined & { readonly leave: Effect.Effect<void> }>()
  private scope = Scope.makeUnsafe()
  private registry: SessionRegistry["Service"] | undefined
  private sent = 0

  constructor(
    readonly folder: string,
    options: FakeAdapter.FakeOptions = {},
    readonly settings: Partial<Settings> = {}
  ) {
    this.fake = FakeAdapter.make({ onCommand: FakeAdapter.answering(), ...options })
  }

  readonly start = Effect.suspend(() => {
    this.scope = Scope.makeUnsafe()
    return Effect.map(
      Layer.buildWithScope(layerOf(this.fake, this.folder, this.settings), this.scope),
      (built) => void (this.registry = Context.get(built, SessionRegistry))
    )
  })

  readonly stop = Effect.suspend(() => {
    const left = [...this.people.values()].map(({ leave }) => leave)
    this.people.clear()
    return Effect.andThen(
      this.registry?.closeAll ?? Effect.void,
      Effect.andThen(Effect.all(left), Scope.close(this.scope, Exit.void))
    )
  })

  readonly join = (user: string, key?: string, by: Sender.Fields = { user }) =>
    Effect.gen({ self: this }, function*() {
      const scope = yield* Scope.make()
      const joined = yield* (this.registry as SessionRegistry["Service"]).join(handshake).pipe(
        Scope.provide(scope),
        Effect.provideService(Sender, by),
        Effect.provideService(ClientKey, key)
      )
      const person = { ...joined, leave: Scope.close(scope, Exit.void) }
      this.people.set(user, person)
      return person
    })

  readonly leave = (user: string) =>
    Effect.suspend(() => {
      const { leave } = this.people.get(user) as { readonly leave: Effect.Effect<void> }
      this.people.delete(user)
      return leave
    })

  /** Give a command; what became of it, with the error's code. */
  readonly give = (user: string, command: ClientCommand) =>
    Effect.gen({ self: this }, function*() {
      const { session, submit } = this.people.get(user) as Joined
      const message_id = MessageId.make(`m${++this.sent}-${user}`)
      const from = session.log.lastSeq()
      const refusal = yield* submit({ ...command, message_id } as ClientCommand).pipe(
        Effect.provideService(Sender, { user }),
        Effect.as(undefined),
        Effect.catch((error) => Effect.succeed(error._tag))
      )
      if (refusal !== undefined) return refusal
      const answer = yield* session.log.tail(from).pipe(
        Stream.filter((event) =>
          (event.type === "input_ack" || event.type === "error") && event.message_id === message_id
        ),
        Stream.runHead,
        Effect.flatMap(Effect.fromOption)
      )
      if (answer.type === "error") return answer.code
      // Its turn is over, too.
      if (command.type === "user_message" || command.type === "suggestion_response") {
        yield* session.log.tail(0).pipe(
          Stream.takeUntil(() => session.log.turn() === undefined),
          Stream.runDrain
        )
      }
      return "done"
    })

  readonly prompt = (user: string) =>
    this.give(user, { type: "user_message", content: [{ type: "text", text: `by ${user}` }] })

  readonly events = (): Effect.Effect<ReadonlyArray<RelayEvent>> => {
    const [person] = this.people.values()
    const { log } = (person as Joined).session
    return Stream.runCollect(
      Stream.takeUntil(log.tail(0), ({ seq }) => seq >= log.lastSeq())
    )
  }

  readonly statuses = (name: string) =>
    Effect.map(
      this.events(),
      (events) => events.flatMap((event) => event.type === "status" && event.status === name ? [event] : [])
    )

  readonly driver = () => {
    const [person] = this.people.values()
    return person?.session.drivers.current()?.by.user
  }
}

const metadataOf = (event: RelayEvent | undefined) =>
  (event?.type === "status" ? event.metadata : undefined) ?? {}

const test = (
  name: string,
  body: (relay: Relay) => Effect.Effect<void, unknown>,
  options: FakeAdapter.FakeOptions = {},
  settings: Partial<Settings> = {}
) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-drivers-"))
      const relay = new Relay(folder, options, settings)
      yield* relay.start
      yield* Effect.ensuring(
        body(relay),
        Effect.andThen(relay.stop, Effect.sync(() => rmSync(folder, { recursive: true, force: true })))
      )
    }))

describe("with --drivers one", () => {
  test("whoever gives the first command drives; others are told who, and nothing of theirs is done", (relay) =>
    Effect.gen(function*() {
      const { session } = yield* relay.join("ann")
      yield* relay.join("bob")
      assert.strictEqual(yield* relay.prompt("ann"), "done")
      assert.strictEqual(relay.driver(), "ann")
      const before = session.log.lastSeq()
      for (
        const command of [
          { type: "user_message", content: [{ type: "text", text: "mine" }] },
          { type: "permission_response", request_id: RequestId.make("r"), behavior: "allow" },
          { type: "interrupt" },
          { type: "set_model", model: "m" },
          { type: "set_permission_mode", mode: "plan" },
          { type: "cancel_queued", message_id: MessageId.make("x") },
          { type: "schedule", content: [{ type: "text", text: "later" }], every: "@daily" },
          { type: "set_budget", budget: { session: { turns: 1 } } },
          { type: "drive_response", request_id: RequestId.make("r"), allow: true },
          { type: "suggestion_response", suggestion_id: "x", send: true },
          { type: "end" }
        ] as ReadonlyArray<ClientCommand>
      ) {
        assert.strictEqual(yield* relay.give("bob", command), "NotDriving", command.type)
      }
      assert.strictEqual(session.log.lastSeq(), before)
      const { submit } = relay.people.get("bob") as Joined
      const { message } = yield* Effect.flip(submit({ type: "interrupt" }))
      assert.match(message, /^ann drives this session, so `interrupt` was not done: .*`drive`.*`suggest`/)
    }))

  test("the driver answers who asks: let in, or refused and told to wait", (relay) =>
    Effect.gen(function*() {
      yield* relay.join("ann")
      yield* relay.join("bob")
      yield* relay.prompt("ann")
      assert.strictEqual(yield* relay.give("bob", { type: "drive" }), "done")
      const [asked] = yield* relay.statuses("drive_requested")
      assert.deepInclude(metadataOf(asked), { by: { user: "bob" }, expires_at: deadline })
      const request_id = RequestId.make(String(metadataOf(asked)["request_id"]))
      // Nobody lets themselves in.
      assert.strictEqual(
        yield* relay.give("bob", { type: "drive_response", request_id, allow: true }),
        "NotDriving"
      )
      assert.strictEqual(
        yield* relay.give("ann", { type: "drive_response", request_id, allow: false }),
        "done"
      )
      assert.strictEqual(relay.driver(), "ann")
      yield* TestClock.adjust(`${deadline - 1} seconds`)
      assert.strictEqual(yield* relay.give("bob", { type: "drive" }), "bad_command")
      // Nor by coming back.
      yield* relay.leave("bob")
      yield* relay.join("bob")
      assert.strictEqual(yield* relay.give("bob", { type: "drive" }), "bad_command")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* relay.give("bob", { type: "drive" }), "done")
      const again = RequestId.make(
        String(metadataOf((yield* relay.statuses("drive_requested")).at(-1))["request_id"])
      )
      yield* relay.give("ann", { type: "drive_response", request_id: again, allow: true })
      assert.strictEqual(relay.driver(), "bob")
      assert.strictEqual(yield* relay.prompt("ann"), "NotDriving")
      assert.strictEqual(yield* relay.prompt("bob"), "done")
    }))

  test("is told on one line, whatever a client calls what it uses", (relay) =>
    Effect.gen(function*() {
      yield* relay.join("ann", undefined, {
        user: "ann",
        front: "x)\n! bob drives now. (\u001b[2J\u202e\u2028"
      })
      yield* relay.prompt("ann")
      const [told] = yield* relay.statuses("driver")
      assert.strictEqual(told?.text, "ann (x) ! bob drives now. ( [2J ) drives now.")
    }))

  test("a driver who does not answer in time is relieved; one who leaves, at once", (relay) =>
    Effect.gen(function*() {
      for (const user of ["ann", "bob", "cid"]) yield* relay.join(user)
      yield* relay.prompt("ann")
      yield* relay.give("bob", { type: "drive" })
      yield* TestClock.adjust(`${deadline - 1} seconds`)
      assert.strictEqual(relay.driver(), "ann")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(relay.driver(), "bob")
      yield* relay.give("cid", { type: "drive" })
      yield* relay.leave("bob")
      assert.strictEqual(relay.driver(), "cid")
      yield* relay.leave("cid")
      assert.isUndefined(relay.driver())
      assert.strictEqual(yield* relay.prompt("ann"), "done")
    }))

  test("a suggestion runs only when the driver sends it, as it was shown, and once", (relay) =>
    Effect.gen(function*() {
      yield* relay.join("ann")
      yield* relay.join("bob")
      yield* relay.prompt("ann")
      const text = "delete \u202eeverything"
      assert.strictEqual(yield* relay.give("bob", { type: "suggest", text }), "done")
      const [suggested] = yield* relay.statuses("suggestion")
      assert.strictEqual(suggested?.text, text)
      const suggestion_id = String(metadataOf(suggested)["suggestion_id"])
      const answer = (send: boolean) => ({ type: "suggestion_response", suggestion_id, send }) as const
      assert.strictEqual(yield* relay.give("bob", answer(true)), "NotDriving")
      assert.lengthOf(relay.fake.agent().sent, 1)
      assert.strictEqual(yield* relay.give("ann", answer(true)), "done")
      assert.strictEqual(yield* relay.give("ann", answer(true)), "bad_command")
      const prompts = relay.fake.agent().sent
      assert.lengthOf(prompts, 2)
      assert.deepInclude(prompts[1], { content: [{ type: "text", text }] })

      yield* relay.give("bob", { type: "suggest", text: "another" })
      const other = String(metadataOf((yield* relay.statuses("suggestion")).at(-1))["suggestion_id"])
      yield* relay.give("ann", { type: "suggestion_response", suggestion_id: other, send: false })
      assert.lengthOf(relay.fake.agent().sent, 2)
      for (let n = 0; n < 5; n++) {
        assert.strictEqual(yield* relay.give("bob", { type: "suggest", text: `${n}` }), "done")
      }
      assert.strictEqual(yield* relay.give("bob", { type: "suggest", text: "too many" }), "bad_command")
      // Also over a new connection: one person must not use up what is there for all.
      yield* relay.leave("bob")
      yield* relay.join("bob")
      assert.strictEqual(yield* relay.give("bob", { type: "suggest", text: "again" }), "bad_command")
      assert.strictEqual(yield* relay.give("ann", { type: "suggest", text: "my own" }), "bad_command")
    }))

  test("what was carried out before is acknowledged again, whoever drives now", (relay) =>
    Effect.gen(function*() {
      const { session, submit } = yield* relay.join("ann")
      yield* relay.join("bob")
      const prompt: ClientCommand = {
        type: "user_message",
        content: [{ type: "text", text: "once" }],
        message_id: MessageId.make("mine")
      }
      yield* submit(prompt)
      yield* relay.prompt("ann")
      yield* relay.leave("ann")
      yield* relay.prompt("bob")
      const back = yield* relay.join("ann")
      yield* back.submit(prompt)
      const again = yield* session.log.tail(0).pipe(
        Stream.filter((event) => event.type === "input_ack" && event.status === "duplicate"),
        Stream.runHead,
        Effect.flatMap(Effect.fromOption)
      )
      assert.deepInclude(again, { message_id: "mine" })
      assert.strictEqual(relay.driver(), "bob")
    }))

  test("who comes with each request anew is one client, as long as one of its requests lasts", (relay) =>
    Effect.gen(function*() {
      const first = yield* relay.join("ann", "chat ann")
      yield* relay.prompt("ann")
      yield* relay.join("ann", "chat ann")
      assert.strictEqual(yield* relay.prompt("ann"), "done")
      yield* relay.leave("ann")
      yield* relay.join("bob")
      assert.strictEqual(yield* relay.prompt("bob"), "NotDriving")
      yield* first.leave
      assert.strictEqual(yield* relay.prompt("bob"), "done")
    }))

  test(
    "a terminal's size may be told while nobody drives, and drives nothing",
    (relay) =>
      Effect.gen(function*() {
        yield* relay.join("ann")
        yield* relay.join("bob")
        assert.strictEqual(yield* relay.give("ann", { type: "resize", cols: 80, rows: 24 }), "done")
        assert.isUndefined(relay.driver())
        assert.strictEqual(yield* relay.give("bob", { type: "stdin", data: "ls\r" }), "done")
        assert.strictEqual(relay.driver(), "bob")
        assert.strictEqual(yield* relay.give("ann", { type: "resize", cols: 1, rows: 1 }), "NotDriving")
        assert.strictEqual(yield* relay.give("ann", { type: "suggest", text: "rm -rf /" }), "bad_command")
      }),
    { capabilities: { terminal: true } }
  )
})

describe("what comes without a connection, such as the answer to a notification", () => {
  test("keeps out what comes without a client, but not the one who drives, from elsewhere", (relay) =>
    Effect.gen(function*() {
      const { session: { drivers } } = yield* relay.join("ann", undefined, { token: "ann" })
      assert.isUndefined(drivers.objection("it"))
      yield* relay.prompt("ann")
      assert.match(drivers.objection("it") ?? "", /^ann drives this session, so it was not done: /)
      assert.isDefined(drivers.objection("it", { token: "bob" }))
      assert.isDefined(drivers.objection("it", { token: undefined }))
      assert.isUndefined(drivers.objection("it", { token: "ann" }))
    }))
})

describe("with --drivers many, the default", () => {
  test(
    "nothing changes, and nothing is told",
    (relay) =>
      Effect.gen(function*() {
        yield* relay.join("ann")
        yield* relay.join("bob")
        assert.strictEqual(yield* relay.prompt("ann"), "done")
        assert.strictEqual(yield* relay.prompt("bob"), "done")
        assert.strictEqual(yield* relay.give("bob", { type: "drive" }), "bad_command")
        assert.strictEqual(yield* relay.give("bob", { type: "suggest", text: "x" }), "bad_command")
        assert.lengthOf(yield* relay.statuses("driver"), 0)
        const [start] = yield* relay.events()
        assert.notProperty(start?.type === "session_start" ? start.metadata : {}, "drivers")
      }),
    {},
    { drivers: "many" }
  )
})

// --- the model ---------------------------------------------------------------------------------------------------

const users = ["ann", "bob", "cid"] as const
type User = (typeof users)[number]

/** What should be so. */
interface Model {
  readonly here: Set<User>
  driver: User | undefined
  /** Oldest first. */
  asks: Array<{ readonly user: User; readonly until: number }>
  suggestions: Array<User>
  readonly waits: Map<User, number>
  now: number
}

interface Real {
  readonly relay: Relay
  readonly run: <A>(effect: Effect.Effect<A, unknown>) => Promise<A>
}

const take = (model: Model, user: User | undefined) => {
  model.driver = user
  model.asks = []
}

/** The driver according to the log alone: what clients are told is what is so. */
const toldDriver = (events: ReadonlyArray<RelayEvent>): unknown =>
  events.reduce<unknown>((driver, event) => {
    if (event.type === "session_start") return undefined
    if (event.type !== "status" || event.status !== "driver") return driver
    return (event.metadata?.["driver"] as { readonly user?: string } | undefined)?.user
  }, undefined)

const check = async (model: Model, { relay, run }: Real) => {
  if (model.here.size === 0) return
  assert.strictEqual(relay.driver(), model.driver)
  assert.isTrue(model.driver === undefined || model.here.has(model.driver), "a driver who is not there")
  assert.strictEqual(toldDriver(await run(relay.events())), model.driver)
}

type Step = fc.AsyncCommand<Model, Real>

const step = (
  name: string,
  can: (model: Readonly<Model>) => boolean,
  run: (model: Model, real: Real) => Promise<void>
): Step => ({
  check: can,
  run: async (model, real) => {
    await run(model, real)
    await check(model, real)
  },
  toString: () => name
})

const isHere = (user: User) => (model: Readonly<Model>) => model.here.has(user)

/** Whoever gives a command while nobody drives, drives. */
const drives = (model: Model, user: User) => {
  if (model.driver === undefined) take(model, user)
  return model.driver === user
}

const joins = (user: User) =>
  step(`${user} comes`, (model) => !model.here.has(user), async (model, { relay, run }) => {
    await run(relay.join(user))
    model.here.add(user)
  })
const leaves = (user: User) =>
  step(`${user} leaves`, isHere(user), async (model, { relay, run }) => {
    await run(relay.leave(user))
    model.here.delete(user)
    model.asks = model.asks.filter((ask) => ask.user !== user)
    if (model.driver === user) take(model, model.asks[0]?.user)
  })
const prompts = (user: User) =>
  step(`${user} prompts`, isHere(user), async (model, { relay, run }) => {
    const before = relay.fake.agent().sent.length
    const may = drives(model, user)
    assert.strictEqual(await run(relay.prompt(user)), may ? "done" : "NotDriving")
    assert.strictEqual(relay.fake.agent().sent.length - before, may ? 1 : 0)
  })
const sets = (user: User) =>
  step(`${user} sets a model`, isHere(user), async (model, { relay, run }) => {
    const expected = drives(model, user) ? "done" : "NotDriving"
    assert.strictEqual(await run(relay.give(user, { type: "set_model", model: user })), expected)
  })
const asks = (user: User) =>
  step(`${user} asks`, isHere(user), async (model, { relay, run }) => {
    const waits = (model.waits.get(user) ?? 0) > model.now
    const isNew = model.driver !== undefined && model.driver !== user
      && !model.asks.some((ask) => ask.user === user)
    assert.strictEqual(
      await run(relay.give(user, { type: "drive" })),
      isNew && waits ? "bad_command" : "done"
    )
    if (model.driver === undefined) take(model, user)
    else if (isNew && !waits) model.asks.push({ user, until: model.now + deadline })
  })
const answers = (user: User, allow: boolean) =>
  step(`${user} ${allow ? "allows" : "refuses"}`, isHere(user), async (model, { relay, run }) => {
    const [first] = model.asks
    const events = await run(relay.events())
    const open = events.flatMap((event) =>
      event.type === "status" && event.status === "drive_requested"
        && (event.metadata?.["by"] as { readonly user?: string } | undefined)?.user === first?.user
        ? [String(event.metadata?.["request_id"])]
        : []
    )
    const request_id = RequestId.make(open.at(-1) ?? "none")
    const got = await run(relay.give(user, { type: "drive_response", request_id, allow }))
    if (!drives(model, user)) return assert.strictEqual(got, "NotDriving")
    if (first === undefined) return assert.strictEqual(got, "bad_command")
    assert.strictEqual(got, "done")
    if (allow) return take(model, first.user)
    model.asks.shift()
    model.waits.set(first.user, model.now + deadline)
  })
const suggests = (user: User) =>
  step(`${user} suggests`, isHere(user), async (model, { relay, run }) => {
    const before = relay.fake.agent().sent.length
    const own = model.suggestions.filter((of) => of === user).length
    const may = model.driver !== undefined && model.driver !== user && own < 5
    assert.strictEqual(
      await run(relay.give(user, { type: "suggest", text: `for ${user}` })),
      may ? "done" : "bad_command"
    )
    if (may) model.suggestions.push(user)
    assert.strictEqual(relay.fake.agent().sent.length, before)
  })
const settles = (user: User, send: boolean) =>
  step(`${user} ${send ? "sends" : "drops"} it`, isHere(user), async (model, { relay, run }) => {
    const before = relay.fake.agent().sent.length
    const settled = (await run(relay.statuses("suggestion_settled"))).map((event) =>
      event.metadata?.["suggestion_id"]
    )
    const [start] = (await run(relay.events())).flatMap((event) =>
      event.type === "session_start" ? [event.seq] : []
    ).slice(-1)
    const open = (await run(relay.statuses("suggestion"))).filter((event) =>
      event.seq > (start ?? 0) && !settled.includes(event.metadata?.["suggestion_id"])
    )
    assert.lengthOf(open, model.suggestions.length)
    const suggestion_id = String(open[0]?.metadata?.["suggestion_id"] ?? "none")
    const got = await run(relay.give(user, { type: "suggestion_response", suggestion_id, send }))
    const sent = relay.fake.agent().sent.length - before
    if (!drives(model, user)) {
      assert.strictEqual(sent, 0)
      return assert.strictEqual(got, "NotDriving")
    }
    if (model.suggestions.shift() === undefined) return assert.strictEqual(got, "bad_command")
    assert.strictEqual(got, "done")
    assert.strictEqual(sent, send ? 1 : 0)
  })
const waits = (seconds: number) =>
  step(`${seconds} s`, () => true, async (model, { run }) => {
    await run(TestClock.adjust(`${seconds} seconds`))
    model.now += seconds
    const [due] = model.asks
    // The first whose time is over drives; those behind it ask again, if they still want to.
    if (due !== undefined && due.until <= model.now) take(model, due.user)
  })
const restarts = () =>
  step("the relay is restarted", () => true, async (model, { relay, run }) => {
    await run(Effect.andThen(relay.stop, relay.start))
    model.here.clear()
    take(model, undefined)
    model.suggestions = []
    model.waits.clear()
  })

/** Whoever is there, or comes, drives within the deadline if those who drive do not refuse. */
const endsWell = async (model: Model, real: Real) => {
  for (const user of users) {
    if (!model.here.has(user)) await joins(user).run(model, real)
    await waits(deadline).run(model, real)
    await asks(user).run(model, real)
    await waits(deadline).run(model, real)
    assert.strictEqual(model.driver, user)
    await prompts(user).run(model, real)
  }
}

describe("whatever people do, and whatever becomes of the relay", () => {
  const anybody = fc.constantFrom(...users)
  const steps = [
    anybody.map(joins),
    anybody.map(leaves),
    anybody.map(prompts),
    anybody.map(prompts),
    anybody.map(sets),
    anybody.map(asks),
    anybody.map(asks),
    fc.tuple(anybody, fc.boolean()).map(([user, allow]) => answers(user, allow)),
    anybody.map(suggests),
    fc.tuple(anybody, fc.boolean()).map(([user, send]) => settles(user, send)),
    fc.constantFrom(1, 7, 20, deadline).map(waits),
    fc.constant(restarts())
  ]

  it.effect("there are never two who drive, and never nobody for ever", () =>
    Effect.gen(function*() {
      const context = yield* Effect.context<never>()
      const run: Real["run"] = (effect) => Effect.runPromiseWith(context)(effect as Effect.Effect<never>)
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(fc.commands(steps, { maxCommands: 40, size: "max" }), async (commands) => {
            const folder = mkdtempSync(join(tmpdir(), "ai-relay-drivers-"))
            const relay = new Relay(folder)
            try {
              await run(relay.start)
              const model: Model = {
                here: new Set(),
                driver: undefined,
                asks: [],
                suggestions: [],
                waits: new Map(),
                now: 0
              }
              const real = { relay, run }
              for (const user of users) await joins(user).run(model, real)
              await fc.asyncModelRun(() => ({ model, real }), commands)
              await endsWell(model, real)
            } finally {
              await run(relay.stop)
              rmSync(folder, { recursive: true, force: true })
            }
          }),
          { numRuns: 80 }
        )
      )
    }), 60_000)
})
