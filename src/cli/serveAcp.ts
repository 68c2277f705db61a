/** serveAcp: the ACP agent on this process's stdin and stdout, one message per line. Nothing else is printed there. */
import { Effect, Layer, Logger } from "effect"
import { randomUUID } from "node:crypto"
import { WebSocket } from "ws"
import * as AcpAgent from "../fronts/acp/AcpAgent.js"
import type { PathMap } from "../fronts/acp/PathMap.js"
import * as overClient from "../fronts/overClient.js"
import { SessionPort } from "../fronts/SessionPort.js"
import type { Handshake } from "../schema/index.js"
import { wasAnswered } from "./earlyAcp.js"
import * as LocalRelay from "./LocalRelay.js"
import { lineLogger } from "./loggers.js"
import { drained, lines } from "./stdio.js"

export interface ServeAcpOptions {
  readonly url: string
  readonly token: string | undefined
  /** Start a relay if none answers. */
  readonly mayStart: boolean
  readonly tool: string | undefined
  readonly version: string
  readonly paths: PathMap
  readonly defaults: Partial<Handshake>
}

export const serveAcp = ({ defaults, mayStart, paths, token, tool, url, version }: ServeAcpOptions) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const relay = LocalRelay.make(url)
    const made = yield* Layer.buildWithScope(
      overClient.layer({
        url,
        token,
        WebSocket,
        // It reconnects, with everything that was saved.
        ...(mayStart && { onLost: relay.start })
      }),
      scope
    )
    const port = Effect.provide(SessionPort, made)
    const agent = yield* AcpAgent.make({
      port: mayStart ? Effect.andThen(relay.ensure, port) : port,
      send: (message) => {
        if (!wasAnswered(message)) process.stdout.write(`${JSON.stringify(message)}\n`)
      },
      drained,
      tool,
      defaults,
      paths,
      version,
      newId: randomUUID,
      frontOf: (client) => `acp (${client})`.slice(0, 100)
    })
    yield* lines(agent.receive)
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([lineLogger])))
