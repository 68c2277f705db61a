/**
 * Traces: every session as a trace, made with whatever Effect tracer is there, if the settings ask for it.
 *
 * It follows a session's log like any client, so tracing costs the agent's road nothing, and a session that is slow to
 * trace slows nobody.
 */
import { Effect, FiberSet, Stream } from "effect"
import type { RelayEvent } from "../../schema/index.js"
import type { EventLog } from "../log/EventLog.js"
import { textsOf } from "../log/frames.js"
import { RelayConfig } from "../RelayConfig.js"
import * as sessionSpans from "./sessionSpans.js"

export interface Traces {
  /** Begin to trace what comes after `seq`, if tracing is on. */
  readonly trace: (log: EventLog["Service"], seq: number) => Effect.Effect<void>
}

const none: Traces = { trace: () => Effect.void }

/** Its scope does not end before what is in the logs was traced; they must be closed by then. */
export const make = Effect.flatMap(RelayConfig, ({ trace }) => trace ? tracing : Effect.succeed(none))

const tracing = Effect.gen(function*() {
  const tracer = yield* Effect.tracer
  const fibers = yield* FiberSet.make<void>()
  yield* Effect.addFinalizer(() => FiberSet.awaitEmpty(fibers))

  const follow = (log: EventLog["Service"], seq: number) => {
    const spans = sessionSpans.make(tracer, log.session_id)
    return log.batches(seq).pipe(
      Stream.runForEach((batch) =>
        Effect.sync(() => {
          // Our own frames, encoded from typed events a moment ago.
          for (const frame of textsOf(batch)) spans.take(JSON.parse(frame) as RelayEvent)
        })
      ),
      Effect.catchCause((cause) => Effect.logWarning(`session ${log.session_id} is traced no further`, cause))
    )
  }

  const traces: Traces = { trace: (log, seq) => Effect.asVoid(FiberSet.run(fibers, follow(log, seq))) }
  return traces
})
