/**
 * Sessions outlive sockets and relays: clients that come, read, are cut and come back, relays that are killed and started
 * again, an agent that talks all the time. What each client saw is compared with the journal, event for event.
 *
 * A kill is played by copying the state folder at that moment: what is on the disk is what a killed relay leaves.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AdapterRegistry } from "../../src/adapters/AdapterRegistry.js"
import { decodeFrame, decodeHandshake, type EventBody, SessionId } from "../../src/schema/index.js"
import { Folders } from "../../src/services/access/Folders.js"
import { IdGenerator } from "../../src/services/IdGenerator.js"
import { Journal } from "../../src/services/journal/Journal.js"
import * as SessionFiles from "../../src/services/journal/SessionFiles.js"
import { textsOf } from "../../src/services/log/frames.js"
import type { LogCursor } from "../../src/services/log/LogCursors.js"
import { NativeSessions } from "../../src/services/native/NativeSessions.js"
import { Recorder } from "../../src/services/observe/Recorder.js"
import { RelayConfig, type Settings } from "../../src/services/RelayConfig.js"
import type { Session } from "../../src/services/session/Session.js"
import { SessionRegistry } from "../../src/services/session/SessionRegistry.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { askFor } from "../support/fakeAdapter.js"

const s = SessionId.make("s")

// --- what may happen -------------------------------------------------------------------------------------------------

type Step =
  | { readonly do: "connect" | "cut"; readonly who: number }
  | { readonly do: "read"; readonly who: number; readonly frames: number }
  | {
    readonly do: "prompt"
    readonly who: number
    readonly id: number
    readonly when?: "interrupt" | "steer"
  }
  | { readonly do: "answer"; readonly who: number; readonly which: number; readonly allow: boolean }
  | { readonly do: "interrupt" | "end"; readonly who: number }
  | { readonly do: "withdraw"; readonly who: number; readonly id: number }
  | { readonly do: "say"; readonly sizes: ReadonlyArray<number> }
  | { readonly do: "ask" | "finish" | "exit" | "restart" | "wait" | "settle" }
  | { readonly do: "kill"; readonly torn: number }

const clients = 4
const who = fc.nat(clients - 1)
const prompts = fc.nat(6)
const is = <Name extends Step["do"]>(name: Name) => fc.constant(name)

const steps: ReadonlyArray<readonly [number, fc.Arbitrary<Step>]> = [
  [12, fc.record({ do: is("connect"), who })],
  [5, fc.record({ do: is("cut"), who })],
  [12, fc.record({ do: is("read"), who, frames: fc.integer({ min: 1, max: 12 }) })],
  [12, fc.record({ do: is("prompt"), who, id: prompts })],
  [3, fc.record({ do: is("prompt"), who, id: prompts, when: fc.constantFrom("interrupt", "steer") })],
  [3, fc.record({ do: is("withdraw"), who, id: prompts })],
  [8, fc.record({ do: is("say"), sizes: fc.array(fc.nat(80), { minLength: 1, maxLength: 6 }) })],
  [6, fc.record({ do: is("ask") })],
  [8, fc.record({ do: is("answer"), who, which: fc.nat(2), allow: fc.boolean() })],
  [5, fc.record({ do: is("finish") })],
  [3, fc.record({ do: is("interrupt"), who })],
  // What was submitted waits for its fiber: without a pause most of it meets a session that is gone.
  [30, fc.record({ do: is("settle") })],
  [3, fc.record({ do: is("kill"), torn: fc.nat(600) })],
  [1, fc.record({ do: is("restart") })],
  [1, fc.record({ do: is("exit") })],
  [1, fc.record({ do: is("end"), who })]
]
/** Moving the clock costs real milliseconds. */
const rare: readonly [number, fc.Arbitrary<Step>] = [8, fc.record({ do: is("wait") })]

/** A client is there at first. */
const scriptOf = (kinds: ReadonlyArray<readonly [number, fc.Arbitrary<Step>]>, maxLength: number) =>
  fc.array(fc.oneof(...kinds.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
    minLength: 10,
    maxLength,
    size: "max"
  }).map((script): ReadonlyArray<Step> => [{ do: "connect", who: 0 }, ...script])

// --- the world it happens in -----------------------------------------------------------------------------------------

