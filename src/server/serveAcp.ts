/** serveAcp: the ACP agent on the WebSocket `/acp`: one JSON-RPC message per text frame, over this relay's sessions. */
import { Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import type { Socket } from "node:net"
import type { RawData, WebSocket } from "ws"
import * as AcpAgent from "../fronts/acp/AcpAgent.js"
import * as PathMap from "../fronts/acp/PathMap.js"
import { codes, refusal } from "../fronts/acp/refusals.js"
import * as inProcess from "../fronts/inProcess.js"
import { SessionPort } from "../fronts/SessionPort.js"
import { excessOf } from "../schema/parseFields.js"
import { Unauthorized } from "../services/access/Auth.js"
import { Principal } from "../services/access/Principal.js"
import { SessionRegistry, shuttingDown } from "../services/session/SessionRegistry.js"
import { type RelayError, toErrorEvent } from "../services/session/toErrorEvent.js"
import { closeReason } from "./closeReason.js"

export interface ServeAcpOptions {
  /** The agent for new sessions, from the URL. */
  readonly tool: string | undefined
  /** Frames that arrived before this was loaded. */
  readonly early: () => ReadonlyArray<readonly [RawData, boolean]>
  /** Bytes sent but unread above which no more are sent. */
  readonly max_unsent_bytes: number
}

const refused = 1008
const restarting = 1012
/** How long a client may take to close its side. */
const closeWithin = "1 second"

/** Serves until the socket is closed, the right to it ends or the relay shuts down; its sessions go on. */
export const serveAcp = Effect.fnUntraced(
  function*(ws: WebSocket, socket: Socket, { early, max_unsent_bytes, tool }: ServeAcpOptions) {
    const scope = yield* Effect.scope
    const made = yield* Layer.buildWithScope(inProcess.layer, scope)
    const gone = Effect.callback<void>((resume) => {
      const onClose = () => resume(Effect.void)
      if (ws.readyState === ws.CLOSED) return onClose()
      ws.once("close", onClose)
      return Effect.sync(() => void ws.off("close", onClose))
    })
    /** A client that does not read makes events wait, or is cut off by the log if others read on. */
    const drained = Effect.suspend(() =>
      ws.bufferedAmount <= max_unsent_bytes ? Effect.void : Effect.callback<void>((resume) => {
        const onDrain = () => resume(Effect.void)
        socket.once("drain", onDrain)
        return Effect.sync(() => void socket.off("drain", onDrain))
      })
    )
    const send = (message: object) => {
      if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(message))
    }
    const agent = yield* AcpAgent.make({
      port: Effect.provide(SessionPort, made),
      send,
      drained,
      tool,
      paths: PathMap.make([]),
      version: "1.0.0",
      newId: randomUUID,
      frontOf: (client) => `acp (${client})`.slice(0, 100)
    })
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const onMessage = (data: RawData, isBinary: boolean) => {
          // `nodebuffer`, ws's default: one Buffer.
          const text = isBinary ? "" : (data as Buffer).toString("utf8")
          const excess = excessOf(text)
          if (excess === undefined) return agent.receive(text)
          send({ jsonrpc: "2.0", id: null, error: { code: codes.invalid, message: excess } })
        }
        for (const [data, isBinary] of early()) onMessage(data, isBinary)
        ws.on("message", onMessage).on("error", () => {})
        return onMessage
      }),
      (onMessage) => Effect.sync(() => void ws.off("message", onMessage).terminate())
    )
    const leave = (code: number, error: RelayError) =>
      Effect.suspend(() => {
        const { code: name, text } = toErrorEvent(error)
        agent.close(refusal(name, text))
        ws.close(code, closeReason(text))
        return Effect.asVoid(Effect.timeoutOption(gone, closeWithin))
      })
    const { ended } = yield* Principal
    const { watch } = yield* SessionRegistry
    const shutDown = Effect.callback<void>((resume) => {
      const stop = watch((id) => id === undefined && resume(Effect.void))
      return Effect.sync(stop)
    })
    yield* Effect.raceAllFirst([
      gone,
      Effect.flatMap(ended, (reason) => leave(refused, new Unauthorized({ reason }))),
      // First its clients are told how their sessions ended.
      Effect.andThen(Effect.andThen(shutDown, agent.over), leave(restarting, shuttingDown))
    ])
  },
  (served) => Effect.scoped(served)
)
