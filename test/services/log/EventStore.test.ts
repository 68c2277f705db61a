/** What every store of a session's frames owes the log, tried on each of them. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach } from "vitest"
import * as DiskStore from "../../../src/services/journal/DiskStore.js"
import * as FsyncSchedule from "../../../src/services/journal/FsyncSchedule.js"
import { type EventStore, makeMemory } from "../../../src/services/log/EventStore.js"
import { type Batch, type Draft, encodeBatch, frameAt, lastSeqOf } from "../../../src/services/log/frames.js"
import { cpuTime } from "../../support/cpuTime.js"

// --- frames, as the log makes them -----------------------------------------------------------------------------------

interface Said {
  readonly event: Readonly<Record<string, unknown>>
  /** The native message; `SEQ` in it stands for the frame's own number. */
  readonly raw: string | undefined
  /** So large is the event, or its native message. */
  readonly event_kib?: number
  readonly raw_kib?: number
}

const filler = (kib: number) => "é€😀x".repeat(kib * 103)

const rawOf = ({ raw, raw_kib }: Said) =>
  raw_kib === undefined ? raw : JSON.stringify({ filler: filler(raw_kib), disguise })

const toDraft = (said: Said, seq: number): Draft => {
  const { event, event_kib } = said
  const body = event_kib === undefined ? event : { ...event, text: filler(event_kib) }
  const place = `,"seq":${seq},"ts":1763888400.123,"session_id":"s:1"` + (seq % 3 === 0 ? "" : ",\"turn\":2")
  const raw = rawOf(said)
  return {
    head: JSON.stringify(body).replaceAll("\"SEQ\"", String(seq)).slice(0, -1) + place,
    encoding: "utf8",
    text: undefined,
    rest: "",
    raw: raw === undefined ? undefined : Buffer.from(raw.replaceAll("\"SEQ\"", String(seq)))
  }
}

const toBatch = (firstSeq: number, said: ReadonlyArray<Said>): Batch =>
  encodeBatch(firstSeq, said.map((one, index) => toDraft(one, firstSeq + index)))

/** What looks like the end of a frame, but stands in the event or in the native message. */
const disguise = { a: 1, seq: "SEQ", ts: 1, raw: { seq: "SEQ", ts: 2, raw: "no" } }

const anything = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 30 }) },
  fc.constantFrom<unknown>("\u2028", "\ud83d", "😀é", "\n\r\0", disguise, [disguise], { raw: disguise })
)
const event = fc.record({ type: fc.constantFrom("stdout", "tool_call"), text: anything, args: anything }, {
  requiredKeys: ["type"]
})
const raw = fc.option(fc.oneof(fc.jsonValue(), fc.constantFrom(disguise, { type: "x", body: disguise })), {
  nil: undefined
}).map((value) => value === undefined ? undefined : JSON.stringify(value))
const said: fc.Arbitrary<Said> = fc.record({ event, raw })

/** Larger than what is read at once. */
const large: fc.Arbitrary<Said> = fc.oneof(
  fc.record({ event, raw, event_kib: fc.constantFrom(250, 300, 700) }),
  fc.record({ event, raw, raw_kib: fc.constantFrom(250, 300, 700) })
)
const batchOfThousand = fc.array(said, { minLength: 1, maxLength: 5 }).map((few) =>
  Array.from({ length: 1000 }, (_, index) => few[index % few.length] ?? { event: {}, raw: undefined })
)
const batches = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.array(said, { minLength: 1, maxLength: 6 }) },
    { weight: 1, arbitrary: batchOfThousand },
    { weight: 3, arbitrary: fc.array(large, { minLength: 1, maxLength: 2 }) }
  ),
  { minLength: 1, maxLength: 12 }
)

const numbered = (batches: ReadonlyArray<ReadonlyArray<Said>>): ReadonlyArray<Batch> => {
  let seq = 1
  return batches.map((said) => {
    const batch = toBatch(seq, said)
    seq += said.length
    return batch
  })
}

const framesOf = (batch: Batch, withRaw = true) =>
  batch.ends.map((_, index) => frameAt(batch, index, withRaw).toString())