/** Memory, where there is some as a file system: thousands of relays are started here. */
const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()
const newFolder = () => mkdtempSync(join(scratch, "ai-relay-resume-"))

/** Let every fiber that can go on do so. */
const settle = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

interface Seen {
  readonly seq: number
  readonly frame: string
}

/** A page: what it has seen of the session, and its connection, if it has one. */
interface Client {
  /** The place it began at. */
  readonly since: number
  readonly seen: Array<Seen>
  /** Places after which it was told that something is missing. */
  readonly gaps: Array<number>
  connection: Connection | undefined
}

interface Connection {
  readonly session: Session
  readonly follower: LogCursor
  readonly scope: Scope.Closeable
  /** Frames that are on their way. */
  readonly received: Array<Seen>
}

interface Relay {
  readonly registry: SessionRegistry["Service"]
  readonly fake: FakeAdapter.FakeAdapter
  readonly folder: string
  readonly close: Effect.Effect<void>
}

/** An agent that stops its turn when it is told to, and does with a prompt nothing by itself. */
const obedient: FakeAdapter.FakeOptions = {
  onCommand: (command, agent) =>
    command.type === "interrupt" && agent.sink.inTurn()
      ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
      : Effect.void
}

const startRelay = (folder: string, settings: Partial<Settings>): Effect.Effect<Relay> =>
  Effect.gen(function*() {
    const fake = FakeAdapter.make(obedient)
    const scope = yield* Scope.make()
    const journal = settings.state_dir === undefined ? Journal.layerMemory : Journal.layerDisk(folder)
    const context = yield* SessionRegistry.layer.pipe(
      Layer.provide(AdapterRegistry.layer(Effect.succeed([fake.adapter]))),
      Layer.provide(
        Layer.succeed(Folders, { resolve: Effect.succeed, leadsTo: Effect.succeed, allows: () => true })
      ),
      Layer.provide(Layer.succeed(Recorder, { record: () => Effect.void })),
      Layer.provide(Layer.merge(journal, NativeSessions.layerNone)),
      Layer.provide(IdGenerator.layerTest),
      Layer.provide(RelayConfig.layer(settings)),
      Layer.build,
      Scope.provide(scope),
      Effect.orDie
    )
    const registry = Context.get(context, SessionRegistry)
    let isOpen = true
    const close = Effect.suspend(() => {
      if (!isOpen) return Effect.void
      isOpen = false
      return Effect.andThen(registry.closeAll, Scope.close(scope, Exit.void))
    })
    return { registry, fake, folder, close }
  })

const numbered = (frame: string): Seen => ({ seq: JSON.parse(frame).seq, frame })

