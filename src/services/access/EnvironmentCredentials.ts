/**
 * EnvironmentCredentials: the port `Credentials`, which reads the environment the relay was started with.
 *
 * Each agent gets only its own variables, so a client can never obtain another agent's key or the relay's token by naming
 * them in a handshake.
 */
import { Effect, Layer, Option, Redacted } from "effect"
import { Credentials } from "../../adapters/Adapter.js"
import { agentNamed } from "../../adapters/agents.js"
import { type Environment, relayEnvironment } from "../process/AgentEnvironment.js"
import { RelayConfig, type Settings } from "../RelayConfig.js"

export const make = (settings: Settings, environment: Environment): Credentials["Service"] => {
  const names = (tool: string) => agentNamed(tool)?.credentials?.(settings) ?? []
  return {
    names,
    get: (tool, name) =>
      Effect.sync(() =>
        Option.liftPredicate(environment[name] ?? "", (value) => value !== "" && names(tool).includes(name))
          .pipe(Option.map((value) => Redacted.make(value)))
      )
  }
}

export const layer = Layer.effect(
  Credentials,
  Effect.map(RelayConfig, (settings) => make(settings, relayEnvironment()))
)
