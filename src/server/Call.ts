/**
 * Call: one HTTP request that passed authentication, as a route's answer receives it.
 *
 * An answer ends the response itself, so it can stream. If it fails instead, `answerHttp` sends the error.
 */
import { Effect, Schema } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { BodyOf } from "../schema/index.js"
import { excessOf } from "../schema/parseFields.js"
import type { Auth } from "../services/access/Auth.js"
import type { AgentFindings } from "../services/agents/AgentFindings.js"
import type { Journal } from "../services/journal/Journal.js"
import { makePause } from "../services/makePause.js"
import type { NativeSessions } from "../services/native/NativeSessions.js"
import type { Push } from "../services/push/Push.js"
import type { SearchIndex } from "../services/search/SearchIndex.js"
import type { SessionRegistry } from "../services/session/SessionRegistry.js"
import type { RelayError } from "../services/session/toErrorEvent.js"
import type { Workspace } from "../services/workspace/Workspace.js"
import type { ConsoleFiles } from "./ConsoleFiles.js"
import { drained } from "./drained.js"
import { jsonPieces } from "./jsonPieces.js"
import { ServerConfig } from "./ServerConfig.js"

/** The services that answers may use. */
export type Served =
  | AgentFindings
  | Auth
  | ConsoleFiles
  | Journal
  | NativeSessions
  | Push
  | SearchIndex
  | ServerConfig
  | SessionRegistry
  | Workspace

/** The request is refused. `reason` says why and what to do. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  status: Schema.Number,
  reason: Schema.String,
  code: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return this.reason
  }
}

/** The request itself is wrong. `reason` says what to send instead. */
export const wrong = (reason: string) => new Refused({ status: 400, code: "bad_command", reason })

/** A whole number in the query; undefined if it is missing. Fails if it is out of range. */
export const numberIn = (query: URLSearchParams, name: string, least: number, most: number) => {
  const given = query.get(name)
  if (given === null) return Effect.succeed(undefined)
  const value = Number(given)
  return Number.isSafeInteger(value) && value >= least && value <= most && given.trim() !== ""
    ? Effect.succeed(value)
    : wrong(`\`${name}\` must be a whole number from ${least} to ${most}`)
}

/** The names in braces in a path. */
export type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never

/** What a stream of events says last when it breaks off, in the words of its front. */
export type LastWords = (error: BodyOf<"error">) => string

export interface Call<Path extends string = string> {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The values in the path for the names in braces. */
  readonly params: { readonly [Name in NamesIn<Path>]: string }
  readonly query: URLSearchParams
  /** A stream of events says by this how it breaks off; any other answer that has begun is cut off. */
  readonly breakOffWith: (words: LastWords) => void
}

export type Answer<Path extends string = string> = (
  call: Call<Path>
) => Effect.Effect<void, RelayError | Refused, Served>

/** An answer whose code is loaded at the first request. */
export const lazily = <Path extends string>(load: () => Promise<Answer<Path>>): Answer<Path> => (call) =>
  Effect.flatMap(Effect.promise(load), (answer) => answer(call))

const jsonHeaders = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff"
}

/** Characters of a long answer that are made, and sent, together. */
const madeTogether = 4 * 1024
const sentTogether = 64 * 1024

/** Sends a body of any length, at the client's pace; others have their turn meanwhile. */
export const sendJson = Effect.fnUntraced(function*(response: ServerResponse, status: number, body: unknown) {
  const pause = makePause()
  let text = ""
  let made = 0
  for (const piece of jsonPieces(body)) {
    text += piece
    made += piece.length
    if (made < madeTogether) continue
    made = 0
    yield* pause
    if (text.length < sentTogether) continue
    if (!response.headersSent) response.writeHead(status, jsonHeaders)
    if (!response.write(text)) yield* drained(response)
    if (response.destroyed) return
    text = ""
  }
  yield* sendJsonText(response, status, text)
})

export const sendJsonText = (response: ServerResponse, status: number, json: string) =>
  Effect.sync(() => {
    if (!response.headersSent) response.writeHead(status, jsonHeaders)
    response.end(json + "\n")
  })

/** Sends 204: done, without a body. */
export const sendNothing = (response: ServerResponse) =>
  Effect.sync(() => void response.writeHead(204, { "cache-control": "no-store" }).end())

/** The body as text. Fails with 413 if it has more than `most` bytes. If interrupted, the rest is not read. */
export const bodyOf = (request: IncomingMessage, most = 8 * 1024): Effect.Effect<string, Refused> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= most) return
      stop()
      resume(
        new Refused({
          status: 413,
          code: "too_large",
          reason: `the body may have at most ${most} bytes: send less`
        })
      )
    }
    const onEnd = () => {
      stop()
      resume(Effect.succeed(Buffer.concat(chunks).toString("utf8")))
    }
    const onGone = () => {
      stop()
      resume(wrong("the body ended early: send it again"))
    }
    const stop = () => void request.off("data", onData).off("end", onEnd).off("close", onGone)
    request.on("data", onData).once("end", onEnd).once("close", onGone)
    return Effect.sync(stop)
  })

/** The body, if it is no work to parse: one of millions of small values keeps everybody waiting. Fails with 413 like `bodyOf`. */
const parsableOf = (request: IncomingMessage, most?: number) =>
  Effect.flatMap(bodyOf(request, most), (text) => {
    const reason = excessOf(text)
    return reason === undefined
      ? Effect.succeed(text)
      : new Refused({ status: 413, code: "too_large", reason })
  })

/** The text of a JSON body. Fails with 415 for another content type: browsers send forms without a preflight request. */
export const jsonTextOf = Effect.fnUntraced(function*(request: IncomingMessage) {
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    return yield* new Refused({ status: 415, reason: "send JSON, with content-type: application/json" })
  }
  const { max_frame_bytes } = yield* ServerConfig
  return yield* parsableOf(request, max_frame_bytes)
})

/** The body parsed as JSON. Fails with 400 if it is not JSON, and like `jsonTextOf`. */
export const readJson = Effect.fnUntraced(function*({ request }: Pick<Call, "request">) {
  const body = yield* jsonTextOf(request)
  return yield* Effect.try({
    try: () => JSON.parse(body) as unknown,
    catch: () => wrong("the body is not JSON: send one complete object")
  })
})

/** The body decoded by this schema. Fails with 400 and `wanted`, which says what to send. */
export const readBody = <A, I>(
  request: IncomingMessage,
  schema: Schema.Codec<A, I>,
  wanted: string,
  most?: number
): Effect.Effect<A, Refused> => {
  const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
  return Effect.flatMap(
    parsableOf(request, most),
    (text) => Effect.mapError(decode(text), () => wrong(wanted))
  )
}
