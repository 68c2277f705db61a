/**
 * The relay behind the relay: its own ACP adapter drives its own ACP agent, through all that adapters owe (`contract.ts`).
 * What recorded agents said is played behind the inner relay; what the outer one makes of it must keep every promise, and
 * must be the same conversation.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Layer, Queue, Result, Scope, Stream } from "effect"
import { randomUUID } from "node:crypto"
import * as AcpAdapter from "../../src/adapters/acp/AcpAdapter.js"
import type { AcpAgent as Agent } from "../../src/adapters/acp/AcpAgent.js"
import { type Adapter, type AgentExit, EventSink, ProcessSpawner } from "../../src/adapters/Adapter.js"
import { perform } from "../../src/adapters/replay/perform.js"
import { parse } from "../../src/adapters/replay/Transcript.js"
import * as AcpAgent from "../../src/fronts/acp/AcpAgent.js"
import * as PathMap from "../../src/fronts/acp/PathMap.js"
import * as inProcess from "../../src/fronts/inProcess.js"
import { SessionPort } from "../../src/fronts/SessionPort.js"
import { decodeFrame, type RelayEvent, SessionId } from "../../src/schema/index.js"
import { AgentFindings } from "../../src/services/agents/AgentFindings.js"
import * as Session from "../../src/services/session/Session.js"
import { keepsPromises } from "../adapters/contract.js"
import { layerSession } from "../support/fakeAcpAgent.js"
import { specOf } from "../support/fakeAdapter.js"
import { recordedSessions } from "../support/recordedSessions.js"
import { relayOf } from "../support/wholeRelay.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const relayAgent: Agent = {
  tool: "ai-relay",
  name: "AI Relay",
  command: "ai-relay",
  args: ["acp"],
  install: "npm",
  login: "ai-relay doctor"
}

const findings = Layer.succeed(AgentFindings, { all: Effect.succeed([]) })

/** `ai-relay acp` as a process: what it prints is read at its reader's own pace. */
const frontSpawner = (port: SessionPort["Service"], read: Array<string>) =>
  Layer.succeed(ProcessSpawner, {
    spawn: (_, onLine) =>
      Effect.gen(function*() {
        const sink = yield* EventSink
        const exited = yield* Deferred.make<AgentExit>()
        const said = yield* Queue.unbounded<string>()
        yield* Queue.take(said).pipe(
          Effect.tap((line) =>
            Effect.sync(() => {
              read.push(line)
              sink.batch(() => onLine(Buffer.from(line)))
            })
          ),
          Effect.forever,
          Effect.forkScoped
        )
        const agent = yield* AcpAgent.make({
          port: Effect.succeed(port),
          send: (message) => void Queue.offerUnsafe(said, JSON.stringify(message)),
          tool: "recorded",
          paths: PathMap.make([]),
          version: "1.0.0",
          newId: randomUUID
        })
        yield* Effect.addFinalizer(() => Deferred.succeed(exited, { stderr: [], exit_code: 0 }))
        return {
          pid: 1,
          writeLine: (line) => Effect.sync(() => agent.receive(line.toString())),
          endInput: Effect.void,
          exit: Deferred.await(exited)
        }
      })
  })

const isEnd = ({ type }: RelayEvent) => type === "turn_end"

/** What a person does with what is asked, as in the recording. */
const answersIn = (recording: ReadonlyArray<RelayEvent>): ReadonlyArray<boolean> =>
  recording.flatMap((event) =>
    event.type === "permission_request"
      ? [recording.some((other) =>
        other.type === "control_response" && other.request_id === event.request_id
        && other.status === "allow"
      )]
      : []
  )

