/**
 * CodexLaunch: how to start Codex, and the parameters that open its thread.
 */
import { Effect } from "effect"
import type { AgentSpec, LaunchSpec } from "../Adapter.js"
import { BadHandshake } from "../AdapterError.js"
import { toCodexConfig, unknownToCodex } from "../mcpServers.js"
import type { ThreadOpened } from "./CodexMessage.js"
import { allowsApproval, allowsSandbox, modeOf, modesOf } from "./CodexModes.js"
import { codex } from "./descriptor.js"

/** Keep credentials in memory: neither read from the user's `auth.json` nor written to it. */
export const inMemory = ["-c", "cli_auth_credentials_store=\"ephemeral\""]

/** `app-server` ignores flags before it; `-c`, `--enable` and the like only work after it. */
export const toLaunch = (spec: AgentSpec, credentials: ReadonlyArray<string> = []): LaunchSpec => ({
  tool: codex.name,
  command: codex.command,
  args: ["app-server", "--listen", "stdio://", ...credentials, ...spec.extra_args ?? []],
  cwd: spec.folder,
  inherits: codex.inherits,
  writable: codex.writable,
  clientEnv: spec.env,
  advice: codex.install
})

const defined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** Handshake fields used for both new and resumed threads. */
const commonParams = (spec: AgentSpec) => {
  const mode = spec.permission_mode === undefined ? undefined : modeOf(spec.permission_mode)
  return {
    cwd: spec.folder,
    model: spec.model,
    modelProvider: spec.modelProvider,
    serviceTier: spec.serviceTier,
    approvalPolicy: spec.approval_policy ?? mode?.approvalPolicy,
    approvalsReviewer: spec.approvalsReviewer,
    sandbox: spec.sandbox ?? mode?.sandbox,
    config: spec.mcp_servers === undefined
      ? spec.config
      : { ...spec.config, ...toCodexConfig(spec.mcp_servers) },
    baseInstructions: spec.baseInstructions,
    developerInstructions: spec.developerInstructions,
    personality: spec.personality
  }
}

const onlyModes = (allowed: ReadonlyArray<string>) =>
  `this relay allows only the permission modes ${allowed.join(", ")}`

/** Why the handshake exceeds what the operator allows; undefined if it does not. */
const objection = (spec: AgentSpec): string | undefined => {
  const { allowed_modes: allowed, approval_policy, approvalsReviewer, sandbox } = spec
  if (allowed === undefined) return undefined
  const refuse = (field: string) =>
    `${onlyModes(allowed)}: leave \`${field}\` out, or set \`permission_mode\` to one of these`
  if (approval_policy !== undefined && !allowsApproval(approval_policy, allowed)) {
    return refuse("approval_policy")
  }
  if (sandbox !== undefined && !allowsSandbox(sandbox, allowed)) return refuse("sandbox")
  // Any reviewer but the user answers without asking.
  return approvalsReviewer !== undefined && approvalsReviewer !== "user"
    ? refuse("approvalsReviewer")
    : undefined
}

/** An open thread uses other names for its sandbox. */
const sandboxNames: Readonly<Record<string, string>> = {
  readOnly: "read-only",
  workspaceWrite: "workspace-write",
  dangerFullAccess: "danger-full-access"
}

/** Unset options come from the user's own settings or the thread's past, and must obey the same limits. */
export const checkOpened = (
  { allowed_modes: allowed }: AgentSpec,
  { approvalPolicy, approvalsReviewer, sandbox }: ThreadOpened
): Effect.Effect<void, BadHandshake> => {
  if (allowed === undefined) return Effect.void
  const above = sandbox !== undefined && !allowsSandbox(sandboxNames[sandbox.type] ?? sandbox.type, allowed)
    ? `the sandbox ${sandbox.type}`
    : approvalPolicy !== undefined && !allowsApproval(approvalPolicy, allowed)
    ? `the approval policy ${JSON.stringify(approvalPolicy)}`
    : approvalsReviewer !== undefined && approvalsReviewer !== "user"
    ? `the reviewer ${JSON.stringify(approvalsReviewer)}`
    : undefined
  return above === undefined ? Effect.void : new BadHandshake({
    reason: `Codex opens this thread with ${above}, but ${
      onlyModes(allowed)
    }: set \`permission_mode\` to one of these`
  })
}

/**
 * A session that another agent opens asks a person unless a mode is set. The user's own settings were made for their own sessions, and
 * may run everything without asking.
 */
export const ofAgents = (spec: AgentSpec): AgentSpec =>
  spec.parent !== undefined && spec.permission_mode === undefined
    && modesOf(spec.allowed_modes).includes("default")
    ? { ...spec, permission_mode: "default" }
    : spec

export interface ThreadRequest {
  readonly method: "thread/start" | "thread/resume" | "thread/fork"
  readonly params: Readonly<Record<string, unknown>>
}

/**
 * Threads outlive their process unless the handshake says otherwise. Unset options follow the user's own
 * settings.
 */
export const toThreadRequest = Effect.fnUntraced(function*(spec: AgentSpec) {
  const { ephemeral, native_session_id: threadId, permission_mode, serviceName } = spec
  const names = modesOf(spec.allowed_modes)
  if (permission_mode !== undefined && !names.includes(permission_mode)) {
    return yield* new BadHandshake({ reason: `\`permission_mode\` must be one of ${names.join(", ")}` })
  }
  const unknown = unknownToCodex(spec.mcp_servers)
  if (unknown !== undefined) {
    const reason =
      `Codex does not support MCP servers over SSE: leave "${unknown.name}" out of \`mcp_servers\``
    return yield* new BadHandshake({ reason })
  }
  const forbidden = objection(spec)
  if (forbidden !== undefined) return yield* new BadHandshake({ reason: forbidden })
  const request: ThreadRequest = threadId === undefined
    ? { method: "thread/start", params: defined({ ...commonParams(spec), ephemeral, serviceName }) }
    : spec.fork_at !== undefined
    ? {
      method: "thread/fork",
      params: defined({ threadId, lastTurnId: spec.fork_at, ...commonParams(spec), excludeTurns: true })
    }
    : {
      method: "thread/resume",
      params: defined({ threadId, ...commonParams(spec), excludeTurns: true })
    }
  return request
})
