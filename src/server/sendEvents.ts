/** sendEvents: a session's events as Server-Sent Events, one per frame, `id` its `seq`. */
import { Effect, Stream } from "effect"
import type { ServerResponse } from "node:http"
import { type Batch, lastSeqOf, textsOf } from "../services/log/frames.js"

/** So that proxies do not take a quiet session for a dead one, in ms. */
const keepAliveMs = 15_000

const toText = (batch: Batch): string =>
  textsOf(batch).map((frame, index) => `id: ${batch.firstSeq + index}\ndata: ${onOneLine(frame)}\n\n`).join(
    ""
  )

/** A native message may hold carriage returns between its tokens; here they would end the line. */
const onOneLine = (frame: string): string => frame.includes("\r") ? frame.replaceAll("\r", " ") : frame

/** As on a socket: it has no place of its own, so no cursor moves. */
const toGap = (after_seq: number, first_seq: number): string => {
  const text = `the events before ${first_seq} are no longer kept: what follows starts there`
  const gap = { type: "error", code: "gap", text, metadata: { first_seq }, seq: after_seq }
  return `data: ${JSON.stringify(gap)}\n\n`
}

const gone = (response: ServerResponse) =>
  Effect.callback<void>((resume) => {
    const onClose = () => resume(Effect.void)
    if (response.closed) return onClose()
    response.once("close", onClose)
    return Effect.sync(() => response.off("close", onClose))
  })

const drained = (response: ServerResponse) =>
  Effect.callback<void>((resume) => {
    const onDrain = () => resume(Effect.void)
    response.once("drain", onDrain)
    return Effect.sync(() => response.off("drain", onDrain))
  })

/**
 * Send the events after `after_seq` until there are no more, or the peer is gone. A peer that reads too slowly is cut off
 * by the log; it comes again with the last id it has.
 */
export const sendEvents = (response: ServerResponse, after_seq: number, batches: Stream.Stream<Batch>) =>
  Effect.gen(function*() {
    let next = after_seq + 1
    const send = (batch: Batch) => {
      const gap = batch.firstSeq > next ? toGap(next - 1, batch.firstSeq) : ""
      next = lastSeqOf(batch) + 1
      return response.write(gap + toText(batch)) ? Effect.void : drained(response)
    }
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store"
    })
    response.flushHeaders()
    if (response.req.method === "HEAD") return
    yield* Effect.acquireRelease(
      Effect.sync(() => setInterval(() => response.write(": still here\n\n"), keepAliveMs)),
      (timer) => Effect.sync(() => clearInterval(timer))
    )
    yield* Stream.runForEach(batches, send).pipe(Effect.raceFirst(gone(response)))
  }).pipe(Effect.scoped, Effect.ensuring(Effect.sync(() => response.end())))
