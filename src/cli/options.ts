/**
 * options: flags of the server commands. Each is also a variable `AI_RELAY_NAME`, and a field `name` of the
 * configuration file; the flag wins over the variable, the variable over the file.
 */
import { Config, Effect, Option, Schema, SchemaGetter } from "effect"
import { CliError, type Command, Flag } from "effect/cli"
import { join } from "node:path"
import { type FrontName, frontNames } from "../schema/routes.js"
import { serverDefaults } from "../server/ServerConfig.js"
import { badEntry } from "../services/access/TrustedProxies.js"
import { parseRule } from "../services/budget/Budgets.js"
import { configProblem } from "../services/configProblem.js"
import { fromHome } from "../services/fromHome.js"
import { targetOf } from "../services/notify/messages.js"
import { defaults } from "../services/RelayConfig.js"
import { ownFolder } from "./home.js"
import { readPrices } from "./readPrices.js"

/** A setting, for people. */
export interface Setting {
  /** As variables (in capitals) and the configuration file spell it. */
  readonly name: string
  readonly flag: string
  readonly value: string
  readonly about: string
  /** The lab would not act on it and refuses it: what to do instead. Absent: it is as for one relay. */
  readonly lab?: string
}

/** What the lab says of settings that are one relay's. */
const lab = {
  users:
    "the lab's users have tokens of their own: set LAB_TOKENS_FILE, LAB_JWT_SECRET, LAB_JWT_JWKS or LAB_USER_HEADER",
  tls: "the lab speaks no TLS itself: put a proxy that does before it (docs/behind-a-proxy.md)",
  state: "each user's relay keeps its state in the user's folder: set LAB_WORKSPACE_ROOT"
}

/** Every setting there is, in the order the help lists them. */
export const settings: Array<Setting> = []

const flagOf = (name: string, value: string, about: string, lab?: string): string => {
  const flag = name.replaceAll("_", "-")
  settings.push({ name, flag: `--${flag}`, value, about, ...(lab !== undefined && { lab }) })
  return flag
}

/** No shell has read a variable, or what stands in the configuration file. */
const pathIn = (value: string) => value === "FILE" || value === "FOLDER" ? fromHome : (given: string) => given

const text = (name: string, value: string, about: string, lab?: string) =>
  Flag.String(flagOf(name, value, about, lab)).pipe(
    Flag.withFallbackConfig(Config.NonEmptyString(name)),
    Flag.map(pathIn(value))
  )

const amount = (name: string, about: string, standard: number) =>
  Flag.Int(flagOf(name, "NUMBER", `${about} (${standard})`)).pipe(
    Flag.withFallbackConfig(Config.Int(name)),
    Flag.withDefault(standard)
  )

const invalid = (error: Config.ConfigError) => {
  const { name, problem } = configProblem(error)
  return new CliError.InvalidValue({
    option: name.replaceAll("_", "-"),
    value: "config",
    expected: problem,
    kind: "flag"
  })
}

/** A flag's value that is of the right type and yet cannot be taken. */
const refused = (option: string, value: string, expected: string) =>
  new CliError.InvalidValue({ option, value, expected, kind: "flag" })

/** A flag without a value. */
const flag = (name: string, about: string, lab?: string) =>
  Flag.Boolean(flagOf(name, "", about, lab)).pipe(
    Flag.withoutNegation,
    Flag.withFallbackConfig(Config.Boolean(name)),
    Flag.withDefault(false)
  )

/** A repeatable flag; as a variable, separated by commas. */
const list = (name: string, value: string, about: string, standard: ReadonlyArray<string> = []) => {
  const configured = Config.Array(Schema.Trim.check(Schema.isNonEmpty()), name).pipe(
    Config.withDefault(standard)
  )
  return Flag.String(flagOf(name, value, `${about}; repeatable`)).pipe(
    Flag.atLeast(0),
    Flag.mapEffect((given) =>
      given.length > 0 ? Effect.succeed<ReadonlyArray<string>>(given) : Effect.mapError(configured, invalid)
    ),
    Flag.map((given) => given.map(pathIn(value)))
  )
}

