/** chatRoutes: the paths for clients of the AI SDK (`fronts/chat`): streams and other requests. */
import { Effect, Stream } from "effect"
import { randomUUID } from "node:crypto"
import type { ServerResponse } from "node:http"
import * as Chat from "../fronts/chat/Chat.js"
import { type Dialect, usualDialect } from "../fronts/chat/Chunk.js"
import * as inProcess from "../fronts/inProcess.js"
import { type PortError, SessionPort } from "../fronts/SessionPort.js"
import {
  type Answer,
  type Call,
  readJson,
  Refused,
  sendJson,
  sendNothing,
  type Served,
  wrong
} from "./Call.js"
import { ofSdks, sendEventStream, toEvents } from "./eventStream.js"
import { statusOf } from "./statusOf.js"

/** Sends a refusal as plain text, because pages show its body as is. */
const refuse = (response: ServerResponse, code: string, reason: string, status = statusOf(code)) =>
  Effect.sync(() => {
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" })
    response.end(reason)
  })

/** The agent and the client's version of the SDK, from a name such as `codex@7`. */
const namesOf = (
  tool: string,
  query: URLSearchParams
): Effect.Effect<{ readonly tool: string; readonly dialect: Dialect }, Refused> => {
  const [name = "", suffix] = tool.split("@", 2)
  const wanted = suffix ?? query.get("dialect") ?? String(usualDialect)
  const dialect = ([5, 6, 7] as const).find((version) => String(version) === wanted)
  return dialect === undefined
    ? wrong(`version "${wanted}" of the AI SDK is not supported: use @5, @6 or @7`)
    : Effect.succeed({ tool: name, dialect })
}

const streamHeaders = {
  ...ofSdks,
  "x-vercel-ai-ui-message-stream": "v1",
  "access-control-expose-headers": "x-vercel-ai-ui-message-stream"
}

const failed = (errorText: string) => [{ type: "error", errorText }]

const done = "data: [DONE]\n\n"

/** Ends a stream that breaks off with an error chunk; the client connects again and resumes. */
const told = (chunks: Chat.Chunks) => Stream.catch(chunks, ({ message }) => Stream.succeed(failed(message)))

const send = (call: Call, chunks: Chat.Chunks) =>
  sendEventStream(
    call,
    Stream.concat(Stream.map(told(chunks), toEvents), Stream.succeed(done)),
    { headers: streamHeaders, lastWords: ({ text }) => `${toEvents(failed(text))}${done}` }
  )

/** An answer for requests about one chat. */
const answer = <Path extends string>(
  serve: (
    chat: Chat.Chat,
    call: Call<Path> & { readonly tool: string }
  ) => Effect.Effect<void, PortError | Refused, Served>
): Answer<Path> =>
(call) =>
  Effect.gen(function*() {
    const port = yield* SessionPort
    // Each of these paths names the tool.
    const { dialect, tool } = yield* namesOf((call.params as { readonly tool: string }).tool, call.query)
    const chat = Chat.make(port, { dialect, front: "chat", newId: randomUUID })
    yield* serve(chat, { ...call, tool })
  }).pipe(
    Effect.catch((error) =>
      error._tag === "Refused"
        ? refuse(call.response, error.code ?? "", error.message, error.status)
        : refuse(call.response, error.code, error.message)
    ),
    Effect.provide(inProcess.layer),
    Effect.scoped
  )

/** The SDK sends the whole conversation each time, unless it is told otherwise. */
const tooLong = (refused: Refused): Refused =>
  refused.status !== 413 ? refused : new Refused({
    status: 413,
    code: "too_large",
    reason:
      `the conversation is too long to be sent as a whole: set prepareSendMessagesRequest and send its last two messages (${refused.message})`
  })

export const post = answer<"/chat/{tool}">((chat, call) =>
  Effect.gen(function*() {
    const body = yield* Effect.mapError(readJson(call), tooLong)
    const chunks = yield* chat.post(call.tool, body)
    yield* send(call, chunks)
  }).pipe(Effect.scoped)
)

export const resume = answer<"/chat/{tool}/{id}/stream">((chat, call) =>
  Effect.gen(function*() {
    const chunks = yield* chat.resume(call.params.id)
    yield* chunks === undefined ? sendNothing(call.response) : send(call, chunks)
  }).pipe(Effect.scoped)
)

export const stop = answer<"/chat/{tool}/{id}/stop">((chat, { params, response }) =>
  Effect.flatMap(chat.stop(params.id), (stopped) => sendJson(response, 200, { stopped }))
)

export const respond = answer<"/chat/{tool}/{id}/answer">((chat, call) =>
  Effect.gen(function*() {
    yield* chat.answer(call.params.id, yield* readJson(call))
    yield* sendNothing(call.response)
  })
)

export const messages = answer<"/chat/{tool}/{id}/messages">((chat, { params, response }) =>
  Effect.flatMap(chat.messages(params.id), (messages) => sendJson(response, 200, messages))
)
