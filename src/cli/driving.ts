/**
 * driving: `--drivers one` at a terminal. The driver is asked when another client wants to take over, and is shown what
 * others suggest. A client that does not drive may take over or suggest what was typed.
 */
import { Effect, Latch } from "effect"
import type { RelayEvent } from "../client/browser.js"
import type { RelaySession } from "../client/RelayClient.js"
import { empty, reduce, type View, whoDrives } from "../messages/index.js"
import type { Keyboard } from "./Keyboard.js"
import { visible, visibleLine } from "./printable.js"

export interface Driving {
  readonly follow: (event: RelayEvent) => void
  /** Completes once this client may answer the session's questions; until then they are the driver's. */
  readonly mayAnswer: Effect.Effect<void>
  /** Asks the driver about requests and suggestions of others; never completes. */
  readonly ask: (session: RelaySession) => Effect.Effect<never>
}

type Asked = { readonly id: string; readonly what: "drive" | "suggestion"; readonly shown: string }

/** Requests and suggestions that wait for the driver, oldest first. */
const openIn = (view: View): ReadonlyArray<Asked> => {
  const { driving } = view
  if (driving === undefined || whoDrives(view) !== "me") return []
  return [
    ...driving.requests.map(({ by, request_id }) => ({
      id: request_id,
      what: "drive" as const,
      shown: `${
        visibleLine(by.name || "Another client")
      } asks to take over, and will soon if you do not answer.\n`
    })),
    ...driving.suggestions.map(({ by, suggestion_id, text }) => ({
      id: suggestion_id,
      what: "suggestion" as const,
      shown: `${visibleLine(by.name || "Another client")} suggests:\n${
        text.split("\n").map((line) => `  | ${visible(line)}\n`).join("")
      }`
    }))
  ]
}

const yesOrNo = (line: string) => {
  const word = line.trim().toLowerCase()
  return word === "y" || word === "yes" ? true : word === "n" || word === "no" ? false : undefined
}
const wholeYesOrNo = (line: string) => {
  const word = line.trim().toLowerCase()
  return word === "yes" ? true : word === "no" ? false : undefined
}

const prompts = { drive: "Let them", suggestion: "Send it" } as const

export const make = (keyboard: Keyboard): Driving => {
  let view: View = empty
  const answers = Latch.makeUnsafe(true)
  /** Opened whenever the session has changed. */
  const changed = Latch.makeUnsafe(false)

  const follow = (event: RelayEvent) => {
    if (event.type !== "status" && event.type !== "session_start") return
    view = reduce(view, [event])
    if (whoDrives(view) === "other") answers.closeUnsafe()
    else answers.openUnsafe()
    changed.openUnsafe()
  }

  const isOpen = ({ id }: Asked) => openIn(view).some((other) => other.id === id)

  /** Completes when this question no longer needs an answer. */
  const settled = (asked: Asked): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (!isOpen(asked)) return Effect.void
      changed.closeUnsafe()
      return Effect.andThen(changed.await, settled(asked))
    })

  const put = (session: RelaySession, asked: Asked) =>
    keyboard.question<boolean>({
      shown: asked.shown,
      prompt: `${prompts[asked.what]}? y = yes, n = no: `,
      read: yesOrNo,
      careful: { prompt: `${prompts[asked.what]}? Type yes or no: `, read: wholeYesOrNo }
    }).pipe(
      Effect.flatMap((answer) =>
        answer === undefined
          ? Effect.never
          : Effect.ignore(
            asked.what === "drive"
              ? session.answerDrive(asked.id, answer)
              : session.answerSuggestion(asked.id, answer)
          )
      ),
      Effect.andThen(settled(asked)),
      Effect.raceFirst(settled(asked))
    )

  const ask = (session: RelaySession): Effect.Effect<never> =>
    Effect.suspend(() => {
      const [first] = openIn(view)
      if (first !== undefined) return Effect.andThen(put(session, first), ask(session))
      changed.closeUnsafe()
      return Effect.andThen(changed.await, ask(session))
    })

  return { follow, mayAnswer: answers.await, ask }
}

/** Asks what to do with a line that was not sent because another client drives. */
export const otherwise = Effect.fnUntraced(
  function*(keyboard: Keyboard, session: RelaySession, line: string) {
    const choice = yield* keyboard.question<"drive" | "suggest" | "nothing">({
      shown: "",
      prompt: "t = ask to take over, s = suggest it to the driver, n = nothing: ",
      read: (typed) =>
        ({ t: "drive", s: "suggest", n: "nothing" } as const)[typed.trim().toLowerCase() as "t" | "s" | "n"]
    })
    if (choice === "drive") yield* Effect.ignore(session.drive)
    if (choice === "suggest") yield* Effect.ignore(session.suggest(line))
  }
)
