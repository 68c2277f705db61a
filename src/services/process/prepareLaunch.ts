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

export interface Prepared {
  /** Absolute. */
  readonly program: string
  readonly env: Environment
  /** All it starts will carry it in the environment. */
  readonly marker: string
}

/** `passed` are variables every agent inherits by the operator's wish; `own` is the environment it starts from. */
export const prepareLaunch = (
  launch: LaunchSpec,
  passed: ReadonlyArray<string>,
  own: Environment = relayEnvironment()
): Effect.Effect<Prepared, CommandNotFound> =>
  Effect.suspend(() => {
    const { advice, command, cwd } = launch
    const marker = families.marker()
    const env = agentEnvironment(own, launch, marker, passed)
    const program = findProgram(command, env, cwd)
    return program === undefined
      ? new CommandNotFound({ command, advice })
      : Effect.succeed({ program, env: withFolderOf(program, env), marker })
  })
