/**
 * fakeAcpAgent: an agent of the Agent Client Protocol that does what a test tells it, in a real session.
 *
 * It answers `initialize` and `session/new` by itself, and whatever else `answers` has; prompts stay open until the
 * test answers them. What it was told is in `heard`.
 */
import { Deferred, Effect, Exit, Layer, Queue, Result, Scope, Stream } from "effect"
import * as AcpAdapter from "../../src/adapters/acp/AcpAdapter.js"
import type { AcpAgent } from "../../src/adapters/acp/AcpAgent.js"
import { type AgentExit, EventSink, type LaunchSpec, ProcessSpawner } from "../../src/adapters/Adapter.js"
import {
  type BodyOf,
  decodeFrame,
  type EventType,
  type RelayEvent,
  SessionId
} from "../../src/schema/index.js"
import { IdGenerator } from "../../src/services/IdGenerator.js"
import { RelayConfig } from "../../src/services/RelayConfig.js"
import * as Session from "../../src/services/session/Session.js"
import { specOf } from "./fakeAdapter.js"

// JSON-RPC as it comes; a test reads what it knows is there.
// oxlint-disable-next-line typescript/no-explicit-any
type Message = any

export interface FakeOptions {
  readonly allowed_modes?: ReadonlyArray<string>
  /** The conversation of the handshake is the relay's own note, of a session that is opened again. */
  readonly begins_anew?: boolean
  /** What it answers to which request; a function gets the params. `undefined` stays unanswered. */
  readonly answers?: Readonly<Record<string, unknown>>
  /** Lines it prints when it gets such a request, before it answers. */
  readonly prints?: Readonly<Record<string, ReadonlyArray<string>>>
  /** What the relay knows of it; without, it is the agent of the tool `acp`. */
  readonly agent?: AcpAgent
  /** Further fields of the handshake. */
  readonly handshake?: object
  /** The relay may tell what was said in this folder, as one says who serves clients. */
  readonly may_tell?: (folder: string) => boolean
}

/** An error instead of a result. */
export const refuse = (code: number, message: string, data?: unknown) => ({ error: { code, message, data } })

const initialized = {
  protocolVersion: 1,
  agentCapabilities: { loadSession: true, promptCapabilities: { image: true } }
}
const usual: Readonly<Record<string, unknown>> = {
  "initialize": initialized,
  "session/new": { sessionId: "s1" },
  "session/set_mode": {},
  "session/set_model": {}
}

const isError = (answer: unknown): answer is { readonly error: unknown } =>
  typeof answer === "object" && answer !== null && "error" in answer

export const layerSession = Layer.merge(IdGenerator.layerTest, RelayConfig.layer({ interrupt_timeout: 5 }))
/** Where the operator lets all native requests pass. */
export const layerOpenSession = Layer.merge(
  IdGenerator.layerTest,
  RelayConfig.layer({ interrupt_timeout: 5, allow_native_requests: true })
)