/** Plays scripts. `isWitnessed` when not everything is kept: then somebody reads along all the time. */
const makeWorld = Effect.fnUntraced(function*(settings: Partial<Settings>, isWitnessed: boolean) {
  const isDurable = settings.state_dir !== undefined
  const folders: Array<string> = []
  const goodbyes: Array<Effect.Effect<void>> = []
  yield* Effect.addFinalizer(() =>
    Effect.all(goodbyes, { discard: true, concurrency: "unbounded" }).pipe(
      Effect.ensuring(Effect.sync(() => folders.forEach((folder) => rmSync(folder, { recursive: true }))))
    )
  )
  const folderOf = () => {
    const folder = newFolder()
    folders.push(folder)
    return folder
  }

  let relay = yield* startRelay(folderOf(), settings)
  goodbyes.push(relay.close)
  const pages: Array<Client | undefined> = []
  const told: Array<Seen> = []
  /** What agents were handed and answered, in all lives of the relay. */
  const handed: Array<string> = []
  const outcomes = new Map<string, string>()
  let asked = 0

  const handshake = (after_seq?: number) => {
    const decoded = decodeHandshake(JSON.stringify({ tool: "fake", session_id: "s", after_seq }))
    if (Result.isFailure(decoded)) throw new Error(decoded.failure)
    return decoded.success
  }

  const take = (follower: LogCursor): Array<Seen> => {
    const batch = follower.next()
    return batch === undefined ? [] : textsOf(batch).map(numbered)
  }

  let witnessed: { readonly session: Session; readonly follower: LogCursor } | undefined
  const witness = (session: Session) => {
    if (!isWitnessed || session === witnessed?.session) return
    const readOn = () => {
      for (let seen = take(follower); seen.length > 0; seen = take(follower)) told.push(...seen)
    }
    const follower = session.log.unsafeFollow(told.at(-1)?.seq ?? 0, readOn)
    assert.isUndefined(follower.gap)
    witnessed = { session, follower }
    readOn()
  }

  const enter = Effect.fnUntraced(function*(after_seq?: number) {
    const scope = yield* Scope.make()
    const { attached, session } = yield* Effect.orDie(
      Scope.provide(relay.registry.join(handshake(after_seq)), scope)
    )
    witness(session)
    return { attached, session, scope }
  })

  const cut = (client: Client | undefined) =>
    Effect.suspend(() => {
      const { connection } = client ?? {}
      if (client === undefined || connection === undefined) return Effect.void
      client.connection = undefined
      connection.follower.detach()
      return Scope.close(connection.scope, Exit.void)
    })

  const connect = Effect.fnUntraced(function*(index: number) {
    const before = pages[index]
    yield* cut(before)
    const cursor = before?.seen.at(-1)?.seq ?? before?.since
    const { attached, scope, session } = yield* enter(cursor)
    // As `serveConnection` has it.
    const after_seq = cursor ?? (attached ? session.log.lastSeq() : session.since)
    const client = before ?? { since: after_seq, seen: [], gaps: [], connection: undefined }
    pages[index] = client
    const follower = session.log.unsafeFollow(after_seq, () => {})
    if (follower.gap !== undefined) {
      assert.isAbove(follower.gap, after_seq + 1)
      client.gaps.push(follower.gap)
    }
    client.connection = { session, follower, scope, received: [] }
  })

  /** Look at some frames; a batch may be cut anywhere. */
  const read = (client: Client | undefined, frames: number) => {
    const { connection } = client ?? {}
    if (client === undefined || connection === undefined) return
    const { follower, received } = connection
    for (let count = 0; count < frames; count++) {
      if (received.length === 0) received.push(...take(follower))
      const next = received.shift()
      if (next === undefined) break
      client.seen.push(next)
    }
  }

  const submit = (index: number, command: object) => {
    const session = pages[index]?.connection?.session
    const decoded = decodeFrame(JSON.stringify(command))
    if (session === undefined || Result.isFailure(decoded)) return Effect.void
    return session.submit(decoded.success)
  }

  const agent = () => relay.registry.live(s) === undefined ? undefined : relay.fake.agents.at(-1)

  const ask = Effect.suspend(() => {
    const asking = agent()
    if (asking === undefined) return Effect.void
    const request_id = `p${++asked}`
    return asking.ask(askFor(request_id)).pipe(
      Effect.tap(({ behavior }) => Effect.sync(() => outcomes.set(request_id, behavior))),
      Effect.forkDetach,
      Effect.asVoid
    )
  })

  const hangUp = Effect.suspend(() => Effect.forEach(pages, cut, { discard: true }))
  const noteHanded = () => {
    for (const { sent } of relay.fake.agents) {
      for (const command of sent) if (command.type === "user_message") handed.push(command.message_id ?? "")
    }
  }

  /** The relay is gone without a word; what it has written is all that is left, and perhaps half a batch. */
  const kill = Effect.fnUntraced(function*(torn: number) {
    if (!isDurable) return
    const left = folderOf()
    cpSync(relay.folder, left, { recursive: true })
    if (relay.fake.agents.length > 0) tear(left, torn)
    witnessed?.follower.detach()
    noteHanded()
    const old = relay
    relay = yield* startRelay(left, settings)
    goodbyes.push(relay.close)
    for (const client of pages) if (client !== undefined) client.connection = undefined
    // It lives on in a world of its own; let its agents be quick about it.
    yield* Effect.forkDetach(old.close)
  })

  const restart = Effect.fnUntraced(function*() {
    if (!isDurable) return
    yield* relay.close
    yield* hangUp
    noteHanded()
    relay = yield* startRelay(relay.folder, settings)
    goodbyes.push(relay.close)
  })

  const play = (step: Step): Effect.Effect<void> => {
    switch (step.do) {
      case "connect":
        return connect(step.who)
      case "cut":
        return cut(pages[step.who])
      case "read":
        return Effect.sync(() => read(pages[step.who], step.frames))
      case "prompt":
        return submit(step.who, {
          type: "user_message",
          content: `prompt ${step.id}`,
          message_id: `m${step.id}`,
          ...(step.when !== undefined && { when: step.when })
        })
      case "withdraw":
        return submit(step.who, { type: "cancel_queued", message_id: `m${step.id}` })
      case "answer":
        return submit(step.who, {
          type: "permission_response",
          request_id: `p${Math.max(1, asked - step.which)}`,
          behavior: step.allow ? "allow" : "deny"
        })
      case "interrupt":
      case "end":
        return submit(step.who, { type: step.do })
      case "say":
        return Effect.suspend(() =>
          agent()?.say(
            ...step.sizes.map((size): EventBody => ({ type: "stdout", text: "é".repeat(size) }))
          ) ?? Effect.void
        )
      case "ask":
        return ask
      case "finish":
        return Effect.suspend(() => {
          const busy = agent()
          const end: EventBody = { type: "turn_end", stop_reason: "end_turn" }
          return busy?.sink.inTurn() === true
            ? busy.say({ type: "response", text: "Done." }, end)
            : Effect.void
        })
      case "exit":
        return Effect.suspend(() => agent()?.exit({ exit_code: 1 }) ?? Effect.void)
      case "settle":
        return settle
      case "wait":
        return TestClock.adjust("40 seconds")
      case "kill":
        return kill(step.torn)
      case "restart":
        return restart()
    }
  }

  /** Everybody comes back and reads to the end; then the session ends. */
  const conclude = Effect.gen(function*() {
    yield* settle
    for (const [index, client] of pages.entries()) if (client !== undefined) yield* connect(index)
    const { scope } = yield* enter()
    yield* relay.close
    yield* settle
    for (const client of pages) read(client, Infinity)
    yield* hangUp
    yield* Scope.close(scope, Exit.void)
    noteHanded()
    return pages.filter((client) => client !== undefined)
  })

  /** All that the session's journal holds. */
  const journal = () => {
    const files = SessionFiles.view(join(relay.folder, "s"))
    const all: Array<Seen> = []
    for (let batch = files.read(0); batch !== undefined; batch = files.read(all.length)) {
      all.push(...textsOf(batch).map(numbered))
    }
    return all
  }

  return { play, conclude, journal, told, handed, outcomes }
})

