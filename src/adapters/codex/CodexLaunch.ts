/** CodexLaunch: how Codex is started, and what its thread is opened with. */
import { Effect } from "effect"
import type { AgentSpec, LaunchSpec } from "../Adapter.js"
import { BadHandshake } from "../AdapterError.js"
import { inheritedBy } from "../inheritedBy.js"
import { modeNames, modeOf } from "./CodexModes.js"

/** Credentials are kept in memory: neither read from the user's `auth.json` nor written there. */
export const inMemory = ["-c", "cli_auth_credentials_store=\"ephemeral\""]

/** `app-server` ignores the flags before it, and takes `-c`, `--enable` and such only behind it. */
export const toLaunch = (spec: AgentSpec, credentials: ReadonlyArray<string> = []): LaunchSpec => ({
  tool: "Codex",
  command: "codex",
  args: ["app-server", "--listen", "stdio://", ...credentials, ...spec.extra_args ?? []],
  cwd: spec.folder,
  inherits: inheritedBy("codex"),
  clientEnv: spec.env,
  advice: "Install it on the relay's machine: npm install -g @openai/codex"
})

const defined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** What of the handshake both a new thread and a resumed one take. */
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
    config: spec.config,
    baseInstructions: spec.baseInstructions,
    developerInstructions: spec.developerInstructions,
    personality: spec.personality
  }
}

export interface ThreadRequest {
  readonly method: "thread/start" | "thread/resume"
  readonly params: Readonly<Record<string, unknown>>
}

/** Threads outlive their process, unless the handshake says otherwise. What is not said is the user's own setting. */
export const toThreadRequest = Effect.fnUntraced(function*(spec: AgentSpec) {
  const { ephemeral, native_session_id: threadId, permission_mode, serviceName } = spec
  if (permission_mode !== undefined && modeOf(permission_mode) === undefined) {
    return yield* new BadHandshake({ reason: `\`permission_mode\` must be one of ${modeNames.join(", ")}` })
  }
  const request: ThreadRequest = threadId === undefined
    ? { method: "thread/start", params: defined({ ...commonParams(spec), ephemeral, serviceName }) }
    : {
      method: "thread/resume",
      params: defined({ threadId, ...commonParams(spec), excludeTurns: true })
    }
  return request
})
