/** sendEvents: a session's events as Server-Sent Events, one per frame, `id` its `seq`. */
import { Effect, Stream } from "effect"
import type { ServerResponse } from "node:http"
import { type Batch, textsOf } from "../services/frames.js"

/** So that proxies do not take a quiet session for a dead one, in ms. */
const keepAliveMs = 15_000

const toText = (batch: Batch): string =>
  textsOf(batch).map((frame, index) => `id: ${batch.firstSeq + index}\ndata: ${frame}\n\n`).join("")

const gone = (response: ServerResponse) =>
  Effect.async<void>((resume) => {
    const onClose = () => resume(Effect.void)
    response.once("close", onClose)
    return Effect.sync(() => response.off("close", onClose))
  })

const drained = (response: ServerResponse) =>
  Effect.async<void>((resume) => {
    const onDrain = () => resume(Effect.void)
    response.once("drain", onDrain)
    return Effect.sync(() => response.off("drain", onDrain))
  })

export const sendEvents = (response: ServerResponse, batches: Stream.Stream<Batch>) =>
  Effect.gen(function*() {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" })
    response.flushHeaders()
    yield* Effect.acquireRelease(
      Effect.sync(() => setInterval(() => response.write(": still here\n\n"), keepAliveMs)),
      (timer) => Effect.sync(() => clearInterval(timer))
    )
    yield* Stream.runForEach(batches, (batch) => response.write(toText(batch)) ? Effect.void : drained(response)).pipe(
      Effect.raceFirst(gone(response))
    )
    response.end()
  }).pipe(Effect.scoped)
