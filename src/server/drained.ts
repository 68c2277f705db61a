/** drained: waits for a client that reads more slowly than its answer is written. */
import { Effect } from "effect"
import type { ServerResponse } from "node:http"

/**
 * Completes when the client has read what was sent, or is gone. Others come first: a client that reads fast drains each write at
 * once, so a long answer would keep everybody waiting.
 */
export const drained = (response: ServerResponse) =>
  Effect.callback<void>((resume) => {
    const done = () => {
      response.off("drain", done).off("close", done)
      setImmediate(() => resume(Effect.void))
    }
    response.once("drain", done).once("close", done)
    return Effect.sync(() => void response.off("drain", done).off("close", done))
  })
