/**
 * settings: a session's properties and capabilities, from `session_start` and `status`: reported values
 * replace known ones.
 */
import { agentCalled } from "./agents.js"
import type { Draft } from "./Draft.js"
import { choices, list, number, open, planSteps, slashCommands, text } from "./read.js"
import type { Choice, View } from "./View.js"

type Metadata = Readonly<Record<string, unknown>>

const takeText = (draft: Draft, metadata: Metadata) => {
  const { model, native_session_id, permission_mode } = metadata
  draft.model = text(model) ?? draft.model ?? ""
  draft.mode = text(permission_mode) ?? draft.mode ?? ""
  const native = text(native_session_id)
  if (native !== undefined) draft.native_session_id = native
}

const takeLists = (draft: Draft, { commands, models, modes, suggestions }: Metadata) => {
  if (Array.isArray(models)) draft.models = choices(models)
  if (Array.isArray(modes)) draft.own_modes = choices(modes)
  if (Array.isArray(commands)) draft.commands = slashCommands(commands)
  if (Array.isArray(suggestions)) draft.suggestions = suggestions.filter((each) => typeof each === "string")
}

const takeContext = (draft: Draft, metadata: Metadata) => {
  const pct = number(metadata["context_pct"])
  const tokens = number(metadata["context_tokens"])
  const window = number(metadata["context_window"])
  if (pct !== undefined) draft.context_pct = pct
  if (tokens !== undefined) draft.context_tokens = tokens
  if (window !== undefined) draft.context_window = window
}

export const told = (draft: Draft, metadata: Metadata) => {
  takeText(draft, metadata)
  takeLists(draft, metadata)
  takeContext(draft, metadata)
}

/** Codex starts with two settings where others have one. Undefined: this combination has no name. */
const codexMode = (approval: string | undefined, sandbox: string | undefined): string | undefined => {
  const box = sandbox?.replaceAll("-", "").toLowerCase()
  if (approval === "never") return box === "dangerfullaccess" ? "bypassPermissions" : "dontAsk"
  if (approval !== "on-request") return approval
  return box === "readonly" ? "default" : box === "workspacewrite" ? "acceptEdits" : undefined
}

/** The agent's capabilities. */
export const able = (draft: Draft, { capabilities }: Metadata) => {
  const { edit_input, images, permission_modes, set_model, steer, terminal } = open(capabilities)
  draft.can = {
    images: images === true,
    steer: steer === true,
    set_model: set_model === true,
    terminal: terminal === true,
    rewind: draft.can.rewind,
    edit_input: typeof edit_input === "boolean" ? edit_input : agentCalled(draft.tool)?.edits_input === true
  }
  if (Array.isArray(permission_modes)) {
    draft.modes = permission_modes.filter((mode) => typeof mode === "string")
  }
}

export const started = (draft: Draft, metadata: Metadata) => {
  const { approval_policy, folder, sandbox, tool } = metadata
  draft.tool = text(tool) ?? draft.tool
  draft.folder = text(folder) ?? draft.folder
  able(draft, metadata)
  draft.can = { ...draft.can, rewind: list(metadata["rewind"]).length > 0 }
  draft.started = true
  draft.over = false
  delete draft.failure
  told(draft, metadata)
  const codex = codexMode(text(approval_policy), text(sandbox))
  if (codex !== undefined && text(metadata["permission_mode"]) === undefined) draft.mode = codex
}

export const plan = (draft: Draft, metadata: Metadata) => {
  if (list(metadata["entries"]).length > 0) draft.plan = planSteps(metadata["entries"])
}

export const used = takeContext

/** These Codex names set only one of its two settings; the relay's names set both. */
const partial = new Set([
  "untrusted",
  "on-request",
  "never",
  "read-only",
  "workspace-write",
  "danger-full-access"
])

/**
 * The modes to offer, each once, including the current one: the agent's own with their names, or the relay's.
 * Claude accepts `bypassPermissions` only if it was started with it.
 */
export const choicesOfMode = (
  { mode = "", modes, own_modes, tool }: Pick<View, "mode" | "modes" | "own_modes" | "tool">
): ReadonlyArray<Choice> => {
  const offered = own_modes.length > 0
    ? own_modes.filter(({ value }) => modes.length === 0 || modes.includes(value))
    : modes
      .filter((name) => name === mode || !(tool === "codex" && partial.has(name)))
      .filter((name) => name === mode || !(tool.startsWith("claude") && name === "bypassPermissions"))
      .map((value) => ({ value, name: "", description: "" }))
  return mode === "" || offered.length === 0 || offered.some(({ value }) => value === mode)
    ? offered
    : [{ value: mode, name: "", description: "" }, ...offered]
}

/** The agent names the conversation. */
export const named = (draft: Draft, { title }: Metadata) => {
  const given = text(title)?.trim()
  if (given !== undefined && given !== "") draft.title = given
}
