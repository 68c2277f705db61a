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

/** A setting, as the help and the docs list it. */
export interface Setting {
  /** As variables (in capitals) and the configuration file spell it. */
  readonly name: string
  readonly flag: string
  readonly value: string
  readonly about: string
  /** The lab refuses this setting; the text says what to do instead. Absent: it works there too. */
  readonly lab?: string
}

/** Why the lab refuses settings that belong to a single relay. */
const lab = {
  users:
    "the lab's users have tokens of their own: set LAB_TOKENS_FILE, LAB_JWT_SECRET, LAB_JWT_JWKS or LAB_USER_HEADER",
  tls: "the lab speaks no TLS itself: put a proxy in front of it (docs/behind-a-proxy.md)",
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

/** A value of the right type that the flag does not accept. */
const refused = (option: string, value: string, expected: string) =>
  new CliError.InvalidValue({ option, value, expected, kind: "flag" })

/** Refuses a value that `isFit` does not hold for. */
export const only = <A>(flag: string, isFit: (value: A) => boolean, expected: string) =>
  Flag.mapEffect((value: A) =>
    isFit(value) ? Effect.succeed(value) : Effect.fail(refused(flag, String(value), expected))
  )

/** The same for each value of a repeatable flag. */
const each = (flag: string, isFit: (value: string) => boolean, expected: string) =>
  Flag.mapEffect((values: ReadonlyArray<string>) => {
    const unfit = values.find((value) => !isFit(value))
    return unfit === undefined ? Effect.succeed(values) : Effect.fail(refused(flag, unfit, expected))
  })

const isSaid = (value: string) => value.trim() !== ""

const text = (name: string, value: string, about: string, lab?: string) => {
  const flag = flagOf(name, value, about, lab)
  return Flag.String(flag).pipe(
    only(flag, isSaid, value),
    Flag.withFallbackConfig(Config.NonEmptyString(name)),
    Flag.map(pathIn(value))
  )
}

const amount = (name: string, about: string, standard: number, least = 0) => {
  const flag = flagOf(name, "NUMBER", `${about} (${standard})`)
  return Flag.Int(flag).pipe(
    Flag.withFallbackConfig(Config.Int(name)),
    Flag.withDefault(standard),
    only(flag, (number) => number >= least, `a number from ${least} on`)
  )
}

const invalid = (error: Config.ConfigError) => {
  const { name, problem } = configProblem(error)
  return new CliError.InvalidValue({
    option: name.replaceAll("_", "-"),
    value: "config",
    expected: problem,
    kind: "flag"
  })
}

/** A flag without a value. */
const flag = (name: string, about: string, lab?: string) =>
  Flag.Boolean(flagOf(name, "", about, lab)).pipe(
    Flag.withoutNegation,
    Flag.withFallbackConfig(Config.Boolean(name)),
    Flag.withDefault(false)
  )

/** A repeatable flag. As a variable, its values are separated by commas. */
const list = (name: string, value: string, about: string, standard: ReadonlyArray<string> = []) => {
  const configured = Config.Array(Schema.Trim.check(Schema.isNonEmpty()), name).pipe(
    Config.withDefault(standard)
  )
  const flag = flagOf(name, value, `${about}; repeatable`)
  return Flag.String(flag).pipe(
    Flag.atLeast(0),
    each(flag, isSaid, value),
    Flag.mapEffect((given) =>
      given.length > 0 ? Effect.succeed<ReadonlyArray<string>>(given) : Effect.mapError(configured, invalid)
    ),
    Flag.map((given) => given.map(pathIn(value)))
  )
}

const standard = defaults()

export const standardStateDir = (): string => join(ownFolder("XDG_STATE_HOME"), "ai-relay")
/** Log levels by name. A variable may spell them in any case, and by the names earlier versions used. */
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
        // The list of literals refuses all other words.
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

/** As browsers send it; an app's pages may have a scheme of their own, and pages without an origin send `null`. */
const isPageOrigin = (text: string): boolean =>
  isOrigin(text) || ["*", "null"].includes(text) || /^(?!https?:)[a-z][a-z\d+.-]*:\/\/[^\s/?#]+$/.test(text)

/** Of a machine, without a scheme, port or path. */
const isHostname = (text: string): boolean => /^[^\s:/?#@]+$/.test(text)
const isHost = (text: string): boolean => /^(?:[^\s:/?#@]+|\[[\da-f:]+\])(?::\d+)?$/i.test(text)

const isPage = (text: string): boolean => URL.canParse(text) && /^https?:\/\//i.test(text)

const isVariable = (text: string): boolean => /^[\w*]+$/.test(text)
const aVariable = "the name of a variable, such as MY_KEY or MY_*"

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
    "File with the access token; generated on first start, in the state folder",
    lab.users
  )
    .pipe(Flag.optional),
  auth: Flag.Literals(
    flagOf(
      "auth",
      "WHO",
      "Who needs the token: remote (other machines only) or always "
        + "(remote; always for serve, in containers, and with --token, --token-file, --allow-host or --trusted-proxy)",
      lab.users
    ),
    ["remote", "always"]
  ).pipe(
    Flag.withFallbackConfig(Config.Literals(["remote", "always"], "auth")),
    Flag.optional
  ),
  no_auth: flag(
    "no_auth",
    "Require no token: anyone who can reach the port can run anything as this user",
    lab.users
  ),
  tls_cert: text("tls_cert", "FILE", "TLS certificate (PEM), to serve wss:// and https://", lab.tls)
    .pipe(
      Flag.optional
    ),
  tls_key: text("tls_key", "FILE", "Private key of the certificate (PEM), without a passphrase", lab.tls)
    .pipe(
      Flag.optional
    ),
  allow_origin: list(
    "allow_origin",
    "ORIGIN",
    "Origin of a web page that may connect, such as https://app.example.com"
  ).pipe(each(
    "allow-origin",
    isPageOrigin,
    "an origin as browsers send it, such as https://app.example.com or http://localhost:3000, without a path"
  )),
  allow_host: list("allow_host", "NAME", "Additional hostname of this relay").pipe(
    each("allow-host", isHostname, "a hostname without a scheme or port, such as relay.example.com")
  ),
  trusted_proxy: list(
    "trusted_proxy",
    "CIDR",
    "Proxy whose X-Forwarded-For is trusted, as an address or a network"
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
    "Folder that sessions may work in, with all below it (here and the home folder, but never /)",
    standard.roots
  ),
  tools: Flag.map(
    list("tools", "NAME", "Allow only these agents (all)"),
    (names) => names.flatMap((name) => name.split(","))
  ),
  acp_registry: text("acp_registry", "FILE", "More ACP agents, in the format of the ACP registry")
    .pipe(
      Flag.optional
    ),
  no_extra_args: flag(
    "no_extra_args",
    "Refuse arguments for agents from clients: `extra_args`, and `config` for Codex"
  ),
  no_command: flag(
    "no_command",
    "Refuse programs named by clients (`command`), except those of --allow-program"
  ),
  allow_native_requests: flag(
    "allow_native_requests",
    "Let clients send any request of an agent's own protocol, and so do anything this user can"
  ),
  policy: text("policy", "FILE", "Rules for what agents may do without asking, and what they may never do")
    .pipe(
      Flag.optional
    ),
  permission_modes: Flag.map(
    list("permission_modes", "NAME", "Allow only these permission modes (all)"),
    (names) => names.flatMap((name) => name.split(","))
  ),
  sandbox: flag(
    "sandbox",
    "Run every agent in bubblewrap (Linux): it can write to the session's folder and its own files only"
  ),
  sandbox_read: list("sandbox_read", "FOLDER", "Folder that sandboxed agents may also read"),
  sandbox_write: list("sandbox_write", "FOLDER", "Folder that sandboxed agents may also write to"),
  pass_env: list(
    "pass_env",
    "NAME",
    "Environment variable that agents also inherit, such as AWS_*; * for all"
  ).pipe(each("pass-env", isVariable, aVariable)),
  allow_env: list(
    "allow_env",
    "NAME",
    "Environment variable that clients may also set, such as MY_*; do not name one that loads code or redirects data"
  ).pipe(each("allow-env", isVariable, aVariable)),
  allow_programs: list(
    "allow_program",
    "NAME",
    "Allow only these programs in terminals, also as `tool`; * for any"
  ),
  cortex_hosts: list(
    "cortex_host",
    "HOST[:PORT]",
    "Cortex host to allow besides *.snowflakecomputing.com; a loopback address may use plain HTTP"
  ).pipe(each("cortex-host", isHost, "a host without a scheme, such as proxy.example.com:8443")),
  cortex_token_env: list(
    "cortex_token_env",
    "NAME",
    "Environment variable with a Snowflake token, besides SNOWFLAKE_PAT"
  ).pipe(each("cortex-token-env", isVariable, aVariable)),
  notify: list(
    "notify",
    "URL",
    "Notify this webhook, or ntfy:https://ntfy.sh/TOPIC, when a session waits and nobody is watching"
  ).pipe(
    each(
      "notify",
      (entry) => targetOf(entry) !== undefined,
      "https://… for a webhook, or ntfy:https://ntfy.sh/TOPIC"
    )
  ),
  notify_link: Flag.map(
    Flag.optional(
      text("notify_link", "URL", "This relay's address in a browser, for links in notifications").pipe(
        only("notify-link", isPage, "an address, such as https://relay.example.com")
      )
    ),
    Option.getOrUndefined
  ),
  allow_push_service: list(
    "allow_push_service",
    "ORIGIN",
    "Push service at a private address, or without TLS, that browsers may use; public ones are always allowed"
  ).pipe(each("allow-push-service", isOrigin, "an origin, such as https://push.example.com")),
  permission_timeout: amount(
    "permission_timeout",
    "Seconds to wait for an answer to a permission request",
    standard.permission_timeout,
    1
  ),
  interrupt_timeout: amount(
    "interrupt_timeout",
    "Seconds an agent has to stop a turn",
    standard.interrupt_timeout
  ),
  linger: amount("linger", "Seconds a named session stays open without clients or work", standard.linger),
  max_linger: amount("max_linger", "Maximum seconds a client may ask for as `linger`", standard.max_linger),
  drivers: Flag.Literals(
    flagOf(
      "drivers",
      "WHO",
      "Clients that may send a session commands: many, or one at a time while the others watch (many)"
    ),
    ["many", "one"]
  ).pipe(
    Flag.withFallbackConfig(Config.Literals(["many", "one"], "drivers")),
    Flag.withDefault(standard.drivers)
  ),
  take_over_timeout: amount(
    "take_over_timeout",
    "Seconds the driver has to answer before another client takes over",
    standard.take_over_timeout
  ),
  drain: amount(
    "drain",
    "Seconds running turns have to finish when the relay is told to stop",
    serverDefaults.drain
  ),
  max_sessions: amount("max_sessions", "Maximum number of live sessions", standard.max_sessions, 1),
  max_sessions_per_sender: amount(
    "max_sessions_per_sender",
    "Maximum number of live sessions opened by one other machine, or with one token",
    standard.max_sessions_per_sender,
    1
  ),
  max_queued: amount(
    "max_queued",
    "Maximum number of prompts that may wait behind a running turn",
    standard.max_queued
  ),
  max_queued_bytes: amount(
    "max_queued_bytes",
    "Maximum bytes of prompts and commands that may wait in a session",
    standard.max_queued_bytes,
    1
  ),
  max_connections: amount(
    "max_connections",
    "Maximum number of connections",
    serverDefaults.max_connections,
    1
  ),
  max_connections_per_peer: amount(
    "max_connections_per_peer",
    "Maximum number of connections from one other machine",
    serverDefaults.max_connections_per_peer,
    1
  ),
  fronts: list(
    "fronts",
    "NAME",
    `Other protocols to serve: ${frontNames.join(", ")}, or none (${serverDefaults.fronts.join(", ")})`,
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
    "Seconds a client has to send its handshake",
    serverDefaults.handshake_timeout,
    1
  ),
  max_handshake_bytes: amount(
    "max_handshake_bytes",
    "Maximum bytes of a handshake",
    serverDefaults.max_handshake_bytes,
    1
  ),
  max_frame_bytes: amount(
    "max_frame_bytes",
    "Maximum bytes of any later frame",
    serverDefaults.max_frame_bytes,
    1
  ),
  max_json_depth: amount(
    "max_json_depth",
    "Maximum levels of nesting in a frame",
    serverDefaults.max_json_depth,
    1
  ),
  max_json_values: amount(
    "max_json_values",
    "Maximum number of fields and list items in a frame",
    serverDefaults.max_json_values,
    1
  ),
  max_unfinished_bytes: amount(
    "max_unfinished_bytes",
    "Maximum bytes of incomplete frames, over all connections",
    serverDefaults.max_unfinished_bytes,
    1
  ),
  max_unsent_bytes: amount(
    "max_unsent_bytes",
    "Bytes buffered for a client that reads slowly; what comes after stays in the log until it catches up",
    serverDefaults.max_unsent_bytes,
    1
  ),
  retain_bytes: amount(
    "retain_bytes",
    "Bytes of events kept in memory per session, while they are not on disk",
    standard.retain_bytes,
    1
  ),
  state_dir: text("state_dir", "FOLDER", "Where sessions are saved (~/.local/state/ai-relay)", lab.state)
    .pipe(
      Flag.withDefault(standardStateDir())
    ),
  no_state: flag("no_state", "Save nothing on disk: sessions end with the relay", lab.state),
  journal_bytes: amount(
    "journal_bytes",
    "Maximum bytes of events saved per session",
    standard.journal_bytes,
    1
  ),
  journal_total_bytes: amount(
    "journal_total_bytes",
    "Maximum bytes saved of all sessions; the least recently used are deleted first",
    standard.journal_total_bytes,
    1
  ),
  max_kept_sessions: amount(
    "max_kept_sessions",
    "Maximum number of sessions saved; the least recently used are deleted first",
    standard.max_kept_sessions
  ),
  journal_events: amount(
    "journal_events",
    "Maximum number of events saved per session",
    standard.journal_events,
    1
  ),
  journal_days: amount("journal_days", "Days until an unused session is deleted", standard.journal_days),
  no_native_sessions: flag(
    "no_native_sessions",
    "Do not list or show conversations held with agents in a terminal"
  ),
  no_checkpoints: flag(
    "no_checkpoints",
    "Do not save the files of a session's folder before each turn; they cannot be rewound then"
  ),
  record: text(
    "record",
    "FOLDER",
    "Write a transcript of every session to this folder, with secrets redacted"
  ).pipe(
    Flag.optional
  ),
  budgets: list(
    "budget",
    "SCOPE.UNIT=NUMBER",
    "Limit on usage, such as day.cost_usd=20 or session.tokens=2000000; see docs/budgets.md"
  ).pipe(Flag.mapEffect((texts) =>
    Effect.forEach(texts, (text) => {
      const rule = parseRule(text)
      return typeof rule === "string"
        ? Effect.fail(refused("budget", text, rule))
        : Effect.succeed(rule)
    })
  )),
  budget_at_cap: Flag.Literals(
    flagOf(
      "budget_at_cap",
      "WHAT",
      "What happens when a budget is used up: ask, stop the turn, or end the session (ask)"
    ),
    ["ask", "stop", "end"]
  ).pipe(
    Flag.withFallbackConfig(Config.Literals(["ask", "stop", "end"], "budget_at_cap")),
    Flag.withDefault("ask" as const)
  ),
  budget_warn_pct: amount(
    "budget_warn_pct",
    "Percentage of a budget at which clients are warned",
    standard.budget_warn_pct
  ).pipe(only("budget-warn-pct", (pct) => pct <= 100, "a number from 0 to 100")),
  budget_time_zone: text(
    "budget_time_zone",
    "ZONE",
    "Time zone in which a budget's day ends, such as Europe/Berlin (this machine's)"
  )
    .pipe(
      only("budget-time-zone", isTimeZone, "a time zone such as Europe/Berlin"),
      Flag.withDefault(undefined)
    ),
  prices: text(
    "prices",
    "FILE",
    "JSON file with token prices by model, for agents that report no costs; see docs/budgets.md"
  ).pipe(
    Flag.mapEffect((file) =>
      Effect.mapError(readPrices(file), (problem) => refused("prices", file, problem))
    ),
    Flag.withDefault(standard.prices)
  ),
  log_level: Flag.Literals(
    flagOf("log_level", "LEVEL", "Least severe level to log: debug, info, warning, error or none (info)"),
    logLevelNames
  ).pipe(
    Flag.withFallbackConfig(configuredLogLevel("log_level")),
    Flag.withDefault("info" as const),
    Flag.map((name) => logLevels[name])
  ),
  log_format: Flag.Literals(
    flagOf("log_format", "FORMAT", "Format of log lines: text, or json, an object per line (text)"),
    [
      "text",
      "json"
    ]
  ).pipe(
    Flag.withFallbackConfig(Config.Literals(["text", "json"], "log_format")),
    Flag.withDefault("text" as const)
  ),
  // Read before all others, by configFile.ts.
  config: Flag.String("config").pipe(Flag.optional)
}

/** The highest TCP port. */
const lastPort = 65_535
const aPort = only("port", (port: number) => port >= 0 && port <= lastPort, `a number from 0 to ${lastPort}`)
const ports = amount("port", "Port to listen on; 0 picks a free one", serverDefaults.port, -Infinity).pipe(
  aPort
)
const servePort = Flag.Int("port").pipe(
  Flag.withFallbackConfig(Config.Int("port")),
  Flag.withDefault(9000),
  aPort
)

/** The options of `ai-relay` and of `ai-relay serve`; only the default port differs. */
export const relayOptions = { ...common, port: ports }
export const serveOptions = { ...common, port: servePort }
export type ServeFlags = Command.Command.Config.Infer<typeof serveOptions>

export const orUndefined = <A>(option: Option.Option<A>): A | undefined => Option.getOrUndefined(option)
