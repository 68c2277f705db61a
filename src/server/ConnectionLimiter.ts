/**
 * ConnectionLimiter: how many connections there are, in all and from one peer.
 *
 * When all places are taken, who has been there longest without saying who they are makes room: a flood of connections
 * that only wait keeps nobody out.
 */
import type { Socket } from "node:net"
import { isLoopback, peerOf } from "../services/access/peers.js"

export interface Bounds {
  readonly max_connections: number
  readonly max_connections_per_peer: number
}

export interface ConnectionLimiter {
  /** Why there is no place for this one, and what to do; undefined if it was taken in. */
  readonly enter: (socket: Socket) => string | undefined
  /** It may use the relay: it keeps its place. What speaks TLS over a guest's socket may stand for it. */
  readonly admit: (socket: Socket) => void
  /** This socket stands for that guest. */
  readonly speaksFor: (socket: Socket, guest: Socket) => void
  readonly size: () => number
}

/** `standsForMany`: an address, such as a proxy's, that others come by; it is not counted as one peer. */
export const make = (
  { max_connections, max_connections_per_peer }: Bounds,
  standsForMany: (address: string | undefined) => boolean = isLoopback
): ConnectionLimiter => {
  /** Each with the peer it comes from: a closed socket does not tell. */
  const limiter = new Map<Socket, string>()
  const perPeer = new Map<string, number>()
  /** Those who have not been admitted, the oldest first. */
  const strangers = new Set<Socket>()

  const leave = (socket: Socket) => {
    const peer = limiter.get(socket)
    if (peer === undefined) return
    limiter.delete(socket)
    strangers.delete(socket)
    const others = (perPeer.get(peer) ?? 1) - 1
    if (others === 0) perPeer.delete(peer)
    else perPeer.set(peer, others)
  }

  const enter = (socket: Socket): string | undefined => {
    const { remoteAddress } = socket
    const peer = peerOf(remoteAddress)
    const others = perPeer.get(peer) ?? 0
    if (!standsForMany(remoteAddress) && others >= max_connections_per_peer) {
      return `${others} connections come from ${peer} already: close some, or start the relay with a higher `
        + "--max-connections-per-peer"
    }
    if (limiter.size >= max_connections) {
      const [oldest] = strangers
      if (oldest === undefined) {
        return `all ${limiter.size} connections are in use: try again later, or start the relay with a higher `
          + "--max-connections"
      }
      leave(oldest)
      oldest.destroy()
    }
    limiter.set(socket, peer)
    strangers.add(socket)
    perPeer.set(peer, (perPeer.get(peer) ?? 0) + 1)
    socket.once("close", () => leave(socket))
    return undefined
  }

  const guestOf = new WeakMap<Socket, Socket>()

  return {
    enter,
    admit: (socket) => void strangers.delete(guestOf.get(socket) ?? socket),
    speaksFor: (socket, guest) => void guestOf.set(socket, guest),
    size: () => limiter.size
  }
}
