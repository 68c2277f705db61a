/**
 * cli: the commands of `ai-relay` and its exit codes. 0: success. 1: it could not start, and one line says why; or the
 * doctor found no working agent. `run` has more exit codes (run.ts).
 */
import { ConfigProvider, Console, Effect, Layer, Metric, Option } from "effect"
import { CliError, CliOutput, Command } from "effect/cli"
import { agentNamed } from "../adapters/agents.js"
import { mayBeTool } from "../adapters/generic/GenericLaunch.js"
import * as Relay from "../Relay.js"
import * as AccessToken from "../services/access/AccessToken.js"
import { isPartMissing } from "../services/internalError.js"
import { version } from "../services/version.js"
import { accessOf } from "./access.js"
import { acp } from "./acp.js"
import { announce } from "./announce.js"
import { attach } from "./attach.js"
import { settingsProvider } from "./configFile.js"
import { isContainer } from "./container.js"
import { doctor } from "./doctor.js"
import { handoff } from "./handoff.js"
import { helpOf, helpText } from "./help.js"
import { hurryOnSecondSignal } from "./hurryOnSecondSignal.js"
import { importSessions } from "./import.js"
import { lab, labHelp } from "./lab.js"
import { jsonLogger, layerLogs, lineLogger } from "./loggers.js"
import { mcp } from "./mcp.js"
import { orUndefined, relayOptions, serveOptions, settings } from "./options.js"
import { loadPolicy } from "./policyFile.js"
import { policy } from "./policyTest.js"
import { plain } from "./printable.js"
import { privateFiles } from "./privateFiles.js"
import { loadRegistry } from "./registryFile.js"
import { run as runTurn } from "./run.js"
import { schedule } from "./schedule.js"
import { search } from "./search.js"
import { service } from "./service.js"
import { sessions } from "./sessions.js"
import { token as tokens } from "./token.js"
import * as Tracing from "./tracing.js"
import { warningsOf } from "./warnings.js"

const server = (name: "ai-relay" | "serve", options: typeof relayOptions) =>
  Command.make(name, options, (flags) => {
    const {
      acp_registry,
      config: _,
      log_format,
      log_level,
      no_auth,
      no_state,
      policy,
      record,
      state_dir,
      token,
      token_file,
      ...settings
    } = flags
    const folder = orUndefined(record)
    const collector = Tracing.endpointOf(process.env)
    const counting = Tracing.metricsEndpointOf(process.env)
    const kept = no_state ? undefined : state_dir
    return Effect.gen(function*() {
      const rules = yield* loadPolicy(policy)
      const acp_agents = yield* loadRegistry(acp_registry)
      const found = yield* AccessToken.find({
        token: orUndefined(token),
        token_file: orUndefined(token_file),
        state_dir: kept
      })
      const access = accessOf({
        no_auth,
        auth: orUndefined(settings.auth),
        hasToken: Option.isSome(token) || Option.isSome(token_file),
        allow_host: settings.allow_host,
        trusted_proxy: settings.trusted_proxy,
        isServe: name === "serve",
        isContainer: isContainer()
      })
      const options = {
        ...settings,
        acp_agents,
        private_files: privateFiles(flags),
        token: found.token,
        trace: collector !== undefined,
        auth: access.auth,
        tls_cert: orUndefined(settings.tls_cert),
        tls_key: orUndefined(settings.tls_key),
        ...(kept !== undefined && { state_dir: kept }),
        ...(rules !== undefined && { policy: rules }),
        ...(folder !== undefined && { record: folder })
      }
      const warnings = warningsOf({
        token: found.token,
        isTokenArgument: process.argv.some((word) => word === "--token" || word.startsWith("--token=")),
        token_file: orUndefined(token_file),
        state_dir: kept,
        allow_origin: settings.allow_origin,
        roots: settings.roots,
        sandbox_read: settings.sandbox_read,
        sandbox_write: settings.sandbox_write,
        unknown_tools: settings.tools.filter((tool) =>
          agentNamed(tool) === undefined && !acp_agents.some((own) => own.tool === tool)
          && !mayBeTool(tool, settings.allow_programs)
        ),
        isContainer: isContainer()
      })
      return yield* Layer.launch(
        Layer.effectDiscard(Effect.andThen(announce(version, found, access, warnings), hurryOnSecondSignal))
          .pipe(
            Layer.provide(Relay.layer(options)),
            Layer.provide(
              collector === undefined ? Layer.empty : Tracing.layer(collector, process.env, version)
            ),
            Layer.merge(
              counting === undefined ? Layer.empty : Tracing.metricsLayer(counting, process.env, version)
            ),
            // The relay and the exporter share one registry.
            Layer.provide(Layer.sync(Metric.MetricRegistry, () => new Map())),
            Layer.provide(layerLogs(log_level, log_format === "json" ? jsonLogger : lineLogger))
          )
      )
    })
  })

