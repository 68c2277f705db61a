/** turnAway: a plain answer on a socket that is not served any further. */
import type { Duplex } from "node:stream"

/** How long the peer may take to close its side, in ms. */
const goodbyeMs = 1000

/** Answers a refused upgrade, or a connection there is no room for, and closes it. `status` is the HTTP status line's. */
export const turnAway = (socket: Duplex, status: string, text: string) => {
  socket.on("error", () => socket.destroy())
  const code = status.startsWith("503") ? { code: "overloaded" } : {}
  const body = JSON.stringify({ text, ...code }) + "\n"
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
      + `connection: close\r\n\r\n${body}`
  )
  // Do not wait for peers that never close their side.
  setTimeout(() => socket.destroy(), goodbyeMs).unref()
}
