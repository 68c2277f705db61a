/**
 * SessionSummary: a session in short, folded from its events. The list of sessions shows it, and a relay that has just started
 * learns from it what its predecessor left open.
 */
import { Schema } from "effect"
import { type EventBody, OnLimit, SessionId } from "../../schema/index.js"
import * as knownPrompts from "./knownPrompts.js"

export const SessionSummary = Schema.Struct({
  session_id: SessionId,
  tool: Schema.String,
  folder: Schema.String,
  /** The first line of the first prompt, at most 100 characters. */
  title: Schema.optionalKey(Schema.String),
  native_session_id: Schema.optionalKey(Schema.String),
  /** The front of its first client, and the session whose agent that client was. */
  opened_by: Schema.optionalKey(Schema.Struct({
    front: Schema.optionalKey(Schema.String),
    session_id: Schema.optionalKey(Schema.String)
  })),
  /** The permission mode it was in last. */
  permission_mode: Schema.optionalKey(Schema.String),
  /** The model that was chosen since it was opened, until it is opened with another one. */
  model: Schema.optionalKey(Schema.String),
  /** What happens to prompts that hit a limit, as last set. */
  on_limit: Schema.optionalKey(OnLimit),
  /** Unix times in seconds. */
  created_at: Schema.Number,
  last_active_at: Schema.Number,
  last_seq: Schema.Number,
  turns: Schema.Number,
  cost_usd: Schema.Number,
  /** The number of the running turn. */
  open_turn: Schema.optionalKey(Schema.Number),
  /** The `seq` of its `turn_start`. */
  open_turn_seq: Schema.optionalKey(Schema.Number),
  /** Permission requests without an answer, by `request_id`. */
  pending: Schema.Array(Schema.String),
  /** The `seq` of each, by `request_id`. */
  pending_seqs: Schema.optionalKey(Schema.Record(Schema.String, Schema.Number)),
  /** Queued prompts, by `message_id`. */
  queued: Schema.Array(Schema.String),
  /** The last commands that were delivered or carried out, by `message_id`. */
  acknowledged: Schema.Array(Schema.String),
  /** How the conversation was rewound since the last prompt, which the agent may not have saved yet. */
  rewound: Schema.optionalKey(Schema.Literals(["copy", "told", "new"])),
  /** The last prompts, to tell what was said in a terminal meanwhile. */
  known_prompts: Schema.optionalKey(Schema.Array(Schema.Struct({
    ts: Schema.Number,
    hash: Schema.Number,
    begun: Schema.optionalKey(Schema.Boolean),
    until: Schema.optionalKey(Schema.Number)
  })))
})
export type SessionSummary = typeof SessionSummary.Type

export const empty = (session_id: SessionId): SessionSummary => ({
  session_id,
  tool: "",
  folder: "",
  created_at: 0,
  last_active_at: 0,
  last_seq: 0,
  turns: 0,
  cost_usd: 0,
  pending: [],
  queued: [],
  acknowledged: []
})

/** The same session without its events, to fold them again. */
export const reset = (
  { open_turn: _open, open_turn_seq: _seq, pending_seqs: _asked, rewound: _rewound, ...summary }:
    SessionSummary
): SessionSummary => ({
  ...summary,
  last_seq: 0,
  cost_usd: 0,
  pending: [],
  queued: [],
  acknowledged: []
})

const openedBy = (value: unknown): Pick<SessionSummary, "opened_by"> => {
  if (typeof value !== "object" || value === null) return {}
  const { front, session_id } = value as { readonly front?: unknown; readonly session_id?: unknown }
  return {
    opened_by: {
      ...(typeof front === "string" && { front }),
      ...(typeof session_id === "string" && { session_id })
    }
  }
}

/** Events that change more of a summary than its time and `seq`. */
export const summaryEvents: ReadonlySet<EventBody["type"]> = new Set(
  [
    "session_start",
    "turn_start",
    "turn_end",
    "permission_request",
    "permission_cancelled",
    "control_response",
    "status",
    "input_ack"
  ] as const
)

/** In characters. */
const longestTitle = 100

/** How many acknowledged commands are remembered. */
const remembered = 200

const isOnLimit = Schema.is(OnLimit)
const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const without = (ids: ReadonlyArray<string>, id: string) => ids.filter((other) => other !== id)

const acknowledge = ({ acknowledged }: SessionSummary, message_id: string) =>
  [...without(acknowledged, message_id), message_id].slice(-remembered)

const titleOf = (prompt: string): string | undefined => {
  const [line = ""] = prompt.trim().split(/[\r\n]/, 1)
  const characters = [...line.trim()]
  if (characters.length === 0) return undefined
  return characters.length <= longestTitle
    ? line.trim()
    : `${characters.slice(0, longestTitle - 1).join("")}…`
}

/** A subagent's mode and model are its own. */
const isOfMain = ({ metadata = {} }: EventBody): boolean =>
  metadata["parent_tool_use_id"] === undefined && metadata["thread_id"] === undefined

const modeIn = (event: EventBody): Pick<Partial<SessionSummary>, "permission_mode"> => {
  const mode = text(event.metadata?.["permission_mode"])
  return mode !== undefined && isOfMain(event) ? { permission_mode: mode } : {}
}

