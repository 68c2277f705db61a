import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SessionId } from "../../../src/schema/index.js"
import * as DiskHealth from "../../../src/services/journal/DiskHealth.js"
import * as DiskStore from "../../../src/services/journal/DiskStore.js"
import * as FsyncSchedule from "../../../src/services/journal/FsyncSchedule.js"
import * as SessionFiles from "../../../src/services/journal/SessionFiles.js"
import * as EventLog from "../../../src/services/log/EventLog.js"
import type { EventStore } from "../../../src/services/log/EventStore.js"
import { type Batch, encodeBatch, lastSeqOf, textsOf } from "../../../src/services/log/frames.js"
import { empty } from "../../../src/services/log/SessionSummary.js"
import { cleanUpAfterEach } from "../../support/cleanUp.js"
import { until } from "../../support/processes.js"
import { smallDisk, whyNoSmallDisk } from "../../support/smallDisk.js"

const cleanUp = cleanUpAfterEach()

const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "ai-relay-disk-"))
  cleanUp(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, "session")
}

const plenty = { journal_bytes: 1e9, journal_events: 1e9, retain_bytes: 1e9 }
/** How often a disk that failed was tried again, soon each time. */
let tries = 0
const health = (tryAgain: () => void) =>
  DiskHealth.make(() => {
    tries += 1
    tryAgain()
  }, 20)

const open = (folder: string, bounds: Partial<typeof plenty> = {}, syncTimes = FsyncSchedule.make()) => {
  const store = DiskStore.make({
    ...plenty,
    ...bounds,
    folder,
    syncTimes,
    health,
    describe: (summary) => JSON.stringify(summary)
  })
  cleanUp(() => store.close())
  return store
}

const batchOf = (firstSeq: number, texts: ReadonlyArray<string>): Batch =>
  encodeBatch(
    firstSeq,
    texts.map((text, index) => ({
      head: `{"type":"stdout","text":${JSON.stringify(text)},"seq":${
        firstSeq + index
      },"ts":1,"session_id":"s"`,
      encoding: "utf8",
      text: undefined,
      rest: "",
      raw: undefined
    }))
  )

/** Append one batch per text, of one frame each. */
const fill = (store: EventStore, texts: ReadonlyArray<string>) => {
  for (const text of texts) store.append(batchOf(store.lastSeq() + 1, [text]))
}

const kilobytes = (count: number) =>
  Array.from({ length: count }, (_, index) => `${index} `.padEnd(1000, "x"))

const framesAfter = (store: Pick<EventStore, "read">, seq: number) => {
  const frames: Array<string> = []
  for (let batch = store.read(seq); batch !== undefined; batch = store.read(lastSeqOf(batch))) {
    assert.strictEqual(batch.firstSeq, seq + frames.length + 1)
    frames.push(...textsOf(batch))
  }
  return frames
}
const seqsAfter = (store: Pick<EventStore, "read">, seq: number): ReadonlyArray<number> =>
  framesAfter(store, seq).map((frame) => JSON.parse(frame).seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

const session_id = SessionId.make("s")
const logOn = (store: EventStore) =>
  Effect.runSync(EventLog.make(session_id, { store, summary: empty(session_id) }))

const segmentsIn = (folder: string) =>
  readdirSync(folder).filter((name) => name.endsWith(".ndjson")).toSorted()
const contentOf = (folder: string) =>
  segmentsIn(folder).map((name) => readFileSync(join(folder, name), "utf8")).join("")
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** Files below a folder that this process holds open. */
const openFiles = (folder: string) =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)
    } catch {
      return false
    }
  })

