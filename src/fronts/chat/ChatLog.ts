/**
 * ChatLog: a session as one of its pages knows it: the events of the last turn, where each turn began, and the state of each
 * prompt.
 */
import type { RelayEvent } from "../../schema/index.js"
import { text, texts } from "../read.js"

export interface ChatLog {
  /** Takes the session's events in order; true if the session began anew and nothing before it counts. */
  readonly next: (event: RelayEvent) => boolean
  /** Events from this `seq` on, the start of a turn; undefined if there are older ones than are kept. */
  readonly since: (start: number) => ReadonlyArray<RelayEvent> | undefined
  /** Where the turn of this position began; undefined if there is no turn before it. */
  readonly startOf: (seq: number) => number | undefined
  /** Where the running turn began. */
  readonly openStart: () => number | undefined
  /** Where the turn that answers this prompt began. */
  readonly begun: (message_id: string) => number | undefined
  /** The prompt waits for a turn to end. */
  readonly isQueued: (message_id: string) => boolean
  /** The prompt's turn is still to begin. */
  readonly isWaiting: (message_id: string) => boolean
  /** Why the prompt will have no turn. */
  readonly lost: (message_id: string) => string | undefined
}

/** Belongs to a turn, or ends it. */
export const isOfTurn = ({ turn, type }: RelayEvent) => turn !== undefined || type === "session_end"

export const make = (): ChatLog => {
  let lastSeq = 0
  let starts: Array<number> = []
  let events: Array<RelayEvent> = []
  let isOpen = false
  const begun = new Map<string, number>()
  const queued = new Set<string>()
  /** Handed to the agent; their turn has not been reported yet. */
  const sent = new Set<string>()
  const lost = new Map<string, string>()

  const begin = (message_id: string, start: number) => {
    begun.set(message_id, start)
    for (const waiting of [queued, sent, lost]) waiting.delete(message_id)
  }

  const started = (event: Extract<RelayEvent, { readonly type: "turn_start" }>) => {
    starts.push(event.seq)
    events = []
    isOpen = true
    const { message_id, metadata, seq, text } = event
    const named = [...message_id === undefined ? [] : [message_id], ...texts(metadata?.["message_ids"])]
    // Prompts merged by an agent begin one turn, which may name none of them.
    for (const id of text === undefined ? [...named, ...sent] : named) begin(id, seq)
  }

  const acknowledged = (
    { message_id, metadata, status, turn }: Extract<RelayEvent, { readonly type: "input_ack" }>
  ) => {
    if (message_id === undefined || begun.has(message_id)) return
    if (status === "queued") queued.add(message_id)
    if (status === "cancelled" && queued.delete(message_id)) {
      lost.set(message_id, text(metadata?.["why"]) ?? "the prompt was withdrawn: send it again")
    }
    if (status !== "sent") return
    queued.delete(message_id)
    const start = starts.at(-1)
    // Sent into the running turn, or to begin one that is not reported yet.
    if (turn !== undefined && start !== undefined) begin(message_id, start)
    else sent.add(message_id)
  }

  const next = (event: RelayEvent): boolean => {
    const isAnew = event.type === "session_start" && event.seq === 1 && lastSeq > 1
    if (isAnew) {
      starts = []
      events = []
      isOpen = false
      for (const known of [begun, queued, sent, lost]) known.clear()
    }
    // Sent to this connection only, with the place of another event.
    const isLocal = event.seq <= lastSeq && !isAnew
    if (!isLocal) lastSeq = event.seq
    if (event.type === "turn_start") started(event)
    if (event.type === "input_ack") acknowledged(event)
    if (event.type === "error" && event.message_id !== undefined && queued.delete(event.message_id)) {
      lost.set(event.message_id, event.text)
    }
    if (event.type === "session_end") {
      for (const message_id of [...queued, ...sent]) {
        lost.set(message_id, "the session ended before the prompt's turn began: send it again")
      }
      queued.clear()
      sent.clear()
    }
    if (isOfTurn(event) && !isLocal) events.push(event)
    if (event.type === "turn_end" || event.type === "session_end") isOpen = false
    return isAnew
  }

  return {
    next,
    since: (start) => start >= (starts.at(-1) ?? 0) ? events.filter(({ seq }) => seq >= start) : undefined,
    startOf: (place) => starts.findLast((start) => start <= place + 1),
    openStart: () => isOpen ? starts.at(-1) : undefined,
    begun: (message_id) => begun.get(message_id),
    isQueued: (message_id) => queued.has(message_id),
    isWaiting: (message_id) => queued.has(message_id) || sent.has(message_id),
    lost: (message_id) => lost.get(message_id)
  }
}
