/**
 * settings: model and permission mode, which Codex takes only together with a prompt. What is set waits for the next
 * one, and counts from there on.
 */
import type { AgentSpec } from "../Adapter.js"
import type { ThreadOpened } from "./CodexMessage.js"
import { modeOf, toCollaborationMode, toOverrides } from "./CodexModes.js"

type Fields = Readonly<Record<string, unknown>>

export const makeSettings = (spec: AgentSpec) => {
  let own: ThreadOpened["sandbox"]
  let model = spec.model
  /** Whether it only plans; undefined: it was never told. */
  let plans: boolean | undefined
  let pending: Fields = {}

  const set = (fields: Fields) => {
    // Where there is a collaboration mode, its model goes before the turn's.
    const collaboration = plans === undefined ? {} : { collaborationMode: toCollaborationMode(plans, model) }
    pending = { ...pending, ...fields, ...collaboration }
  }

  const setMode = (name: string): void => {
    const mode = modeOf(name)
    if (mode === undefined) return
    // A thread that never planned is not told that it does not.
    if (mode.plans === true || plans !== undefined) plans = mode.plans ?? plans
    set(toOverrides(mode, own))
  }

  return {
    /** The thread is open. Only a turn can say that it is to plan. */
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
    /** What the next prompt takes along. */
    pending: (): Fields => pending,
    /** A prompt was taken, and these with it. */
    taken: (fields: Fields): void => {
      if (pending === fields) pending = {}
    }
  }
}
