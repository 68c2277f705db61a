/**
 * play: a recording with one changed line, through a real session, and what is wrong with what became of it.
 *
 * The agent goes on as recorded, whatever the relay makes of the line: where the recording waits for the relay to say
 * something, it waits only until nothing happens any more. Time is the test's; it passes where something waits for it.
 */
import { Cause, Deferred, Effect, Exit, Fiber, FiberSet, Layer, Result, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type AgentExit, type AgentSpec, EventSink, ProcessSpawner } from "../../../src/adapters/Adapter.js"
import { decodeFrame, Handshake, RelayEvent, SessionId } from "../../../src/schema/index.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import * as Session from "../../../src/services/session/Session.js"
import { type Native, readTranscript } from "../../support/transcriptSpawner.js"
import type { Play } from "../contract.js"
import { changed, type Variant } from "./variants.js"

/** Rounds without anything happening after which nothing will. */
const rounds = 12
/** How long a turn may stay open after its agent has ended it as well as it could, and an agent may take to open. */
const patience = 150

export interface Verdict {
  /** What is wrong; none: all is well. */
  readonly faults: ReadonlyArray<string>
  /** It did not open, for this reason. */
  readonly refused?: string
  readonly events: ReadonlyArray<RelayEvent>
}

const kindOf = (message: Native): string =>
  [
    message?.type,
    message?.method,
    message?.request?.subtype,
    message?.method === undefined && message?.id !== undefined
  ]
    .join("|")
const isAnswer = (message: Native) =>
  message.type === "control_response" || (message.method === undefined && "id" in message)
const idOf = (message: Native): unknown => message.id ?? message.request_id
const key = (id: unknown) => JSON.stringify(id) ?? "nothing"

/** The id of a request of the agent's. */
const requestOf = (message: Native): string | undefined =>
  message.type === "control_request"
    ? key(message.request_id)
    : typeof message.method === "string" && "id" in message
    ? key(message.id)
    : undefined
/** The id of the request a line of ours answers. */
const answeredBy = (message: Native): string | undefined =>
  message.type === "control_response"
    ? key(message.response?.request_id)
    : message.method === undefined && "id" in message
    ? key(message.id)
    : undefined
const withdrawnBy = (message: Native): string | undefined =>
  message.type === "control_cancel_request"
    ? key(message.request_id)
    : message.method === "serverRequest/resolved"
    ? key(message.params?.requestId)
    : undefined

