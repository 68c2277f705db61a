/**
 * EventLog: everything that happened in one session, in order. Nothing reaches a client that is not in here first.
 *
 * Events become finished frames, a batch per append, kept in an `EventStore`. Each reader follows with a cursor of its
 * own, so that a slow reader slows nobody. When the store is over its bound because a reader still needs what is old, the
 * log says "full", and the agent's pump pauses until that reader has caught up. A reader that is behind while another
 * is not is cut off instead (`overrun`): one stalled client must not stop the agent for the rest.
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
  /** The same as finished frames, a batch at a time. */
  readonly batches: (after_seq: number) => Stream.Stream<Batch>
  /** No more events: followers end when they have read the last one. */
  readonly close: Effect.Effect<void>
  readonly lastSeq: () => number
  /** How many events the slowest reader has not taken. */
  readonly lag: () => number
  /** The number of the turn that runs. */
  readonly turn: () => number | undefined
  readonly summary: () => SessionSummary.SessionSummary
  readonly unsafeAppend: (event: EventBody, raw?: Uint8Array, encoding?: Encoding) => void
  /** Append what happened at another time (seconds since 1970), such as a history. `raw` as for `unsafeAppend`. */
  readonly unsafeAppendAt: (event: EventBody, ts: number, raw?: Uint8Array) => void
  /** Append a piece whose `text` is a JSON string already; see the port, `EventSink.splice`. */
  readonly unsafeSplice: (event: BodyOf<"stream_event">, text: Uint8Array, raw: Uint8Array) => void
  /** All that is appended in `write` becomes one batch. False: the log is full, wait for `unsafeOnceDrained`. */
  readonly unsafeBatch: (write: () => void) => boolean
  readonly unsafeOnceDrained: (resume: () => void) => void
  /** What the session's summary says has changed; called after readers were woken. */
  readonly unsafeOnSummary: (listener: () => void) => void
  /** Follow from `after_seq`; `wake` is called when there is something new to take. */
  readonly unsafeFollow: (after_seq: number, wake: () => void) => LogCursors.LogCursor
}>()("ai-relay/services/EventLog") {
  static readonly layer = (session_id: SessionId, options?: EventLogOptions) =>
    Layer.effect(this, make(session_id, options))
}

export interface EventLogOptions {
  /** Bytes of frames kept in memory, without a `store`; default 16 MiB. */
  readonly retain_bytes?: number
  /** Where frames are kept; default in memory. */
  readonly store?: EventStore
  /** What the store held already. */
  readonly summary?: SessionSummary.SessionSummary
}

/** What people decided or waited for is made durable at once. */
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
  /** The last `seq` readers may see, and the first of those they were woken for last. */
  let shown = store.keptSeq()
  let newest = shown + 1
  let full = false
  let depth = 0
  let drafts: Array<Draft> = []
  let important = false
  /** All drafts are pieces of what is said again, whole. */
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
   * Let go of what nobody needs; while that is not enough though a reader is up to date, cut off the slowest. Who lacks
   * only the newest has had no time to read it: it alone may be more than is kept.
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

  /** A journal that cannot be written is told when it begins and when it is over. */
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
            `The session is not written to disk (${now}). It goes on; make room before the relay is restarted.`
        }
    )
  }

  /** Readers see what is kept. */
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
    store.append(encodeBatch(seq - drafts.length + 1, drafts, store.allocate), previewOnly)
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

  /** How every event ends, but for `raw`. */
  const ending = (turn: number | undefined) => turn === undefined ? session : `${session},"turn":${turn}`

  const draft = (event: EventBody, raw: Uint8Array | undefined, encoding: Encoding) => {
    if (closed) return
    // First of all, because it fails for what has no JSON: a number once given must be taken.
    const head = json.stringify(event).slice(0, -1)
    seq += 1
    const { open_turn } = summary
    if (SessionSummary.summaryEvents.has(event.type)) {
      summary = SessionSummary.fold(summary, event, seq, time)
      summaryChanged = true
    }
    if (syncAtOnce.has(event.type)) important = true
    if (event.type !== "stream_event") previewOnly = false
    // A turn's first and last event are inside of it.
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
    tail: (after_seq) =>
      Stream.flattenIterable(Stream.map(batches(after_seq), (batch) => textsOf(batch).map(toEvent))),
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

// Our own frames, encoded from typed events a moment ago: decoding them again would only cost.
const toEvent = (frame: string) => JSON.parse(frame) as RelayEvent
