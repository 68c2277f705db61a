/**
 * AgentProbe: checks whether an agent can be used now: its program, version and login.
 *
 * It changes nothing and calls no model. Each call of a program has a time limit; what cannot be found out is left open. Every
 * problem comes with the command that fixes it.
 */
import { Effect, FileSystem, Option, Path } from "effect"
import { homedir } from "node:os"
import { deafSink, EventSink, type LaunchSpec, ProcessSpawner } from "../../adapters/Adapter.js"
import type { AgentFacts, LoginSigns } from "../../adapters/AgentDescriptor.js"
import { compatibilityOf } from "../../adapters/compatibility.js"
import { type Environment, relayEnvironment } from "../process/AgentEnvironment.js"

export interface Finding {
  readonly tool: string
  readonly name: string
  /** Whether its program is installed, or it needs none. */
  readonly installed: boolean
  readonly version?: string
  /** The newest version the relay was tested with. */
  readonly tested?: string
  /** How its version compares to tested ones: "tested", "newer than tested (1.2.3)", … */
  readonly compatibility?: string
  /** Known problems of this version or the nearest tested one. */
  readonly trouble?: ReadonlyArray<string>
  /** Absent: only opening a session can tell. */
  readonly logged_in?: boolean
  /** What to run to make it work, or, if the login is unknown, to make sure that it does. */
  readonly advice?: string
}

/** Whether it can be used, as far as can be checked. */
export const works = ({ installed, logged_in }: Finding): boolean => installed && logged_in !== false

/** How long a program may take to answer. */
const patience = "5 seconds"

interface Answer {
  readonly exit_code: number | undefined
  readonly text: string
}

/** Runs a program; gives its output if it ends in time. */
const ask = Effect.fnUntraced(
  function*(
    { command = "", inherits = [], install: advice, name, writable = [] }: AgentFacts,
    args: ReadonlyArray<string>
  ) {
    const spawner = yield* ProcessSpawner
    const lines: Array<string> = []
    // A folder where no project's settings apply; in a sandbox it must not be writable, since it holds everything.
    const launch: LaunchSpec = {
      tool: name,
      command,
      args,
      cwd: "/",
      only_reads: true,
      inherits,
      writable,
      advice
    }
    const agent = yield* spawner.spawn(launch, (line) => lines.push(line.toString("utf8"))).pipe(
      Effect.provideService(EventSink, deafSink)
    )
    yield* agent.endInput
    const { exit_code } = yield* agent.exit
    const answer: Answer = { exit_code, text: lines.join("\n") }
    return answer
  },
  Effect.scoped,
  Effect.timeoutOption(patience),
  // A program that cannot be run still counts as installed; a session will tell what is wrong with it.
  Effect.catchTag("AgentFailed", () => Effect.succeedNone)
)

const versionIn = ({ text }: Answer): string | undefined => /\d+\.\d+\.\d+[\w.+-]*/.exec(text)?.[0]

const hasFile = Effect.fnUntraced(
  function*({ home = "HOME", paths }: NonNullable<LoginSigns["files"]>, env: Environment) {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = env[home] ?? homedir()
    const found = yield* Effect.forEach(paths, (name) => files.exists(path.join(folder, name)))
    return found.includes(true)
  },
  Effect.orElseSucceed(() => false)
)

/** Whether somebody is logged in; undefined if that cannot be checked. */
const seesLogin = Effect.fnUntraced(function*(agent: AgentFacts) {
  const { args, files, variables = [] } = agent.signs ?? {}
  const env = relayEnvironment()
  if (agent.signs === undefined) return undefined
  if (variables.some((name) => (env[name] ?? "") !== "")) return true
  if (files !== undefined && (yield* hasFile(files, env))) return true
  if (args === undefined) return false
  const answer = yield* ask(agent, args)
  return Option.isSome(answer) ? answer.value.exit_code === 0 : undefined
})

/** What is known about this version. */
const knownOf = (tool: string, version?: string): Pick<Finding, "tested" | "compatibility" | "trouble"> => {
  const known = compatibilityOf(tool, version)
  if (known === undefined) return {}
  const { tested, trouble, verdict } = known
  return {
    tested,
    ...(version !== undefined && { compatibility: verdict }),
    ...(trouble.length > 0 && { trouble })
  }
}

export const probe = Effect.fn("AgentProbe.probe")(function*(agent: AgentFacts) {
  const { command, login, name, tool } = agent
  const answer = command === undefined ? Option.none() : yield* ask(agent, ["--version"])
  const version = Option.isSome(answer) ? versionIn(answer.value) : undefined
  const logged_in = yield* seesLogin(agent)
  const finding: Finding = {
    tool,
    name,
    installed: true,
    ...(version !== undefined && { version }),
    ...knownOf(tool, version),
    ...(logged_in !== undefined && { logged_in }),
    ...(logged_in !== true && { advice: login })
  }
  return finding
}, (probed, { install, name, tool }) =>
  Effect.catchTag(probed, "CommandNotFound", () => {
    const missing: Finding = {
      tool,
      name,
      installed: false,
      ...knownOf(tool),
      advice: install
    }
    return Effect.succeed(missing)
  }))
