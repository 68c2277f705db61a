/**
 * DaemonSocket: talks to an agent's daemon that the relay did not start, over a WebSocket on its Unix socket, one message per
 * line. Closing the scope ends the connection; the daemon goes on.
 */
import { Deferred, Effect, Layer } from "effect"
import { connect } from "node:net"
import { WebSocket } from "ws"
import { type AgentExit, DaemonConnector, EventSink } from "../../adapters/Adapter.js"
import { AgentFailed } from "../../adapters/AdapterError.js"
import { doneSoon } from "../../adapters/doneSoon.js"
import { maxLineBytes } from "../../adapters/wire/NdJson.js"

/** How long the WebSocket handshake and the close may take, in ms. */
const handshakeMs = 5000
const goodbyeMs = 1000

const connectTo: DaemonConnector["Service"]["connect"] = Effect.fnUntraced(
  function*({ socket: path, tool }, onLine) {
    const sink = yield* EventSink
    const exited = yield* Deferred.make<AgentExit>()
    const failed = (reason: string) => new AgentFailed({ tool, reason })

    const socket = yield* Effect.acquireRelease(
      Effect.callback<WebSocket, AgentFailed>((resume) => {
        const socket = new WebSocket("ws://localhost/", {
          createConnection: () => connect(path),
          perMessageDeflate: false,
          handshakeTimeout: handshakeMs,
          maxPayload: maxLineBytes
        })
        socket.once("open", () => resume(Effect.succeed(socket)))
        // Later ones are followed by `close`.
        socket.on(
          "error",
          (error) =>
            resume(
              failed(
                `its daemon does not answer (${error.message}). Quit ${tool} in the terminal, or restart it there.`
              )
            )
        )
        socket.on("message", (message) => {
          const line = Buffer.isBuffer(message)
            ? message
            : Array.isArray(message)
            ? Buffer.concat(message)
            : Buffer.from(message)
          if (sink.batch(() => onLine(line))) return
          socket.pause()
          sink.onceDrained(() => socket.resume())
        })
        socket.once("close", () => doneSoon(exited, Effect.succeed({ stderr: [] })))
        return Effect.sync(() => socket.terminate())
      }),
      (socket) =>
        Effect.callback<void>((resume) => {
          if (socket.readyState === WebSocket.CLOSED) return resume(Effect.void)
          const timer = setTimeout(() => socket.terminate(), goodbyeMs)
          socket.once("close", () => {
            clearTimeout(timer)
            resume(Effect.void)
          })
          socket.resume()
          socket.close()
        })
    )

    return {
      pid: 0,
      writeLine: (line) =>
        Effect.callback<void, AgentFailed>((resume) => {
          socket.send(line, (error) =>
            resume(
              error === undefined || error === null
                ? Effect.void
                : failed("its daemon is gone. Open the session again to continue.")
            ))
        }),
      endInput: Effect.sync(() => socket.close()),
      exit: Deferred.await(exited)
    }
  }
)

export const layer = Layer.succeed(DaemonConnector, { connect: connectTo })
