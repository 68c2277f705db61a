/**
 * Call: one HTTP request that has been let in, as a route's answer gets it.
 *
 * An answer ends the response itself, so it may stream; or it fails, and `answerHttp` says so.
 */
import { Effect, Schema } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Auth } from "../services/access/Auth.js"
import type { AgentFindings } from "../services/agents/AgentFindings.js"
import type { Journal } from "../services/journal/Journal.js"
import type { NativeSessions } from "../services/native/NativeSessions.js"
import type { Push } from "../services/push/Push.js"
import type { SearchIndex } from "../services/search/SearchIndex.js"
import type { SessionRegistry } from "../services/session/SessionRegistry.js"
import type { RelayError } from "../services/session/toErrorEvent.js"
import type { Workspace } from "../services/workspace/Workspace.js"
import type { ConsoleFiles } from "./ConsoleFiles.js"
import { ServerConfig } from "./ServerConfig.js"

/** What serving a client takes. */
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

/** The answer is no. `reason` says why, and what to do. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  status: Schema.Number,
  reason: Schema.String,
  code: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return this.reason
  }
}

/** The names in braces of a path. */
export type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never

export interface Call<Path extends string = string> {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** What stands in the path for each name in braces. */
  readonly params: { readonly [Name in NamesIn<Path>]: string }
  readonly query: URLSearchParams
}

export type Answer<Path extends string = string> = (
  call: Call<Path>
) => Effect.Effect<void, RelayError | Refused, Served>

/** An answer whose code is loaded when it is asked for the first time. */
export const lazily = <Path extends string>(load: () => Promise<Answer<Path>>): Answer<Path> => (call) =>
  Effect.flatMap(Effect.promise(load), (answer) => answer(call))

export const sendJson = (response: ServerResponse, status: number, body: unknown) =>
  Effect.sync(() => {
    response.writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff"
    })
    response.end(JSON.stringify(body) + "\n")
  })

/** It is done, and there is nothing to say. */
export const sendNothing = (response: ServerResponse) =>
  Effect.sync(() => void response.writeHead(204, { "cache-control": "no-store" }).end())

/** The body as text; fails with 413 when it has more bytes than `most`. Interrupted, the rest is not read. */
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
        new Refused({ status: 413, code: "too_large", reason: `the body may have ${most} bytes: send less` })
      )
    }
    const onEnd = () => {
      stop()
      resume(Effect.succeed(Buffer.concat(chunks).toString("utf8")))
    }
    const onGone = () => {
      stop()
      resume(new Refused({ status: 400, code: "bad_command", reason: "the body ended early: send it again" }))
    }
    const stop = () => void request.off("data", onData).off("end", onEnd).off("close", onGone)
    request.on("data", onData).once("end", onEnd).once("close", onGone)
    return Effect.sync(stop)
  })

/** The text of a body of JSON; fails with 415 when it says to be something else: a form's comes without asking whether it may. */
export const jsonTextOf = Effect.fnUntraced(function*(request: IncomingMessage) {
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    return yield* new Refused({ status: 415, reason: "send JSON, with content-type: application/json" })
  }
  const { max_frame_bytes } = yield* ServerConfig
  return yield* bodyOf(request, max_frame_bytes)
})

/** The body as JSON; fails with 400 when it is none, and as `jsonTextOf` does. */
export const readJson = Effect.fnUntraced(function*({ request }: Pick<Call, "request">) {
  const body = yield* jsonTextOf(request)
  return yield* Effect.try({
    try: () => JSON.parse(body) as unknown,
    catch: () =>
      new Refused({ status: 400, code: "bad_command", reason: "the body is no JSON: send one whole object" })
  })
})

/** The body as this schema has it; `wanted` says what to send, when it is not. */
export const readBody = <A, I>(
  request: IncomingMessage,
  schema: Schema.Codec<A, I>,
  wanted: string,
  most?: number
): Effect.Effect<A, Refused> => {
  const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
  return Effect.flatMap(
    bodyOf(request, most),
    (text) =>
      Effect.mapError(decode(text), () => new Refused({ status: 400, code: "bad_command", reason: wanted }))
  )
}
