/** commandLine: the command in this process. Its exit code is `process.exitCode`. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect } from "effect"
import { run } from "../../src/cli/cli.js"

/** Runs `ai-relay` with these arguments; gives the lines it prints: all of them, and those of each stream. */
export const commandLine = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const [lines, out, err]: [Array<string>, Array<string>, Array<string>] = [[], [], []]
  const usual = yield* Console.Console
  const printTo = (stream: Array<string>) => (...words: ReadonlyArray<unknown>) => {
    const line = words.join(" ")
    lines.push(line)
    stream.push(line)
  }
  const console: Console.Console = { ...usual, log: printTo(out), error: printTo(err) }
  yield* run(["node", "ai-relay", ...args]).pipe(
    Effect.provideService(Console.Console, console),
    Effect.provide(NodeServices.layer)
  )
  return { lines, out, err }
})