const exitWith = (code: number) =>
  Effect.sync(() => {
    process.exitCode = code
  })
const fails = exitWith(1)

const command = server("ai-relay", relayOptions).pipe(
  Command.withSubcommands([
    server("serve", serveOptions),
    doctor(version, fails),
    sessions,
    tokens,
    service,
    schedule,
    search,
    importSessions,
    policy,
    attach,
    handoff(exitWith),
    runTurn(exitWith),
    acp(version),
    mcp(version),
    lab
  ])
)
const runCommand = Command.runWith(command, { version, renderErrors: false })

/** Help comes from help.ts and errors take one line (`problemOf`), so the parser presents only the version. */
const presenter = CliOutput.Presenter.of({
  present: (what) => what._tag === "Version" ? Console.log(version) : Effect.void
})

/** Prints an error and sets exit code 1. The line may quote a relay or an agent, hence `plain`. */
const complain = (line: string) => Effect.andThen(Console.error(`ai-relay: ${plain(line)}`), fails)

/** Everything after `--` belongs to the prompt. */
const beforeDashes = (args: ReadonlyArray<string>) =>
  args.includes("--") ? args.slice(0, args.indexOf("--")) : args
const wantsHelp = (args: ReadonlyArray<string>) =>
  args[0] === "help" || beforeDashes(args).some((arg) => arg === "--help" || arg === "-h")

const help = ([first = "", second = ""]: ReadonlyArray<string>) => {
  const name = first === "help" ? second : first
  if (name === "lab") return Effect.flatMap(labHelp, Console.log)
  const text = name === "" || name.startsWith("-") ? helpText(version) : helpOf(name)
  return text === undefined
    ? complain(`there is no command "${name}": ai-relay --help lists the commands`)
    : Console.log(text)
}

/** A flag of the parser's own; the code that these need is left out of the bundle. */
const parsersOwn = (args: ReadonlyArray<string>) =>
  /^(--(?:wizard|completions))(?:=|$)/m.exec(beforeDashes(args).join("\n"))?.[1]

/** What went wrong, with the arguments or otherwise, on one line. */
const problemOf = (error: { readonly message: string }, command = ""): string => {
  const [first] = CliError.isCliError(error) && error._tag === "ShowHelp" ? error.errors : []
  if (first === undefined) {
    return CliError.isCliError(error) && error._tag === "ShowHelp"
      ? `missing subcommand: ${error.commandPath.join(" ")} --help lists them`
      : forShell(oneLine(error.message))
  }
  // The value "config" marks what came from a variable or the configuration file.
  if (first._tag === "InvalidValue" && first.value === "config") {
    const name = first.option.replaceAll("-", "_")
    const [, expected = first.expected] = /^SchemaError\(([^]*?)(?:\s+at \[.*\])?\)$/.exec(first.expected) ??
      []
    return plainly(oneLine(
      `AI_RELAY_${name.toUpperCase()}, or "${name}" in the configuration file, is not valid: ${
        expected.replace(/^Expected:? /, "it must be ")
      }`
    ))
  }
  const text = plainly(oneLine(first.message))
  // The help of `serve` refers to the general one.
  const where = command === "serve" || helpOf(command) === undefined ? "ai-relay" : `ai-relay ${command}`
  return `${text}${/[.?!]$/.test(text) ? "" : "."} See ${where} --help`
}

