/**
 * contract: what every adapter owes the relay, tried on recordings of its real agent.
 *
 * Each recording is played through a real session; the client's side is played by `drive`, which says what a client
 * sent when the recording shows this input. Then the log must keep the promises of the wire protocol, whatever the
 * agent, and must be what it was before (`*.events.txt` beside the recording).
 */
import { assert, describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Result, Schema, Stream } from "effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { Adapter, AgentSpec, ProcessSpawner } from "../../src/adapters/Adapter.js"
import { decodeFrame, Handshake, RelayEvent, SessionId } from "../../src/schema/index.js"
import { IdGenerator } from "../../src/services/IdGenerator.js"
import { RelayConfig } from "../../src/services/RelayConfig.js"
import * as Session from "../../src/services/session/Session.js"
import { type Native, printedLines, transcriptSpawner } from "../support/transcriptSpawner.js"

export interface Contract {
  readonly tool: string
  /** The adapter, over whatever starts processes. */
  readonly adapter: Effect.Effect<Adapter, never, ProcessSpawner>
  readonly handshake?: object
  /**
   * What the client sent, given what the recording's client wrote: a command, or several one after the other; undefined:
   * the adapter writes it by itself.
   */
  readonly drive: (
    input: Native,
    seen: ReadonlyArray<RelayEvent>
  ) => object | ReadonlyArray<object> | undefined
  /** Answers to what the adapter asks and the recordings do not have. */
  readonly unrecorded?: (message: Native) => Native | undefined
  /** Printed lines that are not told again: answers to the relay's own requests. */
  readonly isPrivate: (message: Native) => boolean
}

/** What a recording needs to be played: not what its agent said. */
export type Play = Omit<Contract, "isPrivate"> & { readonly onWritten?: (message: Native) => void }

const isInTurn = (seen: ReadonlyArray<RelayEvent>) =>
  seen.findLast(({ type }) => type === "turn_start" || type === "turn_end")?.type === "turn_start"

const fixtures = (tool: string) => join(import.meta.dirname, "..", "fixtures", tool)

/** Play a recording through a session; everything its log held in the end. */
export const playRecording = (contract: Play, file: string) =>
  Effect.scoped(Effect.gen(function*() {
    const opened = yield* Deferred.make<Session.Session>()
    const seen: Array<RelayEvent> = []
    const onInput = (input: Native) =>
      Effect.gen(function*() {
        yield* Effect.yieldNow
        const driven = contract.drive(input, seen)
        if (driven === undefined) return true
        // What the adapter writes by itself it may write before the session is open.
        const session = yield* Deferred.await(opened)
        const commands = (Array.isArray(driven) ? driven : [driven]).map((command) =>
          Result.getOrThrow(decodeFrame(JSON.stringify(command)))
        )
        yield* Effect.forEach(commands, (command) => session.submit(command), { discard: true })
        // With no turn to interrupt the relay answers by itself; the agent is not bothered.
        return commands.at(-1)?.type !== "interrupt" || isInTurn(seen)
      })
    const spawner = transcriptSpawner({
      file,
      onInput,
      ...(contract.onWritten && { onWritten: contract.onWritten }),
      ...(contract.unrecorded && { unrecorded: contract.unrecorded })
    })
    const adapter = yield* Effect.provide(contract.adapter, spawner)
    const spec: AgentSpec = {
      ...Schema.decodeUnknownSync(Handshake)(contract.handshake ?? {}),
      tool: contract.tool,
      folder: "/workspace",
      fresh_uuid: "00000000-0000-4000-8000-0000000000ff"
    }
    const scope = yield* Effect.scope
    const run = Effect.gen(function*() {
      const session = yield* Session.open(SessionId.make("recorded"), adapter, spec)
      yield* session.log.tail(0).pipe(
        Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
        Effect.forkIn(scope)
      )
      yield* Deferred.succeed(opened, session)
      yield* session.over
      return session
    })
    const session = yield* Effect.scoped(run)
    return yield* Stream.runCollect(session.log.tail(0)).pipe(Effect.map((events) => Array.from(events)))
  })).pipe(Effect.provide(Layer.mergeAll(IdGenerator.layerTest, RelayConfig.layer({ interrupt_timeout: 5 }))))

/** One line per event, for people to read and for changes to be seen. */
export const summarize = (events: ReadonlyArray<RelayEvent>): string =>
  events.map(({ raw: _raw, seq, session_id: _session, ts: _ts, turn, type, ...rest }) =>
    [String(seq).padStart(3), turn === undefined ? " " : turn, type, shorten(rest)].join(" ")
  ).join("\n") + "\n"

