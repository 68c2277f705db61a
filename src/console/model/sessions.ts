/**
 * sessions: what the relay lists about a session, and what a person can change about it.
 */
export type { SessionLine } from "../../client/browser.js"

/** A person's changes to a session; an empty title removes it. */
export interface SessionChange {
  readonly title?: string
  readonly archived?: boolean
}
