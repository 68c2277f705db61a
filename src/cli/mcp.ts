/**
 * mcp: `ai-relay mcp` gives an agent the relay's sessions as tools, over stdin and stdout. They live in the relay `--url`
 * names, or this machine's, which is started if none runs.
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
