/** ServerConfig: where the relay listens, and the bounds of what it takes from a socket. */
import { Context, Layer } from "effect"
import type { FrontName } from "../schema/routes.js"

export interface ServerSettings {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** PEM files: with both, it speaks TLS (`wss://`, `https://`) and nothing else. */
  readonly tls_cert?: string | undefined
  readonly tls_key?: string | undefined
  /** Largest frame a client may send, in bytes (base64 images). */
  readonly max_frame_bytes: number
  /** Largest first frame, in bytes: nobody has said who they are yet. */
  readonly max_handshake_bytes: number
  /** Seconds a client may take for it. */
  readonly handshake_timeout: number
  /** Levels of objects and lists in a frame. */
  readonly max_json_depth: number
  /** Fields of objects and items of lists in a frame. */
  readonly max_json_values: number
  /** Bytes of frames that have begun to come and are not whole, over all connections. */
  readonly max_unfinished_bytes: number
  /** Bytes sent to a client that it has not read yet; then it is given no more until it has. */
  readonly max_unsent_bytes: number
  /** Connections, of all kinds. */
  readonly max_connections: number
  /** Connections from one address (IPv6: one /64 network). This machine's own are not counted. */
  readonly max_connections_per_peer: number
  /** Seconds running turns may go on when the relay is told to stop. */
  readonly drain: number
  /** Those that are served; at the paths of the others there is nothing. `mcp` lets agents start agents. */
  readonly fronts: ReadonlyArray<FrontName>
}

export const serverDefaults: ServerSettings = {
  host: "0.0.0.0",
  port: 8765,
  max_frame_bytes: 50 * 1024 * 1024,
  max_handshake_bytes: 64 * 1024,
  handshake_timeout: 10,
  max_json_depth: 100,
  max_json_values: 20_000,
  max_unfinished_bytes: 256 * 1024 * 1024,
  max_unsent_bytes: 1024 * 1024,
  max_connections: 1000,
  max_connections_per_peer: 100,
  drain: 3,
  fronts: ["acp", "chat", "agui"]
}

export class ServerConfig
  extends Context.Service<ServerConfig, ServerSettings>()("ai-relay/server/ServerConfig")
{
  static readonly layer = (settings: Partial<ServerSettings> = {}) =>
    Layer.succeed(this, { ...serverDefaults, ...settings })
}