/** Half a batch that was being written when the relay was killed: no frame of it has been shown to anybody. */
const tear = (folder: string, torn: number) => {
  const files = join(folder, "s")
  const names = existsSync(files) ? readdirSync(files).filter((name) => name.endsWith(".ndjson")) : []
  const name = names.toSorted().at(-1)
  if (name === undefined) return
  const { lastSeq, read } = SessionFiles.view(files)
  const last = read(lastSeq() - 1)
  const { turn, type } = last === undefined ? {} : JSON.parse(textsOf(last)[0] ?? "{}")
  const lines = [1, 2, 3, 4].map((n) =>
    JSON.stringify({
      ...{ type: "stdout", text: "half a batch", seq: lastSeq() + n, ts: 0, session_id: "s" },
      ...(type !== "turn_end" && { turn })
    }) + "\n"
  )
  appendFileSync(join(files, name), lines.join("").slice(0, torn))
}

const run = <A>(world: Effect.Effect<A, never, Scope.Scope>): Promise<A> =>
  Effect.runPromise(world.pipe(Effect.scoped, Effect.provide(TestClock.layer())))

// --- what must hold --------------------------------------------------------------------------------------------------

type Told = Readonly<Record<string, unknown>> & { readonly type: string; readonly seq: number }

/** Every turn ends, once, before another begins; they are counted. */
const checkTurns = (events: ReadonlyArray<Told>) => {
  let open: number | undefined
  let turns = 0
  for (const { seq, turn, type } of events) {
    if (type === "turn_start") {
      assert.isUndefined(open, `a turn begins in another (${seq})`)
      open = ++turns
    }
    assert.strictEqual(turn, open, `turn of ${seq}`)
    if (type === "turn_end") {
      assert.isDefined(open, `a turn ends that did not begin (${seq})`)
      open = undefined
    }
  }
  assert.isUndefined(open, "a turn has not ended")
}

