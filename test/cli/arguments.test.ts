/** What is said of arguments and settings that do not fit: one line, with what to do. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Console, Effect } from "effect"
import { run } from "../../src/cli/cli.js"

/** What the program prints for these arguments, and its exit code. */
const said = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const usual = yield* Console.Console
    const console: Console.Console = {
      ...usual,
      log: (...words) => void lines.push(words.join(" ")),
      error: (...words) => void lines.push(words.join(" "))
    }
    yield* run(["node", "ai-relay", ...args]).pipe(
      Effect.provideService(Console.Console, console),
      Effect.provide(NodeServices.layer)
    )
    return lines
  })

describe("arguments", () => {
  afterEach(() => {
    process.exitCode = undefined
  })

  it.effect.each(
    [
      [["--nope"], "Unrecognized flag: --nope"],
      [["serv"], "Unknown subcommand \"serv\""],
      [["--port", "abc"], "Invalid value for flag --port: \"abc\""],
      [["--log-level", "loud"], "\"debug\" | \"info\" | \"warning\" | \"error\" | \"none\""],
      [["--fronts", "chat,phone"], "\"phone\". Expected: some of acp, chat, agui, mcp, or none"]
    ] as const
  )("%j: one line that names what is wrong, and where help is", ([args, words]) =>
    Effect.gen(function*() {
      const lines = yield* said(...args)
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /^ai-relay: .*See ai-relay --help$/)
      assert.include(lines[0], words)
      assert.strictEqual(process.exitCode, 1)
    }))

  it.effect.each(
    [
      ["AI_RELAY_PORT", "abc", "a finite number"],
      ["AI_RELAY_LOG_LEVEL", "loud", "\"warning\""],
      ["AI_RELAY_NO_AUTH", "perhaps", "true"]
    ] as const
  )("names the variable that does not fit: %s", ([name, value, expected]) =>
    Effect.gen(function*() {
      process.env[name] = value
      const lines = yield* Effect.ensuring(
        said("--no-state"),
        Effect.sync(() => Reflect.deleteProperty(process.env, name))
      )
      assert.lengthOf(lines, 1)
      assert.include(lines[0], `${name}, or`)
      assert.include(lines[0], expected)
      assert.notInclude(lines[0], "SchemaError")
    }))

  it.effect("--version is the version alone", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* said("--version"), ["development"])
    }))
})
