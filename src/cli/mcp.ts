/**
 * mcp: `ai-relay mcp` gives an agent the relay's sessions as tools, over stdin and stdout. They live in the relay `--url`
 * names, or this machine's, which is started if none runs.
 */
import { Config, Effect, Option, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { localRelay, readToken } from "./clientOptions.js"
import { orUndefined } from "./options.js"

const options = {
  url: Flag.String("url").pipe(Flag.withFallbackConfig(Config.NonEmptyString("url")), Flag.optional),
  token: Flag.Redacted("token").pipe(Flag.withFallbackConfig(Config.Redacted("token")), Flag.optional),
  token_file: Flag.String("token-file").pipe(
    Flag.withFallbackConfig(Config.NonEmptyString("token_file")),
    Flag.optional
  ),
  no_start: Flag.Boolean("no-start").pipe(Flag.withoutNegation, Flag.withDefault(false)),
  config: Flag.String("config").pipe(Flag.optional)
}

export const mcp = (version: string) =>
  Command.make("mcp", options, ({ no_start, token, token_file, url }) =>
    Effect.gen(function*() {
      const { serveMcp } = yield* Effect.promise(() => import("./serveMcp.js"))
      const file = orUndefined(token_file)
      const secret = Option.isSome(token)
        ? Redacted.value(token.value)
        : file === undefined
        ? undefined
        : yield* readToken(file)
      const address = orUndefined(url)
      yield* serveMcp({
        url: address ?? localRelay,
        token: secret,
        mayStart: address === undefined && !no_start,
        version
      })
    }))
