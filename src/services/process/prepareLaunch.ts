/**
 * prepareLaunch: what is settled before a program starts, with pipes or on a terminal: where it lies, and its
 * environment. A missing program is found out here, before anything runs.
 */
import { Effect } from "effect"
import type { LaunchSpec } from "../../adapters/Adapter.js"
import { CommandNotFound } from "../../adapters/AdapterError.js"
import { agentEnvironment, type Environment, relayEnvironment } from "./AgentEnvironment.js"
import * as families from "./families.js"
import { findProgram, withFolderOf } from "./findProgram.js"
import * as Sandbox from "./Sandbox.js"

export interface Prepared {
  /** Absolute. */
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly env: Environment
  /** All it starts will carry it in the environment. */
  readonly marker: string
}

/** How agents are kept in: bubblewrap's place, and what the operator said. */
export interface Keeping {
  readonly bwrap: string
  readonly settings: Sandbox.SandboxSettings
}

/** What is the same for all agents. */
export interface LaunchOptions {
  /** Variables every agent inherits by the operator's wish. */
  readonly pass_env: ReadonlyArray<string>
  readonly sandbox?: Keeping | undefined
}

/** `own` is the environment it starts from. */
export const prepareLaunch = (
  launch: LaunchSpec,
  { pass_env, sandbox }: LaunchOptions,
  own: Environment = relayEnvironment()
): Effect.Effect<Prepared, CommandNotFound> =>
  Effect.suspend(() => {
    const { advice, command, cwd } = launch
    const marker = families.marker()
    const env = agentEnvironment(own, launch, marker, pass_env)
    const program = findProgram(command, env, cwd)
    if (program === undefined) return new CommandNotFound({ command, advice })
    const whole = withFolderOf(program, env)
    const kept = sandbox === undefined
      ? { program, args: launch.args }
      : {
        program: sandbox.bwrap,
        args: Sandbox.argsOf(sandbox.settings, {
          writable: launch.writable ?? [],
          cwd,
          program,
          args: launch.args,
          env: whole
        })
      }
    return Effect.succeed({ ...kept, env: whole, marker })
  })
