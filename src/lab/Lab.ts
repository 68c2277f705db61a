/**
 * Lab: composes the lab's layers, as Relay composes the relay's. `LAB_MODE` and `LAB_ENGINE` decide where the
 * users' relays run; everything else is the same.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import { basename, join } from "node:path"
import * as Relay from "../Relay.js"
import { RelayServer } from "../server/RelayServer.js"
import { ServerConfig } from "../server/ServerConfig.js"
import { Auth } from "../services/access/Auth.js"
import { Push } from "../services/push/Push.js"
import { RelayConfig } from "../services/RelayConfig.js"
import { DockerEngine } from "./DockerEngine.js"
import * as DockerRelays from "./DockerRelays.js"
import * as IdleStop from "./IdleStop.js"
import { LabConfig, type LabSettings } from "./LabConfig.js"
import { LabServer } from "./LabServer.js"
import { Presence } from "./Presence.js"
import * as SingleRelays from "./SingleRelays.js"
import * as SwarmRelays from "./SwarmRelays.js"
import { Users } from "./Users.js"

/** A user's relay in this process: as in a container, it starts in the user's folder and may use only that. */
const relayOf = (
  options: Relay.RelayOptions,
  { secret_files, workspace_root }: LabSettings
): SingleRelays.RelayOf<never> =>
({ folder, host, token }) => {
  const settings: Relay.RelayOptions = {
    ...options,
    roots: [folder],
    start_folder: folder,
    // Users may choose the same session names.
    ...(options.record !== undefined && { record: join(options.record, basename(folder)) }),
    // With --sandbox, an agent sees neither other users' folders nor the secrets that let users in.
    private_files: [...options.private_files ?? [], workspace_root, ...secret_files],
    state_dir: join(folder, ".local/state/ai-relay"),
    // All users' agents store their conversations in one home.
    no_native_sessions: true
  }
  return RelayServer.layer.pipe(
    Layer.provide(Push.layer),
    Layer.provide(RelayConfig.layer(settings)),
    Layer.provide(Relay.layerSessions(settings)),
    // A client on this machine may be another user's agent.
    Layer.provide(Auth.layer({ token, auth: "always" })),
    Layer.provide(ServerConfig.layer({ ...options, host, port: 0 })),
    Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)),
    Layer.orDie
  )
}

const layerRuntimes = (options: Relay.RelayOptions) =>
  Layer.unwrap(Effect.map(LabConfig, (settings) =>
    settings.mode === "single"
      ? SingleRelays.layer(relayOf(options, settings))
      : Layer.provide(
        settings.engine === "docker" ? DockerRelays.layer : SwarmRelays.layer,
        DockerEngine.layer
      )))

/** The whole lab, listening. It uses the options `host`, `port` and `allow_…` itself; the rest is for `single`. */
export const layer = (options: Relay.RelayOptions) =>
  Layer.merge(LabServer.layer, IdleStop.layer).pipe(
    Layer.provide(layerRuntimes(options)),
    Layer.provide(Layer.mergeAll(
      Users.layer,
      Layer.provideMerge(Presence.layer, ServerConfig.layer(options)),
      Auth.layer(options)
    )),
    Layer.provide(LabConfig.layer)
  )
