/**
 * ConnectionLimiter: limits connections, in total and per peer.
 *
 * When all places are taken, the oldest unauthenticated connection makes room, so that a flood of idle connections cannot
 * keep clients out.
 */
import type { Socket } from "node:net"
import { isLoopback, peerOf } from "../services/access/peers.js"

export interface Bounds {
  readonly max_connections: number
  readonly max_connections_per_peer: number
}

export interface ConnectionLimiter {
  /** Counts a new connection. If there is no room, gives a text that says why and what to do. */
  readonly enter: (socket: Socket) => string | undefined
  /** The connection is authenticated and keeps its place. A TLS socket counts as the socket it runs over. */
  readonly admit: (socket: Socket) => void
  /** Makes a TLS socket count as the socket it runs over. */
  readonly speaksFor: (socket: Socket, guest: Socket) => void
  readonly size: () => number
}

/** `standsForMany`: whether an address, such as a proxy's, carries many clients and is not limited as one peer. */
export const make = (
  { max_connections, max_connections_per_peer }: Bounds,
  standsForMany: (address: string | undefined) => boolean = isLoopback
): ConnectionLimiter => {
  /** Sockets with their peer's address, which a closed socket no longer knows. */
  const sockets = new Map<Socket, string>()
  const perPeer = new Map<string, number>()
  /** Unauthenticated sockets, oldest first. */
  const unauthenticated = new Set<Socket>()

  const leave = (socket: Socket) => {
    const peer = sockets.get(socket)
    if (peer === undefined) return
    sockets.delete(socket)
    unauthenticated.delete(socket)
    const others = (perPeer.get(peer) ?? 1) - 1
    if (others === 0) perPeer.delete(peer)
    else perPeer.set(peer, others)
  }

  const enter = (socket: Socket): string | undefined => {
    const { remoteAddress } = socket
    const peer = peerOf(remoteAddress)
    const others = perPeer.get(peer) ?? 0
    if (!standsForMany(remoteAddress) && others >= max_connections_per_peer) {
      return `there are already ${others} connections from ${peer}: close some, or start the relay with a higher `
        + "--max-connections-per-peer"
    }
    if (sockets.size >= max_connections) {
      const [oldest] = unauthenticated
      if (oldest === undefined) {
        return `all ${sockets.size} connections are in use: try again later, or start the relay with a higher `
          + "--max-connections"
      }
      leave(oldest)
      oldest.destroy()
    }
    sockets.set(socket, peer)
    unauthenticated.add(socket)
    perPeer.set(peer, (perPeer.get(peer) ?? 0) + 1)
    socket.once("close", () => leave(socket))
    return undefined
  }

  const guestOf = new WeakMap<Socket, Socket>()

  return {
    enter,
    admit: (socket) => void unauthenticated.delete(guestOf.get(socket) ?? socket),
    speaksFor: (socket, guest) => void guestOf.set(socket, guest),
    size: () => sockets.size
  }
}
