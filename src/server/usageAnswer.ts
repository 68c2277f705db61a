/** usageAnswer: the answer to `GET /usage`: usage of sessions, summed by one dimension. */
import { Effect, Option } from "effect"
import { BudgetBook } from "../services/budget/BudgetBook.js"
import { dimensions, type UsageRow } from "../services/budget/Ledger.js"

type Answer =
  | { readonly status: 200; readonly body: { readonly by: string; readonly usage: ReadonlyArray<UsageRow> } }
  | { readonly status: 400; readonly body: { readonly text: string } }

const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/u.test(text)

/** Query: `by`, a dimension (default `session`); `since` and `until`, days such as `2026-11-28`, both inclusive. */
export const usageAnswer = (query: URLSearchParams): Effect.Effect<Answer> =>
  Effect.map(Effect.serviceOption(BudgetBook), (book): Answer => {
    const asked = query.get("by") ?? "session"
    const by = dimensions.find((name) => name === asked)
    const days = ["since", "until"].map((name) => query.get(name) ?? undefined)
    if (by === undefined || days.some((day) => day !== undefined && !isDay(day))) {
      return {
        status: 400,
        body: {
          text: `use GET /usage?by=${
            dimensions.join("|")
          }, and days such as 2026-11-28 for \`since\` and \`until\``
        }
      }
    }
    const usage = Option.match(book, {
      onNone: () => [],
      onSome: ({ ledger }) => ledger.usage(by, ...days)
    })
    return { status: 200, body: { by, usage } }
  })
