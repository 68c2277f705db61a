/**
 * service: `ai-relay service install|status|remove` keeps the relay running from login on, as a user unit of systemd or an
 * agent of launchd. It needs no root and consists of one file, which is printed before it is written.
 */
import { Console, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { messageOf } from "../schema/messageOf.js"
import { createFolder } from "../services/disk/createFolder.js"
import { fromHome } from "../services/fromHome.js"
import { runInTerminal } from "../services/process/runInTerminal.js"
import { CommandError } from "./clientOptions.js"
import { ownFolder, userName } from "./home.js"
import { settings } from "./options.js"
import { launchdLabel, launchdPlist, type Service, systemdUnit } from "./serviceFiles.js"

/** A system's service manager: its file and its commands. */
export interface Keeper {
  readonly file: string
  readonly text: (service: Service) => string
  /** Commands, each a program with its arguments. */
  readonly start: ReadonlyArray<ReadonlyArray<string>>
  readonly stop: ReadonlyArray<ReadonlyArray<string>>
  readonly status: ReadonlyArray<string>
  readonly hint: string
}

export interface Machine {
  readonly platform: string
  readonly home: string
  readonly config_home: string | undefined
  readonly uid: number
  readonly user: string
}

/** The service manager of this platform; undefined if it is not supported. */
export const keeperOf = ({ config_home, home, platform, uid, user }: Machine): Keeper | undefined => {
  if (platform === "linux") {
    return {
      file: join(config_home || join(home, ".config"), "systemd/user/ai-relay.service"),
      text: systemdUnit,
      start: [
        ["systemctl", "--user", "daemon-reload"],
        ["systemctl", "--user", "enable", "--now", "ai-relay.service"]
      ],
      stop: [["systemctl", "--user", "disable", "--now", "ai-relay.service"]],
      status: ["systemctl", "--user", "status", "--no-pager", "ai-relay.service"],
      hint:
        `To read its log: journalctl --user -u ai-relay. To keep it running while you are logged out: loginctl enable-linger ${user}`
    }
  }
  if (platform !== "darwin") return undefined
  const file = join(home, "Library/LaunchAgents", `${launchdLabel}.plist`)
  return {
    file,
    text: launchdPlist,
    start: [["launchctl", "bootstrap", `gui/${uid}`, file]],
    stop: [["launchctl", "bootout", `gui/${uid}/${launchdLabel}`]],
    status: ["launchctl", "print", `gui/${uid}/${launchdLabel}`],
    hint: `Its log: ${join(home, "Library/Logs/ai-relay.log")}`
  }
}

/** Whether arguments contain a token: anyone who can list processes or read the file would see it. */
const secret = (args: ReadonlyArray<string>) => args.some((arg) => /^--token(=|$)/.test(arg))

const flags = new Set([...settings.map(({ flag }) => flag), "--config"])
const takesPath = new Set([
  ...settings.flatMap(({ flag, value }) => value === "FILE" || value === "FOLDER" ? [flag] : []),
  "--config"
])

/** The service starts in another folder, so a relative path is written out. */
const fromHere = (arg: string, index: number, args: ReadonlyArray<string>): string => {
  const [flag = "", path] = arg.split(/=(.*)/s)
  if (takesPath.has(flag) && path !== undefined) return `${flag}=${resolve(fromHome(path))}`
  return takesPath.has(args[index - 1] ?? "") ? resolve(fromHome(arg)) : arg
}

/** The service to install, or a text that says why it cannot be. */
export const serviceOf = (
  args: ReadonlyArray<string>,
  { home, node, path, program }: {
    readonly node: string
    readonly program: string
    readonly home: string
    readonly path: string
  }
): Service | string => {
  if (secret(args)) {
    return "a token among the arguments can be read by other users: put it in a file and use --token-file FILE"
  }
  const unknown = args.find((arg) => arg.startsWith("--") && !flags.has(arg.split("=", 1)[0] ?? ""))
  if (unknown !== undefined) return `there is no flag ${unknown}: ai-relay --help lists them`
  const at = args.findIndex((arg) => /^--drain(=|$)/.test(arg))
  const drain = Number(at === -1 ? 3 : args[at]?.split("=")[1] ?? args[at + 1])
  return {
    command: [node, program, ...args.map(fromHere)],
    home,
    path,
    // What turns may still take, plus some seconds to end all agents.
    stop: (Number.isFinite(drain) ? drain : 3) + 15
  }
}

const here = (): Machine => ({
  platform: process.platform,
  home: homedir(),
  config_home: ownFolder("XDG_CONFIG_HOME"),
  uid: process.getuid?.() ?? 0,
  user: userName()
})

const keeper = Effect.suspend(() => {
  const found = keeperOf(here())
  return found !== undefined ? Effect.succeed(found) : new CommandError({
    reason:
      "`ai-relay service` supports only systemd (Linux) and launchd (macOS): start `ai-relay` with this system's own service manager"
  })
})

const spelled = (words: ReadonlyArray<string>) => words.join(" ")

/** Runs these commands one by one on this terminal; fails with the first that fails. */
const runAll = (commands: ReadonlyArray<ReadonlyArray<string>>) =>
  Effect.forEach(
    commands,
    ([program = "", ...args]) =>
      Effect.flatMap(runInTerminal(program, args, homedir()), (code) =>
        code === 0 ? Effect.void : new CommandError({
          reason: code === undefined
            ? `${program} was not found: start \`ai-relay\` with this system's own service manager`
            : `\`${spelled([program, ...args])}\` failed, see above`
        })),
    { discard: true }
  )

const noStart = Flag.Boolean("no-start").pipe(Flag.withoutNegation, Flag.withDefault(false))

const install = Command.make("install", {
  no_start: noStart,
  args: Argument.variadic(Argument.String("args"))
}, ({ args, no_start }) =>
  Effect.gen(function*() {
    const { file, hint, start, text } = yield* keeper
    const service = serviceOf(args, {
      node: process.execPath,
      program: realpathSync(process.argv[1] ?? ""),
      home: homedir(),
      path: process.env["PATH"] ?? ""
    })
    if (typeof service === "string") return yield* new CommandError({ reason: service })
    const content = text(service)
    yield* Console.log(`${file}\n\n${content}`)
    yield* Effect.try({
      try: () => {
        createFolder(dirname(file))
        writeFileSync(file, content, { mode: 0o600 })
      },
      catch: (cause) => new CommandError({ reason: `${file} cannot be written: ${messageOf(cause)}` })
    })
    if (no_start) {
      return yield* Console.log(`To start it:\n${start.map((words) => `  ${spelled(words)}`).join("\n")}`)
    }
    yield* runAll(start)
    yield* Console.log(`The relay is running and will start when you log in. ${hint}`)
  }))

const missing = (file: string) =>
  new CommandError({ reason: `there is no ${file}: \`ai-relay service install\` creates it` })

const status = Command.make("status", {}, () =>
  Effect.gen(function*() {
    const { file, status } = yield* keeper
    if (!existsSync(file)) return yield* missing(file)
    yield* Console.log(`${file}\n\n${readFileSync(file, "utf8")}`)
    const [program = "", ...args] = status
    yield* runInTerminal(program, args, homedir())
  }))

const remove = Command.make("remove", {
  no_stop: Flag.Boolean("no-stop").pipe(Flag.withoutNegation, Flag.withDefault(false))
}, ({ no_stop }) =>
  Effect.gen(function*() {
    const { file, stop } = yield* keeper
    if (!existsSync(file)) return yield* missing(file)
    // The file is removed even if the service is not running.
    if (!no_stop) yield* Effect.ignore(runAll(stop))
    yield* Effect.sync(() => rmSync(file))
    yield* Console.log(`${file} was removed.`)
  }))

export const service = Command.make("service").pipe(Command.withSubcommands([install, status, remove]))
