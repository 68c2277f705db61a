/** PeerSocket: a WebSocket that says when it closes by itself, because a frame breaks a rule of the protocol. */
import { WebSocket } from "ws"

export class PeerSocket extends WebSocket {
  /** Called before a close of ours or of its own, with its code: what is sent here still reaches the peer. */
  onClosing: ((code: number | undefined) => void) | undefined

  override close(code?: number, reason?: string | Buffer): void {
    this.onClosing?.(code)
    super.close(code, reason)
  }
}