/** A model that somebody chose, not one that an agent fell back to, which it tells in words. */
const modelIn = (event: EventBody, { model }: SessionSummary): Pick<Partial<SessionSummary>, "model"> => {
  const told = text(event.metadata?.["model"])
  const isChoice = event.type === "status"
    ? event.text === undefined && (event.status === "model" || event.status === "config")
    : event.type === "session_start" && model !== undefined
  return told !== undefined && isChoice && isOfMain(event) ? { model: told } : {}
}

const settled = (
  { pending, pending_seqs = {} }: SessionSummary,
  request_id: string
): Partial<SessionSummary> => {
  const { [request_id]: _asked, ...others } = pending_seqs
  return { pending: without(pending, request_id), pending_seqs: others }
}

const isWayBack = Schema.is(SessionSummary.fields.rewound.schema)

/** A prompt that was handed over, or going back undone, ends it. */
const staysRewound = (event: EventBody): boolean =>
  event.type === "input_ack"
    ? event.status !== "sent" || event.text === undefined
    : event.type !== "status" || event.status !== "rewind_undone"
      || event.metadata?.["native_session_id"] === undefined

const change = (
  summary: SessionSummary,
  event: EventBody,
  ts: number,
  turn: number,
  seq: number
): Partial<SessionSummary> => {
  switch (event.type) {
    case "session_start":
    case "status": {
      const { folder, native_session_id, tool } = event.metadata ?? {}
      const native = text(native_session_id)
      // The agent's title is better than the first prompt.
      const named = event.type === "status" && event.status === "session_info"
        ? titleOf(text(event.metadata?.["title"]) ?? "")
        : undefined
      return {
        ...(named !== undefined && { title: named }),
        ...(event.type === "status" && event.status === "on_limit" && isOnLimit(event.metadata?.["on_limit"])
          && { on_limit: event.metadata["on_limit"] }),
        ...(event.type === "session_start" && seq === 1 && openedBy(event.metadata?.["opened_by"])),
        ...(event.type === "session_start" && {
          tool: text(tool) ?? summary.tool,
          folder: text(folder) ?? summary.folder
        }),
        ...(native !== undefined && { native_session_id: native }),
        ...(event.type === "status" && event.status === "rewound"
          && isWayBack(event.metadata?.["conversation"])
          && { rewound: event.metadata["conversation"] }),
        ...modeIn(event),
        ...modelIn(event, summary)
      }
    }
    case "turn_start": {
      const { message_id, text: prompt = "" } = event
      const title = summary.title ?? titleOf(prompt)
      return {
        turns: turn,
        open_turn: turn,
        open_turn_seq: seq,
        ...(event.text !== undefined && {
          known_prompts: knownPrompts.begun(summary.known_prompts ?? [], event.text, ts)
        }),
        ...(title !== undefined && { title }),
        // It is acknowledged when the agent has it; after a kill before that, it must not run twice.
        ...(message_id !== undefined && {
          queued: without(summary.queued, message_id),
          acknowledged: acknowledge(summary, message_id)
        })
      }
    }
    case "turn_end": {
      const { history, reason } = event.metadata ?? {}
      const isOwn = history !== true && reason !== "relay_restart"
      return {
        cost_usd: summary.cost_usd + (event.usage?.cost_usd ?? 0),
        ...(isOwn && summary.known_prompts !== undefined && {
          known_prompts: knownPrompts.ended(summary.known_prompts, ts)
        })
      }
    }
    case "permission_request":
      return {
        pending: [...summary.pending, event.request_id],
        pending_seqs: { ...summary.pending_seqs, [event.request_id]: seq }
      }
    case "permission_cancelled":
    case "control_response":
      return settled(summary, event.request_id)
    case "input_ack": {
      const { message_id, status, text } = event
      const known = status === "sent" && text !== undefined
        ? { known_prompts: knownPrompts.handedOver(summary.known_prompts ?? [], text, ts) }
        : {}
      if (message_id === undefined || status === "duplicate") return known
      const queued = without(summary.queued, message_id)
      // Queued prompts do not run after a kill, so they may be sent again.
      return status === "sent"
        ? { ...known, queued, acknowledged: acknowledge(summary, message_id) }
        : { queued: status === "queued" ? [...queued, message_id] : queued }
    }
    default:
      return {}
  }
}

const withoutTurn = ({ open_turn: _turn, open_turn_seq: _seq, ...summary }: SessionSummary): SessionSummary =>
  summary
const withoutRewound = ({ rewound: _rewound, ...summary }: SessionSummary): SessionSummary => summary

/** The summary after one more event. `turn`: the number of the event's turn, if known. */
export const fold = (
  summary: SessionSummary,
  event: EventBody,
  seq: number,
  ts: number,
  turn = summary.turns + 1
): SessionSummary => {
  const inTurn = event.type === "turn_end" ? withoutTurn(summary) : summary
  return {
    ...summary.rewound === undefined || staysRewound(event) ? inTurn : withoutRewound(inTurn),
    ...(summaryEvents.has(event.type) && change(summary, event, ts, turn, seq)),
    created_at: summary.created_at === 0 ? ts : summary.created_at,
    last_active_at: ts,
    last_seq: seq
  }
}
