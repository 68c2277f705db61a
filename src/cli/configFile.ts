/**
 * configFile: reads settings that are not flags: from `AI_RELAY_*` variables, then from one JSON file.
 *
 * The file is `--config FILE`, or `AI_RELAY_CONFIG`, or `ai-relay/config.json` in the user's configuration folder if it
 * exists. An unknown name in it is an error, so a misspelled setting cannot silently have no effect.
 */
import { ConfigProvider, Effect, FileSystem, Result, Schema } from "effect"
import { join } from "node:path"
import { parseJson } from "../schema/jsonFile.js"
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

const names = settings.map(({ name }) => name)
const isValue = Schema.is(
  Schema.Union([Schema.String, Schema.Number, Schema.Boolean, Schema.Array(Schema.String)])
)
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const example = "{\"port\": 9000, \"root\": [\"/srv\"]}"

/** What is wrong with the text; its fields if nothing is. Nothing in it is quoted: it may hold a token. */
const parse = (text: string): { readonly problem: string } | { readonly fields: object } => {
  const parsed = parseJson(text)
  if (Result.isFailure(parsed)) {
    return { problem: `${parsed.failure}: write ${example}, without comments and trailing commas` }
  }
  const fields = parsed.success
  if (!isObject(fields)) return { problem: `must be one JSON object of settings, such as ${example}` }
  const unknown = Object.keys(fields).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const spelled = unknown.toLowerCase().replace(/^(?:--|ai_relay_)/, "").replaceAll("-", "_")
    const known = names.includes(spelled) ? `write "${spelled}"` : `use ${names.join(", ")}`
    return { problem: `has an unknown setting "${unknown}": ${known}` }
  }
  const [unfit] = Object.entries(fields).find(([, value]) => !isValue(value)) ?? []
  return unfit === undefined
    ? { fields }
    : { problem: `has a bad value for "${unfit}": write a text, a number, true, false or a list of texts` }
}

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
  const parsed = parse(text)
  if ("problem" in parsed) return yield* new BadConfigFile({ file, problem: parsed.problem })
  return ConfigProvider.fromUnknown(parsed.fields)
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
  if (asked === "" || asked?.startsWith("-")) {
    return yield* new BadConfigFile({ file: asked, problem: "is not a file's name: write --config FILE" })
  }
  if (asked !== undefined) return yield* withFile(asked, variables)
  const standard = join(configFolder(env), "config.json")
  return (yield* Effect.orElseSucceed(files.exists(standard), () => false))
    ? yield* withFile(standard, variables)
    : variables
})

const withFile = (file: string, variables: ConfigProvider.ConfigProvider) =>
  Effect.map(read(file), (settings) => ConfigProvider.orElse(variables, settings))
