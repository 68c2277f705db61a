/**
 * TlsGuests: the guests of a server that speaks TLS, counted when their connection begins and not when they have shown
 * that they can speak it.
 *
 * Node gives the connection first and what speaks TLS over it later; that both are one is told by the peer's address and
 * port. Who is refused is told so over TLS, as long as few wait for that.
 */
import type { Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import type { ConnectionLimiter } from "./ConnectionLimiter.js"

/** Refused ones that may still take the time to speak TLS. */
const mostRefused = 32

interface Peer {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}
const nameOf = ({ remoteAddress, remotePort }: Peer) => `${remoteAddress} ${remotePort}`

export interface TlsGuests {
  /** A connection has begun. */
  readonly enter: (socket: Socket) => void
  /** It speaks TLS now. Why there is no place for it, and what to do; undefined if it was taken in. */
  readonly secured: (socket: TLSSocket) => string | undefined
}

export const make = (limiter: ConnectionLimiter): TlsGuests => {
  const connections = new Map<string, { readonly socket: Socket; readonly refusal: string | undefined }>()
  let refused = 0

  const enter = (socket: Socket) => {
    const name = nameOf(socket)
    const refusal = limiter.enter(socket)
    if (refusal !== undefined) {
      if (refused >= mostRefused) return void socket.destroy()
      refused += 1
    }
    connections.set(name, { socket, refusal })
    socket.once("close", () => {
      if (refusal !== undefined) refused -= 1
      if (connections.get(name)?.socket === socket) connections.delete(name)
    })
  }

  const secured = (socket: TLSSocket): string | undefined => {
    const found = connections.get(nameOf(socket))
    // It is gone already.
    if (found === undefined) return void socket.destroy()
    if (found.refusal === undefined) limiter.speaksFor(socket, found.socket)
    return found.refusal
  }

  return { enter, secured }
}