/** Every permission is settled, once; what the agent heard is what was told. */
const checkPermissions = (events: ReadonlyArray<Told>, outcomes: ReadonlyMap<string, string>) => {
  const settled = new Map<unknown, string | undefined>()
  for (const { request_id, seq, status, type } of events) {
    if (type === "permission_request") {
      assert.isFalse(settled.has(request_id))
      settled.set(request_id, undefined)
    } else if (type === "control_response" || type === "permission_cancelled") {
      assert.isTrue(settled.has(request_id), `settles what nobody asked (${seq})`)
      assert.isUndefined(settled.get(request_id), `settled twice (${seq})`)
      settled.set(request_id, type === "control_response" ? String(status) : "cancelled")
    }
  }
  for (const [request_id, outcome] of settled) {
    assert.isDefined(outcome, `${request_id} is not settled`)
    const heard = outcomes.get(String(request_id))
    // A killed relay's agent heard what nobody else could hear.
    if (outcome === "allow") assert.strictEqual(heard, "allow")
  }
}

/**
 * What became of a prompt. It runs at most once; sent again while it waits or when it ran, it is a duplicate; what was
 * withdrawn may run after all in the session's next life; what waits when a life ends is withdrawn, also before anybody was
 * told that it waits. A turn that was over before the agent had its prompt is none: the prompt may be sent again.
 *
 * Gives how often that was so.
 */
const checkPrompt = (id: string, events: ReadonlyArray<Told>): number => {
  let failed = 0
  let state: "unknown" | "waits" | "runs" | "acknowledged" | "withdrawn" = "unknown"
  const may = (news: string, ...states: ReadonlyArray<typeof state>) =>
    assert.include(states, state, `${id}, which ${state}, is ${news}`)
  for (const { message_id, status, type } of events) {
    if (type === "session_start") {
      may("left behind", "unknown", "runs", "acknowledged", "withdrawn")
      if (state === "withdrawn") state = "unknown"
    }
    if (message_id !== id || type === "error") continue
    if (type === "turn_start") {
      may("run", "unknown", "waits")
      state = "runs"
    } else if (status === "queued") {
      may("queued", "unknown")
      state = "waits"
    } else if (status === "sent") {
      // What steers a turn begins none.
      may("acknowledged", "unknown", "runs")
      state = "acknowledged"
    } else if (status === "cancelled") {
      may("withdrawn", "unknown", "waits", "runs")
      if (state === "runs") failed += 1
      state = state === "runs" ? "unknown" : "withdrawn"
    } else may("called a duplicate", "waits", "runs", "acknowledged", "withdrawn")
  }
  may("left behind", "unknown", "runs", "acknowledged", "withdrawn")
  return failed
}

const checkPrompts = (events: ReadonlyArray<Told>, handed: ReadonlyArray<string>) => {
  const ids = new Set(events.flatMap(({ message_id }) => typeof message_id === "string" ? [message_id] : []))
  for (const id of ids) {
    const failed = checkPrompt(id, events)
    assert.isAtMost(handed.filter((other) => other === id).length, 1 + failed, `${id} was handed over twice`)
  }
}

/** For a longer search: so many times as many scripts. */
const patience = Number(process.env["AI_RELAY_TEST_PATIENCE"] ?? 1)

const failureOf = (promise: Promise<void>) => promise.then(() => undefined, (failure: unknown) => failure)

/** Leave out of a script that fails what it fails without. */
const simplify = async (
  script: ReadonlyArray<Step>,
  check: (script: ReadonlyArray<Step>) => Promise<void>
) => {
  let simple = script
  for (let index = script.length - 1; index > 0; index--) {
    const less = simple.toSpliced(index, 1)
    if (await failureOf(check(less)) !== undefined) simple = less
  }
  return simple
}

/** Try it with so many scripts. Several are played at a time, because each waits a few milliseconds for its goodbyes. */
const tryWith = (
  scripts: fc.Arbitrary<ReadonlyArray<Step>>,
  check: (script: ReadonlyArray<Step>) => Promise<void>,
  amount: number
) => {
  const together = 10
  const tryAll = async (several: ReadonlyArray<ReadonlyArray<Step>>) => {
    const failures = await Promise.all(several.map((script) => failureOf(check(script))))
    const index = failures.findIndex((failure) => failure !== undefined)
    if (index === -1) return
    const script = await simplify(several[index] ?? [], check)
    throw new Error(JSON.stringify(script), { cause: (await failureOf(check(script))) ?? failures[index] })
  }
  return fc.assert(
    fc.asyncProperty(fc.array(scripts, { minLength: together, maxLength: together }), tryAll),
    { numRuns: (amount / together) * patience, endOnFailure: true }
  )
}

