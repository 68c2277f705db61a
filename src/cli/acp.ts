/**
 * acp: `ai-relay acp --tool codex` is an agent for editors that speak the Agent Client Protocol, over stdin and stdout.
 *
 * The sessions live in a relay: the one `--url` names, or this machine's, which is started if none runs. When the editor
 * is gone they go on. What it takes is loaded when it is run.
 */
import { Config, Effect, Option, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { CommandError, localRelay, readToken } from "./clientOptions.js"
import { orUndefined } from "./options.js"

const options = {
  tool: Flag.String("tool").pipe(Flag.optional),
  model: Flag.String("model").pipe(Flag.optional),
  permission_mode: Flag.String("permission-mode").pipe(Flag.optional),
  url: Flag.String("url").pipe(Flag.withFallbackConfig(Config.NonEmptyString("url")), Flag.optional),
  token: Flag.Redacted("token").pipe(Flag.withFallbackConfig(Config.Redacted("token")), Flag.optional),
  token_file: Flag.String("token-file").pipe(
    Flag.withFallbackConfig(Config.NonEmptyString("token_file")),
    Flag.optional
  ),
  map: Flag.String("map").pipe(Flag.atLeast(0)),
  no_start: Flag.Boolean("no-start").pipe(Flag.withoutNegation, Flag.withDefault(false)),
  config: Flag.String("config").pipe(Flag.optional)
}

export const acp = (version: string) =>
  Command.make(
    "acp",
    options,
    ({ map, model, no_start, permission_mode, token, token_file, tool, url }) =>
      Effect.gen(function*() {
        const [{ serveAcp }, PathMap] = yield* Effect.promise(() =>
          Promise.all([import("./serveAcp.js"), import("../fronts/acp/PathMap.js")])
        )
        const mappings = map.map((text) => [text, PathMap.parse(text)] as const)
        const bad = mappings.find(([, mapping]) => mapping === undefined)
        if (bad !== undefined) {
          return yield* new CommandError({
            reason: `--map ${bad[0]} is not understood: write --map /local=/remote`
          })
        }
        const file = orUndefined(token_file)
        const secret = Option.isSome(token)
          ? Redacted.value(token.value)
          : file === undefined
          ? undefined
          : yield* readToken(file)
        const address = orUndefined(url)
        const defaults = { model: orUndefined(model), permission_mode: orUndefined(permission_mode) }
        yield* serveAcp({
          url: address ?? localRelay,
          token: secret,
          // What was named runs elsewhere, or is somebody's own affair.
          mayStart: address === undefined && !no_start,
          tool: orUndefined(tool),
          version,
          paths: PathMap.make(mappings.flatMap(([, mapping]) => mapping === undefined ? [] : [mapping])),
          defaults: {
            ...(defaults.model !== undefined && { model: defaults.model }),
            ...(defaults.permission_mode !== undefined && { permission_mode: defaults.permission_mode })
          }
        })
      })
  )
