/**
 * TlsGuests: counts the connections of a TLS server from their first byte, not from the end of the TLS handshake.
 *
 * Node gives the plain socket first and the TLS socket later; the peer's address and port tell that they belong together. A
 * refused client is told so over TLS, as long as few are waiting for that.
 */
import type { Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import type { ConnectionLimiter } from "./ConnectionLimiter.js"

/** How many refused connections may still finish their TLS handshake. */
const mostRefused = 32

interface Peer {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}
const nameOf = ({ remoteAddress, remotePort }: Peer) => `${remoteAddress} ${remotePort}`

export interface TlsGuests {
  /** A connection was opened. */
  readonly enter: (socket: Socket) => void
  /** The TLS handshake is done. If there is no room, gives a text that says why and what to do. */
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
