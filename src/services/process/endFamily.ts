/**
 * endFamily: bring an agent and everything it started to an end: ask politely, then insist.
 *
 * It ends in bounded time, whatever they do about it.
 */
import { Effect } from "effect"
import { waitUntil } from "../waitUntil.js"
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
  readonly endInput: () => void
  /** The signal the agent likes best. */
  readonly stopSignal: NodeJS.Signals
}

/**
 * Nobody may have been seen in two looks so far apart, in ms: in the middle of an `execve` a process shows no
 * environment.
 */
const quietMs = 20
/** How long those who were killed are given to be gone, in ms. */
const lookAgainMs = 5

/** Processes do not follow a test's clock. */
const realTime = (ms: number) =>
  Effect.callback<void>((resume) => {
    setTimeout(() => resume(Effect.void), ms)
  })

/** Returns when all are gone, or have withstood every step's grace. */
export const endFamily = (
  family: ProcessFamily,
  { endInput, stopSignal }: StopMethod,
  timeouts: StopTimeouts
) =>
  Effect.gen(function*() {
    const { leader } = family
    // Whoever was started a moment ago is told by its parent, as long as that lives.
    family.look("now")
    endInput()
    yield* waitUntil(leader.hasExited, timeouts.input)

    if (!family.isGone()) {
      // The agent's own signal is for the agent: background jobs of a shell ignore SIGINT.
      family.signal(leader.hasExited() ? "SIGTERM" : stopSignal, "SIGTERM")
      yield* waitUntil(() => family.isGone(), timeouts.signal)
    }

    const deadline = performance.now() + timeouts.kill
    while (performance.now() < deadline) {
      family.kill()
      const quiet = family.quietFor()
      if (quiet >= quietMs) return
      // With nobody in sight the second look is the last.
      yield* realTime(quiet >= 0 ? quietMs - quiet : lookAgainMs)
    }
  })
