/** readPrices: the operator's price table (`--prices FILE`). */
import { Effect, Schema } from "effect"
import { readFile } from "node:fs/promises"
import type { Prices } from "../services/budget/Prices.js"

const Amount = Schema.Finite.pipe(Schema.greaterThanOrEqualTo(0))
const Table = Schema.Record({
  key: Schema.String,
  value: Schema.Struct({
    input: Amount,
    output: Amount,
    cached_input: Schema.optionalWith(Amount, { exact: true }),
    cache_write: Schema.optionalWith(Amount, { exact: true })
  })
})
const decode = Schema.decodeUnknown(Schema.parseJson(Table), { onExcessProperty: "error" })

/** Fails with a sentence that says what is wrong with the file. */
export const readPrices = (file: string): Effect.Effect<Prices, string> =>
  Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: () => `the price table ${file} cannot be read: check the path and its permissions`
  }).pipe(
    Effect.flatMap((text) =>
      Effect.mapError(
        decode(text),
        () =>
          `the price table ${file} must be a JSON object such as {"gpt-5*": {"input": 1.25, "output": 10, `
          + "\"cached_input\": 0.125}}, in US dollars for a million tokens"
      )
    )
  )