/** All there is after `seq`, frame by frame; the batches must follow one another. */
const readAll = (store: Pick<EventStore, "read">, seq: number, withRaw = true) => {
  const frames: Array<string> = []
  let place = seq
  for (let batch = store.read(place); batch !== undefined; batch = store.read(place)) {
    assert.strictEqual(batch.firstSeq, place + 1)
    assert.isNotEmpty(batch.ends)
    assert.strictEqual(batch.bytes.length, (batch.ends.at(-1) ?? 0) + 1)
    frames.push(...framesOf(batch, withRaw))
    place = lastSeqOf(batch)
  }
  return frames
}

const withoutRaw = (frame: string): unknown => {
  const { raw: _, ...event } = JSON.parse(frame)
  return event
}

// --- the stores ------------------------------------------------------------------------------------------------------

const folders: Array<string> = []
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })))

const onDisk = (folder: string, journal_bytes: number) =>
  DiskStore.make({
    folder,
    journal_bytes,
    journal_events: 1e9,
    retain_bytes: 1e9,
    syncTimes: FsyncSchedule.make(),
    describe: () => "{}"
  })

const inFolder = <Store extends EventStore>(make: (folder: string) => Store): Store => {
  const folder = mkdtempSync(join(tmpdir(), "ai-relay-store-"))
  folders.push(folder)
  return make(join(folder, "session"))
}

interface Kind {
  readonly name: string
  /** A store that keeps about so many bytes. */
  readonly open: (bytes: number) => EventStore & { readonly close?: () => number }
}

/** Files that are closed and opened again before everything that is asked of them. */
const reopened = (bytes: number) =>
  inFolder((folder): EventStore & { close: () => number } => {
    let store = onDisk(folder, bytes)
    const again = () => {
      store.close()
      store = onDisk(folder, bytes)
      return store
    }
    return {
      firstSeq: () => store.firstSeq(),
      lastSeq: () => again().lastSeq(),
      keptSeq: () => store.keptSeq(),
      onKept: (listener) => store.onKept(listener),
      isBehind: () => store.isBehind(),
      append: (batch) => again().append(batch),
      read: (seq) => store.read(seq),
      trim: (needed) => again().trim(needed),
      flush: (summary) => store.flush(summary),
      trouble: () => store.trouble(),
      close: () => store.close()
    }
  })

const kinds: ReadonlyArray<Kind> = [
  { name: "in memory", open: (bytes) => makeMemory(bytes) },
  { name: "on disk", open: (bytes) => inFolder((folder) => onDisk(folder, bytes)) },
  { name: "on disk, closed and opened again and again", open: reopened }
]

