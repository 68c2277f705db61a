/**
 * Relay: joins all layers; nobody else does.
 *
 * `Relay.layer` is the whole server. `Relay.layerSessions` is the session service alone, without a socket:
 * `SessionRegistry.join` opens a session, `session.submit` talks to it, `session.log.tail(0)` is what it says.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import { AdapterRegistry } from "./adapters/AdapterRegistry.js"
import { ClaudeAdapter } from "./adapters/claude/ClaudeAdapter.js"
import { ReplayAdapter } from "./adapters/replay/ReplayAdapter.js"
import { RelayServer } from "./server/RelayServer.js"
import { ServerConfig, type ServerSettings } from "./server/ServerConfig.js"
import { Auth, type AuthOptions } from "./services/Auth.js"
import { Folders } from "./services/Folders.js"
import { IdGenerator } from "./services/IdGenerator.js"
import * as ProcessSupervisor from "./services/ProcessSupervisor.js"
import { Recorder } from "./services/Recorder.js"
import { RelayConfig, type Settings } from "./services/RelayConfig.js"
import { SessionRegistry } from "./services/SessionRegistry.js"

/** Every adapter the relay knows, over whatever starts its processes. */
export const layerAdapters = AdapterRegistry.layer(
  Effect.all([ClaudeAdapter, ReplayAdapter]),
  { "claude-code": "claude" }
).pipe(Layer.provide(Layer.mergeAll(ClaudeAdapter.layer, ReplayAdapter.layer)))

/** Sessions without sockets, for embedding. */
export const layerSessions = (settings?: Partial<Settings>) =>
  SessionRegistry.layer.pipe(
    Layer.provide(Layer.mergeAll(layerAdapters, Folders.layer, Recorder.layer)),
    Layer.provide(ProcessSupervisor.layer()),
    Layer.provide(IdGenerator.layer),
    Layer.provide(RelayConfig.layer(settings)),
    Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer))
  )

export interface RelayOptions extends Partial<Settings>, Partial<ServerSettings>, AuthOptions {}

/** The whole relay, listening. Its scope is the relay's life. */
export const layer = (options: RelayOptions = {}) =>
  RelayServer.layer.pipe(
    Layer.provideMerge(layerSessions(options)),
    Layer.provide(Auth.layer(options)),
    Layer.provide(ServerConfig.layer(options))
  )
