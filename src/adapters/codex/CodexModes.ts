/**
 * CodexModes: the names accepted by `set_permission_mode` and the handshake's `permission_mode`.
 *
 * Codex has three settings where other agents have one: when it asks (approval policy), what it may do
 * without asking (sandbox), and whether it only plans (collaboration mode). Each of its own names sets one of
 * them; Claude's names set the closest combination.
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
  // Reads anything, asks before it changes something.
  default: { approvalPolicy: "on-request", sandbox: "read-only", plans: false },
  acceptEdits: { approvalPolicy: "on-request", sandbox: "workspace-write", plans: false },
  plan: { plans: true },
  dontAsk: { approvalPolicy: "never", plans: false },
  bypassPermissions: { approvalPolicy: "never", sandbox: "danger-full-access", plans: false }
}

const modeNames = Object.keys(modes)

/** The modes that may be used if the operator allows these names; undefined means all. */
export const modesOf = (allowed: ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  allowed === undefined ? modeNames : modeNames.filter((name) => allowed.includes(name))

/** From the strictest to the most permissive; a value in no list counts as more permissive than all. */
const approvals = ["untrusted", "on-request", "never"]
const sandboxes = ["read-only", "workspace-write", "danger-full-access"]

const isWithin = (
  ladder: ReadonlyArray<string>,
  wanted: unknown,
  steps: ReadonlyArray<string | undefined>
) => {
  // If no allowed mode sets it, the strictest value that leaves the agent usable.
  const highest = Math.max(0, ...steps.map((step) => step === undefined ? 0 : ladder.indexOf(step)))
  const rank = typeof wanted === "string" ? ladder.indexOf(wanted) : -1
  return rank !== -1 && rank <= highest
}

const allowedModes = (allowed: ReadonlyArray<string>) =>
  modesOf(allowed).flatMap((name) => modeOf(name) ?? [])

/** Whether Codex may use this approval policy if only these modes are allowed. `on-request` is always allowed. */
export const allowsApproval = (policy: unknown, allowed: ReadonlyArray<string>): boolean =>
  isWithin(approvals, policy, ["on-request", ...allowedModes(allowed).map((mode) => mode.approvalPolicy)])

/** Whether Codex may use this sandbox if only these modes are allowed. `read-only` is always allowed. */
export const allowsSandbox = (sandbox: unknown, allowed: ReadonlyArray<string>): boolean =>
  isWithin(sandboxes, sandbox, allowedModes(allowed).map((mode) => mode.sandbox))

export const modeOf = (name: string): Mode | undefined => Object.hasOwn(modes, name) ? modes[name] : undefined

/** The mode of a thread opened with these settings; undefined if none matches. */
export const modeNamed = (approvalPolicy: unknown, sandbox: string | undefined): string | undefined =>
  Object.entries(modes).find(([, mode]) =>
    mode.sandbox !== undefined && mode.approvalPolicy === approvalPolicy
    && policies[mode.sandbox].type === sandbox
  )?.[0] ?? modeNames.find((name) => name === approvalPolicy)

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

/** A turn uses other sandbox names than a thread. `own` is the thread's, as configured by the user. */
const sandboxPolicy = (sandbox: Sandbox, own: SandboxPolicy | undefined): SandboxPolicy =>
  own?.type === policies[sandbox].type ? own : policies[sandbox]

/** Parameters that put this turn and the following ones in the mode. */
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
