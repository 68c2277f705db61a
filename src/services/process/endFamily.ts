/**
 * endFamily: bring an agent and everything it started to an end: ask politely, then insist.
 *
 * It ends in bounded time, whatever they do about it.
 */
import { Effect } from "effect"
import { completesWithin } from "../completesWithin.js"
import { lookUntil } from "./lookUntil.js"
import type { ProcessFamily } from "./ProcessFamily.js"

/** How long each of the steps takes at most, in ms. */
export interface StopTimeouts {
  /** For the agent to end because its input did. */
  readonly input: number
  /** For everyone to end because a signal asked for it. */
  readonly signal: number
  /** For everyone to be gone after SIGKILL. */
  readonly kill: number
}

export interface StopMethod {
  /** Completes when the agent itself has exited, whatever is left of what it started. */
  readonly exited: Effect.Effect<void>
  readonly endInput: () => void
  /** The signal the agent likes best. */
  readonly stopSignal: NodeJS.Signals
}

/**
 * Nobody may have been seen in two looks so far apart, in ms, unless the first showed what everybody carries: in the
 * middle of an `execve` a process shows no environment.
 */
const quietMs = 20

/** Returns when all are gone, or have withstood every step's grace. */
export const endFamily = (
  family: ProcessFamily,
  { endInput, exited, stopSignal }: StopMethod,
  timeouts: StopTimeouts
) =>
  Effect.gen(function*() {
    const { leader } = family
    // A process that was started a moment ago is known by its parent, as long as that lives.
    family.look("now")
    endInput()
    yield* completesWithin(exited, timeouts.input)

    if (!family.isGone()) {
      // The agent's own signal is for the agent: background jobs of a shell ignore SIGINT.
      family.signal(leader.hasExited() ? "SIGTERM" : stopSignal, "SIGTERM")
      yield* lookUntil(() => family.isGone(), timeouts.signal)
    }

    yield* lookUntil(
      () => {
        family.kill()
        return leader.hasExited() && family.quietFor() >= quietMs
      },
      timeouts.kill,
      // With nobody in sight, the second look is the last.
      () => family.quietFor() < 0 ? undefined : Math.max(1, quietMs - family.quietFor())
    )
  })