describe("a journal on disk", () => {
  it("is ndjson of the frames themselves, for the owner alone, beside a description", () => {
    const folder = newFolder()
    const store = open(folder)
    store.append(batchOf(1, ["a", "b"]))
    store.flush(empty(SessionId.make("s")))
    assert.deepStrictEqual(readdirSync(folder).toSorted(), ["000000000001.ndjson", "meta.json"])
    assert.strictEqual(contentOf(folder), batchOf(1, ["a", "b"]).bytes.toString())
    assert.strictEqual(JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")).session_id, "s")
    assert.strictEqual(modeOf(folder), "700")
    for (const name of readdirSync(folder)) assert.strictEqual(modeOf(join(folder, name)), "600")
  })

  it("is described when it is opened and closed; between, no turn waits for that", () => {
    const folder = newFolder()
    const store = open(folder)
    const described = () => JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")).turns
    fill(store, ["a"])
    for (const turns of [1, 2, 3]) {
      store.flush({ ...empty(SessionId.make("s")), turns })
      assert.strictEqual(described(), 1)
    }
    store.close()
    assert.strictEqual(described(), 3)
  })

  it("is written before anybody reads it, and needs no goodbye", () => {
    const folder = newFolder()
    const store = open(folder)
    for (let seq = 1; seq <= 20; seq++) {
      store.append(batchOf(seq, [`event ${seq}`]))
      const other = SessionFiles.view(folder)
      assert.strictEqual(other.lastSeq(), seq)
      assert.deepStrictEqual(framesAfter(other, 0), framesAfter(store, 0))
    }
  })

  it("goes on where it ended", () => {
    const folder = newFolder()
    for (let life = 0; life < 5; life++) {
      const store = open(folder)
      assert.strictEqual(store.lastSeq(), life * 3)
      fill(store, ["a", "b", "c"])
      assert.deepStrictEqual(seqsAfter(store, 1), range(2, life * 3 + 3))
      assert.strictEqual(store.close(), 0)
    }
  })

  it("leaves nothing behind if nothing happened", () => {
    const folder = newFolder()
    const store = open(folder)
    store.flush(empty(SessionId.make("s")))
    store.close()
    assert.throws(() => readdirSync(folder), "ENOENT")
  })

  it("begins a new file at an eighth of its bytes or events, and forgets the oldest beyond them", () => {
    for (const bounds of [{ journal_bytes: 80_000 }, { journal_events: 80 }]) {
      const folder = newFolder()
      const store = open(folder, bounds)
      for (const text of kilobytes(500)) {
        fill(store, [text])
        assert.isFalse(store.trim(Infinity))
      }
      const names = segmentsIn(folder)
      assert.isAtLeast(names.length, 7)
      assert.isAtMost(names.length, 9)
      assert.strictEqual(names[0], `${String(store.firstSeq()).padStart(12, "0")}.ndjson`)
      assert.isAtMost(contentOf(folder).length, 90_000)
      assert.isAtLeast(contentOf(folder).length, 60_000)
      assert.deepStrictEqual(seqsAfter(store, store.firstSeq() - 1), range(store.firstSeq(), 500))
      store.close()
      const again = open(folder, bounds)
      assert.strictEqual(again.firstSeq(), store.firstSeq())
      assert.deepStrictEqual(seqsAfter(again, store.firstSeq() - 1), range(store.firstSeq(), 500))
      fill(again, ["next"])
      assert.deepStrictEqual(seqsAfter(again, 499), [500, 501])
    }
  })

  it("keeps what is needed, however old, and says that it is over its bound", () => {
    const store = open(newFolder(), { journal_bytes: 80_000 })
    fill(store, kilobytes(200))
    assert.isTrue(store.trim(15))
    assert.isAtMost(store.firstSeq(), 16)
    assert.deepStrictEqual(seqsAfter(store, 15), range(16, 200))
    assert.isFalse(store.trim(200))
    assert.isAbove(store.firstSeq(), 100)
  })

  it.skipIf(process.platform !== "linux")(
    "holds one file open while it is written, and none afterwards",
    async () => {
      const folder = newFolder()
      const store = open(folder, { journal_bytes: 400_000_000 })
      for (let seq = 1; seq <= 60; seq++) store.append(batchOf(seq, ["x".repeat(1_000_000)]))
      assert.deepStrictEqual(seqsAfter(store, 0), range(1, 60))
      await until(() => store.keptSeq() === 60, 20_000)
      assert.isAtLeast(segmentsIn(folder).length, 3)
      await until(() => openFiles(folder).length === 1, 20_000)
      store.close()
      await until(() => openFiles(folder).length === 0, 20_000)
      // Who has not read everything yet still can.
      assert.deepStrictEqual(seqsAfter(store, 0), range(1, 60))
      assert.isEmpty(openFiles(folder))
    },
    60_000
  )
})

describe("a file that is forgotten", () => {
  it.skipIf(process.platform !== "linux")("gives its space back at once, durable or not", async () => {
    const folder = newFolder()
    const store = open(folder, { journal_bytes: 80_000 }, { take: (now) => now + 1_000_000 })
    for (const text of kilobytes(500)) {
      store.append(batchOf(store.lastSeq() + 1, [text]), true)
      store.trim(Infinity)
    }
    await until(() => openFiles(folder).length === segmentsIn(folder).length, 20_000)
    assert.deepStrictEqual(seqsAfter(store, store.firstSeq() - 1), range(store.firstSeq(), 500))
  })

  it.skipIf(process.platform !== "linux")("may be so while it is made durable", async () => {
    const folder = newFolder()
    const store = open(folder, { journal_bytes: 80_000 })
    for (const text of kilobytes(2000)) {
      fill(store, [text])
      // Every few frames, and so often in the middle of an `fsync`.
      if (store.lastSeq() % 7 === 0) store.flush(empty(session_id))
      if (store.lastSeq() % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      store.trim(Infinity)
    }
    await until(() => openFiles(folder).length === 1, 20_000)
    assert.isUndefined(store.trouble())
    store.close()
    await until(() => openFiles(folder).length === 0, 20_000)
    assert.deepStrictEqual(seqsAfter(store, store.firstSeq() - 1), range(store.firstSeq(), 2000))
  })
})

describe("a flood that a thread writes", () => {
  const large = (seq: number) => batchOf(seq, [`${seq} `.padEnd(200_000, "é")])

  it("is in a file before any reader is woken for it", async () => {
    const folder = newFolder()
    const store = open(folder, { journal_bytes: 40_000_000 })
    const log = logOn(store)
    const seen: Array<number> = []
    const follower = log.unsafeFollow(0, () => {
      for (let batch = follower.next(); batch !== undefined; batch = follower.next()) {
        seen.push(...textsOf(batch).map((frame) => JSON.parse(frame).seq))
        assert.isAtMost(lastSeqOf(batch), SessionFiles.view(folder).lastSeq())
      }
    })
    for (let n = 1; n <= 60; n++) {
      log.unsafeAppend({ type: "stdout", text: "é".repeat(n % 3 === 0 ? 10 : 100_000) })
      assert.isAtMost(seen.length, SessionFiles.view(folder).lastSeq())
      if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, n % 2))
    }
    await until(() => seen.length === 60, 20_000)
    assert.deepStrictEqual(seen, range(1, 60))
  })

  it("is written in few large pieces while more comes, and at once when nothing does", async () => {
    const store = open(newFolder())
    const kept: Array<number> = []
    store.onKept(() => kept.push(store.keptSeq()))
    for (const seq of range(1, 4)) {
      store.append(batchOf(seq, ["".padEnd(60_000, "x")]))
      assert.strictEqual(store.keptSeq(), 0)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => store.keptSeq() === 4)
    assert.sameMembers([...new Set(kept)], [0, 4])
  })

  it("is whole and its file let go of when it is closed while more was awaited", async () => {
    const folder = newFolder()
    const store = open(folder)
    store.append(large(1))
    assert.strictEqual(store.keptSeq(), 0)
    assert.strictEqual(store.close(), 0)
    assert.deepStrictEqual(seqsAfter(SessionFiles.view(folder), 0), [1])
    if (process.platform === "linux") await until(() => openFiles(folder).length === 0, 20_000)
  })

  it("makes the agent wait while the disk has enough to do, and only so long", async () => {
    const log = logOn(open(newFolder()))
    const say = (text: string) => log.unsafeBatch(() => log.unsafeAppend({ type: "stdout", text }))
    assert.isTrue(say("a"))
    let isReady = true
    for (let n = 0; isReady && n < 20; n++) isReady = say("x".repeat(200_000))
    assert.isFalse(isReady)
    const resumed = new Promise<void>((resolve) => log.unsafeOnceDrained(resolve))
    await resumed
    assert.isTrue(say("b"))
  })

  it("is whole when the session is closed at any time", async () => {
    for (let round = 0; round < 20; round++) {
      const folder = newFolder()
      const store = open(folder, { journal_bytes: 8_000_000 })
      const given = range(1, 12).map(large)
      for (const [index, batch] of given.entries()) {
        store.append(batch)
        if (index === round % 12) await new Promise((resolve) => setTimeout(resolve, round % 3))
      }
      assert.strictEqual(store.close(), 0)
      assert.strictEqual(store.keptSeq(), 12)
      const content = Buffer.concat(given.map(({ bytes }) => bytes)).toString()
      assert.strictEqual(contentOf(folder), content)
      // The thread that was at it is done, and has changed nothing.
      if (process.platform === "linux") await until(() => openFiles(folder).length === 0, 20_000)
      assert.strictEqual(contentOf(folder), content)
      assert.deepStrictEqual(seqsAfter(SessionFiles.view(folder), 0), range(1, 12))
    }
  })
})

