/**
 * Relay: joins all layers; nobody else does.
 *
 * `Relay.layer` is the whole server. `Relay.layerSessions` is the session service alone, without a socket:
 * `SessionRegistry.join` opens a session, `session.submit` talks to it, `session.log.tail(0)` is what it says.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import { AcpAdapters } from "./adapters/acp/AcpAdapters.js"
import { AdapterRegistry } from "./adapters/AdapterRegistry.js"
import { ClaudeAdapter } from "./adapters/claude/ClaudeAdapter.js"
import { CodexAdapter } from "./adapters/codex/CodexAdapter.js"
import { CortexAdapter } from "./adapters/cortex/CortexAdapter.js"
import { GenericAdapter } from "./adapters/generic/GenericAdapter.js"
import { DemoAdapter } from "./adapters/replay/DemoAdapter.js"
import { ReplayAdapter } from "./adapters/replay/ReplayAdapter.js"
import { RelayServer } from "./server/RelayServer.js"
import { ServerConfig, type ServerSettings } from "./server/ServerConfig.js"
import { Auth, type AuthOptions } from "./services/Auth.js"
import * as EnvironmentCredentials from "./services/EnvironmentCredentials.js"
import { Folders } from "./services/Folders.js"
import { IdGenerator } from "./services/IdGenerator.js"
import { Journal } from "./services/Journal.js"
import * as OrphanSweep from "./services/OrphanSweep.js"
import * as ProcessSupervisor from "./services/ProcessSupervisor.js"
import * as PtySupervisor from "./services/PtySupervisor.js"
import { Recorder } from "./services/Recorder.js"
import { RelayConfig, type Settings } from "./services/RelayConfig.js"
import { SessionRegistry } from "./services/SessionRegistry.js"

/** Every adapter the relay knows, over whatever starts its processes. */
export const layerAdapters = Layer.unwrapEffect(Effect.map(RelayConfig, ({ tools }) =>
  AdapterRegistry.layer(
    Effect.map(
      Effect.all([ClaudeAdapter, CodexAdapter, CortexAdapter, GenericAdapter, ReplayAdapter, AcpAdapters]),
      (found) => [...found.flat(), DemoAdapter]
    ),
    { "claude-code": "claude" },
    tools
  ))).pipe(
    Layer.provide(
      Layer.mergeAll(
        ClaudeAdapter.layer,
        CodexAdapter.layer,
        Layer.unwrapEffect(Effect.map(RelayConfig, CortexAdapter.layer)),
        Layer.unwrapEffect(Effect.map(RelayConfig, GenericAdapter.layer)),
        ReplayAdapter.layer,
        AcpAdapters.layer
      )
    )
  )

const sessionsOver = (ids: Layer.Layer<IdGenerator>, settings?: Partial<Settings>) =>
  SessionRegistry.layer.pipe(
    Layer.provide(Layer.mergeAll(layerAdapters, Folders.layer, Recorder.layer)),
    Layer.provide(
      Layer.unwrapEffect(
        Effect.map(
          RelayConfig,
          ({ pass_env }) =>
            Layer.mergeAll(ProcessSupervisor.layer({ pass_env }), PtySupervisor.layer({ pass_env }))
        )
      )
    ),
    // It follows no redirects, and waits for a silent server as long as it is told to; fetch gives up after 300 s.
    Layer.provide(Layer.mergeAll(NodeHttpClient.layer, EnvironmentCredentials.layer)),
    Layer.provideMerge(Journal.layer),
    Layer.provide(ids),
    Layer.provide(RelayConfig.layer(settings)),
    Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer))
  )

/** Sessions without sockets, for embedding. */
export const layerSessions = (settings?: Partial<Settings>) =>
  Layer.merge(sessionsOver(IdGenerator.layer, settings), OrphanSweep.layer)

/** The same for tests: sessions and turns are named by counting, and nothing of an earlier relay is looked for. */
export const layerSessionsTest = (settings?: Partial<Settings>) =>
  sessionsOver(IdGenerator.layerTest, settings)

export interface RelayOptions extends Partial<Settings>, Partial<ServerSettings>, AuthOptions {}

/** The whole relay, listening. Its scope is the relay's life. */
export const layer = (options: RelayOptions = {}) =>
  RelayServer.layer.pipe(
    Layer.provideMerge(layerSessions(options)),
    Layer.provide(Auth.layer(options)),
    Layer.provide(ServerConfig.layer(options)),
    Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer))
  )