export const playVariant = (contract: Play, file: string, variant?: Variant): Effect.Effect<Verdict> =>
  Effect.gen(function*() {
    const seen: Array<RelayEvent> = []
    const faults: Array<string> = []
    const told: Array<Native> = []
    const asked = new Set<string>()
    const answered = new Set<string>()
    let steps = 0

    const settle = Effect.gen(function*() {
      let quiet = 0
      let before = -1
      while (quiet < rounds) {
        yield* Effect.yieldNow
        const now = seen.length + told.length + answered.size + steps
        quiet = now === before ? quiet + 1 : 0
        before = now
      }
    })

    const recording = readTranscript(file)
    const recordedKinds = new Set(recording.filter(({ dir }) => dir === "in").map(({ data }) => kindOf(data)))
    const exited = yield* Deferred.make<AgentExit>()
    const opened = yield* Deferred.make<Session.Session>()
    const ids = new Map<unknown, unknown>()
    let session: Session.Session | undefined
    let print: (message: Native) => Effect.Effect<void> = () => Effect.void

    const started = yield* Deferred.make<void>()
    const spawner = Layer.succeed(ProcessSpawner, {
      spawn: (_, onLine) =>
        Effect.gen(function*() {
          const sink = yield* EventSink
          const fork = yield* FiberSet.makeRuntime<never>()
          print = (message) =>
            Effect.sync(() => {
              const request = requestOf(message)
              if (request !== undefined) asked.add(request)
              const withdrawn = withdrawnBy(message)
              if (withdrawn !== undefined) answered.add(withdrawn)
              const line = Buffer.from(JSON.stringify(message))
              try {
                sink.batch(() => onLine(line))
              } catch (thrown) {
                faults.push(`it throws: ${String(thrown instanceof Error ? thrown.stack : thrown)}`)
              }
            })
          yield* Deferred.succeed(started, undefined)
          return {
            pid: 1,
            writeLine: (line) =>
              Effect.sync(() => {
                const message = JSON.parse(line) as Native
                const answers = answeredBy(message)
                if (answers !== undefined) answered.add(answers)
                const answer = recordedKinds.has(kindOf(message)) ? undefined : contract.unrecorded?.(message)
                if (answer === undefined) told.push(message)
                else fork(Effect.andThen(Effect.yieldNow, print(answer)))
              }),
            endInput: Effect.void,
            exit: Deferred.await(exited)
          }
        })
    })

    const submit = (command: object) =>
      Effect.suspend(() => {
        const decoded = decodeFrame(JSON.stringify(command))
        return Result.isSuccess(decoded) && session !== undefined
          ? session.submit(decoded.success)
          : Effect.void
      })

    const step = ({ data, dir }: (typeof recording)[number], index: number): Effect.Effect<void> =>
      Effect.gen(function*() {
        steps += 1
        if (dir === "in") {
          yield* settle
          for (const command of [contract.drive(data, seen) ?? []].flat()) {
            yield* submit(command)
            yield* settle
          }
          const at = told.findIndex((message) => kindOf(message) === kindOf(data))
          if (at === -1) return
          ids.set(idOf(data), idOf(told[at]))
          told.splice(0, at + 1)
        }
        if (dir === "out") {
          const { response } = data
          const id = response?.request_id ?? data.id
          // It was never asked this time.
          if (isAnswer(data) && !ids.has(id)) return
          const message = !isAnswer(data)
            ? data
            : response?.request_id === undefined
            ? { ...data, id: ids.get(id) }
            : { ...data, response: { ...response, request_id: ids.get(id) } }
          yield* print(variant?.index === index ? changed(message, variant) : message)
          yield* Effect.yieldNow
        }
      })

    const adapter = yield* Effect.provide(contract.adapter, spawner)
    const spec: AgentSpec = {
      ...Schema.decodeUnknownSync(Handshake)(contract.handshake ?? {}),
      tool: contract.tool,
      folder: "/workspace",
      fresh_uuid: "00000000-0000-4000-8000-0000000000ff"
    }
    const scope = yield* Scope.make()
    const log = yield* Scope.make()
    const opening = yield* Session.open(SessionId.make("changed"), adapter, spec).pipe(
      Effect.provideService(Scope.Scope, scope),
      Effect.flatMap((open) =>
        Effect.gen(function*() {
          session = open
          yield* open.log.tail(0).pipe(
            Stream.runForEach((event) => Effect.sync(() => void seen.push(event))),
            Effect.forkIn(log)
          )
          yield* Deferred.succeed(opened, open)
        })
      ),
      Effect.exit,
      Effect.forkIn(log)
    )
    yield* Deferred.await(started)
    yield* Effect.forEach(recording, step, { discard: true })
    yield* settle

    const pass = (until: () => boolean) =>
      Effect.gen(function*() {
        for (let second = 0; second < patience && !until(); second += 5) {
          yield* TestClock.adjust("5 seconds")
          yield* settle
        }
      })
    yield* pass(() => opening.pollUnsafe() !== undefined)
    const how = opening.pollUnsafe()
    const stop = Effect.gen(function*() {
      yield* Deferred.succeed(exited, { stderr: [], exit_code: 0 })
      yield* settle
      const closing = yield* Effect.forkIn(Scope.close(scope, Exit.void), log)
      yield* pass(() => closing.pollUnsafe() !== undefined)
      if (closing.pollUnsafe() === undefined) faults.push("the session does not end")
      yield* settle
      yield* Scope.close(log, Exit.void)
    })
    if (how === undefined) {
      faults.push("it neither opens nor fails to")
      yield* Fiber.interrupt(opening)
      yield* stop
      return { faults, events: seen }
    }
    const opens = Exit.isSuccess(how) ? how.value : how
    if (Exit.isFailure(opens)) {
      const { cause } = opens
      yield* stop
      if (Cause.hasDies(cause)) faults.push(`opening it dies: ${Cause.pretty(cause)}`)
      return { faults, events: seen, refused: Cause.pretty(cause).split("\n")[0] ?? "" }
    }

    // Nobody has answered what was asked in a way the recording does not know.
    const parked = seen.flatMap((event) => event.type === "permission_request" ? [event.request_id] : [])
    for (const request_id of parked) {
      yield* submit({ type: "permission_response", request_id, behavior: "deny" })
    }
    yield* settle
    const turnsOpen = () =>
      seen.filter(({ type }) => type === "turn_start").length -
      seen.filter(({ type }) => type === "turn_end").length
    yield* pass(() => turnsOpen() === 0)
    if (turnsOpen() > 0) faults.push("a turn stays open")
    for (const id of asked) if (!answered.has(id)) faults.push(`the agent's request ${id} is not answered`)
    yield* stop

    if (seen.at(-1)?.type !== "session_end") faults.push("there is no session_end")
    for (const event of seen) {
      if (Result.isFailure(readEvent(event))) faults.push(`an event that is none: ${JSON.stringify(event)}`)
    }
    const ends = new Map<number, number>()
    for (const { turn, type } of seen) {
      if (type === "turn_end" && turn !== undefined) ends.set(turn, (ends.get(turn) ?? 0) + 1)
      else if (turn !== undefined && ends.has(turn)) faults.push(`a ${type} after its turn's end`)
    }
    for (const [turn, times] of ends) if (times > 1) faults.push(`turn ${turn} ends ${times} times`)
    return { faults, events: seen }
  }).pipe(
    Effect.provide(Layer.mergeAll(IdGenerator.layerTest, RelayConfig.layer({ interrupt_timeout: 5 }))),
    Effect.catchCause((cause) =>
      Effect.succeed({ faults: [`the play itself fails: ${Cause.pretty(cause)}`], events: [] })
    )
  ) as Effect.Effect<Verdict>

const readEvent = Schema.decodeUnknownResult(RelayEvent)
