/**
 * EventLog: everything that happened in one session, in order. Clients see only what was appended here first.
 *
 * Events become finished frames, one batch per append, in an `EventStore`. Each reader has its own cursor, so that a slow
 * reader slows nobody down. If the store is over its limit because all readers still need old frames, the log is "full" and
 * the agent is paused until they catch up. A reader that is behind while another is not is cut off instead (`overrun`), so
 * that one stalled client cannot stop the agent for the others.
 * The members named `unsafe…` are synchronous: they are the hot path.
 */
import { Clock, Context, Effect, Layer, Stream } from "effect"
import type { Encoding } from "../../adapters/Adapter.js"
import type { BodyOf, EventBody, RelayEvent, SessionId } from "../../schema/index.js"
import * as deltaWords from "./deltaWords.js"
import * as eventJson from "./eventJson.js"
import { type EventStore, makeMemory } from "./EventStore.js"
import { type Batch, type Draft, encodeBatch, lastSeqOf, textsOf } from "./frames.js"
import * as LogCursors from "./LogCursors.js"
import * as SessionSummary from "./SessionSummary.js"

export class EventLog extends Context.Service<EventLog, {
  readonly session_id: SessionId
  readonly append: (event: EventBody) => Effect.Effect<void>
  /** Events with a greater `seq` than `after_seq`, then live ones, until the log is closed. */
  readonly tail: (after_seq: number) => Stream.Stream<RelayEvent>
  /** The same as batches of finished frames. */
  readonly batches: (after_seq: number) => Stream.Stream<Batch>
  /** No more events follow: readers end after the last one. */
  readonly close: Effect.Effect<void>
  readonly lastSeq: () => number
  /** How many events the slowest reader has not read. */
  readonly lag: () => number
  /** The number of the running turn. */
  readonly turn: () => number | undefined
  readonly summary: () => SessionSummary.SessionSummary
  readonly unsafeAppend: (event: EventBody, raw?: Uint8Array, encoding?: Encoding) => void
  /** Appends an event with another time (Unix seconds), such as history. `raw` as for `unsafeAppend`. */
  readonly unsafeAppendAt: (event: EventBody, ts: number, raw?: Uint8Array) => void
  /** Appends a delta whose `text` already is a JSON string; see the port, `EventSink.splice`. */
  readonly unsafeSplice: (event: BodyOf<"stream_event">, text: Uint8Array, raw: Uint8Array) => void
  /** Everything appended in `write` becomes one batch. False: the log is full, so wait for `unsafeOnceDrained`. */
  readonly unsafeBatch: (write: () => void) => boolean
  readonly unsafeOnceDrained: (resume: () => void) => void
  /** Calls `listener` when the session's summary has changed, after readers were woken. */
  readonly unsafeOnSummary: (listener: () => void) => void
  /** A cursor that starts after `after_seq`; `wake` is called when there is something new to read. */
  readonly unsafeFollow: (after_seq: number, wake: () => void) => LogCursors.LogCursor
}>()("ai-relay/services/EventLog") {
  static readonly layer = (session_id: SessionId, options?: EventLogOptions) =>
    Layer.effect(this, make(session_id, options))
}

export interface EventLogOptions {
  /** Bytes of frames to keep in memory if there is no `store`; default 16 MiB. */
  readonly retain_bytes?: number
  /** Where to keep frames; by default in memory. */
  readonly store?: EventStore
  /** The summary of what the store already holds. */
  readonly summary?: SessionSummary.SessionSummary
}

/** Events that are synced to disk at once: people decided or waited for them. */
const syncAtOnce: ReadonlySet<EventBody["type"]> = new Set(
  ["turn_end", "control_response", "session_end"] as const
)