/** The outer log of a conversation whose agent is the inner relay's; and what the inner one said to it. */
const conversation = (recording: ReadonlyArray<RelayEvent>) =>
  Effect.gen(function*() {
    const played = Result.getOrThrow(parse(recording.map((event) => JSON.stringify(event)).join("\n")))
    const adapter: Adapter = {
      tool: "recorded",
      // At once: the paces people and models had do not matter here.
      open: () =>
        perform({
          cmd: ["recorded"],
          recording: played.map((recorded) => ({ ...recorded, ts: 0 })),
          onPrompt: true
        })
    }
    const inner = Layer.provideMerge(
      Layer.provide(inProcess.layer, findings),
      relayOf({ adapter, agents: [], agent: () => assert.fail("it is no fake") }, {})
    )
    return yield* Effect.gen(function*() {
      const read: Array<string> = []
      const port = yield* SessionPort
      const outer = yield* Effect.provide(
        AcpAdapter.make("ai-relay", relayAgent),
        frontSpawner(port, read)
      )
      const scope = yield* Scope.make()
      const session = yield* Scope.provide(
        Session.open(SessionId.make("outer"), outer, {
          ...specOf(),
          folder: process.cwd(),
          tool: "ai-relay"
        }),
        scope
      )
      const send = (frame: object) => session.submit(Result.getOrThrow(decodeFrame(JSON.stringify(frame))))
      const answers = answersIn(recording)
      let asked = 0
      const answer = (event: RelayEvent) => {
        if (event.type !== "permission_request") return Effect.void
        const allowed = answers[asked++] === true
        const questions: ReadonlyArray<Json> = (event.args as Json)["questions"] ?? []
        return send({
          type: "permission_response",
          request_id: event.request_id,
          behavior: allowed ? "allow" : "deny",
          ...(allowed && questions.length > 0 && {
            answers: Object.fromEntries(
              questions.map(({ id, options, question }) => [id ?? question, options?.[0]?.label ?? "1"])
            )
          })
        })
      }
      yield* Effect.forkScoped(Stream.runForEach(session.log.tail(0), answer))
      for (const { turn } of recording.filter(isEnd)) {
        yield* send({ text: `prompt ${turn}` })
        yield* session.log.tail(0).pipe(
          Stream.filter((event) => isEnd(event) && event.turn === turn),
          Stream.runHead
        )
      }
      yield* Scope.close(scope, Exit.void)
      const events = yield* Stream.runCollect(session.log.tail(0))
      return { events: Array.from(events), read }
    }).pipe(Effect.scoped, Effect.provide(inner))
  }).pipe(Effect.provide(layerSession))

/** Answers to the adapter's own requests; that to a prompt ends a turn and is told. */
const isPrivate = ({ error, result }: Json) =>
  error === undefined && result !== undefined && result.stopReason === undefined

const called = (events: ReadonlyArray<RelayEvent>) =>
  new Set(events.flatMap((event) => event.type === "tool_call" ? [event.tool_use_id] : []))

const resultsOf = (events: ReadonlyArray<RelayEvent>, calls: ReadonlySet<string>) =>
  events.flatMap((event) =>
    event.type === "tool_result" && calls.has(event.tool_use_id) ? [[event.tool_use_id, event.status]] : []
  )

/** The conversation as a person sees it; `calls`: without those that ACP wants for a question nobody called a tool for. */
const shownBy = (events: ReadonlyArray<RelayEvent>, calls: ReadonlySet<string>) =>
  events.flatMap((event): ReadonlyArray<unknown> => {
    const isChild = event.metadata?.["parent_tool_use_id"] !== undefined
    switch (event.type) {
      case "turn_end":
        return [["end", event.stop_reason]]
      case "assistant_message":
        return isChild || !event.text ? [] : [["text", event.text]]
      case "response": {
        const isTold = events.some((other) =>
          other.turn === event.turn && other.type === "assistant_message" && Boolean(other.text)
        )
        return isTold || event.text === "" ? [] : [["text", event.text]]
      }
      case "tool_call":
        return !calls.has(event.tool_use_id) ? [] : [["tool", event.tool_use_id]]
      case "file_diff":
        return [["diff", event.file_path]]
      default:
        return []
    }
  })

describe("the relay's own ACP adapter, with the relay's own ACP agent behind it", () => {
  for (const { events: recorded, name } of recordedSessions) {
    it.live(`${name}: keeps the promises of the wire protocol, and is the same conversation`, () =>
      Effect.gen(function*() {
        const recording = yield* recorded
        const { events, read } = yield* conversation(recording)
        keepsPromises(events, read.filter((line) => !isPrivate(JSON.parse(line) as Json)))
        const calls = called(recording)
        assert.deepStrictEqual(shownBy(events, calls), shownBy(recording, calls))
        assert.deepStrictEqual(resultsOf(events, calls), resultsOf(recording, calls))
      }))
  }
})
