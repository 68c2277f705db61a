/**
 * AcpLaunch: the command line of an ACP agent and, for the tool `acp`, the agent a handshake describes.
 */
import { Effect } from "effect"
import { basename } from "node:path"
import type { AgentSpec, LaunchSpec } from "../Adapter.js"
import { BadHandshake } from "../AdapterError.js"
import { geminiAgent } from "../gemini/geminiAgent.js"
import type { AcpAgent } from "./AcpAgent.js"
import { acp } from "./descriptor.js"

/** Any program that speaks the protocol, given by its `command`. Fails with `BadHandshake`. */
export const agentOf = ({ command }: AgentSpec): Effect.Effect<AcpAgent, BadHandshake> => {
  const [program, ...args] = typeof command === "string" ? [command] : command ?? []
  if (program === undefined) {
    return new BadHandshake({
      reason:
        "`command` is missing: put the agent's program and arguments there, such as [\"my-agent\", \"--acp\"]"
    })
  }
  return Effect.succeed({
    tool: acp.tool,
    name: basename(program),
    command: program,
    args,
    install: acp.install,
    login: acp.login,
    // Applies however Gemini was started: without it, its conversations are lost.
    ...(isGemini(program, args) && { quirks: geminiAgent.quirks })
  })
}

const isGemini = (program: string, args: ReadonlyArray<string>): boolean =>
  [program, ...args].some((word) =>
    /^gemini(?:\.js)?$|gemini-cli/.test(basename(word)) || word.includes("@google/gemini-cli")
  )

export const toLaunch = (
  agent: AcpAgent,
  { env, extra_args = [], folder, model }: AgentSpec
): LaunchSpec => ({
  tool: agent.name,
  command: agent.command,
  args: [...agent.args, ...model === undefined ? [] : agent.modelArgs?.(model) ?? [], ...extra_args],
  cwd: folder,
  ...(agent.defaults !== undefined && { defaults: agent.defaults }),
  ...(agent.env !== undefined && { env: agent.env }),
  inherits: agent.inherits ?? [],
  writable: agent.writable ?? [],
  clientEnv: env,
  advice: agent.install
})
