/**
 * LabConfig: the lab's settings from its variables. Invalid values and combinations are refused by name.
 */
import { Config, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { readFileSync } from "node:fs"
import { isLoopbackHost } from "../services/access/peers.js"
import { configProblem } from "../services/configProblem.js"
import { labSettings, sizeIn, variables } from "./labVariables.js"

/** A setting's value cannot be used. */
export class BadLabSetting extends Schema.TaggedError<BadLabSetting>()("BadLabSetting", {
  name: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.name} ${this.problem}`
  }
}

export interface LabSettings {
  /** `single`: every user's relay runs in this process. `multi`: each in a container of its own. */
  readonly mode: "single" | "multi"
  readonly engine: "docker" | "swarm"
  readonly workspace_root: string
  readonly image: string
  readonly network: string
  readonly container_port: number
  readonly container_user: string
  readonly container_home: string
  /** Longest pause between two probes of a starting relay, in seconds. */
  readonly startup_delay: number
  /** How long a relay may take to become reachable, in seconds. */
  readonly ws_timeout: number
  /** Time without a client and a running turn after which a relay is stopped, in seconds; 0 means never. */
  readonly idle_timeout: number
  readonly memory_bytes: number
  readonly cpus: number
  readonly pids: number
  /** Variables passed on to the users' relays. */
  readonly env: Readonly<Record<string, string>>
  readonly tokens_file: Option.Option<string>
  readonly jwt_secret: Option.Option<Redacted.Redacted>
  /** Files with the secrets that let users in; hidden from agents. */
  readonly secret_files: ReadonlyArray<string>
  readonly jwt_jwks: Option.Option<URL>
  readonly jwt_issuer: Option.Option<string>
  readonly jwt_audience: Option.Option<string>
  readonly jwt_claim: string
  readonly user_header: Option.Option<string>
  readonly trusted_proxies: ReadonlyArray<string>
}

/** Names the variable and what it should be. */
const explain = (error: Config.ConfigError): BadLabSetting => {
  const { name, problem } = configProblem(error)
  const [, words] = /^Expected ((?:"[^"]*"(?: \| )?)+)$/.exec(problem) ?? []
  return new BadLabSetting({
    name,
    problem: words === undefined ? problem : `must be ${words.replaceAll("\"", "").split(" | ").join(" or ")}`
  })
}

const readSecret = (file: string) =>
  Effect.try({
    try: () => Redacted.make(readFileSync(file, "utf8").trim()),
    catch: () =>
      new BadLabSetting({ name: "LAB_JWT_SECRET_FILE", problem: `names ${file}, which cannot be read` })
  })

/** Settings that only work together with others. */
const needs: ReadonlyArray<
  readonly [names: ReadonlyArray<string>, isUsed: (settings: LabSettings) => boolean, why: string]
> = [
  [
    [
      "LAB_ENGINE",
      "LAB_IMAGE",
      "LAB_NETWORK",
      "LAB_CONTAINER_PORT",
      "LAB_CONTAINER_USER",
      "LAB_CONTAINER_HOME",
      "LAB_CONTAINER_STARTUP_DELAY",
      "LAB_CONTAINER_MEMORY",
      "LAB_CONTAINER_CPUS",
      "LAB_CONTAINER_PIDS",
      "LAB_CONTAINER_ENV"
    ],
    ({ mode }) => mode === "multi",
    "applies to containers, which LAB_MODE=single does not have: leave it out, or set LAB_MODE=multi"
  ],
  [
    ["LAB_JWT_ISSUER", "LAB_JWT_AUDIENCE", "LAB_JWT_CLAIM"],
    ({ jwt_jwks, jwt_secret }) => Option.isSome(jwt_jwks) || Option.isSome(jwt_secret),
    "applies to signed tokens, but there is no key to verify them: set LAB_JWT_SECRET or LAB_JWT_JWKS, or leave it out"
  ]
]

/** A variable without effect in this lab must not look as if it had one. */
export const ignoredVariable = (
  settings: LabSettings,
  given: ReadonlyArray<string>
): BadLabSetting | undefined => {
  const known = labSettings.map(({ name }) => name)
  const stranger = given.find((name) => !known.includes(name))
  if (stranger !== undefined) {
    return new BadLabSetting({
      name: stranger,
      problem: `is not a setting of the lab: leave it out, or use one of ${known.join(", ")}`
    })
  }
  for (const [names, isUsed, problem] of needs) {
    const name = given.find((name) => names.includes(name))
    if (name !== undefined && !isUsed(settings)) return new BadLabSetting({ name, problem })
  }
  return given.includes("LAB_JWT_SECRET") && given.includes("LAB_JWT_SECRET_FILE")
    ? new BadLabSetting({
      name: "LAB_JWT_SECRET",
      problem: "and LAB_JWT_SECRET_FILE are both set: leave one out"
    })
    : undefined
}

/** Warnings for the operator about these settings. */
export const warningsOf = (
  { jwt_audience, jwt_issuer, jwt_jwks, jwt_secret }: LabSettings
): ReadonlyArray<string> => [
  ...(Option.isSome(jwt_jwks) || Option.isSome(jwt_secret)) && Option.isNone(jwt_audience)
    ? [
      "LAB_JWT_AUDIENCE is not set: tokens that the same issuer creates for other applications are accepted here, "
      + "too. Set it to the name the issuer calls this lab by."
    ]
    : [],
  ...Option.isSome(jwt_jwks) && Option.isNone(jwt_issuer)
    ? [
      "LAB_JWT_ISSUER is not set: set it to the `iss` of the tokens, so that no other issuer's are accepted."
    ]
    : []
]

const check = (settings: LabSettings): BadLabSetting | undefined => {
  const { jwt_jwks, jwt_secret, network, tokens_file, trusted_proxies, user_header } = settings
  if (/^(?:host|none|container:.*)$/.test(network)) {
    return new BadLabSetting({
      name: "LAB_NETWORK",
      problem:
        `cannot be ${network}: users' containers need addresses of their own. Name a network that the lab may create`
    })
  }
  if (Option.isSome(user_header) && trusted_proxies.length === 0) {
    return new BadLabSetting({
      name: "LAB_USER_HEADER",
      problem: "is trusted only from the proxies in LAB_TRUSTED_PROXIES: set both"
    })
  }
  if (Option.isSome(jwt_secret) && Redacted.value(jwt_secret.value).length < 32) {
    return new BadLabSetting({
      name: "LAB_JWT_SECRET",
      problem: "must have at least 32 characters, or tokens could be forged by guessing it"
    })
  }
  const keys = Option.getOrUndefined(jwt_jwks)
  if (keys !== undefined && keys.protocol !== "https:" && !isLoopbackHost(keys.host)) {
    return new BadLabSetting({
      name: "LAB_JWT_JWKS",
      problem:
        "must begin with https://: anyone who can change what comes over http:// can forge every user's token"
    })
  }
  const sources: ReadonlyArray<Option.Option<unknown>> = [jwt_jwks, jwt_secret, tokens_file, user_header]
  return sources.some(Option.isSome) ? undefined : new BadLabSetting({
    name: "LAB_TOKENS_FILE",
    problem:
      "is not set, nor is LAB_JWT_SECRET, LAB_JWT_SECRET_FILE, LAB_JWT_JWKS or LAB_USER_HEADER: set one of them, "
      + "because the lab must know who its users are"
  })
}

