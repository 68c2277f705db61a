/**
 * EventLog: everything that happened in one session, in order. Nothing reaches a client that is not in here first.
 *
 * Events are kept as finished frames, a batch per append. Whoever reads follows with a cursor of its own, so that a
 * slow reader slows nobody. The log keeps the last `retain_bytes`; beyond that it drops what every follower has read,
 * and when one has not, it says "full": the agent's pump pauses until that follower has caught up. A follower that is
 * behind while another is not is cut off instead (`overrun`): one stalled client must not stop the agent for the rest.
 *
 * The members named `unsafe…` are synchronous: they are the hot path.
 */
import { Context, Deferred, Effect, FiberId, Layer, Option, Stream } from "effect"
import type { Encoding } from "../adapters/Adapter.js"
import type { EventBody, RelayEvent, SessionId } from "../schema/index.js"
import { after, type Batch, type Draft, encodeBatch, lastSeqOf, textsOf } from "./frames.js"

/** A reader's place in the log. */
export interface Follower {
  /** The next unread batch, if there is one. Taking it moves the cursor. */
  readonly next: () => Batch | undefined
  /** The first `seq` the log could give, when it no longer holds all that was asked for. */
  readonly gap: number | undefined
  /** This follower fell too far behind and was cut off; what it has not taken it must ask for again. */
  readonly overrun: () => boolean
  /** The log is closed and everything was taken. */
  readonly done: () => boolean
  readonly detach: () => void
}

export class EventLog extends Context.Tag("ai-relay/services/EventLog")<EventLog, {
  readonly session_id: SessionId
  readonly append: (event: EventBody) => Effect.Effect<void>
  /** Events with a greater `seq` than `after_seq`, then live ones, until the log is closed. */
  readonly tail: (after_seq: number) => Stream.Stream<RelayEvent>
  /** The same as finished frames, a batch at a time. */
  readonly batches: (after_seq: number) => Stream.Stream<Batch>
  /** No more events: followers end when they have read the last one. */
  readonly close: Effect.Effect<void>
  readonly lastSeq: () => number
  /** The number of the turn that runs. */
  readonly turn: () => number | undefined
  readonly unsafeAppend: (event: EventBody, raw?: Uint8Array, encoding?: Encoding) => void
  /** All that is appended in `write` becomes one batch. False: the log is full, wait for `unsafeOnceDrained`. */
  readonly unsafeBatch: (write: () => void) => boolean
  readonly unsafeOnceDrained: (resume: () => void) => void
  /** Follow from `after_seq`; `wake` is called when there is something new to take. */
  readonly unsafeFollow: (after_seq: number, wake: () => void) => Follower
}>() {
  static readonly layer = (session_id: SessionId, options?: EventLogOptions) =>
    Layer.effect(this, make(session_id, options))
}

export interface EventLogOptions {
  /** Bytes of frames kept in memory; default 16 MiB. */
  readonly retain_bytes?: number
}

interface Reader {
  /** `seq` of the last frame taken. */
  seq: number
  overrun: boolean
  readonly wake: () => void
}

