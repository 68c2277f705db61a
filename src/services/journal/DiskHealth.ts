/** DiskHealth: what a disk does not take at the moment, and the next try. */
import { messageOf } from "../../schema/messageOf.js"

/** Each kind of use can fail by itself. */
export type Use = "write" | "describe" | "sync" | "read"

export interface DiskHealth {
  readonly has: (use: Use) => boolean
  /** Why, for people; undefined while all is well. */
  readonly reason: () => string | undefined
  readonly complain: (use: Use, cause: unknown) => void
  readonly over: (use: Use) => void
  /** Do it; if it fails, everything that failed is tried again in a while. */
  readonly attempt: (use: Use, act: () => void) => void
  /** No further try. */
  readonly stop: () => void
}

/** How long a failed disk is left alone before the next try. */
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
