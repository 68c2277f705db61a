/**
 * mcp: `ai-relay mcp` offers the relay's sessions to an agent as tools, over stdin and stdout. They live in the relay at
 * `--url`, or one on this machine, which is started if none is running.
 */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { frontOptions, relayOf } from "./clientOptions.js"

export const mcp = (version: string) =>
  Command.make("mcp", frontOptions, (given) =>
    Effect.gen(function*() {
      const { serveMcp } = yield* Effect.promise(() => import("./serveMcp.js"))
      yield* serveMcp({ ...(yield* relayOf(given)), version })
    }))