describe("a journal whose relay or machine died while it was written", () => {
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 40 }), { minLength: 1, maxLength: 8 })
  const garbage = fc.oneof(
    fc.constant(Buffer.alloc(0)),
    fc.nat(5000).map((length) => Buffer.alloc(length)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(
      "\n",
      "\n\n\n",
      "\0\n",
      "{}\n",
      "{\"seq\":\"7\"}\n",
      "[1]\n12\n",
      "null\n",
      "{\"type\":\"stdout\",\"seq"
    )
      .map((text) => Buffer.from(text))
  )

  it("loses the torn tail and nothing else, wherever it was torn and whatever stands there", () => {
    const folder = newFolder()
    fc.assert(
      fc.property(
        texts,
        texts,
        fc.double({ min: 0, max: 1, noNaN: true }),
        garbage,
        (before, after, place, rest) => {
          rmSync(folder, { recursive: true, force: true })
          const first = open(folder)
          fill(first, before)
          first.close()
          const file = join(folder, "000000000001.ndjson")
          const whole = readFileSync(file)
          truncateSync(file, Math.round(place * whole.length))
          appendFileSync(file, rest)
          const torn = readFileSync(file)
          // How many frames are there as they were, with their newline.
          const left = before.filter((_, index) => {
            const { length } = batchOf(1, before.slice(0, index + 1)).bytes
            return torn.subarray(0, length).equals(whole.subarray(0, length)) && torn.length >= length
          }).length

          const looking = SessionFiles.view(folder)
          assert.strictEqual(looking.lastSeq(), left)
          assert.deepStrictEqual(framesAfter(looking, 0), textsOf(batchOf(1, before.slice(0, left))))
          assert.isTrue(readFileSync(file).equals(torn), "who only looks changes nothing")

          const store = open(folder)
          assert.strictEqual(store.lastSeq(), left)
          fill(store, after)
          const all = [...before.slice(0, left), ...after]
          assert.deepStrictEqual(framesAfter(store, 0), textsOf(batchOf(1, all)))
          assert.strictEqual(contentOf(folder), batchOf(1, all).bytes.toString())
          store.close()
          assert.deepStrictEqual(framesAfter(SessionFiles.view(folder), 0), textsOf(batchOf(1, all)))
        }
      ),
      { numRuns: 500 }
    )
  }, 60_000)

  it("is repaired as well if the tail is longer than what is read at once", () => {
    const folder = newFolder()
    const store = open(folder)
    fill(store, ["a", "é".repeat(200_000), "b"])
    store.close()
    const file = join(folder, "000000000001.ndjson")
    for (const rest of ["x".repeat(600_000), "\n".repeat(600_000), "{}\n".repeat(200_000)]) {
      appendFileSync(file, rest)
      assert.deepStrictEqual(seqsAfter(SessionFiles.view(folder), 0), [1, 2, 3])
    }
    truncateSync(file, batchOf(1, ["a", "é".repeat(200_000)]).bytes.length - 1)
    const again = open(folder)
    assert.deepStrictEqual(seqsAfter(again, 0), [1])
    fill(again, ["c"])
    assert.deepStrictEqual(seqsAfter(SessionFiles.view(folder), 0), [1, 2])
  })

  it("may have begun a new file and written nothing to it", () => {
    const folder = newFolder()
    const store = open(folder)
    fill(store, ["a", "b"])
    store.close()
    writeFileSync(join(folder, "000000000003.ndjson"), "{\"torn")
    const again = open(folder)
    assert.strictEqual(again.lastSeq(), 2)
    fill(again, ["c"])
    assert.deepStrictEqual(seqsAfter(again, 0), [1, 2, 3])
    assert.deepStrictEqual(seqsAfter(SessionFiles.view(folder), 0), [1, 2, 3])
  })
})

