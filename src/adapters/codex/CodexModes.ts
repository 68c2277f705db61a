/**
 * CodexModes: the names `set_permission_mode` and the handshake's `permission_mode` take.
 *
 * Codex has three things where others have one: when it asks (approval policy), what it may do unasked (sandbox), and
 * whether it only plans (collaboration mode). Its own words each set one of them; Claude's words set what comes nearest.
 */

export interface Mode {
  readonly approvalPolicy?: string
  readonly sandbox?: Sandbox
  readonly plans?: boolean
}
type Sandbox = "read-only" | "workspace-write" | "danger-full-access"

const modes: Readonly<Record<string, Mode>> = {
  untrusted: { approvalPolicy: "untrusted" },
  "on-request": { approvalPolicy: "on-request" },
  never: { approvalPolicy: "never" },
  "read-only": { sandbox: "read-only" },
  "workspace-write": { sandbox: "workspace-write" },
  "danger-full-access": { sandbox: "danger-full-access" },
  // Reads what it likes, asks before it changes anything.
  default: { approvalPolicy: "on-request", sandbox: "read-only", plans: false },
  acceptEdits: { approvalPolicy: "on-request", sandbox: "workspace-write", plans: false },
  plan: { plans: true },
  dontAsk: { approvalPolicy: "never", plans: false },
  bypassPermissions: { approvalPolicy: "never", sandbox: "danger-full-access", plans: false }
}

export const modeNames = Object.keys(modes)

export const modeOf = (name: string): Mode | undefined => Object.hasOwn(modes, name) ? modes[name] : undefined

type SandboxPolicy = Readonly<Record<string, unknown>> & { readonly type: string }

const policies: Readonly<Record<Sandbox, SandboxPolicy>> = {
  "read-only": { type: "readOnly", networkAccess: false },
  "workspace-write": {
    type: "workspaceWrite",
    writableRoots: [],
    networkAccess: false,
    excludeTmpdirEnvVar: false,
    excludeSlashTmp: false
  },
  "danger-full-access": { type: "dangerFullAccess" }
}

/** A turn names its sandbox in other words than a thread. `own` is the thread's, as the user configured it. */
const sandboxPolicy = (sandbox: Sandbox, own: SandboxPolicy | undefined): SandboxPolicy =>
  own?.type === policies[sandbox].type ? own : policies[sandbox]

/** What a turn must be started with, so that it and those after it are in this mode. */
export const toOverrides = (
  { approvalPolicy, sandbox }: Mode,
  own: SandboxPolicy | undefined
): Record<string, unknown> => ({
  ...(approvalPolicy !== undefined && { approvalPolicy }),
  ...(sandbox !== undefined && { sandboxPolicy: sandboxPolicy(sandbox, own) })
})

export const toCollaborationMode = (plans: boolean, model: string | undefined): object => ({
  mode: plans ? "plan" : "default",
  settings: { model, reasoning_effort: null, developer_instructions: null }
})
