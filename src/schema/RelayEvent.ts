/**
 * RelayEvent: everything that the relay sends to a client.
 *
 * An `EventBody` says what happened. The envelope is added when the event is logged: `seq`, time, session and turn.
 */
import { Schema, Tuple } from "effect"
import { Count, present } from "./fields.js"
import { SessionId } from "./Ids.js"
import * as Lifecycle from "./Lifecycle.js"
import * as Message from "./Message.js"
import * as Notice from "./Notice.js"
import { PermissionRequest } from "./Permission.js"
import { SessionChanged, SessionList, SessionRemoved } from "./SessionList.js"
import * as ToolCall from "./ToolCall.js"

export const EventBody = Schema.Union([
  Lifecycle.SessionStart,
  Lifecycle.SessionEnd,
  Lifecycle.TurnStart,
  Lifecycle.TurnEnd,
  Lifecycle.InputAck,
  Lifecycle.Status,
  Lifecycle.ControlSettled,
  Lifecycle.PermissionCancelled,
  PermissionRequest,
  Message.StreamEvent,
  Message.Reasoning,
  Message.AssistantMessage,
  Message.UserEcho,
  Message.Response,
  ToolCall.ToolCall,
  ToolCall.ToolProgress,
  ToolCall.ToolResult,
  ToolCall.FileDiff,
  Notice.ErrorEvent,
  Notice.QuotaWarning,
  Notice.ContextWarning,
  Notice.ContextCompacted,
  Notice.Stdout,
  Notice.Stderr,
  SessionList,
  SessionChanged,
  SessionRemoved
])
export type EventBody = typeof EventBody.Type
export type EventType = EventBody["type"]
export type BodyOf<Type extends EventType> = Extract<EventBody, { readonly type: Type }>

export const Envelope = Schema.Struct({
  /** 1, 2, 3 … per session, without gaps. An event for one connection only repeats that connection's current `seq`. */
  seq: Count,
  /** Unix time in seconds. */
  ts: Schema.Finite,
  session_id: present(SessionId),
  /** 1, 2 … inside a turn. */
  turn: present(Schema.Int)
})
export type Envelope = typeof Envelope.Type

export const RelayEvent = EventBody.mapMembers(Tuple.map(Schema.fieldsAssign(Envelope.fields)))
export type RelayEvent = typeof RelayEvent.Type
