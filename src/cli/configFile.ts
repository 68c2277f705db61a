/**
 * configFile: reads settings that are not flags: from `AI_RELAY_*` variables, then from one JSON file.
 *
 * The file is `--config FILE`, or `AI_RELAY_CONFIG`, or `ai-relay/config.json` in the user's configuration folder if it
 * exists. An unknown name in it is an error, so a misspelled setting cannot silently have no effect.
 */
import { ConfigProvider, Effect, FileSystem, Schema } from "effect"
import { join } from "node:path"
import { fromHome } from "../services/fromHome.js"
import { ownFolder } from "./home.js"
import { settings } from "./options.js"

export class BadConfigFile extends Schema.TaggedError<BadConfigFile>()("BadConfigFile", {
  file: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `the configuration file ${this.file} ${this.problem}`
  }
}

const Fields = Schema.Record(
  Schema.String,
  Schema.Union([Schema.String, Schema.Number, Schema.Boolean, Schema.Array(Schema.String)])
)
const names = settings.map(({ name }) => name)
const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Fields))

/** The value of `--config` in the arguments. */
const named = (args: ReadonlyArray<string>): string | undefined => {
  const index = args.findIndex((arg) => arg === "--config" || arg.startsWith("--config="))
  const flag = args[index]
  return flag === undefined
    ? undefined
    : flag.includes("=")
    ? flag.slice(flag.indexOf("=") + 1)
    : args[index + 1]
}

type Variables = Readonly<Record<string, string | undefined>>

/** The file that `--config` or `AI_RELAY_CONFIG` names. */
export const namedFile = (args: ReadonlyArray<string>, env: Variables): string | undefined => {
  const file = named(args) ?? env["AI_RELAY_CONFIG"]
  return file === undefined ? undefined : fromHome(file)
}

/** Where the file is that is read if none is named. */
export const configFolder = (env: Variables): string => join(ownFolder("XDG_CONFIG_HOME", env), "ai-relay")

const read = Effect.fn("configFile.read")(function*(file: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    files.readFileString(file),
    () => new BadConfigFile({ file, problem: "cannot be read: check the path and its permissions" })
  )
  const fields = yield* Effect.mapError(
    decode(text),
    () =>
      new BadConfigFile({
        file,
        problem: "must be one JSON object of settings, such as {\"port\": 9000, \"root\": [\"/srv\"]}"
      })
  )
  const unknown = Object.keys(fields).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    return yield* new BadConfigFile({
      file,
      problem: `has an unknown setting "${unknown}": use ${names.join(", ")}`
    })
  }
  return ConfigProvider.fromUnknown(fields)
})

const variablesOf = (env: Variables) =>
  ConfigProvider.fromEnvRecord({ ...env }).pipe(
    ConfigProvider.nested("AI_RELAY"),
    ConfigProvider.constantCase
  )

/** A ConfigProvider over variables and the file. Fails if the file is unreadable, no object, or has unknown names. */
export const settingsProvider = Effect.fn("settingsProvider")(function*(
  args: ReadonlyArray<string>,
  env: Variables
) {
  const files = yield* FileSystem.FileSystem
  const variables = variablesOf(env)
  const asked = namedFile(args, env)
  if (asked !== undefined) return yield* withFile(asked, variables)
  const standard = join(configFolder(env), "config.json")
  return (yield* Effect.orElseSucceed(files.exists(standard), () => false))
    ? yield* withFile(standard, variables)
    : variables
})

const withFile = (file: string, variables: ConfigProvider.ConfigProvider) =>
  Effect.map(read(file), (settings) => ConfigProvider.orElse(variables, settings))
