/**
 * NativeTurns: converts a history's records to events that follow the rules of live ones: every `turn_start`
 * gets one `turn_end`, preceded by one `response` if the turn ended well, and all messages are inside a turn.
 *
 * Each event is marked `metadata.history: true`.
 */
import type { BodyOf, EventBody, StopReason, Usage } from "../../schema/index.js"
import type { NativeRecord } from "./NativeStore.js"

/** An event with its time, in seconds since 1970. */
export interface TimedEvent {
  readonly event: EventBody
  readonly ts: number
}

const ofTurn: ReadonlySet<EventBody["type"]> = new Set(
  [
    "assistant_message",
    "reasoning",
    "tool_call",
    "tool_result",
    "file_diff",
    "user_message",
    "error"
  ] as const
)

const isSubagents = (event: EventBody) =>
  "metadata" in event && event.metadata?.["parent_tool_use_id"] !== undefined

/** `marks` are added to every event's metadata. */
export const make = (marks: Readonly<Record<string, unknown>> = {}) => {
  let isOpen = false
  /** Set if the last thing in the turn was text by the agent. */
  let answer: string | undefined
  let calls = new Map<string, Usage>()
  let ts = 0

  const marked = (event: EventBody, more: Readonly<Record<string, unknown>> = {}): EventBody =>
    // A history asks nothing: none of its events has metadata with a defined shape.
    ({
      ...event,
      metadata: { ...("metadata" in event && event.metadata), ...more, ...marks, history: true }
    }) as EventBody

  const begin = (event: BodyOf<"turn_start">, record: NativeRecord): EventBody => {
    isOpen = true
    answer = undefined
    calls = new Map()
    return marked(event, { native_key: record.key })
  }

  const sum = (): Usage | undefined => {
    if (calls.size === 0) return undefined
    const total = { input_tokens: 0, output_tokens: 0, cached_input_tokens: 0 }
    for (const call of calls.values()) {
      total.input_tokens += call.input_tokens ?? 0
      total.output_tokens += call.output_tokens ?? 0
      total.cached_input_tokens += call.cached_input_tokens ?? 0
    }
    return total
  }

  const end = (wanted?: BodyOf<"turn_end">): ReadonlyArray<EventBody> => {
    if (!isOpen) return []
    isOpen = false
    const stop_reason: StopReason = wanted?.stop_reason ?? (answer === undefined ? "cancelled" : "end_turn")
    const usage = { ...sum(), ...wanted?.usage }
    const said = answer
    answer = undefined
    return [
      ...stop_reason === "end_turn" ? [marked({ type: "response", text: said ?? "" })] : [],
      marked({
        type: "turn_end",
        ...wanted,
        stop_reason,
        ...(Object.keys(usage).length > 0 && { usage })
      })
    ]
  }

  const take = (event: EventBody, record: NativeRecord): ReadonlyArray<EventBody> => {
    if (event.type === "turn_start") return [...end(), begin(event, record)]
    if (event.type === "turn_end") return end(event)
    const opening = !isOpen && ofTurn.has(event.type) ? [begin({ type: "turn_start" }, record)] : []
    if (!isSubagents(event)) {
      if (event.type === "assistant_message" && event.text !== undefined) answer = event.text
      if (event.type === "tool_call" || event.type === "user_message") answer = undefined
    }
    return [...opening, marked(event)]
  }

  return {
    isOpen: () => isOpen,
    /** Whether a turn is open whose last text may be its answer. */
    hasAnswer: () => isOpen && answer !== undefined,
    /** A record's events. */
    push: (record: NativeRecord): ReadonlyArray<TimedEvent> => {
      // An unrecorded end came before whatever followed it.
      const before = ts === 0 ? record.ts : ts
      const { events, usage } = record.read()
      const begins = events.some(({ type }) => type === "turn_start")
      const closed = begins ? end().map((event) => ({ event, ts: before })) : []
      ts = Math.max(ts, record.ts)
      const told = events.flatMap((event) => take(event, record))
      if (usage !== undefined) {
        const { call, ...tokens } = usage
        calls.set(call, tokens)
      }
      return [...closed, ...told.map((event) => ({ event, ts }))]
    },
    /** There are no more records: close whatever is open. */
    finish: (stop_reason?: StopReason): ReadonlyArray<TimedEvent> =>
      end(stop_reason === undefined ? undefined : { type: "turn_end", stop_reason }).map((event) => ({
        event,
        ts
      }))
  }
}

export type NativeTurns = ReturnType<typeof make>

/** Records by turn: each list begins with a prompt, except for records before the first one. */
export const byTurn = (records: ReadonlyArray<NativeRecord>): ReadonlyArray<ReadonlyArray<NativeRecord>> => {
  const turns: Array<Array<NativeRecord>> = []
  for (const record of records) {
    const last = turns.at(-1)
    if (last === undefined || record.prompt !== undefined) turns.push([record])
    else last.push(record)
  }
  return turns
}
