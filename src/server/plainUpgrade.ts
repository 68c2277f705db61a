/**
 * plainUpgrade: answers requests that offer to upgrade to something other than WebSocket as plain HTTP. Java's HTTP client
 * and `curl --http2` offer HTTP/2 (`h2c`) with their first request.
 *
 * Recent Nodes (22.21, 24.9) let a server say what it upgrades (`onlyWebSocket`); such a request is one like any other there.
 * Older ones hand it over without its body, so the request is rebuilt.
 */
import { IncomingMessage, type Server, ServerResponse } from "node:http"
import type { Socket } from "node:net"

export const isWebSocket = ({ headers: { upgrade = "" } }: IncomingMessage): boolean =>
  upgrade.toLowerCase() === "websocket"

/** Options of a server; older Nodes ignore them. */
export const onlyWebSocket = { shouldUpgradeCallback: isWebSocket }

/** `head`: the bytes after the request's headers. The connection is closed after the answer. */
export const answerPlainly = (
  server: Pick<Server, "emit">,
  asked: IncomingMessage,
  socket: Socket,
  head: Buffer
): void => {
  const request = new IncomingMessage(socket)
  const { headers, httpVersion, httpVersionMajor, httpVersionMinor, method, rawHeaders, url } = asked
  const { connection: _connection, upgrade: _upgrade, ...others } = headers
  Object.assign(request, { httpVersion, httpVersionMajor, httpVersionMinor, method, rawHeaders, url })
  request.headers = others
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.on("finish", () => {
    response.detachSocket(socket)
    socket.end()
  })
  if (headers["transfer-encoding"] !== undefined) {
    response.writeHead(411, { "content-type": "application/json" })
    response.end("{\"text\":\"send this request with a content-length, or without `Upgrade`\"}\n")
    return
  }

  let left = Number(headers["content-length"] ?? 0)
  const take = (bytes: Buffer): void => {
    if (left <= 0) return
    request.push(bytes.subarray(0, left))
    left -= bytes.length
    if (left <= 0) finish()
  }
  const finish = () => {
    socket.off("data", take)
    request.complete = true
    request.push(null)
  }
  socket.once("close", () => {
    if (left > 0) request.destroy()
  })
  if (left > 0) {
    take(head)
    if (left > 0) socket.on("data", take)
  } else finish()
  server.emit("request", request, response)
}