describe("a session with many clients, on a relay that is killed at any moment", () => {
  const disk = { state_dir: "on", permission_timeout: 30, linger: 90, max_queued: 4 }
  const often = [
    ...["turn_end relay_restart", "permission_cancelled relay_restart", "permission_cancelled interrupted"],
    ...["input_ack queued", "input_ack cancelled", "input_ack duplicate", "control_response allow"]
  ]
  /** How often what the scripts are about has come about. */
  const tally = new Map<string, number>()
  const count = ({ metadata, status, type }: Told) => {
    const { reason } = (metadata ?? {}) as { readonly reason?: string }
    for (const what of [type, `${type} ${status ?? reason}`]) tally.set(what, (tally.get(what) ?? 0) + 1)
  }

  const check = async (script: ReadonlyArray<Step>) => {
    const { all, handed, outcomes, pages } = await run(Effect.gen(function*() {
      const world = yield* makeWorld(disk, false)
      for (const step of script) yield* world.play(step)
      const pages = yield* world.conclude
      return { pages, all: world.journal(), handed: world.handed, outcomes: world.outcomes }
    }))
    assert.deepStrictEqual(all.map(({ seq }) => seq), all.map((_, index) => index + 1))
    for (const { gaps, seen, since } of pages) {
      assert.isEmpty(gaps)
      assert.deepStrictEqual(seen, all.slice(since))
    }
    const events = all.map(({ frame }): Told => JSON.parse(frame))
    events.forEach(count)
    checkTurns(events)
    checkPermissions(events, outcomes)
    checkPrompts(events, handed)
  }

  it("shows each of them every event, once, in the journal's order, and leaves nothing open", async () => {
    await tryWith(scriptOf(steps, 60), check, 800)
    for (const what of often) assert.isAbove(tally.get(what) ?? 0, 15, what)
  }, 240_000)

  it("also when deadlines pass and nobody is there for long", async () => {
    await tryWith(scriptOf([...steps, rare], 40), check, 100)
    assert.isAbove(tally.get("permission_cancelled timeout") ?? 0, 1)
  }, 240_000)
})

describe.each([
  { name: "in memory", settings: { retain_bytes: 3000, linger: 3600 } },
  { name: "on disk", settings: { state_dir: "on", journal_bytes: 3000, linger: 3600 } }
])("a session of which little is kept, $name", ({ settings }) => {
  const talk = scriptOf(
    [
      [8, fc.record({ do: is("connect"), who })],
      [4, fc.record({ do: is("cut"), who })],
      [10, fc.record({ do: is("read"), who, frames: fc.integer({ min: 1, max: 30 }) })],
      [14, fc.record({ do: is("say"), sizes: fc.array(fc.nat(300), { minLength: 1, maxLength: 6 }) })],
      [3, fc.record({ do: is("settle") })],
      [1, fc.record({ do: is("kill"), torn: fc.constant(0) })]
    ],
    60
  )

  it("tells each client honestly what it can no longer have, and repeats nothing", async () => {
    let gaps = 0
    const check = async (script: ReadonlyArray<Step>) => {
      const { pages, told } = await run(Effect.gen(function*() {
        const world = yield* makeWorld(settings, true)
        for (const step of script) yield* world.play(step)
        return { pages: yield* world.conclude, told: world.told }
      }))
      assert.deepStrictEqual(told.map(({ seq }) => seq), told.map((_, index) => index + 1))
      for (const client of pages) {
        gaps += client.gaps.length
        let next = client.since + 1
        for (const one of client.seen) {
          if (one.seq !== next) assert.include(client.gaps, one.seq, `nobody said that ${next} is missing`)
          assert.isAtLeast(one.seq, next)
          assert.deepStrictEqual(one, told[one.seq - 1])
          next = one.seq + 1
        }
      }
    }
    await tryWith(talk, check, 300)
    assert.isAbove(gaps, 30)
  }, 240_000)
})