/** The settings, read from the variables. */
export const read = Effect.gen(function*() {
  const { container_home, env_names, jwt_secret_file, memory, ...found } = yield* Effect.mapError(
    variables,
    explain
  )
  const env = yield* Effect.forEach(env_names, (name) =>
    Effect.mapBoth(Config.String(name), {
      onSuccess: (value) => [name, value] as const,
      onFailure: () =>
        new BadLabSetting({ name: "LAB_CONTAINER_ENV", problem: `names ${name}, which is not set` })
    }))
  const jwt_secret = Option.isSome(jwt_secret_file)
    ? Option.some(yield* readSecret(jwt_secret_file.value))
    : found.jwt_secret
  const settings: LabSettings = {
    ...found,
    jwt_secret,
    secret_files: [...Option.toArray(jwt_secret_file), ...Option.toArray(found.tokens_file)],
    memory_bytes: sizeIn(memory) ?? 0,
    container_home: Option.getOrElse(container_home, () => `/home/${found.container_user.split(":", 1)}`),
    env: Object.fromEntries(env)
  }
  const bad = check(settings)
  if (bad !== undefined) return yield* bad
  for (const warning of warningsOf(settings)) yield* Effect.logWarning(warning)
  return settings
})

export class LabConfig extends Context.Service<LabConfig, LabSettings>()("ai-relay/lab/LabConfig") {
  static readonly layer = Layer.effect(this, read)
}
