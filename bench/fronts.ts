/**
 * fronts: what an event costs each front that streams, beside the relay's own wire. About half a minute.
 *
 *     npm run bench:fronts
 *
 * The same pieces of a message go through the log to a reader that throws them away: as frames of the relay's socket, as an
 * editor's updates, as a chat's chunks, and as events of AG-UI. The agent's line, the system's calls and the network are left out: they cost both the same, so the
 * real difference is smaller.
 */
import { Effect } from "effect"
import { Writable } from "node:stream"
import * as AcpEncoder from "../src/fronts/acp/encode.js"
import * as Outbox from "../src/fronts/acp/Outbox.js"
import * as PathMap from "../src/fronts/acp/PathMap.js"
import * as AguiEncoder from "../src/fronts/agui/encode.js"
import { joined as joinedItems } from "../src/fronts/agui/runs.js"
import * as Encoder from "../src/fronts/chat/encode.js"
import { joined as joinedChunks } from "../src/fronts/chat/teller.js"
import type { Op } from "../src/fronts/Op.js"
import * as project from "../src/fronts/project.js"
import { type EventBody, type RelayEvent, SessionId } from "../src/schema/index.js"
import { makeWriter } from "../src/server/textFrames.js"
import * as EventLog from "../src/services/log/EventLog.js"
import { type Batch, textsOf } from "../src/services/log/frames.js"

const batches = 10_000
const perBatch = 10
const session_id = SessionId.make("bench")
const piece: EventBody = { type: "stream_event", delta: "text", text: "some words of a message, " }

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() })

interface Item {
  readonly known: false
  readonly op: Op
  readonly event: RelayEvent
}

/** What a front that streams does: events into operations, and those into its own words. */
const front = (write: (items: ReadonlyArray<Item>) => string) => {
  const sink = nowhere()
  const projector = project.make()
  return (batch: Batch) => {
    const items: Array<Item> = []
    for (const text of textsOf(batch)) {
      const event = JSON.parse(text) as RelayEvent
      for (const op of projector.next(event)) items.push({ known: false, op, event })
    }
    sink.write(write(items))
  }
}
const events = (words: ReadonlyArray<object>) =>
  words.map((word) => `data: ${JSON.stringify(word)}\n\n`).join("")

/** Each way to read the log: what it does with a batch. */
const readers: Readonly<Record<string, () => (batch: Batch) => void>> = {
  "the log alone": () => () => {},
  "the relay's socket": () => makeWriter(nowhere(), true),
  "an editor (ACP)": () => {
    const encoder = AcpEncoder.make({
      paths: PathMap.make([]),
      terminals: true,
      notices: true,
      compaction: true,
      isOwn: () => false,
      configOptions: () => []
    })
    let sent = ""
    const outbox = Outbox.make((message) => void (sent += `${JSON.stringify(message)}\n`))
    const tell = (op: Op, { seq, ts }: RelayEvent) => {
      for (const update of encoder.encode(op, ts)) {
        const params = { sessionId: session_id, update: AcpEncoder.withSeq(update, seq) }
        outbox.send({ jsonrpc: "2.0", method: "session/update", params })
      }
    }
    return front((items) => {
      sent = ""
      for (const { event, op } of items) {
        if (op.type !== "delta") tell(op, event)
        else outbox.grow(encoder, op.id, op.text, (text) => tell({ ...op, text }, event))
      }
      // What the end of the event loop's turn does.
      outbox.grow(encoder, "", "", () => {})
      return sent
    })
  },
  "a chat (AI SDK)": () => {
    const encoder = Encoder.make({ dialect: 7, session_id })
    return front((items) => events(joinedChunks(items.flatMap(({ event, op }) => encoder.encode(op, event)))))
  },
  "a page (AG-UI)": () => {
    const encoder = AguiEncoder.make({ dialect: "1.0", shown: AguiEncoder.nothingShown })
    return front((items) => events(joinedItems(items).flatMap(({ op }) => encoder.encode(op))))
  }
}

/** µs of CPU per event. */
const measure = Effect.fnUntraced(function*(read: (batch: Batch) => void) {
  const log = yield* EventLog.make(session_id)
  log.unsafeAppend({ type: "turn_start", text: "go" })
  const cursor = log.unsafeFollow(0, () => {})
  const begun = process.cpuUsage()
  for (let count = 0; count < batches; count++) {
    log.unsafeBatch(() => {
      for (let index = 0; index < perBatch; index++) log.unsafeAppend(piece)
    })
    for (let batch = cursor.next(); batch !== undefined; batch = cursor.next()) read(batch)
    // What was written lets go of its bytes when the event loop turns.
    if (count % 20 === 0) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  }
  const { system, user } = process.cpuUsage(begun)
  cursor.detach()
  return (system + user) / (batches * perBatch)
})

const best = new Map<string, number>()
for (let round = 0; round < 5; round++) {
  for (const [name, make] of Object.entries(readers)) {
    const cost = await Effect.runPromise(measure(make()))
    // What else runs on the machine only ever adds.
    best.set(name, Math.min(best.get(name) ?? Infinity, cost))
  }
}
for (const [name, cost] of best) console.log(`${name}: ${cost.toFixed(2)} µs per event`)
const wire = best.get("the relay's socket") ?? 1
for (const [name, cost] of best) {
  if (name.startsWith("a")) {
    console.log(`${name} costs ${(cost / wire).toFixed(1)} times what the relay's socket does`)
  }
}
