/**
 * AgentProbe: finds out whether an agent could be used here and now: its program, its version, its login.
 *
 * Nothing is changed and no model is asked. Each question to a program has a time limit; what cannot be found out is
 * left open. Every finding that stands in the way says what to run.
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
  /** Its program is there, or it needs none. */
  readonly installed: boolean
  readonly version?: string
  /** The newest version the relay was tested with. */
  readonly tested?: string
  /** How its version relates to those that were tested: "tested", "newer than tested (1.2.3)", … */
  readonly compatibility?: string
  /** What it is known not to do, in this version or the nearest that was tested. */
  readonly trouble?: ReadonlyArray<string>
  /** Absent: it can be seen only by opening a session. */
  readonly logged_in?: boolean
  /** What to run to make it work, or, when the login is not known, to make sure. */
  readonly advice?: string
}

/** It can be used, as far as one can see. */
export const works = ({ installed, logged_in }: Finding): boolean => installed && logged_in !== false

/** How long a program may take to answer. */
const patience = "5 seconds"

interface Answer {
  readonly exit_code: number | undefined
  readonly text: string
}

/** Run a program to its end, if it comes to one in time. */
const ask = Effect.fnUntraced(
  function*({ command = "", inherits = [], install: advice, name }: AgentFacts, args: ReadonlyArray<string>) {
    const spawner = yield* ProcessSpawner
    const lines: Array<string> = []
    // No project's settings apply there.
    const launch: LaunchSpec = { tool: name, command, args, cwd: "/", inherits, advice }
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
  // A program that cannot be run is there all the same; what is wrong with it a session will tell.
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

/** Is somebody logged in? Undefined if one cannot tell. */
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

/** What is known of its version. */
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
