/** ServerConfig: where the relay listens, and the bounds of what it takes from a socket. */
import { Context, Layer } from "effect"

export interface ServerSettings {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Largest frame a client may send, in bytes (base64 images). */
  readonly max_frame_bytes: number
  /** Largest first frame, in bytes: nobody has said who they are yet. */
  readonly max_handshake_bytes: number
}

export const serverDefaults: ServerSettings = {
  host: "0.0.0.0",
  port: 8765,
  max_frame_bytes: 50 * 1024 * 1024,
  max_handshake_bytes: 64 * 1024
}

export class ServerConfig
  extends Context.Tag("ai-relay/server/ServerConfig")<ServerConfig, ServerSettings>()
{
  static readonly layer = (settings: Partial<ServerSettings> = {}) =>
    Layer.succeed(this, { ...serverDefaults, ...settings })
}
