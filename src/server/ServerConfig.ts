/** ServerConfig: where the relay listens, and limits on sockets and frames. */
import { Context, Layer } from "effect"
import type { FrontName } from "../schema/routes.js"

export interface ServerSettings {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** PEM files. With both, it serves TLS only (`wss://`, `https://`). */
  readonly tls_cert?: string | undefined
  readonly tls_key?: string | undefined
  /** Largest frame a client may send, in bytes (base64 images). */
  readonly max_frame_bytes: number
  /** Largest first frame in bytes, before authentication. */
  readonly max_handshake_bytes: number
  /** Seconds a client has to send its handshake. */
  readonly handshake_timeout: number
  /** Most levels of objects and lists in a frame. */
  readonly max_json_depth: number
  /** Most fields of objects and items of lists in a frame. */
  readonly max_json_values: number
  /** Most bytes of incomplete frames, over all connections. */
  readonly max_unfinished_bytes: number
  /** Bytes sent to a client and not read yet, above which it is sent no more. */
  readonly max_unsent_bytes: number
  /** Most connections of all kinds. */
  readonly max_connections: number
  /** Most connections from one address (IPv6: one /64 network). This machine's own are not counted. */
  readonly max_connections_per_peer: number
  /** Seconds running turns have to finish when the relay is told to stop. */
  readonly drain: number
  /** Fronts to serve; the paths of others do not exist. `mcp` lets agents start agents. */
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
