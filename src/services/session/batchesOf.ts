/** batchesOf: a session's events as batches; those that are there already in slices, so that others are not delayed. */
import { Effect, Stream } from "effect"
import type { EventLog } from "../log/EventLog.js"
import type { Batch } from "../log/frames.js"
import { makePause } from "../makePause.js"

export const batchesOf = (
  log: Pick<EventLog["Service"], "batches" | "lastSeq">,
  after_seq: number
): Stream.Stream<Batch> =>
  Stream.suspend(() => {
    const then = log.lastSeq()
    const pause = makePause()
    return Stream.tap(
      log.batches(after_seq),
      ({ firstSeq }) => firstSeq <= then ? pause : Effect.void
    )
  })
