/** fakeHttp: an HttpClient that is a list of answers, for tests of time: nothing leaves the program. */
import { Clock, Effect, Layer } from "effect"
import { HttpClient, type HttpClientRequest, HttpClientResponse } from "effect/http"

export interface FakeHttp {
  readonly layer: Layer.Layer<HttpClient.HttpClient>
  readonly requests: ReadonlyArray<HttpClientRequest.HttpClientRequest>
  /** When each request was made, in ms. */
  readonly times: ReadonlyArray<number>
  /** Of the last request: aborted once the client hangs up. */
  readonly signal: () => AbortSignal | undefined
}

/** The last answer is given again and again. */
export const make = (...answers: ReadonlyArray<() => Response | Promise<Response>>): FakeHttp => {
  const requests: Array<HttpClientRequest.HttpClientRequest> = []
  const times: Array<number> = []
  let signal: AbortSignal | undefined
  const client = HttpClient.make((request, _url, aborted) =>
    Effect.gen(function*() {
      times.push(yield* Clock.currentTimeMillis)
      requests.push(request)
      signal = aborted
      const answer = answers[Math.min(requests.length, answers.length) - 1]
      const response = yield* Effect.promise(async () => answer?.() ?? new Response("", { status: 500 }))
      return HttpClientResponse.fromWeb(request, response)
    })
  )
  return { layer: Layer.succeed(HttpClient.HttpClient, client), requests, times, signal: () => signal }
}

/** A stream of these chunks; `then` is how it goes on. */
export const streamOf =
  (chunks: ReadonlyArray<Uint8Array>, then: "end" | "break" | "silence" = "end") => () =>
    new Response(
      new ReadableStream({
        start: (controller) => {
          for (const chunk of chunks) controller.enqueue(chunk)
          if (then === "end") controller.close()
        },
        pull: (controller) => {
          if (then === "break") controller.error(new Error("connection reset"))
        }
      }),
      { headers: { "content-type": "text/event-stream" } }
    )

export const statusOf = (status: number, body: unknown = {}, headers: Record<string, string> = {}) => () =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers })

/** It never answers. */
export const never = () => new Promise<Response>(() => {})