export const make = Effect.fnUntraced(function*(session_id: SessionId, options: EventLogOptions = {}) {
  const clock = yield* Clock.Clock
  const store = options.store ?? makeMemory(options.retain_bytes ?? 16 * 1024 * 1024)
  const readers = LogCursors.make()
  const session = `,"session_id":${JSON.stringify(session_id)}`

  let summary = options.summary ?? SessionSummary.empty(session_id)
  let seq = store.lastSeq()
  /** The last `seq` that readers may see, and the first of the latest batch they were woken for. */
  let shown = store.keptSeq()
  let newest = shown + 1
  let full = false
  let depth = 0
  let drafts: Array<Draft> = []
  let important = false
  /** All drafts are deltas, whose whole text follows later. */
  let previewOnly = true
  let time = 0
  let waiting: Array<() => void> = []
  let closed = false
  let summaryChanged = false
  const summaryListeners: Array<() => void> = []
  let trouble: string | undefined

  const current = (): SessionSummary.SessionSummary => ({
    ...summary,
    last_seq: seq,
    last_active_at: time === 0 ? summary.last_active_at : time
  })

  /**
   * Drops what nobody needs. If that is not enough although one reader is up to date, cuts off the slowest. A reader that lacks
   * only the newest batch is spared: it had no time to read it, and that batch alone may exceed the limit.
   */
  const trim = () => {
    full = store.trim(readers.needed())
    while (full && readers.cutOffSlowest(shown, newest)) full = store.trim(readers.needed())
  }

  const isFull = () => full || store.isBehind()

  const drained = () => {
    trim()
    if (waiting.length === 0 || isFull()) return
    const resumes = waiting
    waiting = []
    for (const resume of resumes) resume()
  }

  /** Tells clients when the journal cannot be written, and when it can again. */
  const tellTrouble = () => {
    const now = store.trouble()
    if (now === trouble) return
    trouble = now
    unsafeAppend(
      now === undefined
        ? { type: "status", status: "journal", text: "The session is written to disk again." }
        : {
          type: "error",
          code: "internal",
          text:
            `The session cannot be written to disk (${now}). It goes on; free some space before the relay is restarted.`
        }
    )
  }

  /** Shows readers everything that the store has accepted. */
  const show = () => {
    tellTrouble()
    const kept = store.keptSeq()
    if (kept > shown) {
      newest = shown + 1
      shown = kept
      readers.wake()
    }
    drained()
  }
  store.onKept(show)

  const commit = () => {
    if (drafts.length === 0) return
    store.append(encodeBatch(seq - drafts.length + 1, drafts), previewOnly)
    drafts = []
    json.forget()
    if (important) store.flush(current())
    important = false
    previewOnly = true
    show()
    if (!summaryChanged) return
    summaryChanged = false
    for (const listener of summaryListeners) listener()
  }

  const unsafeBatch = (write: () => void): boolean => {
    if (depth === 0) time = clock.currentTimeMillisUnsafe() / 1000
    depth += 1
    try {
      write()
    } finally {
      depth -= 1
      if (depth === 0) commit()
    }
    return !isFull()
  }

  /** The fields that end every event, before `raw`. */
  const ending = (turn: number | undefined) => turn === undefined ? session : `${session},"turn":${turn}`

  const draft = (event: EventBody, raw: Uint8Array | undefined, encoding: Encoding) => {
    if (closed) return
    // First, because it throws for values without JSON, and a `seq` must not be lost.
    const head = json.stringify(event).slice(0, -1)
    seq += 1
    const { open_turn } = summary
    if (SessionSummary.summaryEvents.has(event.type)) {
      summary = SessionSummary.fold(summary, event, seq, time)
      summaryChanged = true
    }
    if (syncAtOnce.has(event.type)) important = true
    if (event.type !== "stream_event") previewOnly = false
    // The first and last event of a turn belong to it.
    const rest = `,"seq":${seq},"ts":${time}${ending(summary.open_turn ?? open_turn)}`
    drafts.push({ head, encoding, text: undefined, rest, raw })
  }

  const unsafeAppend = (event: EventBody, raw?: Uint8Array, encoding: Encoding = "utf8") => {
    if (depth > 0) draft(event, raw, encoding)
    else unsafeBatch(() => draft(event, raw, encoding))
  }

  const unsafeAppendAt = (event: EventBody, ts: number, raw?: Uint8Array): void => {
    if (depth === 0) return void unsafeBatch(() => unsafeAppendAt(event, ts, raw))
    const now = time
    time = ts
    try {
      draft(event, raw, "utf8")
    } finally {
      time = now
    }
  }

  const wordsOf = deltaWords.make(ending)
  const json = eventJson.make()

  const unsafeSplice = (event: BodyOf<"stream_event">, text: Uint8Array, raw: Uint8Array): void => {
    if (depth === 0) return void unsafeBatch(() => unsafeSplice(event, text, raw))
    if (closed) return
    const { head, rest } = wordsOf(event, time, summary.open_turn)
    seq += 1
    drafts.push({ head, encoding: "latin1", text, rest, raw })
  }

  const unsafeFollow = (after_seq: number, wake: () => void): LogCursors.LogCursor => {
    const first = store.firstSeq()
    const reader = readers.add(Math.min(Math.max(after_seq, first - 1), seq), wake)
    if (full) drained()
    const next = () => {
      const batch = reader.overrun || reader.seq >= shown ? undefined : store.read(reader.seq)
      if (batch === undefined) return undefined
      reader.seq = lastSeqOf(batch)
      if (full) drained()
      return batch
    }
    return {
      next,
      gap: after_seq < first - 1 ? first : undefined,
      overrun: () => reader.overrun,
      done: () => closed && reader.seq === seq,
      detach: () => {
        readers.remove(reader)
        drained()
      }
    }
  }

  const batches = (after_seq: number) => LogCursors.streamOf((wake) => unsafeFollow(after_seq, wake))

  const close = Effect.sync(() => {
    closed = true
    store.flush(current())
    readers.wake()
  })

  return EventLog.of({
    session_id,
    append: (event) => Effect.sync(() => unsafeAppend(event)),
    batches,
    tail: (after_seq) => eventsIn(batches(after_seq)),
    close,
    lastSeq: () => seq,
    lag: () => Math.max(0, seq - readers.needed()),
    turn: () => summary.open_turn,
    summary: current,
    unsafeAppend,
    unsafeAppendAt,
    unsafeSplice,
    unsafeBatch,
    unsafeOnceDrained: (resume) => {
      if (isFull()) waiting.push(resume)
      else resume()
    },
    unsafeOnSummary: (listener) => void summaryListeners.push(listener),
    unsafeFollow
  })
})

// These are our own frames, encoded from typed events, so they are not decoded again.
const toEvent = (frame: string) => JSON.parse(frame) as RelayEvent

/** The events in these batches, one by one. */
export const eventsIn = (batches: Stream.Stream<Batch>): Stream.Stream<RelayEvent> =>
  Stream.flattenIterable(Stream.map(batches, (batch) => textsOf(batch).map(toEvent)))
