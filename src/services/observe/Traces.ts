/**
 * Traces: makes a trace of every session with the current Effect tracer, if the settings ask for it.
 *
 * It follows a session's log like any client, so tracing does not slow down the agent or anybody else.
 */
import { Effect, FiberSet, Stream } from "effect"
import type { RelayEvent } from "../../schema/index.js"
import type { EventLog } from "../log/EventLog.js"
import { textsOf } from "../log/frames.js"
import { RelayConfig } from "../RelayConfig.js"
import * as sessionSpans from "./sessionSpans.js"

export interface Traces {
  /** Starts tracing events after `seq`, if tracing is on. */
  readonly trace: (log: EventLog["Service"], seq: number) => Effect.Effect<void>
}

const none: Traces = { trace: () => Effect.void }

/** Closing its scope waits until everything in the logs was traced; the logs must be closed before. */
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
          // These are our own frames, encoded from typed events.
          for (const frame of textsOf(batch)) spans.take(JSON.parse(frame) as RelayEvent)
        })
      ),
      Effect.catchCause((cause) => Effect.logWarning(`tracing of session ${log.session_id} stopped`, cause))
    )
  }

  const traces: Traces = { trace: (log, seq) => Effect.asVoid(FiberSet.run(fibers, follow(log, seq))) }
  return traces
})
