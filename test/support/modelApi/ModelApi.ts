/**
 * ModelApi: the model behind the real CLIs in our tests, on one loopback port.
 *
 * It speaks Anthropic Messages, OpenAI Responses and Gemini at once and answers by rules: `on(pattern, steps)` says what
 * the model does after a prompt (words in `script.ts`, choice of the step in `Conversation.ts`). A prompt without a rule
 * gets `defaultReply`. Every request is recorded; a test waits with `called` for what the CLI does, never for time.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { ApiName } from "./Dialect.js"
import { type Json, parse } from "./json.js"
import { play, sendJson } from "./play.js"
import { modelCallOf, otherAnswer } from "./routes.js"
import { makeRulebook } from "./Rulebook.js"
import type { Step } from "./script.js"

export interface ModelRequest {
  /** `undefined` for a route that no API here knows; it was answered 404. */
  readonly api: ApiName | undefined
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: Json
  readonly receivedAt: number
  /** For a call to the model. */
  readonly model?: string
  /** The user's text that chose the rule; absent for side calls (titles, quota probes, routers). */
  readonly prompt?: string
  /** Which call to the model this is since the prompt; 0 is the first. */
  readonly round?: number
  /** The caller hung up before the answer was complete (a `cut` is our doing, not the caller's). */
  readonly aborted: boolean
  /** Resolves when the answer is over, complete or not. */
  readonly closed: Promise<void>
}

export interface ModelApi {
  readonly port: number
  readonly url: string
  readonly requests: ReadonlyArray<ModelRequest>
  /** After a prompt that matches, the model does these steps, one a call. A later rule goes before an earlier one. */
  readonly on: (prompt: RegExp, steps: Step | ReadonlyArray<Step>) => void
  /** The `n`th call to the model for a prompt that matches, as soon as there is one. */
  readonly called: (prompt: RegExp, n?: number) => Promise<ModelRequest>
  /** Forgets rules and requests. */
  readonly reset: () => void
  readonly close: () => Promise<void>
}

const readText = async (request: IncomingMessage) => {
  const parts: Array<Buffer> = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString("utf8")
}

export const startModelApi = async (): Promise<ModelApi> => {
  const rulebook = makeRulebook()
  let requests: Array<ModelRequest> = []
  let waiting: Array<() => void> = []

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { headers, method = "GET", url = "/" } = request
    const path = url.split("?")[0] ?? url
    const body = parse(await readText(request))
    const closed = new Promise<void>((resolve) => response.once("close", () => resolve()))
    const received = { method, path, headers, body, receivedAt: Date.now(), closed }
    const found = modelCallOf(path, body)
    if (found === undefined) {
      const { api, body, status } = otherAnswer(method, path)
      requests.push({ ...received, api, aborted: false })
      return sendJson(response, status, body)
    }
    const { call, dialect } = found
    const { step, ...chosenBy } = rulebook.next(call)
    const cutByUs = step.kind === "reply" && step.ending === "cut"
    requests.push({
      ...received,
      ...chosenBy,
      api: dialect.api,
      model: call.model,
      get aborted() {
        return response.closed && !response.writableFinished && !cutByUs
      }
    })
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
    await play(response, dialect, call, step)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy()
      // Where somebody sees it: the agent shows it as what its model said.
      return sendJson(response, 500, { error: { message: String(error) } })
    })
  })
  // Never close an idle connection: a CLI that is about to use it again would see a reset.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  // A server that listens on TCP has an address of this type.
  const { port } = server.address() as AddressInfo

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return requests
    },
    on: rulebook.on,
    called: async (prompt, n = 1) => {
      for (;;) {
        const seen = requests.filter((request) =>
          request.prompt !== undefined && prompt.test(request.prompt)
        )[n - 1]
        if (seen !== undefined) return seen
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    reset: () => {
      rulebook.reset()
      requests = []
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
