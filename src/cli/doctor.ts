/**
 * doctor: `ai-relay doctor` says which agents can be used on this machine, and what to run for the others.
 *
 * Exit code 0 when at least one agent works, else 1. Terminals (`generic`) count as no agent: they work nearly always.
 */
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { existsSync } from "node:fs"
import type { OwnAgent } from "../adapters/acp/AcpAgent.js"
import { examine } from "../services/agents/AgentFindings.js"
import { type Finding, works } from "../services/agents/AgentProbe.js"
import { whyUnwritable } from "../services/journal/Journal.js"
import * as SessionRecord from "../services/journal/SessionRecord.js"
import * as Sandbox from "../services/process/Sandbox.js"
import { relayOptions, standardStateDir } from "./options.js"
import { visibleLine } from "./printable.js"
import { compareRegistry, loadRegistry } from "./registryFile.js"

/** Why sessions cannot be kept, if they cannot. */
const stateTrouble = (): string | undefined => {
  const folder = SessionRecord.folderIn(process.env["AI_RELAY_STATE_DIR"] ?? standardStateDir())
  return existsSync(folder) ? whyUnwritable(folder) : undefined
}

const findings = (own: ReadonlyArray<OwnAgent>) =>
  Effect.map(examine(own), (agents) => ({
    agents,
    works: agents.some((agent) => agent.tool !== "generic" && works(agent))
  }))

/** Whether agents can be kept in. */
const sandbox = Effect.match(Sandbox.check, {
  onSuccess: () => ({ works: true as const }),
  onFailure: ({ message: reason }) => ({ works: false as const, reason })
})

const stateOf = ({ installed, logged_in }: Finding): string =>
  !installed ? "not installed" : logged_in === undefined ? "installed" : logged_in ? "ready" : "not signed in"

/** And what is known of that version. */
const versionOf = ({ compatibility = "not tested", trouble = [], version }: Finding): string =>
  version === undefined
    ? ""
    : `${version} (${
      [compatibility, trouble.length > 0 ? `known trouble: ${trouble.join(", ")}` : ""]
        .filter(Boolean).join("; ")
    })`

/** The table of agents, line by line, its titles first. */
export const rowsOf = (findings: ReadonlyArray<Finding>): ReadonlyArray<string> => {
  const rows = findings.map((finding) => [
    finding.tool,
    finding.name,
    stateOf(finding),
    visibleLine(versionOf(finding)),
    finding.installed && finding.logged_in === undefined
      ? `If it wants a login: ${finding.advice}`
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

/** `onFailure` is what to do when no agent works; `relay_version` is what the versions of agents were tested with. */
export const doctor = (relay_version: string, onFailure: Effect.Effect<void>) =>
  Command.make(
    "doctor",
    {
      json: Flag.Boolean("json").pipe(Flag.withoutNegation, Flag.withDefault(false)),
      acp_registry: relayOptions.acp_registry
    },
    ({ acp_registry, json }) =>
      Effect.gen(function*() {
        const own = yield* loadRegistry(acp_registry)
        const differences = yield* compareRegistry(acp_registry)
        const state = stateTrouble()
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
                  ? "Agents can be kept in a sandbox here: start the relay with --sandbox."
                  : visibleLine(`No sandbox: ${found.sandbox.reason}.`)
              }`,
              ...state === undefined ? [] : ["", state],
              ...differences === undefined ? [] : ["", ...compared(differences)]
            ].join("\n")
        )
        if (!found.works) yield* onFailure
      })
  )
