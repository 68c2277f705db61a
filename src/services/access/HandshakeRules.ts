/**
 * HandshakeRules: checks the variables, arguments and programs in a handshake. `Folders` checks folders, and the registry of
 * adapters checks agents.
 */
import type { Effect } from "effect"
import { BadHandshake } from "../../adapters/AdapterError.js"
import type { Handshake } from "../../schema/index.js"
import { checkClientEnv } from "../process/AgentEnvironment.js"
import type { Settings } from "../RelayConfig.js"

type Rules = Pick<
  Settings,
  "allow_env" | "allow_programs" | "no_command" | "no_extra_args" | "permission_modes"
>

/** Agents whose `command` is a program; for `replay` it is a file. */
const runsCommand = new Set(["acp", "generic"])

const programOf = ({ command }: Handshake) => typeof command === "string" ? command : command?.[0]

/** All programs that the handshake would start: the agent's own and MCP servers. */
const programsOf = (handshake: Handshake): ReadonlyArray<string> => {
  const own = runsCommand.has(handshake.tool ?? "") ? programOf(handshake) : undefined
  const servers = (handshake.mcp_servers ?? []).flatMap((server) =>
    "command" in server ? [server.command] : []
  )
  return own === undefined ? servers : [own, ...servers]
}

/** Valid ids of conversations: never a path, and nothing that a program could take for a flag. */
const conversationId = /^[A-Za-z0-9_][A-Za-z0-9_.:@+=~-]{0,255}$/

/** Refuses values that would be read as flags: both become arguments of the agent's program. */
const flagIn = ({ model, native_session_id }: Handshake): string | undefined =>
  native_session_id !== undefined && !conversationId.test(native_session_id)
    ? "`native_session_id` must be the id of a conversation: letters, digits and . _ : @ + = ~ -, not starting with -"
    : model !== undefined && !/^[^\s-][^\0\r\n]{0,499}$/.test(model)
    ? "`model` must be the name of a model: one line of at most 500 characters, not starting with - or a space"
    : undefined

/** Why the handshake is refused; undefined if it is not. */
const objection = (handshake: Handshake, rules: Rules): string | undefined => {
  const { allow_programs, no_command, no_extra_args, permission_modes } = rules
  const { config, extra_args = [] } = handshake
  const flag = flagIn(handshake)
  if (flag !== undefined) return flag
  if (no_extra_args && (extra_args.length > 0 || config !== undefined)) {
    const field = extra_args.length > 0 ? "extra_args" : "config"
    return `this relay accepts no arguments for agents: leave \`${field}\` out (it was started with --no-extra-args)`
  }
  if (permission_modes.length > 0 && (extra_args.length > 0 || config !== undefined)) {
    const field = extra_args.length > 0 ? "extra_args" : "config"
    return `this relay allows only the permission modes ${
      permission_modes.join(", ")
    }, and arguments could choose `
      + `another: leave \`${field}\` out, or start it without --permission-modes`
  }
  const program = programsOf(handshake).find((program) => !allow_programs.includes(program))
  if (program === undefined || allow_programs.includes("*")) return undefined
  if (no_command) {
    return "this relay accepts no `command`, for agents or for MCP servers: use a `tool` it knows, or start it with "
      + `--allow-program ${program} to allow this program`
  }
  return allow_programs.length === 0
    ? undefined
    : `this relay runs only ${allow_programs.join(", ")}: start it with --allow-program ${program} to add it`
}

export const checkHandshake = (
  handshake: Handshake,
  rules: Rules
): Effect.Effect<void, BadHandshake> => {
  const reason = objection(handshake, rules)
  return reason === undefined
    ? checkClientEnv(handshake.env ?? {}, rules.allow_env, handshake.tool)
    : new BadHandshake({ reason })
}
