/**
 * prepareLaunch: finds a program and builds its environment before it starts, with pipes or on a terminal. A missing program is
 * reported here, before anything runs.
 */
import { Effect } from "effect"
import type { LaunchSpec } from "../../adapters/Adapter.js"
import { AgentFailed, CommandNotFound } from "../../adapters/AdapterError.js"
import { agentEnvironment, type Environment, relayEnvironment } from "./AgentEnvironment.js"
import * as families from "./families.js"
import { findProgram, withFolderOf } from "./findProgram.js"
import * as Sandbox from "./Sandbox.js"

export interface Prepared {
  /** Absolute. */
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly env: Environment
  /** The marker that it and all its processes have in their environment. */
  readonly marker: string
}

/** The sandbox: bubblewrap's path, and the operator's settings. */
export interface Keeping {
  readonly bwrap: string
  readonly settings: Sandbox.SandboxSettings
}

/** Options shared by all agents. */
export interface LaunchOptions {
  /** Variables that the operator lets every agent inherit. */
  readonly pass_env: ReadonlyArray<string>
  readonly sandbox?: Keeping | undefined
}

/** `own`: the relay's environment. */
export const prepareLaunch = (
  launch: LaunchSpec,
  { pass_env, sandbox }: LaunchOptions,
  own: Environment = relayEnvironment()
): Effect.Effect<Prepared, AgentFailed | CommandNotFound> =>
  Effect.suspend((): Effect.Effect<Prepared, AgentFailed | CommandNotFound> => {
    const { advice, command, cwd, only_reads = false, tool } = launch
    if (sandbox !== undefined && !only_reads && Sandbox.isMoved(cwd)) {
      return new AgentFailed({
        tool,
        reason:
          `its folder ${cwd} is now a link, or lies behind one, so a sandbox would open what it leads to. Remove the `
          + "link, or open a session in the folder it leads to"
      })
    }
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
          only_reads,
          program,
          args: launch.args,
          env: whole
        })
      }
    return Effect.succeed({ ...kept, env: whole, marker })
  })
