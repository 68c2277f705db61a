/** eventStream: answers with Server-Sent Events, at the reader's pace. */
import { Effect, Stream } from "effect"
import type { ServerResponse } from "node:http"
import type { Call, LastWords } from "./Call.js"
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

/** How long a peer may take to read the last words. */
const lastWordsWithin = "1 second"

/** Ends an answer that has begun with these words; without any, cuts it off, so that it does not look complete. */
export const breakOff = Effect.fnUntraced(function*(response: ServerResponse, words: string | undefined) {
  if (response.writableEnded) return
  if (words !== undefined) {
    response.end(words)
    yield* Effect.timeoutOption(gone(response), lastWordsWithin)
  }
  response.destroy()
})

export interface EventStreamOptions {
  /** Added to the headers of every event stream. */
  readonly headers?: Readonly<Record<string, string>>
  /** What to send last when the stream breaks off: the right to it has ended, or the relay is shutting down. */
  readonly lastWords: LastWords
}

/**
 * Sends these texts, each one or more whole events, until there are no more or the peer is gone, which interrupts the stream. If
 * it breaks off, `answerHttp` sends the last words.
 */
export const sendEventStream = <E, R>(
  { breakOffWith, response }: Pick<Call, "breakOffWith" | "response">,
  texts: Stream.Stream<string, E, R>,
  { headers = {}, lastWords }: EventStreamOptions
): Effect.Effect<void, E, R> =>
  Effect.gen(function*() {
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      ...headers
    })
    response.flushHeaders()
    if (response.req.method === "HEAD") return void response.end()
    breakOffWith(lastWords)
    yield* Effect.acquireRelease(
      Effect.sync(() => setInterval(() => response.write(": still here\n\n"), keepAliveMs)),
      (timer) => Effect.sync(() => clearInterval(timer))
    )
    yield* Stream.runForEach(texts, (text) => response.write(text) ? Effect.void : drained(response)).pipe(
      Effect.raceFirst(gone(response))
    )
    response.end()
  }).pipe(Effect.scoped)
