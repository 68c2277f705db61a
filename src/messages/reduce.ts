/**
 * reduce: applies a batch of a session's events to its view. Pure: the given view is not changed.
 *
 * A repeated event changes nothing, so a page may receive more than it asked for; a second start counts.
 */
import type { EventOf, RelayEvent } from "../client/browser.js"
import * as asks from "./asks.js"
import { add, change, type Draft, draftOf } from "./Draft.js"
import * as driving from "./driving.js"
import * as limit from "./limit.js"
import * as messages from "./messages.js"
import * as native from "./native.js"
import { number, text as textOf } from "./read.js"
import * as schedules from "./schedules.js"
import * as settings from "./settings.js"
import * as tools from "./tools.js"
import * as turns from "./turns.js"
import type { NoticeItem, View } from "./View.js"

const notice = (
  draft: Draft,
  level: NoticeItem["level"],
  text: string,
  event: RelayEvent,
  about?: NoticeItem["about"]
) => {
  const { seq, ts } = event
  // Some agents send the same text twice.
  const last = draft.items.at(-1)
  if (last?.kind === "notice" && last.level === level && last.text === text) return
  // Events sent only to this connection repeat a `seq`.
  add(draft, {
    kind: "notice",
    key: `n${draft.items.length}-${seq}`,
    ts,
    level,
    text,
    ...(event.type === "error" && { code: event.code }),
    ...(about !== undefined && { about })
  })
}

const attempts = /\((\d+|\?) of (\d+|\?)\)/

/** The model API is retried: one notice covers all attempts. */
const retry = (
  draft: Draft,
  text: string,
  metadata: Readonly<Record<string, unknown>>,
  event: RelayEvent
) => {
  const [, attempt, of] = attempts.exec(text) ?? []
  const times = number(metadata["attempt"]) ?? Number(attempt)
  const most = number(metadata["max_retries"]) ?? Number(of)
  const fields = {
    level: "warning" as const,
    text,
    retry: {
      limited: event.type === "quota_warning",
      ...(Number.isFinite(times) && { attempt: times }),
      ...(Number.isFinite(most) && { of: most })
    }
  }
  const last = draft.items.at(-1)
  if (last?.kind === "notice" && last.retry !== undefined) {
    return change(draft, draft.items.length - 1, "notice", fields)
  }
  add(draft, { kind: "notice", key: `e${event.seq}`, ts: event.ts, ...fields })
}

/** Repeated while the agent waits for the model. */
const isRetry = (metadata: Readonly<Record<string, unknown>>) =>
  metadata["retry_delay_ms"] !== undefined || metadata["attempt"] !== undefined

const output = (draft: Draft, text: string, { seq, ts }: RelayEvent) => {
  const last = draft.items.at(-1)
  if (last?.kind === "output") {
    return change(draft, draft.items.length - 1, "output", { text: `${last.text}\n${text}` })
  }
  add(draft, { kind: "output", key: `e${seq}`, ts, text })
}

const piece = (draft: Draft, event: Extract<RelayEvent, { readonly type: "stream_event" }>) => {
  const { delta, text = "", tool_use_id } = event
  if (delta === "text" || delta === "reasoning") return messages.piece(draft, delta, text, event)
  if (tool_use_id === undefined) return
  if (delta === "tool_input") tools.inputPiece(draft, tool_use_id, text, event)
  if (delta === "tool_output") tools.outputPiece(draft, tool_use_id, text, event)
}

/** A rewind to before a turn, or its undoing. */
const rewound = (draft: Draft, event: EventOf<"status">) => {
  const { metadata = {}, status, text } = event
  if (status !== "rewound" && status !== "rewind_undone") return
  const { conversation } = metadata
  const files = metadata["restore"] === "conversation" ? undefined : number(metadata["files_changed"])
  const rewind_id = textOf(metadata["rewind_id"]) ?? ""
  notice(draft, "info", text ?? "", event, {
    is: status,
    rewind_id,
    turn: number(metadata["turn"]) ?? 0,
    ...(files !== undefined && { files }),
    ...((conversation === "copy" || conversation === "told" || conversation === "new") && { conversation })
  })
  if (status === "rewound") draft.rewound = rewind_id
  else delete draft.rewound
}

/** Sent only to this connection. */
const local = (draft: Draft, event: RelayEvent) => {
  if (event.type === "session_start") {
    limit.started(draft, event.metadata ?? {})
    schedules.started(draft, event.metadata ?? {})
    settings.started(draft, event.metadata ?? {})
    native.started(draft, event.metadata ?? {})
    driving.started(draft, event.metadata ?? {})
  }
  if (event.type === "status" && event.status === "joined") driving.joined(draft, event.metadata ?? {})
  if (event.type !== "error") return
  if (event.code === "in_use") native.refused(draft)
  // The page itself says why a session cannot be opened.
  if (event.metadata?.["fatal"] !== true) {
    notice(draft, event.code === "gap" ? "warning" : "error", event.text, event)
  }
  if (event.message_id !== undefined) draft.settled.add(event.message_id)
  const first = event.code === "gap" ? number(event.metadata?.["first_seq"]) : undefined
  if (first !== undefined) draft.last_seq = Math.max(draft.last_seq, first - 1)
}

