/**
 * registryFile: reads agents from an operator's file in the format of the Agent Client Protocol registry
 * (`{"agents":[{"id","name","distribution":{"npx"|"uvx"|"binary"}}]}`), so that entries can be copied from
 * there.
 *
 * The relay downloads nothing: `npx` and `uvx` fetch their packages themselves, and a binary must be on PATH.
 */
import { Option, Result, Schema } from "effect"
import { basename } from "node:path"
import { parseJson } from "../../schema/jsonFile.js"
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
export type Entry = typeof Entry.Type

const readEntry = Schema.decodeUnknownOption(Entry)
const readFields = Schema.decodeUnknownOption(AnyObject)

const architectures: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" }

/** The registry's name for a machine: `linux-x86_64`. */
export type Machine = string
export const thisMachine = (): Machine => `${process.platform}-${architectures[process.arch] ?? process.arch}`

interface Start {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

/**
 * The program with its arguments and variables; for a package, the program that fetches it. Undefined if it
 * is not for this machine.
 */
export const partsOf = (
  { distribution: { binary = {}, npx, uvx } }: Entry,
  machine: Machine
): Start | undefined => {
  const own = binary[machine]
  const { args = [], env } = npx ?? uvx ?? own ?? {}
  const command = npx !== undefined
    ? "npx"
    : uvx !== undefined
    ? "uvx"
    : own === undefined
    ? undefined
    : basename(own.cmd.replaceAll("\\", "/"))
  return command === undefined ? undefined : { command, args, ...(env !== undefined && { env }) }
}

const startOf = (entry: Entry, machine: Machine): Start | undefined => {
  const start = partsOf(entry, machine)
  const { npx, uvx } = entry.distribution
  const fetched = npx !== undefined ? ["--yes", npx.package] : uvx !== undefined ? [uvx.package] : []
  return start && { ...start, args: [...fetched, ...start.args] }
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
  /** Entries that could not be used, one line each with the reason. */
  readonly problems: ReadonlyArray<string>
}

interface EntriesRead {
  readonly entries: ReadonlyArray<Entry>
  readonly problems: ReadonlyArray<string>
}

/** The entries in such a file's text; a bare list is accepted too. */
export const readEntries = (content: string): EntriesRead => {
  const parsed = parseJson(content)
  if (Result.isFailure(parsed)) return { entries: [], problems: [`it ${parsed.failure}`] }
  const value = parsed.success
  const list: unknown = Array.isArray(value)
    ? value
    : Option.getOrUndefined(readFields(value))?.["agents"]
  if (!Array.isArray(list)) return { entries: [], problems: ["it has no list of `agents`"] }
  const read = list.map((one) => readEntry(one))
  return {
    entries: read.flatMap(Option.toArray),
    problems: read.flatMap((entry, index) =>
      Option.isSome(entry) ? [] : [`agent ${index + 1} has no \`id\`, or no \`distribution\``]
    )
  }
}

/** The agents in such a file's text that can be started on this machine. */
export const readRegistry = (content: string, machine = thisMachine()): RegistryRead => {
  const { entries, problems } = readEntries(content)
  const agents = entries.map((entry) => ({ entry, start: startOf(entry, machine) }))
  return {
    agents: agents.flatMap(({ entry, start }) => start === undefined ? [] : [toAgent(entry, start)]),
    problems: [
      ...agents.flatMap(({ entry: { id }, start }) =>
        start === undefined ? [`"${id}" has no distribution for ${machine}`] : []
      ),
      ...problems
    ]
  }
}

/** Whether the agent has this name here or in the registry. */
export const isNamed = ({ aliases = [], tool }: AcpAgent, name: string): boolean =>
  tool === name || aliases.includes(name)

/**
 * The known and the operator's agents combined: for a shared name, the operator's start command with the
 * known quirks.
 */
export const withRegistry = (
  presets: ReadonlyArray<AcpAgent>,
  own: ReadonlyArray<OwnAgent>
): ReadonlyArray<AcpAgent> => {
  const known = new Map<string, AcpAgent>(presets.map((agent) => [agent.tool, agent]))
  for (const agent of own) {
    const preset = [...known.values()].find((preset) => isNamed(preset, agent.tool))
    const tool = preset?.tool ?? agent.tool
    known.set(tool, { ...preset, ...agent, tool })
  }
  return [...known.values()]
}
