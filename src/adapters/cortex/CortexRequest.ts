/**
 * CortexRequest: one HTTP request to Snowflake, from the first attempt to the last event of its stream.
 *
 * Too many requests (429) and a model that took too long (503) are retried with growing delays and jitter,
 * never earlier than the server allows. The stream is read as it arrives; `silence` seconds without a byte,
 * or an end before the service reports completion, is a failure. Interrupting aborts the request.
 */
import { Cause, Duration, Effect, identity, Random, Redacted, Stream } from "effect"
import { HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { EventSink } from "../Adapter.js"
import { encodeLine } from "../wire/encodeLine.js"
import { type SseEvent, SseSplitter } from "../wire/Sse.js"
import type { CortexAccount } from "./CortexAccount.js"
import type { Answer } from "./Dialect.js"
import { toHttpFailure } from "./httpFailure.js"
import { type RequestFailed, toRetryEvent, turnFailed } from "./RequestFailed.js"

export interface CortexRequest {
  readonly account: CortexAccount
  readonly path: string
  /** The body to post; without one, the path is read with GET. */
  readonly body?: object
  /** Longest time without a byte. */
  readonly silence: Duration.Duration
}

/** Retries after the first attempt. */
const retries = 4
const firstDelay = 1000
/** If the server asks for a longer wait, the request is given up. */
const longestDelay = 120_000
/** Once everything important has arrived, the rest follows at once or not at all. */
const lastWords = Duration.seconds(2)

const silent = (silence: Duration.Duration) => () =>
  turnFailed(
    `Snowflake sent nothing for ${
      Duration.toSeconds(silence)
    } s, so the request was given up. What had come is `
      + "kept: send the prompt again, or set `snowflake.timeout` to more seconds."
  )
const unreachable = ({ account: { origin } }: CortexRequest) => () =>
  turnFailed(
    `${origin} could not be reached. Check \`snowflake.account_url\`, and that the relay's machine can connect to it.`
  )
const cut = turnFailed(
  "The answer is incomplete: the connection ended before Snowflake had finished. What arrived is kept; send a "
    + "prompt to go on."
)
const tooLong = turnFailed(
  "Snowflake sent an event that is too long. What arrived is kept; ask for less."
)

const toHttpRequest = ({ account, body, path }: CortexRequest) =>
  HttpClientRequest.make(body === undefined ? "GET" : "POST")(account.origin + path).pipe(
    HttpClientRequest.setHeaders({
      authorization: `Bearer ${Redacted.value(account.token)}`,
      "x-snowflake-authorization-token-type": account.token_type,
      accept: "application/json, text/event-stream",
      "user-agent": "ai-relay/1"
    }),
    body === undefined ? identity : HttpClientRequest.bodyText(encodeLine(body), "application/json")
  )

/** One attempt. The request ends with its scope. */
const ask = Effect.fnUntraced(function*(request: CortexRequest) {
  const client = HttpClient.withScope(yield* HttpClient.HttpClient)
  return yield* client.execute(toHttpRequest(request)).pipe(
    // Our trace context is of no use to Snowflake.
    Effect.provideService(HttpClient.TracerPropagationEnabled, false),
    Effect.mapError(unreachable(request)),
    Effect.timeoutOrElse({ duration: request.silence, orElse: () => Effect.fail(silent(request.silence)()) })
  )
})

const textOf = (response: HttpClientResponse.HttpClientResponse, { silence }: CortexRequest) =>
  response.text.pipe(Effect.timeout(silence), Effect.orElseSucceed(() => ""))

/** The event stream; fails with the reason if there is none. */
const askForStream = Effect.fnUntraced(function*(request: CortexRequest) {
  const response = yield* ask(request)
  const { headers, status } = response
  if (status === 200 && !/json|html/.test(headers["content-type"] ?? "")) return response
  return yield* yield* toHttpFailure(status, headers["retry-after"], yield* textOf(response, request))
})

const delayOf = (attempt: number, { retry_after_ms = 0 }: RequestFailed) =>
  Effect.map(
    Random.nextBetween(0.5, 1),
    (jitter) => Math.max(retry_after_ms, firstDelay * 2 ** attempt * jitter)
  )

/** Retry until there is an answer or a permanent failure. */
const askPatiently = Effect.fnUntraced(function*(request: CortexRequest) {
  const sink = yield* EventSink
  const again = (attempt: number): ReturnType<typeof askForStream> =>
    Effect.catch(askForStream(request), (failure) =>
      Effect.flatMap(delayOf(attempt, failure), (delay) => {
        if (!failure.retry || attempt === retries || delay > longestDelay) return Effect.fail(failure)
        sink.emit(toRetryEvent(failure, attempt + 1, retries, delay), failure.raw)
        return Effect.delay(again(attempt + 1), delay)
      }))
  return yield* again(0)
})

/** Read the stream to its end; `onEvent` gets every event, one sink batch per chunk. */
const read = Effect.fnUntraced(function*(
  response: HttpClientResponse.HttpClientResponse,
  answer: Answer,
  { silence }: CortexRequest,
  onEvent: (event: SseEvent) => void
) {
  const sink = yield* EventSink
  const pull = yield* Stream.toPull(response.stream)
  const splitter = new SseSplitter(onEvent)
  /** The next bytes; undefined at the end and when nothing more is expected. */
  const next = Effect.suspend(() => {
    const over = answer.progress === "complete"
    const end = over ? Effect.succeed(undefined) : Effect.fail(cut)
    return pull.pipe(
      Effect.catch((failure) => Cause.isDone(failure) ? Effect.succeed(undefined) : end),
      over
        ? Effect.timeoutOrElse({ duration: lastWords, orElse: () => Effect.succeed(undefined) })
        : Effect.timeoutOrElse({ duration: silence, orElse: () => Effect.fail(silent(silence)()) })
    )
  })
  while (answer.progress !== "closed") {
    const chunk = yield* next
    if (chunk === undefined) break
    let taken = true
    const room = sink.batch(() => {
      for (const bytes of chunk) taken = taken && splitter.push(bytes)
    })
    if (!taken) return yield* tooLong
    if (!room) yield* Effect.callback<void>((resume) => sink.onceDrained(() => resume(Effect.void)))
  }
  sink.batch(() => splitter.end())
  if (answer.failure !== undefined) return yield* answer.failure
  if (answer.progress === "open") return yield* cut
})

/** Send the request and read the answer. */
export const exchange = (request: CortexRequest, answer: Answer, onEvent: (event: SseEvent) => void) =>
  askPatiently(request).pipe(
    Effect.flatMap((response) => read(response, answer, request, onEvent)),
    Effect.scoped
  )

/** Request something that is not streamed: its text. */
export const fetchText = Effect.fn("CortexRequest.fetchText")(function*(request: CortexRequest) {
  const response = yield* ask(request)
  const text = yield* textOf(response, request)
  if (response.status !== 200) return yield* yield* toHttpFailure(response.status, undefined, text)
  return text
}, Effect.scoped)
