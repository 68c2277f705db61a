/**
 * Keyboard: lines a person types, and Ctrl-C. Who asked last gets the next line. Prompts go to stderr, so that stdout
 * holds the answer alone.
 */
import { Deferred, Effect, type Scope } from "effect"
import { createInterface } from "node:readline"
import { doneSoon } from "../adapters/doneSoon.js"

export interface Keyboard {
  /** Somebody can answer: stdin is a terminal. */
  readonly present: boolean
  /** The next line; undefined when there will be none any more. */
  readonly ask: (prompt: string) => Effect.Effect<string | undefined>
  /** Completes at the next Ctrl-C. */
  readonly interrupted: Effect.Effect<void>
}

interface Asker {
  readonly prompt: string
  readonly answer: (line: string | undefined) => void
}

/** Until the scope ends, Ctrl-C is ours: it must not end the program. */
const takeInterrupts = (onInterrupt: () => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const others = process.listeners("SIGINT")
      process.removeAllListeners("SIGINT").on("SIGINT", onInterrupt)
      return others
    }),
    (others) =>
      Effect.sync(() => {
        process.off("SIGINT", onInterrupt)
        for (const other of others) process.on("SIGINT", other)
      })
  )

export const make: Effect.Effect<Keyboard, never, Scope.Scope> = Effect.gen(function*() {
  const present = process.stdin.isTTY === true
  let askers: ReadonlyArray<Asker> = []
  let interrupts: Array<Deferred.Deferred<void>> = []
  let ended = !present

  const onInterrupt = () => {
    const waiting = interrupts
    interrupts = []
    for (const one of waiting) doneSoon(one, Effect.void)
  }
  yield* takeInterrupts(onInterrupt)

  const lines = yield* Effect.acquireRelease(
    Effect.sync(() =>
      present ? createInterface({ input: process.stdin, output: process.stderr, terminal: true }) : undefined
    ),
    (lines) => Effect.sync(() => lines?.close())
  )
  const show = () => {
    const asker = askers.at(-1)
    lines?.setPrompt(asker?.prompt ?? "")
    if (asker !== undefined) lines?.prompt(true)
  }
  lines?.on("SIGINT", onInterrupt)
  lines?.on("line", (line) => {
    const asker = askers.at(-1)
    askers = askers.slice(0, -1)
    asker?.answer(line)
  })
  lines?.on("close", () => {
    ended = true
    for (const { answer } of askers) answer(undefined)
    askers = []
  })

  const ask: Keyboard["ask"] = (prompt) =>
    Effect.callback<string | undefined>((resume) => {
      if (ended) return resume(Effect.succeed(undefined))
      const asker: Asker = { prompt, answer: (line) => resume(Effect.succeed(line)) }
      askers = [...askers, asker]
      show()
      return Effect.sync(() => {
        askers = askers.filter((other) => other !== asker)
        show()
      })
    })

  const interrupted = Effect.suspend(() => {
    const next = Deferred.makeUnsafe<void>()
    interrupts.push(next)
    return Deferred.await(next)
  })

  return { present, ask, interrupted }
})
