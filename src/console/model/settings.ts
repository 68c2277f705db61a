/** settings: what a session is and can do, out of `session_start` and `status`: whatever an event tells replaces what was known. */
import type { Draft } from "./Draft.js"
import { choices, list, number, open, planSteps, slashCommands, text } from "./read.js"

type Metadata = Readonly<Record<string, unknown>>

const takeText = (draft: Draft, metadata: Metadata) => {
  const { model, native_session_id, permission_mode } = metadata
  draft.model = text(model) ?? draft.model ?? ""
  draft.mode = text(permission_mode) ?? draft.mode ?? ""
  const native = text(native_session_id)
  if (native !== undefined) draft.native_session_id = native
}

const takeLists = (draft: Draft, { commands, models, suggestions }: Metadata) => {
  if (Array.isArray(models)) draft.models = choices(models)
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

export const started = (draft: Draft, metadata: Metadata) => {
  const { capabilities, folder, tool } = metadata
  const { images, permission_modes, set_model, steer, terminal } = open(capabilities)
  draft.tool = text(tool) ?? draft.tool
  draft.folder = text(folder) ?? draft.folder
  draft.can = {
    images: images === true,
    steer: steer === true,
    set_model: set_model === true,
    terminal: terminal === true
  }
  if (Array.isArray(permission_modes)) {
    draft.modes = permission_modes.filter((mode) => typeof mode === "string")
  }
  draft.started = true
  draft.over = false
  told(draft, metadata)
}

export const plan = (draft: Draft, metadata: Metadata) => {
  if (list(metadata["entries"]).length > 0) draft.plan = planSteps(metadata["entries"])
}

export const used = takeContext
