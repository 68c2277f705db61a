/**
 * embed: the relay for apps that embed it, `Relay` in `ai-relay`. Its types name only what the package exports, so an app can
 * export layers made of these.
 *
 * Every option is optional, and one that is undefined counts as not given.
 */
import { Layer } from "effect"
import * as Relay from "./Relay.js"
import type { RelayServer } from "./server/RelayServer.js"
import type { ListenFailed, TlsUnusable } from "./server/RelayServer.js"
import type { JournalFailed } from "./services/journal/Journal.js"
import type { RecordingFailed } from "./services/observe/Recorder.js"
import type { SandboxUnusable } from "./services/process/Sandbox.js"
import type { Settings } from "./services/RelayConfig.js"
import type { SessionRegistry } from "./services/session/SessionRegistry.js"

/** All options of `Options`, each of which may be undefined. */
export type Given<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined }

export interface SessionsOptions extends Given<Settings> {}
export interface RelayOptions extends Given<Relay.RelayOptions> {}

/**
 * Why sessions cannot be offered: the state folder (`JournalFailed`), the folder for transcripts (`RecordingFailed`) or the
 * sandbox (`SandboxUnusable`) cannot be used.
 */
export type SessionsError = JournalFailed | RecordingFailed | SandboxUnusable

/** The options that were given. */
export const given = <Options extends object>(options: Given<Options>): Partial<Options> =>
  // Without the undefined ones, each has the type of its option.
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Options>

/**
 * A layer that shares nothing with another relay of the same app. Effect builds each layer once per app, so those inside would be
 * the first relay's, with its settings.
 */
export const apart = <Provided, Failure>(
  layer: Layer.Layer<Provided, Failure>
): Layer.Layer<Provided, Failure> => Layer.effectContext(Layer.build(Layer.fresh(layer)))

/** Sessions without sockets. They end when the layer's scope closes, with everything their agents started. */
export const layerSessions = (
  options: SessionsOptions = {}
): Layer.Layer<SessionRegistry, SessionsError> => apart(Relay.layerSessions(given<Settings>(options)))

/** The whole relay: it listens until the layer's scope closes, then stops as `ai-relay` does on SIGTERM. */
export const layer = (
  options: RelayOptions = {}
): Layer.Layer<RelayServer | SessionRegistry, SessionsError | ListenFailed | TlsUnusable> =>
  apart(Relay.layer(given<Relay.RelayOptions>(options)))
