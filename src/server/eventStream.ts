/** eventStream: answers with Server-Sent Events, at the reader's pace. */
import { Effect, Stream } from "effect"
import type { ServerResponse } from "node:http"

/** How often to send a comment, so that proxies do not close a quiet stream, in ms. */
const keepAliveMs = 15_000

/** Headers that keep proxies from changing or buffering the stream. */
export const ofSdks = { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" }

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
 * Sends these texts, each one or more whole events, until there are no more or the peer is gone, which interrupts the stream.
 * `headers` are added to those of every event stream.
 */
export const sendEventStream = <E, R>(
  response: ServerResponse,
  texts: Stream.Stream<string, E, R>,
  headers: Readonly<Record<string, string>> = {}
): Effect.Effect<void, E, R> =>
  Effect.gen(function*() {
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      ...headers
    })
    response.flushHeaders()
    if (response.req.method === "HEAD") return
    yield* Effect.acquireRelease(
      Effect.sync(() => setInterval(() => response.write(": still here\n\n"), keepAliveMs)),
      (timer) => Effect.sync(() => clearInterval(timer))
    )
    yield* Stream.runForEach(texts, (text) => response.write(text) ? Effect.void : drained(response)).pipe(
      Effect.raceFirst(gone(response))
    )
  }).pipe(Effect.scoped, Effect.ensuring(Effect.sync(() => response.end())))