/** Why the agent's program ended, unless that was requested. */
const ended = (
  draft: Draft,
  { exit_code, metadata }: Extract<RelayEvent, { readonly type: "session_end" }>
) => {
  const signal = textOf(metadata?.["signal"])
  const stderr = metadata?.["stderr"]
  if (signal === undefined && (exit_code === undefined || exit_code === 0) && !Array.isArray(stderr)) return
  draft.failure = signal ?? (exit_code === undefined ? "" : `exit code ${exit_code}`)
}

const logged = (draft: Draft, event: RelayEvent): unknown => {
  switch (event.type) {
    case "session_start":
      limit.started(draft, event.metadata ?? {})
      schedules.started(draft, event.metadata ?? {})
      native.started(draft, event.metadata ?? {})
      driving.started(draft, event.metadata ?? {})
      return settings.started(draft, event.metadata ?? {})
    case "session_end":
      draft.over = true
      return ended(draft, event)
    case "turn_start":
      if (event.metadata?.["history"] !== true) native.runs(draft)
      return turns.begin(draft, event)
    case "turn_end":
      return turns.end(draft, event)
    case "input_ack":
      return turns.acknowledge(draft, event)
    case "status":
      settings.told(draft, event.metadata ?? {})
      limit.told(draft, event.status, event.metadata ?? {})
      schedules.told(draft, event.status, event.metadata ?? {})
      native.told(draft, event.status, event.metadata ?? {})
      // The session's position was not known before.
      if (event.status === "joined") driving.joined(draft, event.metadata ?? {})
      driving.told(draft, event.status, event.metadata ?? {}, event.text)
      if (event.status === "taken_over" && event.metadata !== undefined) settings.able(draft, event.metadata)
      rewound(draft, event)
      if (event.status === "session_info") settings.named(draft, event.metadata ?? {})
      if (event.status === "api_retry") return retry(draft, event.text ?? "", event.metadata ?? {}, event)
      return event.status === "plan" && settings.plan(draft, event.metadata ?? {})
    case "stream_event":
      return piece(draft, event)
    case "reasoning":
      return messages.whole(draft, "reasoning", event.text, event)
    case "assistant_message":
      return event.text !== undefined && messages.whole(draft, "text", event.text, event)
    case "user_message":
      return messages.echo(draft, event, event)
    case "response":
      return messages.response(draft, event.text, event)
    case "tool_call":
      return tools.call(draft, event, event)
    case "tool_progress":
      return tools.progress(draft, event)
    case "tool_result":
      return tools.result(draft, event)
    case "file_diff":
      return tools.diff(draft, event)
    case "permission_request":
      return asks.ask(draft, event)
    case "control_response":
      return asks.answered(draft, event)
    case "permission_cancelled":
      return asks.cancelled(draft, event)
    case "error":
      if (event.code === "in_use") native.refused(draft)
      if (event.message_id !== undefined) draft.settled.add(event.message_id)
      return notice(draft, "error", event.text, event)
    case "quota_warning":
      if (isRetry(event.metadata ?? {})) return retry(draft, event.text, event.metadata ?? {}, event)
      return notice(draft, "warning", event.text, event)
    case "context_warning":
      settings.used(draft, { context_pct: event.context_pct })
      return event.text !== undefined ? notice(draft, "warning", event.text, event) : notice(
        draft,
        "warning",
        `The context is ${event.context_pct}% full.`,
        event,
        { is: "context_full", context_pct: event.context_pct }
      )
    case "context_compacted":
      return event.text !== undefined ? notice(draft, "info", event.text, event) : notice(
        draft,
        "info",
        "The conversation was summarized to make room.",
        event,
        { is: "compacted" }
      )
    case "stdout":
    case "stderr":
      // A terminal draws its output itself.
      return draft.can.terminal || output(draft, event.text, event)
  }
}

/**
 * A restarted agent repeats what it remembers; the view already has the session's own turns. Claude marks what it has
 * received in the same way, with an id.
 */
const isRepeated = ({ items, turn }: Draft, { metadata = {} }: RelayEvent): boolean =>
  metadata["replay"] === true && metadata["uuid"] === undefined && turn === undefined
  && items.some(({ kind }) => kind === "end")

export const reduce = (view: View, events: ReadonlyArray<RelayEvent>): View => {
  const draft = draftOf(view)
  for (const event of events) {
    // The relay forgot the session and it began again, so its numbers restart.
    if (event.type === "session_start" && event.seq === 1 && draft.last_seq > 1) draft.last_seq = 0
    if (event.seq <= draft.last_seq || event.seq === 0) {
      local(draft, event)
      continue
    }
    draft.last_seq = event.seq
    if (isRepeated(draft, event)) continue
    try {
      logged(draft, event)
    } catch {
      // Agents send anything: a malformed event loses only itself, not the page.
      notice(
        draft,
        "warning",
        `An event (${event.type}) could not be displayed.`,
        event,
        { is: "unreadable", event: event.type }
      )
    }
  }
  return draft
}
