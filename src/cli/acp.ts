/**
 * acp: `ai-relay acp --tool codex` is an agent for editors that speak the Agent Client Protocol, over stdin and stdout.
 *
 * Its sessions live in a relay: the one at `--url`, or one on this machine, which is started if none is running. They
 * outlive the editor. The code is loaded when the command runs.
 */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { CommandError, frontOptions, relayOf } from "./clientOptions.js"
import { orUndefined } from "./options.js"

const options = {
  tool: Flag.String("tool").pipe(Flag.optional),
  model: Flag.String("model").pipe(Flag.optional),
  permission_mode: Flag.String("permission-mode").pipe(Flag.optional),
  ...frontOptions,
  map: Flag.String("map").pipe(Flag.atLeast(0))
}

export const acp = (version: string) =>
  Command.make(
    "acp",
    options,
    ({ map, model, permission_mode, tool, ...given }) =>
      Effect.gen(function*() {
        const [{ serveAcp }, PathMap] = yield* Effect.promise(() =>
          Promise.all([import("./serveAcp.js"), import("../fronts/acp/PathMap.js")])
        )
        const mappings = map.map((text) => [text, PathMap.parse(text)] as const)
        const bad = mappings.find(([, mapping]) => mapping === undefined)
        if (bad !== undefined) {
          return yield* new CommandError({
            reason: `--map ${bad[0]} is not valid: write --map /local=/remote`
          })
        }
        const defaults = { model: orUndefined(model), permission_mode: orUndefined(permission_mode) }
        yield* serveAcp({
          ...(yield* relayOf(given)),
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
