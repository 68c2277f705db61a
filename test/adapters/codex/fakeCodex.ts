/**
 * fakeCodex: the Codex adapter in a real session, with the other end of its pipes in the test's hands.
 *
 * Codex's greeting is played by itself; what comes after, the test says (`say`) and reads (`written`).
 */
import { Deferred, Effect, Layer, Option, Queue, Redacted, Result, Schema, Stream } from "effect"
import {
  type AgentExit,
  Credentials,
  type LaunchSpec,
  ProcessSpawner
} from "../../../src/adapters/Adapter.js"
import { AgentAdapter } from "../../../src/adapters/AgentDescriptor.js"
import * as CodexAdapter from "../../../src/adapters/codex/CodexAdapter.js"
import { decodeFrame, Handshake, type RelayEvent, SessionId } from "../../../src/schema/index.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import * as Session from "../../../src/services/session/Session.js"
import type { Native } from "../../support/transcriptSpawner.js"

export const threadId = "01a20231-0090-7b22-a5a4-9a4895fa79a3"

interface Options {
  readonly handshake?: object
  readonly allowed_modes?: ReadonlyArray<string>
  readonly begins_anew?: boolean
  /** Variables of the relay's environment. */
  readonly keys?: Readonly<Record<string, string>>
  /** Codex's answer to a request; undefined: the usual one. `null`: none. */
  readonly answer?: (message: Native) => Native | undefined
}

const usualAnswer = ({ method }: Native): Native => {
  switch (method) {
    case "initialize":
      return { result: { userAgent: "codex" } }
    case "account/read":
      return { result: { account: { type: "apiKey" }, requiresOpenaiAuth: true } }
    case "account/login/start":
      return { result: { type: "apiKey" } }
    case "thread/start":
    case "thread/resume":
      return { result: { thread: { id: threadId }, model: "gpt-5.5", sandbox: { type: "readOnly" } } }
    case "turn/start":
      return { result: { turn: { id: "turn-1" } } }
    default:
      return null
  }
}

export const openCodex = (
  { allowed_modes, answer = () => undefined, begins_anew, handshake = {}, keys = {} }: Options = {}
) =>
  Effect.gen(function*() {
    const written = yield* Queue.unbounded<Native>()
    const exited = yield* Deferred.make<AgentExit>()
    const launches: Array<LaunchSpec> = []
    let onLine: (line: Buffer) => void = () => {}
    const replyTo = (message: Native) => {
      const own = answer(message)
      return own === undefined ? usualAnswer(message) : own
    }
    const print = (message: object | string) =>
      onLine(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)))

    const spawner = Layer.succeed(ProcessSpawner, {
      spawn: (launch, take) =>
        Effect.sync(() => {
          launches.push(launch)
          onLine = take
          return {
            pid: 1,
            writeLine: (line) =>
              Effect.flatMap(Effect.yieldNow, () => {
                const message = JSON.parse(line) as Native
                const reply = message.id === undefined || message.method === undefined
                  ? null
                  : replyTo(message)
                if (reply !== null) print({ id: message.id, ...reply })
                return Effect.asVoid(Queue.offer(written, message))
              }),
            endInput: Effect.void,
            exit: Deferred.await(exited)
          }
        })
    })
    const credentials = Layer.succeed(Credentials, {
      names: () => Object.keys(keys),
      get: (_, name) =>
        Effect.succeed(Option.map(Option.fromNullishOr(keys[name]), (key) => Redacted.make(key)))
    })
    const adapter = yield* Effect.provide(
      AgentAdapter,
      CodexAdapter.layer().pipe(Layer.provide(Layer.merge(spawner, credentials)))
    )
    const session = yield* Session.open(SessionId.make("s"), adapter, {
      ...Schema.decodeUnknownSync(Handshake)(handshake),
      tool: "codex",
      folder: "/workspace",
      fresh_uuid: "00000000-0000-4000-8000-0000000000ff",
      ...(allowed_modes !== undefined && { allowed_modes }),
      ...(begins_anew !== undefined && { begins_anew })
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          IdGenerator.layerTest,
          RelayConfig.layer({ interrupt_timeout: 5, allow_native_requests: true })
        )
      )
    )

    // Nobody is to wait for a process that is none.
    yield* Effect.addFinalizer(() => Deferred.succeed(exited, { exit_code: 0, stderr: [] }))

    /** The next message written that fits. */
    const next = (fits: (message: Native) => boolean): Effect.Effect<Native> =>
      Effect.flatMap(Queue.take(written), (message) => fits(message) ? Effect.succeed(message) : next(fits))

    return {
      launches,
      session,
      /** Codex prints this, line by line, in one step. */
      say: (...messages: ReadonlyArray<object | string>) => Effect.sync(() => messages.forEach(print)),
      notify: (method: string, params: object) =>
        Effect.sync(() => print({ method, params: { threadId, ...params } })),
      written: (method: string) => next((message) => message.method === method),
      answered: (id: unknown) => next((message) => message.method === undefined && message.id === id),
      send: (command: object) => session.submit(Result.getOrThrow(decodeFrame(JSON.stringify(command)))),
      /** The `n`th event of a type, as soon as it is there. */
      event: (type: RelayEvent["type"], n = 1): Effect.Effect<Native> =>
        session.log.tail(0).pipe(
          Stream.filter((event) => event.type === type),
          Stream.take(n),
          Stream.runLast,
          Effect.map(Option.getOrThrow)
        ),
      /** All events so far. */
      events: (count: number): Effect.Effect<ReadonlyArray<Native>> =>
        session.log.tail(0).pipe(Stream.take(count), Stream.runCollect, Effect.map((events) => [...events])),
      exit: (how: AgentExit) => Deferred.succeed(exited, how)
    }
  })
