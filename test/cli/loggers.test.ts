import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Logger } from "effect"
import { lineLogger } from "../../src/cli/loggers.js"

describe("a line of the log", () => {
  it.effect("stays one line, and shows what others have put into it instead of obeying it", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const usual = yield* Console.Console
      const console: Console.Console = { ...usual, error: (...words) => void lines.push(words.join(" ")) }
      yield* Effect.logInfo("a user\n2026-01-01T00:00:00.000Z INFO  all is well\u001b[2J").pipe(
        Effect.annotateLogs({ user: "ada\r\u001b]0;title\u0007\u202e", list: ["\u009b1m"] }),
        Effect.provide(Logger.layer([lineLogger])),
        Effect.provideService(Console.Console, console)
      )
      assert.lengthOf(lines, 1)
      assert.notMatch(lines[0] ?? "", /[\u0000-\u001f\u007f-\u009f\u202e]/)
      assert.include(lines[0], "a user\\n2026-01-01")
      assert.include(lines[0], "\\x1b[2J")
      assert.include(lines[0], "user=ada\\r\\x1b]0;title\\x07\\u{202e}")
    }))

  it.effect("says what an error is that is logged with it", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const usual = yield* Console.Console
      const console: Console.Console = { ...usual, error: (...words) => void lines.push(words.join(" ")) }
      yield* Effect.logWarning("it ended early", new TypeError("x is not a function"), { code: 7 }).pipe(
        Effect.provide(Logger.layer([lineLogger])),
        Effect.provideService(Console.Console, console)
      )
      assert.match(
        lines.join("\n"),
        /^\S+ WARN {2}it ended early \{"code":7\}\nTypeError: x is not a function\n +at /
      )
    }))
})
