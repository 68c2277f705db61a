/**
 * cortexServer: Snowflake, as the tests play it: answers in the documented shapes, and every way a stream can go wrong.
 *
 * Each request takes the next reply of the list; what was asked is kept, and whether the client hung up.
 */
import { once } from "node:events"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  // A test reads what it knows is there.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
  /** The client went away before the answer was whole. */
  aborted: boolean
}

export type Reply = (response: ServerResponse) => Promise<void> | void

/** A server-sent event; a string is written as it is. */
export type Sent = string | { readonly event?: string; readonly data: unknown }

export interface CortexServer {
  readonly url: string
  /** As `--cortex-host` has it. */
  readonly host: string
  readonly requests: ReadonlyArray<Received>
  /** Replies to the next requests. */
  readonly reply: (...replies: ReadonlyArray<Reply>) => void
  /** So many requests have come. */
  readonly asked: (count: number) => Promise<void>
  /** The client has hung up in the middle of an answer. */
  readonly hungUp: () => Promise<void>
  readonly close: () => Promise<void>
}

const delay = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Events as bytes. `lines` spreads the JSON over several `data:` lines. */
export const encode = (events: ReadonlyArray<Sent>, { eol = "\n", lines = false } = {}): Buffer =>
  Buffer.from(
    events.map((sent) => {
      if (typeof sent === "string") return sent
      const data = typeof sent.data === "string"
        ? sent.data
        : JSON.stringify(sent.data, undefined, lines ? 2 : 0)
      const name = sent.event === undefined ? "" : `event: ${sent.event}${eol}`
      return `${name}${data.split("\n").map((line) => `data: ${line}${eol}`).join("")}${eol}`
    }).join("")
  )

export interface StreamOptions {
  readonly eol?: string
  readonly lines?: boolean
  /** Bytes per write; one character or line end may lie in two. */
  readonly piece?: number
  /** How it goes on after the last event; default is a proper end. */
  readonly then?: "end" | "break" | "silence"
}

/** 200 with these events. */
export const stream =
  (events: ReadonlyArray<Sent>, { piece, then = "end", ...options }: StreamOptions = {}): Reply =>
  async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    const bytes = encode(events, options)
    const size = piece ?? Math.max(1, bytes.length)
    for (let start = 0; start < bytes.length; start += size) {
      response.write(bytes.subarray(start, start + size))
      await delay()
    }
    if (then === "end") response.end()
    if (then === "break") response.destroy()
  }

/** Another status, with a JSON body. */
export const refuse =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply => (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers })
    response.end(typeof body === "string" ? body : JSON.stringify(body))
  }

/** Never a word. */
export const silence: Reply = () => {}

// --- chat ----------------------------------------------------------------------------------------------------------

const chunk = (delta: object, more: object = {}, finish_reason: string | null = null): Sent => ({
  data: {
    id: "c-1",
    object: "chat.completion.chunk",
    model: "claude-sonnet-4-5",
    choices: [{ index: 0, delta, finish_reason }],
    ...more
  }
})
export const says = (content: string, finish?: string) => chunk({ content }, {}, finish ?? null)
export const thinks = (reasoning: string) => chunk({ reasoning })
export const calls = (...tool_calls: ReadonlyArray<object>) => chunk({ tool_calls })
export const used = (prompt_tokens: number, completion_tokens: number): Sent => ({
  data: {
    id: "c-1",
    object: "chat.completion.chunk",
    choices: [],
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
  }
})
export const done: Sent = { data: "[DONE]" }
/** A whole answer. */
export const answer = (...texts: ReadonlyArray<string>): Reply =>
  stream([...texts.map((text) => says(text)), used(10, 5), done])

// --- the server ----------------------------------------------------------------------------------------------------

export const startCortexServer = async (): Promise<CortexServer> => {
  const requests: Array<Received> = []
  const replies: Array<Reply> = []
  const looks = new Set<() => void>()
  const until = (fact: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!fact()) return
        looks.delete(look)
        resolve()
      }
      looks.add(look)
      look()
    })
  const look = () => [...looks].forEach((look) => look())

  const server = createServer((request, response) => {
    const pieces: Array<Buffer> = []
    request.on("data", (piece: Buffer) => pieces.push(piece))
    request.on("end", () => {
      const text = Buffer.concat(pieces).toString("utf8")
      const received: Received = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: text === "" ? undefined : JSON.parse(text),
        aborted: false
      }
      requests.push(received)
      look()
      response.on("close", () => {
        if (response.writableFinished) return
        received.aborted = true
        look()
      })
      const reply = replies.shift() ?? refuse(500, { message: "the test has no more replies" })
      void reply(response)
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo // It listens on a port, not on a pipe.

  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    requests,
    reply: (...more) => void replies.push(...more),
    asked: (count) => until(() => requests.length >= count),
    hungUp: () => until(() => requests.some(({ aborted }) => aborted)),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
  }
}