const standard = defaults()

export const standardStateDir = (): string => join(ownFolder("XDG_STATE_HOME"), "ai-relay")
/** The words for levels; in a variable in any case, and as earlier versions took them. */
const logLevels = { debug: "Debug", info: "Info", warning: "Warn", error: "Error", none: "None" } as const
type LogLevelName = keyof typeof logLevels
const logLevelNames = ["debug", "info", "warning", "error", "none"] as const
const otherLogLevels: Readonly<Record<string, LogLevelName>> = {
  all: "debug",
  trace: "debug",
  warn: "warning",
  fatal: "error",
  off: "none"
}
const configuredLogLevel = (name: string) =>
  Config.schema(
    Schema.Trim.pipe(
      Schema.decodeTo(Schema.Literals(logLevelNames), {
        // What no level is called is refused by the list of them.
        decode: SchemaGetter.transform((word) =>
          (otherLogLevels[word.toLowerCase()] ?? word.toLowerCase()) as LogLevelName
        ),
        encode: SchemaGetter.transform((word) => word)
      })
    ),
    name
  )
const isFront = (name: string): name is FrontName => frontNames.some((known) => known === name)

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text

const isTimeZone = (zone: string): boolean => {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }))
  } catch {
    return false
  }
}

const common = {
  host: text("host", "ADDRESS", `Address to listen on (${serverDefaults.host})`).pipe(
    Flag.withDefault(serverDefaults.host)
  ),
  token: Flag.Redacted(flagOf("token", "TOKEN", "Access token that clients must send", lab.users))
    .pipe(
      Flag.withFallbackConfig(Config.Redacted("token")),
      Flag.optional
    ),
  token_file: text(
    "token_file",
    "FILE",
    "File that holds it (generated on first start, in the state folder)",
    lab.users
  )
    .pipe(Flag.optional),
  auth: Flag.Literals(
    flagOf(
      "auth",
      "WHO",
      "Who needs the token: remote (other machines) or always (everybody) (remote; always with a token, a name or a proxy of "
        + "yours, in a container, and for serve)",
      lab.users
    ),
    ["remote", "always"]
  ).pipe(
    Flag.withFallbackConfig(Config.Literals(["remote", "always"], "auth")),
    Flag.optional
  ),
  no_auth: flag(
    "no_auth",
    "Nobody needs a token: whoever reaches the port can run anything as this user",
    lab.users
  ),
  tls_cert: text("tls_cert", "FILE", "Certificate (PEM): then it speaks TLS, wss:// and https://", lab.tls)
    .pipe(
      Flag.optional
    ),
  tls_key: text("tls_key", "FILE", "Key of the certificate (PEM), without a password", lab.tls).pipe(
    Flag.optional
  ),
  allow_origin: list("allow_origin", "ORIGIN", "Web page that may connect, such as https://app.example.com"),
  allow_host: list("allow_host", "NAME", "Additional hostname of this relay"),
  trusted_proxy: list(
    "trusted_proxy",
    "CIDR",
    "Address or network of a proxy that is believed about where requests come from"
  ).pipe(Flag.mapEffect((entries) => {
    const value = badEntry(entries)
    return value === undefined ? Effect.succeed(entries) : Effect.fail(
      new CliError.InvalidValue({
        option: "trusted-proxy",
        value,
        expected: "addresses, such as 10.0.0.7, or networks, such as 10.0.0.0/24",
        kind: "flag"
      })
    )
  })),
  roots: list(
    "root",
    "FOLDER",
    "Sessions may work in it and below (here and the home folder, but never /)",
    standard.roots
  ),
  tools: Flag.map(
    list("tools", "NAME", "Allow only these agents (all)"),
    (names) => names.flatMap((name) => name.split(","))
  ),
  acp_registry: text("acp_registry", "FILE", "Further agents that speak ACP, as its registry lists them")
    .pipe(
      Flag.optional
    ),
  no_extra_args: flag(
    "no_extra_args",
    "Clients may give agents no arguments: no `extra_args`, and no `config` for Codex"
  ),
  no_command: flag("no_command", "Clients may name no program (`command`) but those of --allow-program"),
  allow_native_requests: flag(
    "allow_native_requests",
    "Clients may send any request of an agent's own protocol: it can then do whatever this user can"
  ),
  policy: text("policy", "FILE", "Rules on what agents may do unasked, and what not at all").pipe(
    Flag.optional
  ),
  permission_modes: Flag.map(
    list("permission_modes", "NAME", "Permission mode a session may be in, then only these (all)"),
    (names) => names.flatMap((name) => name.split(","))
  ),
  sandbox: flag(
    "sandbox",
    "Start every agent in bubblewrap (Linux): only the session's folder and the agent's own files are writable"
  ),
  sandbox_read: list("sandbox_read", "FOLDER", "Folder that agents in the sandbox may also read"),
  sandbox_write: list("sandbox_write", "FOLDER", "Folder that agents in the sandbox may also write to"),
  pass_env: list(
    "pass_env",
    "NAME",
    "Further variable of the relay that agents get, such as AWS_*; * for all"
  ),
  allow_env: list(
    "allow_env",
    "NAME",
    "Further variable a handshake may set, such as MY_*: it must load nothing and send nothing elsewhere"
  ),
  allow_programs: list(
    "allow_program",
    "NAME",
    "Program a terminal may run, then only these; also as `tool`; * for any"
  ),
  cortex_hosts: list(
    "cortex_host",
    "HOST[:PORT]",
    "Host besides *.snowflakecomputing.com to talk to; loopback may be plain http"
  ),
  cortex_token_env: list(
    "cortex_token_env",
    "NAME",
    "Variable besides SNOWFLAKE_PAT that holds a Snowflake token"
  ),
  notify: list(
    "notify",
    "URL",
    "Who is called when a session waits and nobody looks: a webhook, or ntfy:https://ntfy.sh/TOPIC"
  ).pipe(Flag.mapEffect((entries) => {
    const value = entries.find((entry) => targetOf(entry) === undefined)
    return value === undefined
      ? Effect.succeed(entries)
      : Effect.fail(refused("notify", value, "https://… for a webhook, or ntfy:https://ntfy.sh/TOPIC"))
  })),
  notify_link: Flag.map(
    Flag.optional(
      text("notify_link", "URL", "Where people reach this relay's page: notifications link to it")
    ),
    Option.getOrUndefined
  ),
  allow_push_service: list(
    "allow_push_service",
    "ORIGIN",
    "Push service at a private address, or without TLS, that browsers may name; public ones need none"
  ).pipe(Flag.mapEffect((entries) => {
    const value = entries.find((entry) => !isOrigin(entry))
    return value === undefined
      ? Effect.succeed(entries)
      : Effect.fail(refused("allow-push-service", value, "an origin, such as https://push.example.com"))
  })),
  permission_timeout: amount(
    "permission_timeout",
    "Seconds a permission waits for a person",
    standard.permission_timeout
  ),
  interrupt_timeout: amount(
    "interrupt_timeout",
    "Seconds an agent may take to stop a turn",
    standard.interrupt_timeout
  ),
  linger: amount("linger", "Seconds a named session lives on without a client and work", standard.linger),
  max_linger: amount("max_linger", "Seconds a client may ask for as `linger`", standard.max_linger),
  drivers: Flag.Literals(
    flagOf(
      "drivers",
      "WHO",
      "Who may give a session commands: many (every client), or one at a time, the others watch (many)"
    ),
    ["many", "one"]
  ).pipe(
    Flag.withFallbackConfig(Config.Literals(["many", "one"], "drivers")),
    Flag.withDefault(standard.drivers)
  ),
  take_over_timeout: amount(
    "take_over_timeout",
    "Seconds the driver has to answer before a take-over happens",
    standard.take_over_timeout
  ),
  drain: amount(
    "drain",
    "Seconds running turns may go on when the relay is told to stop",
    serverDefaults.drain
  ),
  max_sessions: amount("max_sessions", "Live sessions", standard.max_sessions),
  max_sessions_per_sender: amount(
    "max_sessions_per_sender",
    "Live sessions begun by one other machine, or one token",
    standard.max_sessions_per_sender
  ),
  max_queued: amount("max_queued", "Prompts that may wait behind a running turn", standard.max_queued),
  max_queued_bytes: amount(
    "max_queued_bytes",
    "Bytes of prompts and commands that may wait in a session",
    standard.max_queued_bytes
  ),
  max_connections: amount("max_connections", "Connections in all", serverDefaults.max_connections),
  max_connections_per_peer: amount(
    "max_connections_per_peer",
    "Connections from one other machine",
    serverDefaults.max_connections_per_peer
  ),
  fronts: list(
    "fronts",
    "NAME",
    `Foreign protocols that are served: ${frontNames.join(", ")}, or none (${
      serverDefaults.fronts.join(", ")
    })`,
    serverDefaults.fronts
  ).pipe(Flag.mapEffect((given) => {
    const names = given.flatMap((name) => name.split(",")).filter((name) => name !== "none")
    const unknown = names.find((name) => !isFront(name))
    return unknown === undefined
      ? Effect.succeed(names.filter(isFront))
      : Effect.fail(refused("fronts", unknown, `some of ${frontNames.join(", ")}, or none`))
  })),
  handshake_timeout: amount(
    "handshake_timeout",
    "Seconds a client may take for its handshake",
    serverDefaults.handshake_timeout
  ),
  max_handshake_bytes: amount(
    "max_handshake_bytes",
    "Bytes a handshake may have",
    serverDefaults.max_handshake_bytes
  ),
  max_frame_bytes: amount(
    "max_frame_bytes",
    "Bytes any later frame may have",
    serverDefaults.max_frame_bytes
  ),
  max_json_depth: amount("max_json_depth", "Levels of nesting in a frame", serverDefaults.max_json_depth),
  max_json_values: amount(
    "max_json_values",
    "Fields and items of lists in a frame",
    serverDefaults.max_json_values
  ),
  max_unfinished_bytes: amount(
    "max_unfinished_bytes",
    "Bytes of frames that are not whole yet, over all connections",
    serverDefaults.max_unfinished_bytes
  ),
  max_unsent_bytes: amount(
    "max_unsent_bytes",
    "Bytes a client may leave unread before it waits for the log",
    serverDefaults.max_unsent_bytes
  ),
  retain_bytes: amount(
    "retain_bytes",
    "Bytes of events in memory per session, while they are not on disk",
    standard.retain_bytes
  ),
  state_dir: text("state_dir", "FOLDER", "Where sessions are kept (~/.local/state/ai-relay)", lab.state).pipe(
    Flag.withDefault(standardStateDir())
  ),
  no_state: flag("no_state", "Keep nothing on disk: sessions end with the relay", lab.state),
  journal_bytes: amount("journal_bytes", "Bytes of events kept per session", standard.journal_bytes),
  journal_total_bytes: amount(
    "journal_total_bytes",
    "Bytes kept of all sessions; those used least recently go first",
    standard.journal_total_bytes
  ),
  max_kept_sessions: amount(
    "max_kept_sessions",
    "Sessions kept; those used least recently go first",
    standard.max_kept_sessions
  ),
  journal_events: amount("journal_events", "Events kept per session", standard.journal_events),
  journal_days: amount("journal_days", "Days an unused session is kept", standard.journal_days),
  no_native_sessions: flag(
    "no_native_sessions",
    "Do not list or show conversations that agents had in a terminal"
  ),
  no_checkpoints: flag(
    "no_checkpoints",
    "Do not keep the files of a session's folder before each turn, to set them back to"
  ),
  record: text("record", "FOLDER", "Write every session's transcript there, secrets redacted").pipe(
    Flag.optional
  ),
  budgets: list(
    "budget",
    "SCOPE.UNIT=NUMBER",
    "What may be used, such as day.cost_usd=20 or session.tokens=2000000 (docs/budgets.md)"
  ).pipe(Flag.mapEffect((texts) =>
    Effect.forEach(texts, (text) => {
      const rule = parseRule(text)
      return typeof rule === "string"
        ? Effect.fail(refused("budget", text, rule))
        : Effect.succeed(rule)
    })
  )),
  budget_at_cap: Flag.Literals(
    flagOf("budget_at_cap", "WHAT", "When a budget is used up: ask, stop the turn, or end the session (ask)"),
    ["ask", "stop", "end"]
  ).pipe(
    Flag.withFallbackConfig(Config.Literals(["ask", "stop", "end"], "budget_at_cap")),
    Flag.withDefault("ask" as const)
  ),
  budget_warn_pct: amount(
    "budget_warn_pct",
    "Per cent of a budget from which clients are warned",
    standard.budget_warn_pct
  ),
  budget_time_zone: text(
    "budget_time_zone",
    "ZONE",
    "Whose midnight ends a day, such as Europe/Berlin (this machine's)"
  )
    .pipe(
      Flag.mapEffect((zone) =>
        isTimeZone(zone)
          ? Effect.succeed(zone)
          : Effect.fail(refused("budget-time-zone", zone, "a time zone such as Europe/Berlin"))
      ),
      Flag.withDefault(undefined)
    ),
  prices: text(
    "prices",
    "FILE",
    "JSON file: what models' tokens cost, where agents do not tell (docs/budgets.md)"
  ).pipe(
    Flag.mapEffect((file) =>
      Effect.mapError(readPrices(file), (problem) => refused("prices", file, problem))
    ),
    Flag.withDefault(standard.prices)
  ),
  log_level: Flag.Literals(
    flagOf("log_level", "LEVEL", "debug, info, warning, error or none (info)"),
    logLevelNames
  ).pipe(
    Flag.withFallbackConfig(configuredLogLevel("log_level")),
    Flag.withDefault("info" as const),
    Flag.map((name) => logLevels[name])
  ),
  log_format: Flag.Literals(flagOf("log_format", "FORMAT", "text, or json: an object per line (text)"), [
    "text",
    "json"
  ]).pipe(
    Flag.withFallbackConfig(Config.Literals(["text", "json"], "log_format")),
    Flag.withDefault("text" as const)
  ),
  // Read before all others, by configFile.ts.
  config: Flag.String("config").pipe(Flag.optional)
}

/** Beyond it there is none. */
const lastPort = 65_535
const aPort = Flag.mapEffect((port: number) =>
  port >= 0 && port <= lastPort
    ? Effect.succeed(port)
    : Effect.fail(refused("port", String(port), `a number from 0 to ${lastPort}`))
)
const ports = amount("port", "Port to listen on; 0 takes a free one", serverDefaults.port).pipe(aPort)
const servePort = Flag.Int("port").pipe(
  Flag.withFallbackConfig(Config.Int("port")),
  Flag.withDefault(9000),
  aPort
)

/** The options of `ai-relay`, and of `ai-relay serve`, which differ in the port alone. */
export const relayOptions = { ...common, port: ports }
export const serveOptions = { ...common, port: servePort }
export type ServeFlags = Command.Command.Config.Infer<typeof serveOptions>

export const orUndefined = <A>(option: Option.Option<A>): A | undefined => Option.getOrUndefined(option)
