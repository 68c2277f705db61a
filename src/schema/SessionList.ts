/**
 * SessionList: the list of sessions for clients that watch it: first all sessions, then each change. Only connections whose
 * handshake says `watch` get these events; they are in no session's log.
 */
import { Schema } from "effect"
import { event } from "./event.js"
import { Count, present } from "./fields.js"
import { SessionId } from "./Ids.js"

/** A session in the list. Times are Unix seconds. */
export const SessionLine = Schema.Struct({
  session_id: SessionId,
  /** `running`: a turn is running. `closed`: it has no agent at the moment. */
  state: Schema.Literals(["running", "idle", "closed"]),
  tool: Schema.String,
  folder: Schema.String,
  title: present(Schema.String),
  /** Archived by a person. */
  archived: present(Schema.Boolean),
  created_at: Schema.Finite,
  last_active_at: Schema.Finite,
  last_seq: Count,
  turns: Count,
  cost_usd: Schema.Finite,
  /** How many connections follow it. */
  clients: Count,
  /** The `request_id` of each request without an answer. */
  pending: Schema.Array(Schema.String),
  native_session_id: present(Schema.String),
  /** The front of its first client, and the session whose agent that client was. */
  opened_by: present(Schema.Struct({ front: present(Schema.String), session_id: present(Schema.String) }))
})
export type SessionLine = typeof SessionLine.Type

export const SessionList = event("session_list", { sessions: Schema.Array(SessionLine) })

export const SessionChanged = event("session_changed", { session: SessionLine })

/** `removed`: the session's id. */
export const SessionRemoved = event("session_removed", { removed: SessionId })
