/** DiskHealth: remembers what failed on a disk, and schedules the next try. */
import { messageOf } from "../../schema/messageOf.js"

/** Kinds of use that can fail separately. */
export type Use = "write" | "describe" | "sync" | "read"

export interface DiskHealth {
  readonly has: (use: Use) => boolean
  /** What is wrong, for people; undefined if nothing is. */
  readonly reason: () => string | undefined
  readonly complain: (use: Use, cause: unknown) => void
  readonly over: (use: Use) => void
  /** Does it. If it throws, everything that failed is tried again after a while. */
  readonly attempt: (use: Use, act: () => void) => void
  /** Cancels the next try. */
  readonly stop: () => void
}

/** Pause before the next try, in ms. */
const retryAfterMs = 1000

/** `tryAgain` is called `afterMs` after a failure. */
export const make = (tryAgain: () => void, afterMs = retryAfterMs): DiskHealth => {
  const troubles = new Map<Use, string>()
  let retry: NodeJS.Timeout | undefined

  const stop = () => {
    clearTimeout(retry)
    retry = undefined
  }
  const complain = (use: Use, cause: unknown) => {
    if (!troubles.has(use)) troubles.set(use, messageOf(cause))
  }
  const onRetry = () => {
    retry = undefined
    tryAgain()
  }

  return {
    has: (use) => troubles.has(use),
    reason: () => troubles.size === 0 ? undefined : [...troubles.values()][0],
    complain,
    over: (use) => void troubles.delete(use),
    attempt: (use, act) => {
      try {
        act()
        troubles.delete(use)
      } catch (cause) {
        complain(use, cause)
        retry ??= setTimeout(onRetry, afterMs).unref()
      }
    },
    stop
  }
}
