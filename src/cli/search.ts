/** search: `ai-relay search WORDS` finds sessions that contain these words. It asks a running relay. */
import { Console, Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { answerOf, clientOptions, CommandError, toAddress } from "./clientOptions.js"
import { only } from "./options.js"
import { safeJson, visibleLine } from "./printable.js"

const Found = Schema.Struct({
  results: Schema.Array(Schema.Struct({
    session: Schema.Struct({
      session_id: Schema.String,
      folder: Schema.String,
      title: Schema.optionalKey(Schema.String)
    }),
    hits: Schema.Array(Schema.Struct({ who: Schema.String, text: Schema.String }))
  })),
  complete: Schema.Boolean
})

const incomplete = "Some sessions have not been searched yet; search again in a moment."

export const search = Command.make(
  "search",
  {
    ...clientOptions,
    limit: Flag.Int("limit").pipe(
      only("limit", (limit) => limit >= 1 && limit <= 100, "a number from 1 to 100"),
      Flag.withDefault(20)
    ),
    words: Argument.variadic(Argument.String("words"))
  },
  ({ json, limit, token, url, words }) =>
    Effect.gen(function*() {
      if (words.length === 0) {
        return yield* new CommandError({
          reason: "missing words to search for: ai-relay search \"rounding error\""
        })
      }
      const address = yield* toAddress({ token, url })
      const query = new URLSearchParams({ q: words.join(" "), limit: String(limit) })
      const found = yield* answerOf(address, `/search?${query}`, Found)
      if (json) return yield* Console.log(safeJson(JSON.stringify(found, null, 2)))
      for (const { hits, session } of found.results) {
        yield* Console.log(`${session.session_id}  ${visibleLine(session.title ?? session.folder)}`)
        for (const { text, who } of hits) yield* Console.log(`    ${who}: ${visibleLine(text)}`)
      }
      if (found.results.length === 0) yield* Console.log("Nothing found.")
      if (!found.complete) yield* Console.error(incomplete)
    })
)