const shorten = (fields: object) => {
  const text = JSON.stringify(fields, (key, value) => key === "expires_at" ? "…" : value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

const ofType = <Type extends RelayEvent["type"]>(events: ReadonlyArray<RelayEvent>, type: Type) =>
  events.filter((event): event is Extract<RelayEvent, { type: Type }> => event.type === type)

const promises: Record<string, (events: ReadonlyArray<RelayEvent>, native: ReadonlyArray<string>) => void> = {
  "numbers its events without gaps, and each fits the schema": (events) => {
    assert.deepStrictEqual(events.map(({ seq }) => seq), events.map((_, index) => index + 1))
    for (const event of events) Schema.decodeUnknownSync(RelayEvent)(event)
  },
  "begins with session_start and ends with session_end": (events) => {
    assert.strictEqual(events[0]?.type, "session_start")
    assert.strictEqual(events.at(-1)?.type, "session_end")
  },
  "ends every turn exactly once, as the turn's last event": (events) => {
    const numbers = ofType(events, "turn_start").map(({ turn }) => turn)
    assert.deepStrictEqual(ofType(events, "turn_end").map(({ turn }) => turn), numbers)
    for (const end of ofType(events, "turn_end")) {
      assert.strictEqual(events.filter(({ turn }) => turn === end.turn).at(-1)?.seq, end.seq)
    }
  },
  "gives one response to a turn that ends well, and none to others": (events) => {
    for (const { stop_reason, turn } of ofType(events, "turn_end")) {
      const responses = ofType(events, "response").filter((event) => event.turn === turn)
      const expected = stop_reason === "end_turn" || stop_reason === "max_tokens" ? 1 : 0
      assert.strictEqual(responses.length, expected, `turn ${turn} ended with ${stop_reason}`)
    }
  },
  "tells at most one error per turn": (events) => {
    for (const { turn } of ofType(events, "turn_end")) {
      assert.isAtMost(ofType(events, "error").filter((event) => event.turn === turn).length, 1)
    }
  },
  "settles every permission once": (events) => {
    const asked = ofType(events, "permission_request").map(({ request_id }) => request_id)
    const settled = events.flatMap((event) =>
      event.type === "permission_cancelled" ||
        (event.type === "control_response" && asked.includes(event.request_id))
        ? [event.request_id]
        : []
    )
    assert.sameMembers(settled, asked)
  },
  "answers every tool call it tells of, and no other": (events) => {
    const called = ofType(events, "tool_call").map(({ tool_use_id }) => tool_use_id)
    assert.strictEqual(new Set(called).size, called.length)
    const answered = ofType(events, "tool_result").map(({ tool_use_id }) => tool_use_id)
    assert.sameMembers(answered, called)
  },
  "streams nothing that does not come again whole": (events) => {
    const whole = events.flatMap((event) =>
      event.type === "assistant_message" || event.type === "reasoning" ? [event.text ?? ""] : []
    ).join("")
    for (const { delta, text } of ofType(events, "stream_event")) {
      if (delta === "text" || delta === "reasoning") assert.include(whole, text ?? "")
    }
  },
  "keeps every native message, once": (events, native) => {
    const kept = events.flatMap((event) => event.raw === undefined ? [] : [JSON.stringify(event.raw)])
    assert.deepStrictEqual(kept.filter((line) => native.includes(line)), native)
    // An agent may say the same twice.
    const times = (lines: ReadonlyArray<string>, line: string) =>
      lines.filter((other) => other === line).length
    for (const line of kept) assert.isAtMost(times(kept, line), Math.max(1, times(native, line)), line)
  }
}

/** Hold a session's events against every promise. `native` is what the agent said, as JSON on lines. */
export const keepsPromises = (events: ReadonlyArray<RelayEvent>, native: ReadonlyArray<string>) => {
  for (const [promise, holds] of Object.entries(promises)) {
    try {
      holds(events, native)
    } catch (broken) {
      throw new Error(`it no longer ${promise}:\n${String(broken)}\n${summarize(events)}`, { cause: broken })
    }
  }
}

/** Every recording of the agent, against every promise. */
export const describeContract = (contract: Contract) =>
  describe(`${contract.tool}: the adapters' contract`, () => {
    const folder = fixtures(contract.tool)
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".jsonl"))) {
      const file = join(folder, name)
      describe(name, () => {
        it.live("keeps the promises of the wire protocol", () =>
          Effect.gen(function*() {
            const events = yield* playRecording(contract, file)
            keepsPromises(
              events,
              printedLines(file).filter((line) =>
                line.startsWith("{") && !contract.isPrivate(JSON.parse(line))
              )
            )
            yield* Effect.promise(() =>
              expect(summarize(events)).toMatchFileSnapshot(file.replace(".jsonl", ".events.txt"))
            )
          }))
      })
    }
  })
