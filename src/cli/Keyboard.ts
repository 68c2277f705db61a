/**
 * Keyboard: reads lines at the terminal, asks questions, and prints without disturbing either.
 *
 * Questions are asked one at a time, in order, and before ordinary input. Whatever was typed before a question appeared
 * is dropped: it cannot be an answer to it. While a question is open nothing else is printed, so an agent's output cannot
 * pass for another question. Prompts go to stderr; stdout is only for the answer.
 */
import { Deferred, Effect, type Scope } from "effect"
import { createInterface, type Interface } from "node:readline"
import { doneSoon } from "../adapters/doneSoon.js"

export interface Question<A> {
  /** Printed once, above the prompt. */
  readonly shown: string
  readonly prompt: string
  /** Turns what was typed into an answer; undefined asks again. */
  readonly read: (line: string) => A | undefined
  /** Used instead if the previous question went away unanswered: an answer meant for that one must not be accepted here. */
  readonly careful?: Pick<Question<A>, "prompt" | "read">
}

export interface Keyboard {
  /** Whether somebody can answer: stdin is a terminal. */
  readonly present: boolean
  /** The next line that is not an answer to a question; undefined once input has ended. */
  readonly ask: (prompt: string | (() => string)) => Effect.Effect<string | undefined>
  /** Draw the prompt of `ask` again because its text has changed; what was typed stays. */
  readonly refresh: () => void
  /**
   * The answer typed after this question was shown. It waits for the questions before it. Undefined once input has
   * ended.
   */
  readonly question: <A>(question: Question<A>) => Effect.Effect<A | undefined>
  /** Write to a stream. If it is a terminal, the text is held back while a question is open on it. */
  readonly print: (stream: NodeJS.WriteStream, text: string) => void
  /** Completes at the next Ctrl-C. */
  readonly interrupted: Effect.Effect<void>
}

interface Asker {
  readonly shown: string
  readonly isQuestion: boolean
  /** Called when the question is shown, since it depends on how the previous one ended. */
  readonly prompt: () => string
  /** Takes a line; false asks again. */
  readonly answer: (line: string | undefined) => boolean
  /** The part of a line that was typed before a question interrupted it. */
  draft: string
}

/** How many characters of output are held back while a question is open. */
const mostHeld = 1024 * 1024

/** Handles Ctrl-C until the scope ends; the program keeps running. */
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

/** Runs `then` once input that was already typed has arrived: the terminal is read between two immediates. */
const afterInput = (then: () => void) => setImmediate(() => setImmediate(() => setImmediate(then)))

/** The line that is being edited. */
const editedIn = (lines: Interface | undefined): { line: string; cursor: number } =>
  lines as unknown as { line: string; cursor: number }

export const make: Effect.Effect<Keyboard, never, Scope.Scope> = Effect.gen(function*() {
  const present = process.stdin.isTTY === true
  const questions: Array<Asker> = []
  let typing: ReadonlyArray<Asker> = []
  /** The question or prompt on the screen. */
  let current: Asker | undefined
  /** Input is dropped because the next question is about to be shown. */
  let isDeaf = false
  /** The question on the screen went away unanswered. */
  let isCareful = false
  let held: Array<readonly [NodeJS.WriteStream, string]> = []
  let heldLength = 0
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

  const edit = (text: string) => Object.assign(editedIn(lines), { line: text, cursor: text.length })

  const release = () => {
    const texts = held
    held = []
    heldLength = 0
    for (const [stream, text] of texts) stream.write(text)
  }

  const show = () => {
    isDeaf = false
    const next = questions[0] ?? typing.at(-1)
    current = next
    if (next?.isQuestion !== true) release()
    if (ended || lines === undefined) return
    edit(next?.draft ?? "")
    if (next !== undefined && next.shown !== "") process.stderr.write(next.shown)
    lines.setPrompt(next?.prompt() ?? "")
    if (next !== undefined) lines.prompt(true)
  }

  /** Another one is to be asked, or none. */
  const turn = () => {
    if (isDeaf || ended) return
    const next = questions[0] ?? typing.at(-1)
    if (next === current) return
    if (current?.isQuestion === false && next?.isQuestion === true) {
      current.draft = editedIn(lines).line
      process.stderr.write("\n")
    }
    if (next?.isQuestion !== true && current?.isQuestion !== true) return show()
    isDeaf = true
    current = undefined
    afterInput(show)
  }

  lines?.on("SIGINT", onInterrupt)
  lines?.on("line", (line) => {
    if (isDeaf || current === undefined) return
    const asker = current
    if (!asker.isQuestion) isCareful = false
    if (!asker.answer(line)) return lines.prompt()
    forget(asker)
    turn()
  })
  lines?.on("close", () => {
    ended = true
    const all = [...questions.splice(0), ...typing]
    typing = []
    current = undefined
    for (const { answer } of all) answer(undefined)
    release()
  })

  const forget = (asker: Asker) => {
    const at = questions.indexOf(asker)
    if (at >= 0) questions.splice(at, 1)
    typing = typing.filter((other) => other !== asker)
  }

  const wait = <A>(make: (done: (answer: A | undefined) => true) => Asker) =>
    Effect.callback<A | undefined>((resume) => {
      if (ended) return resume(Effect.succeed(undefined))
      const asker = make((answer) => {
        // Not within what is going on here.
        queueMicrotask(() => resume(Effect.succeed(answer)))
        return true
      })
      if (asker.isQuestion) questions.push(asker)
      else typing = [...typing, asker]
      turn()
      return Effect.sync(() => {
        forget(asker)
        if (current === asker && asker.isQuestion) {
          isCareful = true
          process.stderr.write("\nThe question above no longer needs an answer.\n")
        }
        turn()
      })
    })

  const ask: Keyboard["ask"] = (prompt) =>
    wait<string>((done) => ({
      shown: "",
      isQuestion: false,
      prompt: typeof prompt === "string" ? () => prompt : prompt,
      answer: done,
      draft: ""
    }))

  const refresh = () => {
    if (ended || lines === undefined || isDeaf || current === undefined || current.isQuestion) return
    lines.setPrompt(current.prompt())
    lines.prompt(true)
  }

  const question: Keyboard["question"] = <A>(question: Question<A>) =>
    wait<A>((done) => {
      let { prompt, read }: Pick<Question<A>, "prompt" | "read"> = question
      return {
        shown: question.shown,
        isQuestion: true,
        prompt: () => {
          if (isCareful && question.careful !== undefined) ({ prompt, read } = question.careful)
          isCareful = false
          return prompt
        },
        answer: (line) => {
          const meant = line === undefined ? undefined : read(line)
          return line !== undefined && meant === undefined ? false : done(meant)
        },
        draft: ""
      }
    })

  const print: Keyboard["print"] = (stream, text) => {
    const isOpen = questions.length > 0 || held.length > 0
    if (!isOpen || !present || !stream.isTTY) {
      stream.write(text)
      return
    }
    held.push([stream, text])
    heldLength += text.length
    while (heldLength > mostHeld && held.length > 1) heldLength -= held.shift()?.[1].length ?? 0
  }

  const interrupted = Effect.suspend(() => {
    const next = Deferred.makeUnsafe<void>()
    interrupts.push(next)
    return Deferred.await(next)
  })

  return { present, ask, refresh, question, print, interrupted }
})
