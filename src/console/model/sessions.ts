/** sessions: what the relay lists of a session, and what a person changes of it. */

export interface SessionLine {
  readonly session_id: string
  readonly tool: string
  readonly folder: string
  readonly last_active_at: number
  readonly turns: number
  readonly cost_usd: number
  readonly pending: ReadonlyArray<string>
  readonly state: "running" | "idle" | "closed"
  /** Given by a person, by the agent, or the first prompt. */
  readonly title?: string
  readonly archived?: boolean
}

/** What a person changes of a session; an empty title is none. */
export interface SessionChange {
  readonly title?: string
  readonly archived?: boolean
}
