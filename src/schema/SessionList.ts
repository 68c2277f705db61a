/**
 * SessionList: the list of sessions as somebody who watches it is told: all of it once, then line by line what changes. These
 * events are of a connection whose handshake says `watch`; no session's log has them.
 */
import { Schema } from "effect"
import { event } from "./event.js"
import { Count, present } from "./fields.js"
import { SessionId } from "./Ids.js"

/** One session, in a line. Times are in seconds since 1970. */
export const SessionLine = Schema.Struct({
  session_id: SessionId,
  /** `running`: a turn runs. `closed`: it has no agent now. */
  state: Schema.Literals(["running", "idle", "closed"]),
  tool: Schema.String,
  folder: Schema.String,
  title: present(Schema.String),
  /** A person has put it away. */
  archived: present(Schema.Boolean),
  created_at: Schema.Finite,
  last_active_at: Schema.Finite,
  last_seq: Count,
  turns: Count,
  cost_usd: Schema.Finite,
  /** Connections that follow it. */
  clients: Count,
  /** The `request_id` of each question nobody has answered. */
  pending: Schema.Array(Schema.String),
  native_session_id: present(Schema.String),
  /** What its first client used, and the session whose agent that was: an agent's helper. */
  opened_by: present(Schema.Struct({ front: present(Schema.String), session_id: present(Schema.String) }))
})
export type SessionLine = typeof SessionLine.Type

export const SessionList = event("session_list", { sessions: Schema.Array(SessionLine) })

export const SessionChanged = event("session_changed", { session: SessionLine })

/** `removed` is the session's name. */
export const SessionRemoved = event("session_removed", { removed: SessionId })
