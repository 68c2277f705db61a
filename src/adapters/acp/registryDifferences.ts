/**
 * registryDifferences: describes where an Agent Client Protocol registry differs from the agents the relay
 * knows by name: package, program, arguments, variables, and agents only one of the two has.
 *
 * A registry is newer than the relay, so each line is worth checking; none says which side is right.
 */
import { isDeepStrictEqual } from "node:util"
import type { AcpAgent } from "./AcpAgent.js"
import { type Entry, isNamed, type Machine, partsOf, readEntries, thisMachine } from "./registryFile.js"

const spelled = (args: ReadonlyArray<string>) => args.length === 0 ? "no arguments" : `"${args.join(" ")}"`

/** The package name without its version. */
const nameOf = (pinned: string): string => pinned.replace(/(?<=.)(?:@|==|\[).*$/, "")

/** The packages named in the agent's install advice. */
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
  // A program's name may include the machine it is for.
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
      : [`is started with ${spelled(args)} there, with ${spelled(agent.args)} here`],
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
    return [`"${id}"${name === undefined ? "" : ` (${name})`} is known here by another name`]
  }
  const called = agent.tool === id ? `"${id}"` : `"${id}" ("${agent.tool}" here)`
  // If it cannot be started here, only its identity can be compared.
  const isForUs = partsOf(entry, machine) !== undefined
  const found = [
    programDifference(entry, agent, machine),
    ...isForUs ? startDifferences(entry, agent, machine) : []
  ]
  return found.flatMap((line) => line === undefined ? [] : [`${called} ${line}`])
}

/** One line per difference; none if they agree. For an unreadable registry, one line with the reason. */
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
      : [`known here but not there: ${missing.map(({ tool }) => tool).join(", ")}`]
  ]
}
