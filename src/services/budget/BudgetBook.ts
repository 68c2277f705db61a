/** BudgetBook: the relay's budgets and ledger as a service, on disk beside the sessions or in memory. */
import { Clock, Context, Effect, Layer, Option } from "effect"
import { join } from "node:path"
import * as SessionRecord from "../journal/SessionRecord.js"
import { RelayConfig } from "../RelayConfig.js"
import { type Book, make } from "./Budgets.js"
import { onDisk } from "./DiskLedger.js"
import { inMemory, type Ledger } from "./Ledger.js"

export class BudgetBook extends Context.Service<BudgetBook, Book>()("ai-relay/services/BudgetBook") {
  static readonly layer = Layer.effect(
    this,
    Effect.gen(function*() {
      const { state_dir } = yield* RelayConfig
      const run = Effect.runSyncWith(yield* Effect.context<never>())
      const ledger = state_dir === undefined
        ? inMemory()
        : yield* Effect.try(() =>
          onDisk({
            folder: join(state_dir, "usage"),
            relay: SessionRecord.relayName(),
            isAlive: SessionRecord.isRelayAlive,
            warn: (text) => run(Effect.logWarning(text))
          })
        ).pipe(Effect.catch((cause) =>
          Effect.as(
            Effect.logError(
              "Usage cannot be written to disk: free some space in the state folder or fix its permissions.",
              cause
            ),
            inMemory()
          )
        ))
      yield* Effect.addFinalizer(() => Effect.sync(ledger.close))
      return yield* over(ledger)
    })
  )
}

const over = (ledger: Ledger) =>
  Effect.gen(function*() {
    const { budget_time_zone, budget_warn_pct, budgets, prices } = yield* RelayConfig
    const clock = yield* Clock.Clock
    return make(
      { rules: budgets, prices, warn_pct: budget_warn_pct, time_zone: budget_time_zone },
      ledger,
      () => clock.currentTimeMillisUnsafe(),
      () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    )
  })

/** The relay's book; a session opened without a relay gets its own. */
export const current = Effect.flatMap(
  Effect.serviceOption(BudgetBook),
  Option.match({ onNone: () => over(inMemory()), onSome: Effect.succeed })
)
