/**
 * settings: model and permission mode, which Codex accepts only together with a prompt. A change waits for
 * the next prompt and applies from there on.
 */
import type { AgentSpec } from "../Adapter.js"
import type { ThreadOpened } from "./CodexMessage.js"
import { modeOf, toCollaborationMode, toOverrides } from "./CodexModes.js"

type Fields = Readonly<Record<string, unknown>>

export const makeSettings = (spec: AgentSpec) => {
  let own: ThreadOpened["sandbox"]
  let model = spec.model
  /** Whether it only plans; undefined: it was never set. */
  let plans: boolean | undefined
  let pending: Fields = {}

  const set = (fields: Fields) => {
    // If there is a collaboration mode, its model takes precedence over the turn's.
    const collaboration = plans === undefined ? {} : { collaborationMode: toCollaborationMode(plans, model) }
    pending = { ...pending, ...fields, ...collaboration }
  }

  const setMode = (name: string): void => {
    const mode = modeOf(name)
    if (mode === undefined) return
    // A thread that never planned need not be told to stop planning.
    if (mode.plans === true || plans !== undefined) plans = mode.plans ?? plans
    set(toOverrides(mode, own))
  }

  return {
    /** The thread is open. Only a turn can switch it to planning. */
    opened: (thread: ThreadOpened): void => {
      own = thread.sandbox
      model = thread.model ?? model
      if (modeOf(spec.permission_mode ?? "")?.plans === true) setMode("plan")
    },
    setModel: (name: string): void => {
      model = name
      set({ model })
    },
    setMode,
    /** Settings to send with the next prompt. */
    pending: (): Fields => pending,
    /** A prompt was accepted together with these settings. */
    taken: (fields: Fields): void => {
      if (pending === fields) pending = {}
    }
  }
}
