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
import * as PathMap from "../src/fronts/acp/PathMap.js"
import * as AguiEncoder from "../src/fronts/agui/encode.js"
import { joined } from "../src/fronts/chat/Chat.js"
import type { Chunk } from "../src/fronts/chat/Chunk.js"
import * as Encoder from "../src/fronts/chat/encode.js"
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

/** What a front that streams does: events into operations, and those into its own words. */
const front = (
  encode: (op: Op, event: RelayEvent) => ReadonlyArray<object>,
  write: (words: ReadonlyArray<object>) => string
) => {
  const sink = nowhere()
  const projector = project.make()
  return (batch: Batch) => {
    const words: Array<object> = []
    for (const text of textsOf(batch)) {
      const event = JSON.parse(text) as RelayEvent
      for (const op of projector.next(event)) words.push(...encode(op, event))
    }
    sink.write(write(words))
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
    return front(
      (op, { seq, ts }) => encoder.encode(op, ts).map((update) => AcpEncoder.withSeq(update, seq)),
      (updates) =>
        updates.map((update) =>
          `${
            JSON.stringify({
              jsonrpc: "2.0",
              method: "session/update",
              params: { sessionId: session_id, update }
            })
          }\n`
        ).join("")
    )
  },
  "a chat (AI SDK)": () => {
    const encoder = Encoder.make({ dialect: 7, session_id })
    return front(
      (op, event) => encoder.encode(op, event),
      (chunks) => events(joined(chunks as ReadonlyArray<Chunk>))
    )
  },
  "a page (AG-UI)": () => {
    const encoder = AguiEncoder.make({ dialect: "1.0", shown: AguiEncoder.nothingShown })
    return front((op) => encoder.encode(op), events)
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
