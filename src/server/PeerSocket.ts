/** PeerSocket: a WebSocket that reports when it closes by itself because a frame breaks a rule of the protocol. */
import { WebSocket } from "ws"

export class PeerSocket extends WebSocket {
  /** Called before any close, with its code. Whatever is sent here still reaches the peer. */
  onClosing: ((code: number | undefined) => void) | undefined

  override close(code?: number, reason?: string | Buffer): void {
    this.onClosing?.(code)
    super.close(code, reason)
  }
}
