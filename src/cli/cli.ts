/**
 * cli: the commands of `ai-relay` and its exit codes. 0: ended as asked. 1: could not start, and one line says why; or
 * the doctor found no agent that works.
 */
import { Command, ValidationError } from "@effect/cli"
import { Console, Effect, Layer, Logger } from "effect"
import * as Relay from "../Relay.js"
import { RelayServer } from "../server/RelayServer.js"
import { settingsProvider } from "./configFile.js"
import { doctor } from "./doctor.js"
import { helpText } from "./help.js"
import { lab, labHelp } from "./lab.js"
import { lineLogger } from "./lineLogger.js"
import { orUndefined, relayOptions, serveOptions } from "./options.js"
import { sessions } from "./sessions.js"

declare const __AI_RELAY_VERSION__: string | undefined
const version = typeof __AI_RELAY_VERSION__ === "string" ? __AI_RELAY_VERSION__ : "development"

const announce = Effect.flatMap(
  RelayServer,
  ({ address: { host, port } }) =>
    Console.log(
      `ai-relay ${version} listens on ws://${
        host === "0.0.0.0" ? "localhost" : host
      }:${port} (Ctrl-C ends it)`
    )
)

const server = (name: "ai-relay" | "serve", options: typeof relayOptions) =>
  Command.make(name, options, ({ config: _, log_level, no_state, record, state_dir, token, ...settings }) => {
    const folder = orUndefined(record)
    const options = {
      ...settings,
      token: orUndefined(token),
      ...(!no_state && { state_dir }),
      ...(folder !== undefined && { record: folder })
    }
    return Layer.launch(
      Layer.effectDiscard(announce).pipe(
        Layer.provide(Relay.layer(options)),
        Layer.provide(Logger.minimumLogLevel(log_level)),
        Layer.provide(Logger.replace(Logger.defaultLogger, lineLogger))
      )
    )
  })

const fails = Effect.sync(() => {
  process.exitCode = 1
})

const command = server("ai-relay", relayOptions).pipe(
  Command.withSubcommands([server("serve", serveOptions), doctor(fails), sessions, lab])
)
const runCommand = Command.run(command, { name: "ai-relay", version })

const complain = (line: string) => Effect.zipRight(Console.error(`ai-relay: ${line}`), fails)

const wantsHelp = (args: ReadonlyArray<string>) => args.includes("--help") || args.includes("-h")

/** Run the program with these arguments (`process.argv`). */
export const run = (argv: ReadonlyArray<string>) =>
  wantsHelp(argv.slice(2)) ?
    Console.log(argv[2] === "lab" ? labHelp : helpText(version)) :
    settingsProvider(argv.slice(2), process.env).pipe(
      Effect.flatMap((settings) => Effect.withConfigProvider(runCommand(argv), settings)),
      // The parser has said itself what is wrong with the arguments.
      Effect.catchAll((error) => ValidationError.isValidationError(error) ? fails : complain(error.message)),
      Effect.catchAllDefect((defect) =>
        complain(`it failed unexpectedly, please report this: ${String(defect)}`)
      )
    )