export const make = Effect.fnUntraced(function*(session_id: SessionId, options: EventLogOptions = {}) {
  const clock = yield* Effect.clock
  const retain = options.retain_bytes ?? 16 * 1024 * 1024
  const readers = new Set<Reader>()
  const envelopeEnd = `,"session_id":${JSON.stringify(session_id)}`

  let kept: Array<Batch> = []
  let bytes = 0
  let seq = 0
  let turns = 0
  let turn: number | undefined
  let depth = 0
  let drafts: Array<Draft> = []
  let time = 0
  let waiting: Array<() => void> = []
  let closed = false

  const isFull = () => bytes > retain

  /** Drop the oldest batches that nobody needs any more, down to the bound. */
  const trim = () => {
    if (!isFull()) return
    let needed = Number.POSITIVE_INFINITY
    for (const reader of readers) needed = Math.min(needed, reader.seq)
    let drop = 0
    for (const batch of kept) {
      if (!isFull() || lastSeqOf(batch) > needed) break
      bytes -= batch.bytes.length
      drop += 1
    }
    if (drop > 0) kept = kept.slice(drop)
  }

  /** If the log is full though some reader is up to date, those that are not are cut off. */
  const cutLaggards = () => {
    const upToDate = [...readers].some((reader) => reader.seq === seq)
    if (!isFull() || !upToDate) return
    for (const reader of readers) {
      if (reader.seq === seq) continue
      reader.overrun = true
      readers.delete(reader)
      reader.wake()
    }
    trim()
  }

  const drained = () => {
    if (isFull() || waiting.length === 0) return
    const resumes = waiting
    waiting = []
    for (const resume of resumes) resume()
  }

  const commit = () => {
    if (drafts.length === 0) return
    const batch = encodeBatch(seq - drafts.length + 1, drafts)
    drafts = []
    kept.push(batch)
    bytes += batch.bytes.length
    for (const reader of [...readers]) reader.wake()
    trim()
    cutLaggards()
  }

  const unsafeBatch = (write: () => void): boolean => {
    if (depth === 0) time = clock.unsafeCurrentTimeMillis() / 1000
    depth += 1
    try {
      write()
    } finally {
      depth -= 1
      if (depth === 0) commit()
    }
    return !isFull()
  }

  const draft = (event: EventBody, raw: Uint8Array | undefined, encoding: Encoding) => {
    if (closed) return
    if (event.type === "turn_start") turn = ++turns
    seq += 1
    const place = `,"seq":${seq},"ts":${time}${envelopeEnd}${turn === undefined ? "" : `,"turn":${turn}`}`
    drafts.push({ head: JSON.stringify(event).slice(0, -1) + place, encoding, raw })
    if (event.type === "turn_end") turn = undefined
  }

  const unsafeAppend = (event: EventBody, raw?: Uint8Array, encoding: Encoding = "utf8") => {
    if (depth > 0) draft(event, raw, encoding)
    else unsafeBatch(() => draft(event, raw, encoding))
  }

  const indexAfter = (position: number): number => {
    let low = 0
    let high = kept.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const batch = kept[middle]
      if (batch !== undefined && lastSeqOf(batch) <= position) low = middle + 1
      else high = middle
    }
    return low
  }

  const unsafeFollow = (after_seq: number, wake: () => void): Follower => {
    const first = kept[0]?.firstSeq ?? seq + 1
    const reader: Reader = { seq: Math.min(Math.max(after_seq, first - 1), seq), overrun: false, wake }
    readers.add(reader)
    const next = () => {
      const batch = reader.overrun ? undefined : kept[indexAfter(reader.seq)]
      if (batch === undefined) return undefined
      const unread = after(batch, reader.seq)
      reader.seq = lastSeqOf(batch)
      if (isFull()) {
        trim()
        drained()
      }
      return unread
    }
    return {
      next,
      gap: after_seq < first - 1 ? first : undefined,
      overrun: () => reader.overrun,
      done: () => closed && reader.seq === seq,
      detach: () => {
        readers.delete(reader)
        trim()
        drained()
      }
    }
  }

  const batches = (after_seq: number): Stream.Stream<Batch> =>
    Stream.unwrapScoped(Effect.gen(function*() {
      let news = Deferred.unsafeMake<void>(FiberId.none)
      const follower = yield* Effect.acquireRelease(
        Effect.sync(() => unsafeFollow(after_seq, () => Deferred.unsafeDone(news, Effect.void))),
        (follower) => Effect.sync(follower.detach)
      )
      const pull: Effect.Effect<Batch, Option.Option<never>> = Effect.suspend(() => {
        const batch = follower.next()
        if (batch !== undefined) return Effect.succeed(batch)
        if (follower.overrun()) {
          return Effect.dieMessage("the log was read too slowly; follow again after the last seq")
        }
        if (follower.done()) return Effect.fail(Option.none())
        news = Deferred.unsafeMake(FiberId.none)
        return Effect.zipRight(Deferred.await(news), pull)
      })
      return Stream.repeatEffectOption(pull)
    }))

  const close = Effect.sync(() => {
    closed = true
    for (const reader of [...readers]) reader.wake()
  })

  return EventLog.of({
    session_id,
    append: (event) => Effect.sync(() => unsafeAppend(event)),
    batches,
    tail: (after_seq) => Stream.mapConcat(batches(after_seq), (batch) => textsOf(batch).map(toEvent)),
    close,
    lastSeq: () => seq,
    turn: () => turn,
    unsafeAppend,
    unsafeBatch,
    unsafeOnceDrained: (resume) => {
      if (isFull()) waiting.push(resume)
      else resume()
    },
    unsafeFollow
  })
})

// Our own frames, encoded from typed events a moment ago: decoding them again would only cost.
const toEvent = (frame: string) => JSON.parse(frame) as RelayEvent
