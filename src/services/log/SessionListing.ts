/** SessionListing: one session in the list of `GET /sessions`. */
import type { SessionLine } from "../../schema/index.js"
import type { SessionSummary } from "./SessionSummary.js"

export interface SessionListing extends Omit<SessionSummary, "known_prompts"> {
  readonly state: "running" | "idle" | "closed"
  /** How many clients follow it. */
  readonly clients: number
  /** Archived by a person. */
  readonly archived?: true
}

type Summary = Omit<SessionSummary, "known_prompts"> & Partial<SessionSummary>

export const listedLive = (
  { known_prompts: _, ...summary }: Summary,
  clients: number
): SessionListing => ({
  ...summary,
  clients,
  state: summary.open_turn === undefined ? "idle" : "running"
})

export const listedClosed = ({ known_prompts: _, ...summary }: Summary): SessionListing => ({
  ...summary,
  clients: 0,
  state: "closed"
})

/** The same for clients that watch the list, without fields that only opening a session needs. */
export const lineOf = (
  {
    acknowledged: _done,
    open_turn: _turn,
    open_turn_seq: _seq,
    pending_seqs: _asked,
    queued: _waiting,
    ...line
  }: SessionListing
): SessionLine => line
