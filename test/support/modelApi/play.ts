/**
 * play: writes one step as an HTTP response, with the waiting, cutting and falling silent that it asks for.
 *
 * Returns when the response is over, also when the caller hangs up in the middle of a slow or silent stream.
 */

import type { ServerResponse } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import type { Dialect, Frame, ModelCall } from "./Dialect.js"
import type { Json } from "./json.js"
import type { Step } from "./script.js"

type Reply = Extract<Step, { kind: "reply" }>
type Fail = Extract<Step, { kind: "fail" }>

export const sendJson = (response: ServerResponse, status: number, body: Json, headers: object = {}) => {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(JSON.stringify(body))
}

/** Resolves once, when the connection is gone. */
const hangUp = (response: ServerResponse) =>
  new Promise<void>((resolve) => response.destroyed ? resolve() : response.once("close", resolve))

const openStream = (response: ServerResponse, headers: object = {}) => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache", ...headers })
  response.flushHeaders()
}

/** Resolves when the kernel has it, so that a cut comes after the frame and not instead of it. */
const sendFrame = (response: ServerResponse, { data, event }: Frame) =>
  new Promise<void>((resolve) => {
    if (response.destroyed) return resolve()
    const name = event === undefined ? "" : `event: ${event}\n`
    response.write(`${name}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`, () =>
      resolve())
  })

const playReply = async (response: ServerResponse, dialect: Dialect, call: ModelCall, step: Reply) => {
  const { ending, reply } = step
  const closed = hangUp(response)
  if (!call.stream) {
    if (ending === "cut") return response.destroy()
    if (ending === "hang") return closed
    return sendJson(response, 200, dialect.whole(reply, call), reply.headers)
  }
  const { closing, content, opening } = dialect.frames(reply, call)
  // A broken stream ends with its last word: no block is closed.
  const said = ending === "whole"
    ? content
    : content.slice(0, content.findLastIndex(({ chunk }) => chunk) + 1)
  openStream(response, reply.headers)
  for (const frame of opening) await sendFrame(response, frame)
  let chunks = 0
  for (const frame of said) {
    if (frame.chunk && chunks++ > 0 && reply.delayMs !== undefined) {
      await Promise.race([sleep(reply.delayMs, undefined, { ref: false }), closed])
    }
    if (response.destroyed) return
    await sendFrame(response, frame)
    if (frame.chunk && chunks === 1 && reply.hold !== undefined) await Promise.race([reply.hold, closed])
  }
  if (ending === "cut") return response.destroy()
  if (ending === "hang") return closed
  for (const frame of closing) await sendFrame(response, frame)
  response.end()
}

const playFailure = async (response: ServerResponse, dialect: Dialect, call: ModelCall, step: Fail) => {
  const { body, frame, headers, inStream, status } = dialect.failure(step.failure, step.options)
  if (!(step.options.inStream ?? inStream ?? false) || !call.stream) {
    return sendJson(response, status, body, headers)
  }
  openStream(response, headers)
  for (const opening of dialect.frames({}, call).opening) await sendFrame(response, opening)
  await sendFrame(response, frame)
  response.end()
}

export const play = async (
  response: ServerResponse,
  dialect: Dialect,
  call: ModelCall,
  step: Step
): Promise<void> => {
  await (step.kind === "reply"
    ? playReply(response, dialect, call, step)
    : playFailure(response, dialect, call, step))
}
