/**
 * hurryOnSecondSignal: the first SIGTERM or SIGINT ends the relay in an orderly way, the second does not wait for running
 * turns, the third ends it at once.
 */
import { Effect } from "effect"
import { RelayServer } from "../server/RelayServer.js"

const signals = ["SIGTERM", "SIGINT"] as const

export const hurryOnSecondSignal = Effect.gen(function*() {
  const { hurry } = yield* RelayServer
  const run = Effect.runSyncWith(yield* Effect.context<never>())
  let seen = 0
  const onSignal = () => {
    seen += 1
    if (seen < 2) return
    for (const signal of signals) process.off(signal, onSignal)
    run(hurry)
  }
  // Never removed: the process ends this way.
  for (const signal of signals) process.on(signal, onSignal)
})
