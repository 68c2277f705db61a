/** allClosed: waits for sockets to close. */
import { Effect } from "effect"
import type { WebSocket } from "ws"

/** Completes when all of these sockets are closed. */
export const allClosed = (sockets: Iterable<WebSocket>): Effect.Effect<void> =>
  Effect.forEach(
    sockets,
    (ws) =>
      Effect.callback<void>((resume) => {
        const onClose = () => resume(Effect.void)
        if (ws.readyState === ws.CLOSED) return onClose()
        ws.once("close", onClose)
        return Effect.sync(() => void ws.off("close", onClose))
      }),
    { concurrency: "unbounded", discard: true }
  )
