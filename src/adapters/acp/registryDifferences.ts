/**
 * registryDifferences: in what a registry of the Agent Client Protocol and the agents the relay knows by name differ, in
 * words: another package, another program, other arguments or variables, and agents that only one of the two has.
 *
 * A registry is newer than the relay, so each line is worth a look; none says who is right.
 */
import { isDeepStrictEqual } from "node:util"
import type { AcpAgent } from "./AcpAgent.js"
import { type Entry, isNamed, type Machine, partsOf, readEntries, thisMachine } from "./registryFile.js"

const spelled = (args: ReadonlyArray<string>) => args.length === 0 ? "no arguments" : `"${args.join(" ")}"`

/** Without its version. */
const nameOf = (pinned: string): string => pinned.replace(/(?<=.)(?:@|==|\[).*$/, "")

/** The packages that the advice on how to install it names. */
const packagesOf = ({ install }: AcpAgent): ReadonlyArray<string> =>
  /(?:npm install -g|uv tool install) (.+)$/.exec(install)?.[1]?.replaceAll("\"", "").split(" ").map(
    nameOf
  ) ?? []

const programDifference = (entry: Entry, agent: AcpAgent, machine: Machine): string | undefined => {
  const { distribution: { npx, uvx } } = entry
  const pinned = (npx ?? uvx)?.package
  if (pinned !== undefined) {
    const [kind, name] = [npx === undefined ? "Python" : "npm", nameOf(pinned)]
    const own = packagesOf(agent)
    return own.includes(name)
      ? undefined
      : `is the ${kind} package ${name} there; the relay says: ${agent.install}`
  }
  const { command } = partsOf(entry, machine) ?? {}
  // A program may bear the machine it is for in its name.
  return command === undefined || command === agent.command || command.startsWith(`${agent.command}-`)
    ? undefined
    : `is the program ${command} there, ${agent.command} here`
}

const startDifferences = (entry: Entry, agent: AcpAgent, machine: Machine): ReadonlyArray<string> => {
  const { args = [], env = {} } = partsOf(entry, machine) ?? {}
  const own = agent.env ?? {}
  return [
    ...isDeepStrictEqual(args, agent.args)
      ? []
      : [`is started with ${spelled(args)} there, ${spelled(agent.args)} here`],
    ...Object.entries(env).flatMap(([name, value]) =>
      own[name] === value || agent.defaults?.[name] === value
        ? []
        : [`is given ${name}=${value} there, and not here`]
    )
  ]
}

const entryDifferences = (
  entry: Entry,
  presets: ReadonlyArray<AcpAgent>,
  machine: Machine
): ReadonlyArray<string> => {
  const { id, name } = entry
  const agent = presets.find((agent) => isNamed(agent, id))
  if (agent === undefined) {
    return [`"${id}"${name === undefined ? "" : ` (${name})`} is not known here by its name`]
  }
  const called = agent.tool === id ? `"${id}"` : `"${id}" ("${agent.tool}" here)`
  // Where it cannot be started here, only what it is can be compared.
  const isForUs = partsOf(entry, machine) !== undefined
  const found = [
    programDifference(entry, agent, machine),
    ...isForUs ? startDifferences(entry, agent, machine) : []
  ]
  return found.flatMap((line) => line === undefined ? [] : [`${called} ${line}`])
}

/** One line each; none if they agree. A registry nobody can read has the reason in one. */
export const registryDifferences = (
  presets: ReadonlyArray<AcpAgent>,
  content: string,
  machine = thisMachine()
): ReadonlyArray<string> => {
  const { entries, problems } = readEntries(content)
  const missing = presets.filter((agent) => !entries.some(({ id }) => isNamed(agent, id)))
  return [
    ...problems,
    ...entries.flatMap((entry) => entryDifferences(entry, presets, machine)),
    ...entries.length === 0 || missing.length === 0
      ? []
      : [`known here and not there: ${missing.map(({ tool }) => tool).join(", ")}`]
  ]
}
