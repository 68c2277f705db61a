/**
 * Relay: the only place that combines all layers. Apps that embed the relay get it from `embed`.
 *
 * `layer` is the whole server. `layerSessions` is the session service alone, without sockets: `SessionRegistry.join` opens a
 * session, `session.submit` sends it commands, `session.log.tail(0)` streams its events.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodePath from "@effect/platform-node/NodePath"
import { Context, Effect, Layer, Metric } from "effect"
import { AdapterRegistry } from "./adapters/AdapterRegistry.js"
import { AgentAdapter } from "./adapters/AgentDescriptor.js"
import { agentsWith, aliases } from "./adapters/agents.js"
import { lazily } from "./adapters/lazily.js"
import { RelayServer } from "./server/RelayServer.js"
import { ServerConfig, type ServerSettings } from "./server/ServerConfig.js"
import * as Audit from "./services/access/Audit.js"
import { Auth, type AuthOptions } from "./services/access/Auth.js"
import * as EnvironmentCredentials from "./services/access/EnvironmentCredentials.js"
import { Folders } from "./services/access/Folders.js"
import { layerTranscripts } from "./services/access/ordinaryFile.js"
import { BudgetBook } from "./services/budget/BudgetBook.js"
import * as DaemonSocket from "./services/daemon/DaemonSocket.js"
import { IdGenerator } from "./services/IdGenerator.js"
import { Journal } from "./services/journal/Journal.js"
import { NativeSessions } from "./services/native/NativeSessions.js"
import * as Notifier from "./services/notify/Notifier.js"
import { Recorder } from "./services/observe/Recorder.js"
import * as OrphanSweep from "./services/process/OrphanSweep.js"
import * as ProcessSupervisor from "./services/process/ProcessSupervisor.js"
import * as Sandbox from "./services/process/Sandbox.js"
import { Push } from "./services/push/Push.js"
import { RelayConfig, type Settings } from "./services/RelayConfig.js"
import { Scheduler } from "./services/schedule/Scheduler.js"
import { Timetable } from "./services/schedule/Timetable.js"
import { SearchIndex } from "./services/search/SearchIndex.js"
import { SessionRegistry } from "./services/session/SessionRegistry.js"
import * as PtySupervisor from "./services/terminal/PtySupervisor.js"
import * as Checkpoints from "./services/workspace/Checkpoints.js"
import { Workspace } from "./services/workspace/Workspace.js"

/** Adapters of all known agents, and the app's own, over the services that start processes. */
export const layerAdapters = Layer.unwrap(Effect.map(RelayConfig, (config) =>
  AdapterRegistry.layer(
    Effect.all([
      Effect.forEach(agentsWith(config.acp_agents), (agent) => lazily(agent, config)),
      Effect.forEach(config.adapters, (layer) => Effect.map(Layer.build(layer), Context.get(AgentAdapter)))
    ]).pipe(Effect.map((adapters) => adapters.flat())),
    aliases,
    config.tools
  )))

/** The sandbox, if the operator wants it; fails if it does not work here. */
const keepingOf = (
  { acp_agents, private_files, record, sandbox, sandbox_read, sandbox_write, state_dir }: Settings
) =>
  !sandbox ? Effect.succeed(undefined) : Effect.map(Sandbox.check, (bwrap) => ({
    bwrap,
    settings: {
      hidden: [...[state_dir, record].filter((path) => path !== undefined), ...private_files],
      readable: sandbox_read,
      writable: sandbox_write,
      others: agentsWith(acp_agents).flatMap(({ writable = [] }) => writable)
    }
  }))

/** The services that start programs or connect to them. */
const supervisors = Layer.unwrap(
  Effect.gen(function*() {
    const config = yield* RelayConfig
    const options = { pass_env: config.pass_env, sandbox: yield* keepingOf(config) }
    return Layer.mergeAll(ProcessSupervisor.layer(options), PtySupervisor.layer(options), DaemonSocket.layer)
  })
)

/** The registry for metrics: the app's, if it provides one, else this relay's own. */
const registryOfMetrics = () =>
  Layer.effect(
    Metric.MetricRegistry,
    Effect.map(
      Effect.context<never>(),
      ({ mapUnsafe }): Context.Service.Shape<typeof Metric.MetricRegistry> =>
        mapUnsafe.get(Metric.MetricRegistry.key) ?? new Map()
    )
  )

const sessionsOver = (ids: Layer.Layer<IdGenerator>, settings?: Partial<Settings>) =>
  Layer.merge(SearchIndex.layer, Notifier.layer).pipe(
    Layer.provideMerge(SessionRegistry.layer),
    Layer.provide(Layer.mergeAll(layerAdapters, Folders.layer, Recorder.layer)),
    Layer.provide(supervisors),
    // This client follows no redirects and has no time limit of its own; fetch gives up after 300 s.
    Layer.provide(
      Layer.mergeAll(NodeHttpClient.layerNodeHttp, EnvironmentCredentials.layer, layerTranscripts)
    ),
    Layer.provideMerge(Layer.merge(BudgetBook.layer, Timetable.layer)),
    Layer.provideMerge(Layer.provide(Layer.merge(Checkpoints.layer, Workspace.layer), Folders.layer)),
    Layer.provideMerge(
      Layer.merge(Journal.layer, Layer.provide(NativeSessions.layer, Layer.merge(Folders.layer, supervisors)))
    ),
    Layer.provide(ids),
    Layer.provide(RelayConfig.layer(settings)),
    Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)),
    Layer.provideMerge(registryOfMetrics())
  )

/** Sessions without sockets, for embedding. */
export const layerSessions = (settings?: Partial<Settings>) =>
  Layer.merge(
    Scheduler.layer.pipe(
      Layer.provide(RelayConfig.layer(settings)),
      Layer.provideMerge(sessionsOver(IdGenerator.layer, settings))
    ),
    OrphanSweep.layer
  )

/** The same for tests: ids are counted, and leftovers of earlier relays are not looked for. */
export const layerSessionsTest = (settings?: Partial<Settings>) =>
  sessionsOver(IdGenerator.layerTest, settings)

export interface RelayOptions extends Partial<Settings>, Partial<ServerSettings>, AuthOptions {}

/** The whole relay, listening until its scope closes. */
export const layer = (options: RelayOptions = {}) =>
  RelayServer.layer.pipe(
    Layer.provide(Push.layer),
    Layer.provide(RelayConfig.layer(options)),
    Layer.provideMerge(layerSessions({
      ...options,
      secrets: [...options.secrets ?? [], ...options.token === undefined ? [] : [options.token]]
    })),
    Layer.provide(Auth.layer(options)),
    Layer.provide(ServerConfig.layer(options)),
    Layer.provide(Audit.layer(options)),
    Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer))
  )
