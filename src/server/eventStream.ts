/** eventStream: answers with Server-Sent Events, at the reader's pace. */
import { Effect, Stream } from "effect"
import type { ServerResponse } from "node:http"
import { Principal } from "../services/access/Principal.js"
import { drained } from "./drained.js"

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

/** Each of these as an event without a name. */
export const toEvents = (values: ReadonlyArray<object>): string =>
  values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join("")

const type = "text/event-stream; charset=utf-8"

/** Whether the answer is an event stream, which says by itself that the right to it has ended. */
export const isEventStream = (response: ServerResponse): boolean =>
  response.headersSent && response.getHeader("content-type") === type

/** How long a peer may take to read the last words. */
const lastWordsWithin = "1 second"

const endWith = (response: ServerResponse, words: string) =>
  Effect.sync(() => void response.end(words)).pipe(
    Effect.andThen(gone(response)),
    Effect.timeoutOption(lastWordsWithin),
    Effect.andThen(Effect.sync(() => void response.destroy()))
  )

export interface EventStreamOptions {
  /** Added to the headers of every event stream. */
  readonly headers?: Readonly<Record<string, string>>
  /** What to send when the right to the stream ends, such as that of a revoked token. Default: nothing. */
  readonly lastWords?: (reason: string) => string
}

/**
 * Sends these texts, each one or more whole events, until there are no more, the right to them ends, or the peer is gone, which
 * interrupts the stream.
 */
export const sendEventStream = <E, R>(
  response: ServerResponse,
  texts: Stream.Stream<string, E, R>,
  { headers = {}, lastWords = () => "" }: EventStreamOptions = {}
): Effect.Effect<void, E, R> =>
  Effect.gen(function*() {
    response.writeHead(200, { "content-type": type, "cache-control": "no-store", ...headers })
    response.flushHeaders()
    if (response.req.method === "HEAD") return
    const { ended } = yield* Principal
    yield* Effect.acquireRelease(
      Effect.sync(() => setInterval(() => response.write(": still here\n\n"), keepAliveMs)),
      (timer) => Effect.sync(() => clearInterval(timer))
    )
    yield* Stream.runForEach(texts, (text) => response.write(text) ? Effect.void : drained(response)).pipe(
      Effect.raceFirst(gone(response)),
      Effect.raceFirst(Effect.flatMap(ended, (reason) => endWith(response, lastWords(reason))))
    )
  }).pipe(Effect.scoped, Effect.ensuring(Effect.sync(() => response.end())))