// --- a disk that refuses ---------------------------------------------------------------------------------------------

/** What the log told of the disk. */
const toldBy = (store: EventStore) =>
  framesAfter(store, 0).map((frame) => JSON.parse(frame)).filter(({ type }) => type !== "stdout")
    .map(({ code, status, type }) => [type, code ?? status].join(" "))

describe("a journal on a disk that refuses", () => {
  /** Fill until the disk is full, and then some; make room; go on. */
  const play = async (
    store: DiskStore.DiskStore,
    folder: string,
    makeRoom: () => void,
    texts = kilobytes(300)
  ) => {
    const settled = () => until(() => store.keptSeq() === store.lastSeq(), 20_000)
    const half = texts.length
    const log = logOn(store)
    const say = (text: string) => log.unsafeAppend({ type: "stdout", text })
    const seen: Array<string> = []
    const follower = log.unsafeFollow(0, () => {
      for (let batch = follower.next(); batch !== undefined; batch = follower.next()) {
        seen.push(...textsOf(batch))
      }
    })
    texts.forEach(say)
    await settled()
    assert.include(store.trouble(), "E")
    assert.deepStrictEqual(toldBy(store), ["error internal"])
    const before = tries
    await until(() => tries > before + 1)
    texts.forEach(say)
    assert.deepStrictEqual(toldBy(store), ["error internal"])
    assert.deepStrictEqual(seen.map((frame) => JSON.parse(frame).seq), range(1, 2 * half + 1))
    assert.deepStrictEqual(framesAfter(store, 0), seen)

    makeRoom()
    await until(() => store.trouble() === undefined, 20_000)
    // Everything is there though nobody said anything more.
    assert.strictEqual(contentOf(folder), seen.map((frame) => frame + "\n").join(""))
    say("after")
    assert.deepStrictEqual(toldBy(store), ["error internal", "status journal"])
    assert.deepStrictEqual(framesAfter(store, 0), seen)
    assert.deepStrictEqual(framesAfter(SessionFiles.view(folder), 0), seen)
    store.flush(log.summary())
    assert.strictEqual(JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")).last_seq, 2 * half + 3)
    assert.strictEqual(store.close(), 0)
  }

  it.skipIf(whyNoSmallDisk !== "")(
    `because it is full loses nothing, and says so once${whyNoSmallDisk}`,
    async () => {
      const disk = smallDisk()
      if (disk === undefined) return
      cleanUp(disk.remove)
      const folder = join(disk.folder, "session")
      await play(open(folder), folder, disk.grow)
    },
    60_000
  )

  it.skipIf(whyNoSmallDisk !== "")(
    `in the middle of a flood loses nothing, and says so once${whyNoSmallDisk}`,
    async () => {
      const disk = smallDisk()
      if (disk === undefined) return
      cleanUp(disk.remove)
      const folder = join(disk.folder, "session")
      const large = kilobytes(30).map((text) => text.repeat(50))
      await play(open(folder), folder, disk.grow, large)
    },
    60_000
  )

  it("to begin a new file loses nothing, and says so once", async () => {
    const folder = newFolder()
    const store = open(folder, { journal_bytes: 1_600_000 })
    // Where the second file should be stands something else.
    const inTheWay = range(150, 210).map((seq) => join(folder, `${String(seq).padStart(12, "0")}.ndjson`))
    for (const path of inTheWay) mkdirSync(path)
    await play(store, folder, () => inTheWay.forEach((path) => rmSync(path, { recursive: true })))
  }, 60_000)

  it("to describe the session still takes its events", async () => {
    const folder = newFolder()
    const store = open(folder)
    mkdirSync(join(folder, "meta.json.new"))
    store.flush(empty(session_id))
    assert.include(store.trouble(), "meta.json")
    fill(store, ["a", "b"])
    assert.strictEqual(contentOf(folder), batchOf(1, ["a", "b"]).bytes.toString())
    assert.include(store.trouble(), "meta.json")
    rmSync(join(folder, "meta.json.new"), { recursive: true })
    await until(() => store.trouble() === undefined, 20_000)
    assert.strictEqual(JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")).session_id, "s")
  }, 60_000)

  it("makes the agent wait when more is unwritten than may be kept in memory", () => {
    const folder = newFolder()
    const store = open(folder, { retain_bytes: 50_000 })
    mkdirSync(join(folder, "000000000001.ndjson"))
    fill(store, kilobytes(40))
    assert.isFalse(store.isBehind())
    fill(store, kilobytes(20))
    assert.isTrue(store.isBehind())
    assert.deepStrictEqual(seqsAfter(store, 0), range(1, 60))
    assert.strictEqual(store.close(), 60, "it says how many are lost")
  })

  it("to give back what somebody deleted costs its readers that, and nothing that follows", async () => {
    const folder = newFolder()
    const store = open(folder, { journal_bytes: 80_000_000 })
    for (let seq = 1; seq <= 40; seq++) store.append(batchOf(seq, ["x".repeat(1_000_000)]))
    await until(() => store.keptSeq() === 40, 20_000)
    store.trim(Infinity)
    store.close()
    if (process.platform === "linux") await until(() => openFiles(folder).length === 0, 20_000)
    const oldest = join(folder, "000000000001.ndjson")
    const content = readFileSync(oldest)
    rmSync(oldest)
    const { firstSeq = 0 } = store.read(0) ?? {}
    assert.include(store.trouble(), "ENOENT")
    assert.isAbove(firstSeq, 1)
    assert.deepStrictEqual(seqsAfter(store, firstSeq - 1), range(firstSeq, 40))
    assert.deepStrictEqual(seqsAfter(store, 38), [39, 40])
    renameSync(folder, `${folder}-moved`)
    assert.isUndefined(store.read(0), "nothing is skipped because the disk is gone for a moment")
    renameSync(`${folder}-moved`, folder)
    writeFileSync(oldest, content)
    assert.deepStrictEqual(seqsAfter(store, 0), range(1, 40))
    assert.isUndefined(store.trouble())
  }, 60_000)
})
