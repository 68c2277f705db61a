/**
 * FrameBudget: limits the memory of incomplete frames over all of the lab's connections. A user's relay, which may be
 * controlled by its agent, or a client can begin large frames that never end; when all together are too much, the
 * connection that holds most is dropped, so that one user's cost another nothing.
 */
import type { Socket } from "node:net"
import type { WebSocket } from "ws"
import { uncounted } from "../server/UnfinishedFrames.js"

export interface FrameBudget {
  /** The largest frame, in bytes. */
  readonly most: number
  /** Counts this connection; gives a function that stops that. */
  readonly watch: (ws: WebSocket, socket: Socket) => () => void
}

export const make = (most: number): FrameBudget => {
  const held = new Map<WebSocket, number>()
  let sum = 0
  const count = (ws: WebSocket, bytes: number) => {
    sum += bytes - (held.get(ws) ?? 0)
    if (bytes === 0) held.delete(ws)
    else held.set(ws, bytes)
  }
  const dropLargest = () => {
    const [largest] = [...held].toSorted(([, left], [, right]) => right - left)
    if (largest === undefined) return
    count(largest[0], 0)
    largest[0].terminate()
  }
  const watch: FrameBudget["watch"] = (ws, socket) => {
    let began = socket.bytesRead
    const onMessage = () => {
      began = socket.bytesRead
      count(ws, 0)
    }
    const onData = () => {
      const bytes = socket.bytesRead - began
      if (bytes <= uncounted || socket.destroyed) return
      count(ws, bytes)
      if (sum > most) dropLargest()
    }
    ws.on("message", onMessage)
    socket.on("data", onData)
    return () => {
      ws.off("message", onMessage)
      socket.off("data", onData)
      count(ws, 0)
    }
  }
  return { most, watch }
}
