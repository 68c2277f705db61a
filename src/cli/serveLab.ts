/** serveLab: `ai-relay lab` and its help. No other command loads this code. */
import { ConfigProvider, Console, Effect, Layer } from "effect"
import type { OwnAgent } from "../adapters/acp/AcpAgent.js"
import * as Lab from "../lab/Lab.js"
import { ignoredVariable, LabConfig } from "../lab/LabConfig.js"
import { LabServer } from "../lab/LabServer.js"
import { labSettings } from "../lab/labVariables.js"
import type { PolicyFile } from "../services/policy/Policy.js"
import { CommandError } from "./clientOptions.js"
import { ignored } from "./labIgnores.js"
import { jsonLogger, layerLogs, lineLogger } from "./loggers.js"
import { orUndefined, type ServeFlags } from "./options.js"
import { loadPolicy } from "./policyFile.js"
import { privateFiles } from "./privateFiles.js"
import { loadRegistry } from "./registryFile.js"

/** Fails on bad settings before anybody is served. */
const checkVariables = Effect.flatMap(LabConfig, (settings) => {
  const given = Object.entries(process.env).flatMap(([name, value]) =>
    name.startsWith("LAB_") && value !== undefined && value !== "" ? [name] : []
  )
  return ignoredVariable(settings, given) ?? Effect.void
})

const announce = Effect.gen(function*() {
  const { address: { host, port } } = yield* LabServer
  const { engine, mode, network } = yield* LabConfig
  const where = mode === "single" ? "this process" : `${engine}, network ${network}`
  const name = host === "0.0.0.0" ? "localhost" : host
  yield* Console.log(`ai-relay lab listens on ws://${name}:${port} (relays run in ${where})`)
})

export const serveLab = Effect.fn("serveLab")(function*({ acp_registry, policy, ...flags }: ServeFlags) {
  const reason = ignored(flags)
  if (reason !== undefined) return yield* new CommandError({ reason })
  return yield* serve(
    flags,
    yield* loadPolicy(policy),
    yield* loadRegistry(acp_registry),
    privateFiles({ ...flags, acp_registry, policy })
  )
})

const serve = (
  { log_format, log_level, ...flags }: Omit<ServeFlags, "policy" | "acp_registry">,
  rules: PolicyFile | undefined,
  acp_agents: ReadonlyArray<OwnAgent>,
  private_files: ReadonlyArray<string>
) => {
  // Settings of a single relay: each user's relay has its own token, folders and state; TLS is left to a proxy.
  const { auth: _, config: __, no_auth: ___, no_state: ____, record, state_dir: _____, ...rest } = flags
  const { tls_cert: _6, tls_key: _7, token: _8, token_file: _9, ...settings } = rest
  const folder = orUndefined(record)
  return Layer.launch(
    Layer.effectDiscard(announce).pipe(
      Layer.provide(Lab.layer({
        ...settings,
        acp_agents,
        private_files,
        ...(rules !== undefined && { policy: rules }),
        ...(folder !== undefined && { record: folder })
      })),
      Layer.provide(Layer.provideMerge(Layer.effectDiscard(checkVariables), LabConfig.layer)),
      Layer.provide(layerLogs(log_level, log_format === "json" ? jsonLogger : lineLogger))
    )
  ).pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv()))
}

const width = Math.max(...labSettings.map(({ name }) => name.length)) + 2

export const labHelp = `ai-relay lab: serve many users, each with their own relay

Usage
  ai-relay lab [--host ADDRESS] [--port NUMBER] [--allow-origin ORIGIN] [--allow-host NAME]

Variables
${
  labSettings.map(({ about, name, standard }) =>
    `  ${name.padEnd(width)}${about}${standard === "" ? "" : ` (${standard})`}`
  ).join("\n")
}

The other flags of \`ai-relay serve\` apply to the relays of LAB_MODE=single. LAB_MODE=multi uses
the Docker engine at DOCKER_HOST.`
