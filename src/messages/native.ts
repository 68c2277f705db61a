/**
 * native: whether the conversation is also open in a terminal: who drives it, who has it open, and how to
 * continue there. Only sessions whose agent supports the handover have it.
 */
import type { Draft } from "./Draft.js"
import { open, text } from "./read.js"
import type { Native } from "./View.js"

type Metadata = Readonly<Record<string, unknown>>

/** The terminal that has the conversation open, as far as known. */
const holderOf = (value: unknown): NonNullable<Native["open"]> => {
  const { join, waiting_for } = open(value)
  const waits = text(waiting_for)
  return { ...(waits !== undefined && { waiting_for: waits }), ...(join === true && { joins: true }) }
}

const onwardOf = (value: unknown): Native["onward"] => {
  const { shell, warning } = open(value)
  const line = text(shell)
  const warns = text(warning)
  return line === undefined ? undefined : { shell: line, ...(warns !== undefined && { warning: warns }) }
}

export const started = (draft: Draft, { can_fork, continue_with, drive }: Metadata) => {
  if (drive !== "own" && drive !== "following" && drive !== "joined") {
    delete draft.native
    return
  }
  const onward = onwardOf(continue_with) ?? draft.native?.onward
  const { open: holder } = draft.native ?? {}
  draft.native = {
    drive,
    forks: can_fork === true,
    ...(onward !== undefined && { onward }),
    ...(holder !== undefined && drive === "following" && { open: holder })
  }
}

/** A `status` of the relay about it. */
export const told = (draft: Draft, status: string, metadata: Metadata) => {
  if (draft.native === undefined) return
  const { open: _, ...free } = draft.native
  switch (status) {
    case "handed_over": {
      const onward = onwardOf(metadata["continue_with"])
      draft.native = { ...free, drive: "following", ...(onward !== undefined && { onward }) }
      return
    }
    case "open_elsewhere":
    case "waiting":
      draft.native = { ...free, open: holderOf(metadata["open"]) }
      return
    case "released":
      // The session that shared it now has it alone and is not running yet.
      draft.native = { ...free, drive: "following" }
      return
    case "reloaded":
      draft.native = free
      return
    case "taken_over":
      draft.native = { ...free, drive: metadata["drive"] === "joined" ? "joined" : "own" }
  }
}

/** A prompt was refused because a terminal has the conversation open. */
export const refused = (draft: Draft) => {
  if (draft.native?.open === undefined && draft.native !== undefined) {
    draft.native = { ...draft.native, open: {} }
  }
}

/** The agent is working: nobody else has the conversation open. */
export const runs = (draft: Draft) => {
  if (draft.native?.drive !== "own" || draft.native.open === undefined) return
  const { open: _, ...free } = draft.native
  draft.native = free
}
