/**
 * endFamily: ends an agent and everything it started, first politely, then by force.
 *
 * It takes bounded time, whatever the processes do.
 */
import { Effect } from "effect"
import { completesWithin } from "../completesWithin.js"
import { lookUntil } from "./lookUntil.js"
import type { ProcessFamily } from "./ProcessFamily.js"

/** Longest time per step, in ms. */
export interface StopTimeouts {
  /** For the agent to exit after its input was closed. */
  readonly input: number
  /** For all processes to exit after a signal. */
  readonly signal: number
  /** For all processes to be gone after SIGKILL. */
  readonly kill: number
}

export interface StopMethod {
  /** Completes when the agent itself has exited; its children may still run. */
  readonly exited: Effect.Effect<void>
  readonly endInput: () => void
  /** The signal that the agent handles best. */
  readonly stopSignal: NodeJS.Signals
}

/**
 * Time between the two looks that must both find nobody, in ms: in the middle of an `execve` a process shows no environment.
 * One look is enough if it found every environment.
 */
const quietMs = 20

/** Completes when all are gone, or every step's time has passed. */
export const endFamily = (
  family: ProcessFamily,
  { endInput, exited, stopSignal }: StopMethod,
  timeouts: StopTimeouts
) =>
  Effect.gen(function*() {
    const { leader } = family
    // A process that has just started is recognized by its parent while that lives.
    family.look("now")
    endInput()
    yield* completesWithin(exited, timeouts.input)

    if (!family.isGone()) {
      // The agent's own signal is only for the agent: background jobs of a shell ignore SIGINT.
      family.signal(leader.hasExited() ? "SIGTERM" : stopSignal, "SIGTERM")
      yield* lookUntil(() => family.isGone(), timeouts.signal)
    }

    yield* lookUntil(
      () => {
        family.kill()
        return leader.hasExited() && family.quietFor() >= quietMs
      },
      timeouts.kill,
      // If nobody is found, the second look is the last one.
      () => family.quietFor() < 0 ? undefined : Math.max(1, quietMs - family.quietFor())
    )
  })
