/** serveMcp: the MCP server on this process's stdin and stdout, one message per line; nothing else is printed there. */
import { Effect, FiberSet, Layer, Logger } from "effect"
import { randomUUID } from "node:crypto"
import { WebSocket } from "ws"
import { interruptSoon } from "../adapters/doneSoon.js"
import * as McpServer from "../fronts/mcp/McpServer.js"
import * as overClient from "../fronts/overClient.js"
import { open, text } from "../fronts/read.js"
import { SessionPort } from "../fronts/SessionPort.js"
import * as LocalRelay from "./LocalRelay.js"
import { lineLogger } from "./loggers.js"
import { lines } from "./stdio.js"

export interface ServeMcpOptions {
  readonly url: string
  readonly token: string | undefined
  /** Start a relay if none answers. */
  readonly mayStart: boolean
  readonly version: string
}

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

export const serveMcp = ({ mayStart, token, url, version }: ServeMcpOptions) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const relay = LocalRelay.make(url)
    const made = yield* Layer.buildWithScope(overClient.layer({ url, token, WebSocket }), scope)
    const port = yield* Effect.provide(SessionPort, made)
    let client = ""
    let isThere = !mayStart
    const server = McpServer.make({
      port,
      version,
      front: () => (client === "" ? "mcp" : `mcp (${client})`).slice(0, 100),
      newId: randomUUID
    })
    const say = (body: object) => Effect.sync(() => void process.stdout.write(`${JSON.stringify(body)}\n`))
    const running = new Map<unknown, () => void>()
    const fibers = yield* FiberSet.make<void>()
    const fork = yield* FiberSet.runtime(fibers)<never>()

    const answer = (message: unknown) =>
      Effect.gen(function*() {
        // The relay is needed, and may be started, when a tool is called.
        if (!isThere && open(message)["method"] === "tools/call") {
          isThere = yield* Effect.match(relay.ensure, { onSuccess: () => true, onFailure: () => false })
        }
        const reply = yield* server.handle(message)
        if (reply !== undefined) yield* say(reply.body)
      })

    yield* lines((line) => {
      const message = parse(line)
      if (message === undefined) return void fork(say(server.unreadable.body))
      const { id, method, params } = open(message)
      const name = text(open(open(params)["clientInfo"])["name"])
      if (name !== undefined) client = name
      if (method === "notifications/cancelled") {
        // This ends only the waiting; relay_interrupt stops a turn.
        return running.get(open(params)["requestId"])?.()
      }
      const fiber = fork(answer(message))
      if (id === undefined) return
      running.set(id, () => void fork(interruptSoon(fiber)))
      fiber.addObserver(() => void running.delete(id))
    })
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([lineLogger])))