describe.each(kinds)("a store $name", ({ open }) => {
  const filled = (bytes: number, batches: ReadonlyArray<Batch>) => {
    const store = open(bytes)
    for (const batch of batches) store.append(batch)
    return store
  }

  it("holds nothing at first", () => {
    const store = open(1e9)
    assert.strictEqual(store.firstSeq(), 1)
    assert.strictEqual(store.lastSeq(), 0)
    assert.isUndefined(store.read(0))
    assert.isFalse(store.trim(Infinity))
    assert.isUndefined(store.trouble())
    store.close?.()
  })

  it("gives back exactly what follows any place, byte by byte, with and without native messages", () => {
    fc.assert(
      fc.property(batches, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), (said, places) => {
        const given = numbered(said)
        const store = filled(1e9, given)
        const all = given.flatMap((batch) => framesOf(batch))
        assert.strictEqual(store.lastSeq(), all.length)
        assert.strictEqual(store.firstSeq(), 1)
        for (const place of [0, all.length - 1, ...places.map((place) => place % (all.length + 1))]) {
          assert.deepStrictEqual(readAll(store, place), all.slice(place))
        }
        assert.deepStrictEqual(
          readAll(store, 0, false).map((frame): unknown => JSON.parse(frame)),
          all.map(withoutRaw)
        )
        assert.isUndefined(store.read(all.length))
        assert.isUndefined(store.read(all.length + 7))
        store.close?.()
      }),
      { numRuns: 25 }
    )
  }, 60_000)

  it("can be read while it is written, from several places at once", () => {
    fc.assert(
      fc.property(batches, (said) => {
        const given = numbered(said)
        const store = open(1e9)
        const readers = [0, 0, 0].map(() => ({ place: 0, frames: Array<string>() }))
        given.forEach((batch, index) => {
          store.append(batch)
          readers.forEach((reader, who) => {
            // One reads at once, one every second time, one at the end.
            if (who === 0 || (who === 1 && index % 2 === 0) || index === given.length - 1) {
              const frames = readAll(store, reader.place)
              reader.frames.push(...frames)
              reader.place += frames.length
            }
          })
        })
        const all = given.flatMap((batch) => framesOf(batch))
        for (const { frames } of readers) assert.deepStrictEqual(frames, all)
        store.close?.()
      }),
      { numRuns: 15 }
    )
  }, 60_000)

  it(
    "lets go of the oldest beyond its bound, but of nothing that is needed, and says when that is too much",
    () => {
      const bytes = 20_000
      const small = fc.array(
        fc.record({
          said: fc.array(said, { minLength: 1, maxLength: 20 }),
          behind: fc.nat(40),
          isNeeded: fc.boolean()
        }),
        { minLength: 5, maxLength: 60 }
      )
      fc.assert(
        fc.property(small, (steps) => {
          const store = open(bytes)
          const all: Array<string> = []
          const sizeFrom = (first: number) =>
            all.slice(first - 1).reduce((size, frame) => size + Buffer.byteLength(frame) + 1, 0)
          let first = 1
          for (const { behind, isNeeded, said } of steps) {
            const batch = toBatch(all.length + 1, said)
            store.append(batch)
            all.push(...framesOf(batch))
            const needed = isNeeded ? Math.max(first - 1, all.length - behind) : Infinity
            const wasFirst = first
            const isOver = store.trim(needed)
            first = store.firstSeq()
            assert.isAtLeast(first, wasFirst)
            assert.isAtMost(first, needed + 1)
            if (isOver) {
              assert.isAbove(sizeFrom(first), bytes)
              assert.isTrue(isNeeded)
            } else if (first <= all.length) {
              // What alone is larger than the bound may stay.
              assert.isAtMost(sizeFrom(first), bytes + batch.bytes.length)
            }
            assert.deepStrictEqual(readAll(store, first - 1), all.slice(first - 1))
          }
          assert.strictEqual(store.lastSeq(), all.length)
          store.close?.()
        }),
        { numRuns: 40 }
      )
    },
    60_000
  )

  it("keeps counting when it has let go of everything it could", () => {
    const store = open(1000)
    const one: Said = { event: { type: "x", text: "x".repeat(400) }, raw: undefined }
    for (let seq = 1; seq <= 50; seq++) {
      store.append(toBatch(seq, [one]))
      store.trim(Infinity)
    }
    assert.strictEqual(store.lastSeq(), 50)
    assert.isAtLeast(store.firstSeq(), 48)
    assert.lengthOf(readAll(store, store.firstSeq() - 1), 51 - store.firstSeq())
    store.close?.()
  })
})

describe("a store in memory", () => {
  it("lets go of one of very many as quickly as of one of few", () => {
    const store = makeMemory(
      50_000 * toBatch(1, [{ event: { type: "stdout" }, raw: undefined }]).bytes.length
    )
    const spent = cpuTime(() => {
      for (let seq = 1; seq <= 200_000; seq++) {
        store.append(toBatch(seq, [{ event: { type: "stdout" }, raw: undefined }]))
        store.trim(seq)
      }
    })
    assert.isBelow(store.lastSeq() - store.firstSeq(), 55_000)
    assert.isBelow(spent, 5000)
  })

  it("forgets what it is told to, and nothing else", () => {
    const store = makeMemory(1_000_000)
    for (let seq = 1; seq <= 100; seq++) {
      store.append(toBatch(seq, [{ event: { type: "stdout" }, raw: undefined }]))
    }
    for (const seq of [1, 3, 40, 40, 99]) {
      store.forget(seq)
      assert.strictEqual(store.firstSeq(), seq + 1)
      assert.strictEqual(store.read(seq)?.firstSeq, seq + 1)
      assert.strictEqual(store.read(0)?.firstSeq, seq + 1)
    }
    store.forget(Number.POSITIVE_INFINITY)
    assert.isUndefined(store.read(0))
    assert.strictEqual(store.firstSeq(), 101)
  })
})
