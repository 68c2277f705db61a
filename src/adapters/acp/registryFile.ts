/**
 * registryFile: agents out of a file of the operator's, in the format of the registry of the Agent Client Protocol
 * (`{"agents":[{"id","name","distribution":{"npx"|"uvx"|"binary"}}]}`), so that an entry can be copied from there.
 *
 * Nothing is downloaded by the relay: `npx` and `uvx` fetch their packages themselves, a binary must be on PATH.
 */
import { Option, Schema } from "effect"
import { basename } from "node:path"
import { messageOf } from "../../schema/messageOf.js"
import { AnyObject, fieldsOf, items, optional, text } from "../wire/lenient.js"
import type { AcpAgent, OwnAgent } from "./AcpAgent.js"

const Package = Schema.Struct({
  package: Schema.NonEmptyString,
  args: optional(items(Schema.String)),
  env: optional(fieldsOf(Schema.String))
})
const Binary = Schema.Struct({
  cmd: Schema.NonEmptyString,
  args: optional(items(Schema.String)),
  env: optional(fieldsOf(Schema.String))
})
const Entry = Schema.Struct({
  id: Schema.String.check(Schema.isPattern(/^[a-z0-9][a-z0-9._-]{0,63}$/i)),
  name: text,
  website: text,
  repository: text,
  distribution: Schema.Struct({
    npx: optional(Package),
    uvx: optional(Package),
    binary: optional(fieldsOf(Binary))
  })
})
type Entry = typeof Entry.Type

const readEntry = Schema.decodeUnknownOption(Entry)
const readFields = Schema.decodeUnknownOption(AnyObject)

const architectures: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" }

/** As the registry calls this machine. */
const platform = (): string => `${process.platform}-${architectures[process.arch] ?? process.arch}`

interface Start {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

const startOf = ({ distribution: { binary = {}, npx, uvx } }: Entry, machine: string): Start | undefined => {
  const own = binary[machine]
  const { args = [], env } = npx ?? uvx ?? own ?? {}
  const start = npx !== undefined
    ? { command: "npx", args: ["--yes", npx.package, ...args] }
    : uvx !== undefined
    ? { command: "uvx", args: [uvx.package, ...args] }
    : own !== undefined
    ? { command: basename(own.cmd.replaceAll("\\", "/")), args }
    : undefined
  return start && { ...start, ...(env !== undefined && { env }) }
}

const toAgent = (entry: Entry, start: Start): OwnAgent => ({
  tool: entry.id,
  name: entry.name ?? entry.id,
  ...start,
  install: `Install ${start.command} on the relay's machine${
    entry.website ?? entry.repository ? `: see ${entry.website ?? entry.repository}` : "."
  }`,
  login: "Log in with its own command line on the relay's machine."
})

export interface RegistryRead {
  readonly agents: ReadonlyArray<OwnAgent>
  /** What could not be used, each in a line that says why. */
  readonly problems: ReadonlyArray<string>
}

/** The agents of such a file's text; a list of entries alone will do, too. */
export const readRegistry = (content: string, machine = platform()): RegistryRead => {
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch (cause) {
    return {
      agents: [],
      problems: [`it is no JSON (${messageOf(cause)})`]
    }
  }
  const list: unknown = Array.isArray(value)
    ? value
    : Option.getOrUndefined(readFields(value))?.["agents"]
  if (!Array.isArray(list)) return { agents: [], problems: ["it has no list of `agents`"] }
  const agents: Array<OwnAgent> = []
  const problems: Array<string> = []
  for (const [index, one] of list.entries()) {
    const entry = Option.getOrUndefined(readEntry(one))
    const start = entry && startOf(entry, machine)
    if (entry === undefined) problems.push(`agent ${index + 1} has no \`id\`, or no \`distribution\``)
    else if (start === undefined) problems.push(`"${entry.id}" has no distribution for ${machine}`)
    else agents.push(toAgent(entry, start))
  }
  return { agents, problems }
}

/** The known agents and the operator's: of one name the operator's start, and what is known of its ways. */
export const withRegistry = (
  presets: ReadonlyArray<AcpAgent>,
  own: ReadonlyArray<OwnAgent>
): ReadonlyArray<AcpAgent> => {
  const known = new Map<string, AcpAgent>(presets.map((agent) => [agent.tool, agent]))
  for (const agent of own) known.set(agent.tool, { ...known.get(agent.tool), ...agent })
  return [...known.values()]
}
