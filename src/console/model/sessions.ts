/** sessions: what the relay lists of a session, and what a person changes of it. */
export type { SessionLine } from "../../client/browser.js"

/** What a person changes of a session; an empty title is none. */
export interface SessionChange {
  readonly title?: string
  readonly archived?: boolean
}