/** What a relay tells any client, as a person at a shell does it. */
const forShell = (text: string): string =>
  text
    .replace(/GET \/sessions lists them.*$/, "`ai-relay sessions` lists them")
    .replace(/GET \/schedules lists them/, "`ai-relay schedule list` lists them")
    .replace(
      /the access token is wrong: .*$/,
      "the access token is wrong: use the relay's, with --token or AI_RELAY_TOKEN"
    )

/** The parser's messages, reworded. */
const plainly = (text: string): string =>
  text
    .replace(
      /^Unrecognized flag: (\S+) in command (?:ai-relay ?)?(\S*)/,
      (_, flag: string, command: string) =>
        `there is no flag ${flag}${command === "" ? "" : ` for ${command}`}`
    )
    .replace(
      / Did you mean this\?((?: --?[\w-]+)+)\.?$/,
      (_, flags: string) => `; did you mean ${flags.trim().split(" ").join(" or ")}?`
    )
    .replace(/^(there is no flag \S+) for(?=[;.?]|$)/, "$1")
    // The flags of `ai-relay` itself are those of `serve`, too.
    .replace(
      /^there is no flag (\S+) for serve.*$/,
      (said, flag: string) =>
        settings.some((known) => known.flag === flag)
          ? `write ${flag} after the command, as in ai-relay serve ${flag} …`
          : said
    )
    .replace(/^Unknown subcommand "([^"]*)".*$/, "there is no command \"$1\"")
    .replace(
      /^Missing value for flag (\S+)\. Expected:? (?:a string representing )?(.*)$/,
      "$1 needs a value ($2)"
    )
    .replace(/^(\S+ needs a value \()(?:integer|a finite number)\)$/, "$1a number)")
    .replace(
      /^Missing required argument: ([\w-]+)/,
      (_, name: string) => `the argument ${name.toUpperCase()} is missing`
    )
    .replace(/^Unexpected positional argument: ("[^"]*")/, "there is no place for the argument $1")
    .replace(/^Invalid value for flag (\S+): ("[^"]*")\. Expected:? /, "$1 cannot be $2; it must be ")
    .replace(
      /^(\S+) cannot be "(\d+) occurrences"; it must be at most 1 value/,
      "$1 is given $2 times: leave all but one out"
    )
    .replace("it must be a string representing a finite number", "it must be a number")
    .replace(/it must be an? integer\b.*/, "it must be a whole number")
    .replace(/^(\S+) cannot be ""; it must be ([A-Z].*)$/, "$1 needs a value ($2)")
    // `"many" | "one"` as people write it.
    .replace(
      /(it must be |needs a value \()((?:"?[\w-]+"? \| )+)"?([\w-]+)"?/,
      (_, before: string, others: string, last: string) =>
        `${before}${others.replaceAll("\"", "").split(" | ").filter(Boolean).join(", ")} or ${last}`
    )

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, " ")

/** Run the program with these arguments (`process.argv`). */
export const run = (argv: ReadonlyArray<string>) => {
  const unused = parsersOwn(argv.slice(2))
  return wantsHelp(argv.slice(2)) ?
    help(argv.slice(2)) :
    argv[2] === "version" ?
    Console.log(version) :
    unused !== undefined ?
    complain(`there is no ${unused}: ai-relay --help lists all commands and flags`) :
    settingsProvider(argv.slice(2), process.env).pipe(
      Effect.flatMap((settings) =>
        runCommand(argv.slice(2)).pipe(
          Effect.provideService(ConfigProvider.ConfigProvider, settings),
          Effect.provideService(CliOutput.Presenter, presenter)
        )
      ),
      Effect.catch((error) => complain(problemOf(error, argv[2]))),
      Effect.catchDefect((defect) =>
        complain(
          isPartMissing(defect)
            ? "the program was updated or removed while it was running: start it again"
            : `unexpected failure, please report it: ${String(defect)}`
        )
      )
    )
}
