/** readPrices: the operator's price table (`--prices FILE`). */
import { Effect, Schema } from "effect"
import { readFile } from "node:fs/promises"
import { jsonReader } from "../schema/jsonFile.js"
import type { Prices } from "../services/budget/Prices.js"

const Amount = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const Table = Schema.Record(
  Schema.String,
  Schema.Struct({
    input: Amount,
    output: Amount,
    cached_input: Schema.optionalKey(Amount),
    cache_write: Schema.optionalKey(Amount)
  })
)
const read = jsonReader(Table)

/** Reads the table; fails with what the file must be. */
export const readPrices = (file: string): Effect.Effect<Prices, string> =>
  Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: () => "a file that can be read: check the path and its permissions"
  }).pipe(
    Effect.flatMap((text) =>
      Effect.mapError(
        Effect.fromResult(read(text)),
        (problem) =>
          "a file with a JSON object such as {\"gpt-5*\": {\"input\": 1.25, \"output\": 10, \"cached_input\": 0.125}}, "
          + `in US dollars per million tokens; in this one, ${problem}`
      )
    )
  )
