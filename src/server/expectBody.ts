/**
 * expectBody: ends requests whose body stops coming. Node's own `requestTimeout` limits a whole request, which a large file over
 * a slow line exceeds.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { turnAway } from "./turnAway.js"

/** Least speed of a body: slower than any line people use, so that few bytes do not hold a connection for long. */
const leastPerSecond = 1024

const hasBody = ({ headers }: IncomingMessage) =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

/** `patience`: how long less than that may come, in ms; then the answer is 408. */
export const expectBody = (request: IncomingMessage, response: ServerResponse, patience: number): void => {
  if (!hasBody(request)) return
  const { socket } = request
  let before = socket.bytesRead
  let wasRead = true
  const onDeadline = () => {
    const came = socket.bytesRead - before
    before = socket.bytesRead
    // What nobody here has read yet keeps the rest waiting.
    const hadToWait = !wasRead
    wasRead = request.readableLength === 0
    if (request.complete) return
    if (!wasRead || hadToWait || came >= leastPerSecond * patience / 1000) return void deadline.refresh()
    if (response.headersSent) socket.destroy()
    else turnAway(socket, "408 Request Timeout", "the body of the request stopped coming: send it again")
  }
  const deadline = setTimeout(onDeadline, patience)
  request.once("close", () => clearTimeout(deadline))
}
