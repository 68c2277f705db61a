/**
 * doctor: `ai-relay doctor` checks which agents can be used on this machine and how to set up the rest.
 *
 * The exit code is 0 if at least one agent works, else 1. Terminals (`generic`) do not count: they nearly always work.
 */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { accessSync, constants, existsSync, statSync } from "node:fs"
import { dirname } from "node:path"
import type { OwnAgent } from "../adapters/acp/AcpAgent.js"
import { messageOf } from "../schema/messageOf.js"
import { examine } from "../services/agents/AgentFindings.js"
import { type Finding, works } from "../services/agents/AgentProbe.js"
import { whyUnwritable } from "../services/journal/Journal.js"
import * as SessionRecord from "../services/journal/SessionRecord.js"
import * as Sandbox from "../services/process/Sandbox.js"
import { relayOptions } from "./options.js"
import { visibleLine } from "./printable.js"
import { agentsIn, differencesIn, readRegistryFile } from "./registryFile.js"

/** Why sessions cannot be saved; undefined if they can. A folder that does not exist yet would be created. */
export const stateTrouble = (state_dir: string): string | undefined => {
  const folder = SessionRecord.folderIn(state_dir)
  return existsSync(folder) ? whyUnwritable(folder) : whyNotCreated(folder, dirname(folder))
}

const whyNotCreated = (folder: string, above: string): string | undefined => {
  if (!existsSync(above) && dirname(above) !== above) return whyNotCreated(folder, dirname(above))
  try {
    accessSync(above, constants.W_OK)
    if (statSync(above).isDirectory()) return undefined
    return `${folder} cannot be created: ${above} is not a folder; use another folder with --state-dir`
  } catch (cause) {
    return `${folder} cannot be created (${messageOf(cause)}): use another folder with --state-dir`
  }
}

const findings = (own: ReadonlyArray<OwnAgent>) =>
  Effect.map(examine(own), (agents) => ({
    agents,
    works: agents.some((agent) => agent.tool !== "generic" && works(agent))
  }))

/** Whether the sandbox works here. */
const sandbox = Effect.match(Sandbox.check, {
  onSuccess: () => ({ works: true as const }),
  onFailure: ({ message: reason }) => ({ works: false as const, reason })
})

const stateOf = ({ installed, logged_in }: Finding): string =>
  !installed ? "not installed" : logged_in === undefined ? "installed" : logged_in ? "ready" : "not signed in"

/** The agent's version, and what is known about it. */
const versionOf = ({ compatibility = "not tested", trouble = [], version }: Finding): string =>
  version === undefined
    ? ""
    : `${version} (${
      [compatibility, trouble.length > 0 ? `known trouble: ${trouble.join(", ")}` : ""]
        .filter(Boolean).join("; ")
    })`

/** The lines of the table of agents, headings first. */
export const rowsOf = (findings: ReadonlyArray<Finding>): ReadonlyArray<string> => {
  const rows = findings.map((finding) => [
    finding.tool,
    finding.name,
    stateOf(finding),
    visibleLine(versionOf(finding)),
    finding.installed && finding.logged_in === undefined
      ? `If it asks you to sign in: ${finding.advice}`
      : finding.advice ?? ""
  ])
  const titled = [["TOOL", "AGENT", "STATE", "VERSION", "WHAT TO DO"], ...rows]
  const widths = titled[0]?.map((_, column) => Math.max(...titled.map((row) => row[column]?.length ?? 0))) ??
    []
  return titled.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
}

const compared = (differences: ReadonlyArray<string>): ReadonlyArray<string> =>
  differences.length === 0
    ? ["The registry and the agents known here agree."]
    : [
      "The registry and the agents known here differ:",
      ...differences.map((line) => `  ${visibleLine(line)}`)
    ]

/** `onFailure` runs if no agent works. `relay_version`: which relay the tested versions of agents belong to. */
export const doctor = (relay_version: string, onFailure: Effect.Effect<void>) =>
  Command.make(
    "doctor",
    {
      json: Flag.Boolean("json").pipe(Flag.withoutNegation, Flag.withDefault(false)),
      acp_registry: relayOptions.acp_registry,
      state_dir: relayOptions.state_dir
    },
    ({ acp_registry, json, state_dir }) =>
      Effect.gen(function*() {
        const registry = Option.getOrUndefined(yield* readRegistryFile(acp_registry))
        const own = registry === undefined ? [] : yield* agentsIn(registry)
        const differences = registry && differencesIn(registry)
        const state = stateTrouble(state_dir)
        const found = {
          relay_version,
          ...yield* findings(own),
          sandbox: yield* sandbox,
          ...(state !== undefined && { state }),
          ...(differences !== undefined && { registry_differences: differences })
        }
        yield* Console.log(
          json
            ? JSON.stringify(found, null, 2)
            : [
              `ai-relay ${relay_version}\n`,
              ...rowsOf(found.agents),
              `\n${
                found.sandbox.works
                  ? "The sandbox works here: start the relay with --sandbox to run agents in it."
                  : visibleLine(`No sandbox: ${found.sandbox.reason}.`)
              }`,
              ...state === undefined ? [] : ["", state],
              ...differences === undefined ? [] : ["", ...compared(differences)]
            ].join("\n")
        )
        if (!found.works) yield* onFailure
      })
  )