/** Open a session with such an agent. */
export const openFake = Effect.fnUntraced(function*(options: FakeOptions = {}) {
  const { agent, answers, begins_anew, handshake, may_tell, prints = {} } = options
  const heard: Array<Message> = []
  const inbox = yield* Queue.unbounded<Message>()
  const exited = yield* Deferred.make<AgentExit>()
  const launched = yield* Deferred.make<LaunchSpec>()
  let print: (line: string) => void = () => {}

  /** Print a message, or a line that is none. */
  const say = (message: object | string) =>
    Effect.sync(() => print(typeof message === "string" ? message : JSON.stringify(message)))
  const update = (fields: object) =>
    say({ jsonrpc: "2.0", method: "session/update", params: { sessionId: "s1", update: fields } })
  const chunk = (text: string, kind = "agent_message_chunk", more: object = {}) =>
    update({ sessionUpdate: kind, content: { type: "text", text }, ...more })
  const answer = (id: unknown, result: unknown) =>
    say({ jsonrpc: "2.0", id, ...isError(result) ? result : { result } })

  const react = (message: Message): Effect.Effect<void> =>
    Effect.andThen(Effect.forEach(prints[message.method] ?? [], say), reply(message))

  const reply = ({ id, method, params }: Message): Effect.Effect<void> => {
    const known: Record<string, unknown> = { ...usual, ...answers }
    if (method === undefined || id === undefined || !(method in known)) return Effect.void
    const wanted = known[method]
    const result: unknown = typeof wanted === "function" ? wanted(params) : wanted
    return Effect.isEffect(result)
      ? Effect.flatMap(result as Effect.Effect<unknown>, (value) => answer(id, value))
      : result === undefined
      ? Effect.void
      : answer(id, result)
  }

  const spawner = Layer.succeed(ProcessSpawner, {
    spawn: (launch, onLine) =>
      Effect.gen(function*() {
        const sink = yield* EventSink
        print = (line) => void sink.batch(() => onLine(Buffer.from(line)))
        yield* Deferred.succeed(launched, launch)
        const closed = yield* Deferred.make<AgentExit>()
        yield* Effect.addFinalizer(() => Deferred.succeed(closed, { stderr: [], exit_code: 0 }))
        // It reads at its own pace, as another process would.
        yield* Queue.take(inbox).pipe(
          Effect.tap((message) => Effect.andThen(Effect.yieldNow, react(message))),
          Effect.forever,
          Effect.forkScoped
        )
        return {
          pid: 1,
          writeLine: (line) =>
            Effect.suspend(() => {
              const message: Message = JSON.parse(line)
              heard.push(message)
              return Effect.asVoid(Queue.offer(inbox, message))
            }),
          endInput: Effect.void,
          exit: Effect.raceFirst(Deferred.await(exited), Deferred.await(closed))
        }
      })
  })

  const adapter = yield* Effect.provide(AcpAdapter.make(agent?.tool ?? "acp", agent), spawner)
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const modes = options.allowed_modes === undefined ? {} : { allowed_modes: options.allowed_modes }
  const spec = specOf({ ...agent === undefined && { command: ["fake-agent", "--acp"] }, ...handshake })
  const session = yield* Session.open(SessionId.make("acp"), adapter, {
    ...spec,
    ...modes,
    ...begins_anew !== undefined && { begins_anew },
    ...may_tell !== undefined && {
      may_tell: (folder: string) => Effect.sync(() => may_tell(folder))
    },
    tool: adapter.tool
  }).pipe(
    Scope.provide(scope)
  )
  const { log } = session

  /** Send a frame, as a client spells it. */
  const send = (frame: object) => session.submit(Result.getOrThrow(decodeFrame(JSON.stringify(frame))))
  const read = (events: Stream.Stream<RelayEvent>) => Stream.runCollect(events)
  /** The first event of this type, `after` a `seq`; waits for it. */
  const next = <Type extends EventType>(type: Type, after = 0) =>
    log.tail(after).pipe(
      Stream.filter((event): event is RelayEvent & BodyOf<Type> => event.type === type),
      Stream.runHead,
      Effect.flatMap(Effect.fromOption),
      Effect.orDie
    )
  /** The first event that fits. */
  const find = (fits: (event: RelayEvent) => boolean) =>
    log.tail(0).pipe(Stream.filter(fits), Stream.runHead, Effect.flatMap(Effect.fromOption), Effect.orDie)
  /** The first message it was told that fits; waits for it. */
  const told = (fits: (message: Message) => boolean): Effect.Effect<Message> =>
    Effect.suspend(() => {
      const found = heard.find(fits)
      return found === undefined ? Effect.andThen(Effect.yieldNow, told(fits)) : Effect.succeed(found)
    })
  const requested = (method: string, nth = 1) =>
    told((message) =>
      message.method === method && heard.filter((other) => other.method === method)[nth - 1] === message
    )
  /** Send a prompt; its id, for the agent to answer. */
  const prompt = (text: string) =>
    Effect.gen(function*() {
      const before = heard.filter(({ method }) => method === "session/prompt").length
      yield* send({ text })
      const { id } = yield* requested("session/prompt", before + 1)
      return { end: (result: unknown = { stopReason: "end_turn" }) => answer(id, result) }
    })
  const respond = (ask: { readonly request_id: string }, fields: object) =>
    send({ type: "permission_response", request_id: ask.request_id, ...fields })
  /** Close the session; all that was logged. */
  const close = Effect.andThen(Scope.close(scope, Exit.void), Effect.suspend(() => read(log.tail(0))))
  const exit = (how: Partial<AgentExit> = {}) => Deferred.succeed(exited, { stderr: [], ...how })

  return {
    session,
    log,
    heard,
    launched: Deferred.await(launched),
    say,
    update,
    chunk,
    answer,
    send,
    next,
    find,
    told,
    requested,
    prompt,
    respond,
    close,
    exit
  }
})

export const ofType = <Type extends EventType>(events: ReadonlyArray<RelayEvent>, type: Type) =>
  events.filter((event): event is RelayEvent & BodyOf<Type> => event.type === type)
