/** What can be found of what was said, and what is kept for it beside the journal. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type EventBody, SessionId } from "../../../src/schema/index.js"
import { Journal } from "../../../src/services/journal/Journal.js"
import * as EventLog from "../../../src/services/log/EventLog.js"
import { listedClosed } from "../../../src/services/log/SessionListing.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import { findIn, wordsOf } from "../../../src/services/search/findIn.js"
import * as SaidFile from "../../../src/services/search/SaidFile.js"
import { SearchIndex } from "../../../src/services/search/SearchIndex.js"
import * as TextBits from "../../../src/services/search/TextBits.js"
import { SessionRegistry } from "../../../src/services/session/SessionRegistry.js"

const temp = () => mkdtempSync(join(tmpdir(), "ai-relay-search-"))
const secret = `ghp_${"a1B2".repeat(9)}`

/** A journal on disk, the index over it, and a registry that knows what the journal knows. */
const layer = (state_dir: string) => {
  const config = RelayConfig.layer({ state_dir })
  const registry = Layer.effect(
    SessionRegistry,
    Effect.map(Journal, (journal) => {
      const told = new Set<(id: SessionId | undefined) => void>()
      const known: Partial<SessionRegistry["Service"]> = {
        live: () => undefined,
        listing: (id) =>
          Effect.map(
            journal.find(SessionId.make(id)),
            (found) => found._tag === "Some" ? listedClosed(found.value.summary) : undefined
          ),
        watch: (onChange) => {
          told.add(onChange)
          return () => void told.delete(onChange)
        },
        forget: (id) =>
          Effect.map(journal.forget(id), () => {
            for (const tell of told) tell(id)
          })
      }
      // The index uses no more of it.
      return SessionRegistry.of(known as SessionRegistry["Service"])
    })
  )
  return SearchIndex.layer.pipe(
    Layer.provideMerge(registry),
    Layer.provideMerge(Journal.layer),
    Layer.provide(config)
  )
}

const within = <A, E>(
  body: (state: string) => Effect.Effect<A, E, Journal | SearchIndex | SessionRegistry>
) => {
  const state = temp()
  return body(state).pipe(
    Effect.provide(layer(state)),
    Effect.ensuring(Effect.sync(() => rmSync(state, { recursive: true, force: true })))
  )
}

const say = (name: string, ...events: ReadonlyArray<EventBody>) =>
  Effect.gen(function*() {
    const id = SessionId.make(name)
    const { store, summary } = yield* (yield* Journal).open(id, {
      session_id: id,
      tool: "fake",
      folder: "/srv/shop"
    })
    const log = yield* EventLog.make(id, { store, summary })
    for (const event of events) yield* log.append(event)
    yield* log.close
  }).pipe(Effect.scoped)

const turn = (prompt: string, answer: string): ReadonlyArray<EventBody> => [
  { type: "turn_start", text: prompt },
  { type: "stream_event", delta: "text", text: answer },
  { type: "tool_call", tool: "Bash", tool_use_id: "t", args: { command: "npm run mend-totals" } },
  {
    type: "tool_result",
    tool_use_id: "t",
    status: "ok",
    content: "unsearchable output",
    text: "unsearchable output"
  },
  { type: "assistant_message", content: [], text: answer },
  { type: "response", text: answer },
  { type: "turn_end", stop_reason: "end_turn" }
]

const search = (query: string, limit = 20) =>
  Effect.flatMap(SearchIndex, (index) => index.search(query, limit))
const namesOf = (query: string) =>
  Effect.map(search(query), ({ results }) => results.map(({ session }) => String(session.session_id)))

describe("a search", () => {
  it.effect("finds prompts, answers and what tools were called with, in any case and order of words", () =>
    within(() =>
      Effect.gen(function*() {
        yield* say("shop", ...turn("Mend the Größe of totals", "It was \"rounded\" twice.\nOnce is enough."))
        yield* say("blog", ...turn("Write a post", "About 价格 and totals"))
        assert.deepStrictEqual(yield* namesOf("TWICE rounded"), ["shop"])
        assert.deepStrictEqual(yield* namesOf("größe"), ["shop"])
        assert.deepStrictEqual(yield* namesOf("价格"), ["blog"])
        assert.deepStrictEqual(yield* namesOf("\"rounded\""), ["shop"])
        assert.sameMembers([...yield* namesOf("mend-totals")], ["shop", "blog"])
        assert.deepStrictEqual(yield* namesOf("unsearchable"), [])
        assert.deepStrictEqual(yield* namesOf("twice nowhere"), [])
        assert.deepStrictEqual(yield* namesOf("  "), [])
        // The names of what is kept are none of the words.
        assert.deepStrictEqual(yield* namesOf("\"who\":\"user\""), [])
        const { complete, results: [first] } = yield* search("twice")
        assert.isTrue(complete)
        assert.lengthOf(first?.hits ?? [], 1)
        assert.deepInclude(first?.hits[0], {
          who: "agent",
          text: "It was \"rounded\" twice. Once is enough."
        })
      })
    ))

  it.effect("goes on where it was: what was said since is found, and sessions that are gone are not", () =>
    within((state) =>
      Effect.gen(function*() {
        yield* say("shop", ...turn("first prompt", "one"))
        assert.deepStrictEqual(yield* namesOf("first"), ["shop"])
        yield* say("shop", ...turn("second prompt", "two"))
        yield* say("later", ...turn("another", "second"))
        // A relay that has just started looks at all there is.
        const found = yield* namesOf("second").pipe(Effect.provide(Layer.fresh(layer(state))))
        assert.sameMembers([...found], ["shop", "later"])
        yield* (yield* SessionRegistry).forget(SessionId.make("shop"))
        assert.notInclude(yield* namesOf("first"), "shop")
        assert.isFalse(existsSync(join(state, "sessions/shop")))
      })
    ))

  it.effect("keeps no secret, and nobody else may read what it keeps", () =>
    within((state) =>
      Effect.gen(function*() {
        yield* say("shop", ...turn(`my key is ${secret} ok`, "thanks"))
        assert.deepStrictEqual(yield* namesOf(secret), [])
        const { results } = yield* search("my key is")
        assert.include(results[0]?.hits[0]?.text, "[REDACTED]")
        for (const name of ["said.jsonl", "said.bits"]) {
          const file = join(state, "sessions/shop", name)
          assert.notInclude(readFileSync(file, "latin1"), secret)
          assert.strictEqual(statSync(file).mode & 0o777, 0o600)
        }
      })
    ))

  it.effect("makes anew what is torn or lost", () =>
    within((state) =>
      Effect.gen(function*() {
        yield* say("shop", ...turn("hello there", "one"))
        assert.deepStrictEqual(yield* namesOf("hello"), ["shop"])
        for (const broken of ["", "{\"seq\":9", "{\"seq\":9,\"size\":4,\"ts\":1}\nabc"]) {
          writeFileSync(join(state, "sessions/shop/said.bits"), broken)
          assert.deepStrictEqual(yield* namesOf("hello").pipe(Effect.provide(Layer.fresh(layer(state)))), [
            "shop"
          ])
        }
        const said = join(state, "sessions/shop/said.jsonl")
        const breaks: ReadonlyArray<() => void> = [
          () => writeFileSync(said, "null\n"),
          () => rmSync(said),
          () => (rmSync(said), mkdirSync(said))
        ]
        for (const damage of breaks) {
          damage()
          assert.deepStrictEqual(yield* namesOf("hello").pipe(Effect.provide(Layer.fresh(layer(state)))), [
            "shop"
          ])
          // Of a relay that knows it already, the next search finds it again.
          yield* namesOf("hello")
          damage()
          assert.isFalse((yield* (yield* SearchIndex).search("hello", 9)).complete)
          assert.deepStrictEqual(yield* namesOf("hello"), ["shop"])
        }
        writeFileSync(said, readFileSync(said, "utf8").replaceAll(/./g, " ").replace(/^.{7}/, "[1,2,3]"))
        assert.deepStrictEqual(yield* namesOf("hello"), [])
      })
    ))

  it.effect("finds a session again whose folder could not be read for a moment", () =>
    within((state) =>
      Effect.gen(function*() {
        const files = join(state, "sessions/shop")
        yield* say("shop", ...turn("hello there", "one"))
        assert.deepStrictEqual(yield* namesOf("hello"), ["shop"])
        renameSync(files, `${files}-away`)
        symlinkSync("shop", files)
        yield* namesOf("hello")
        assert.deepStrictEqual(yield* namesOf("hello"), [])
        rmSync(files)
        renameSync(`${files}-away`, files)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* namesOf("hello"), ["shop"])
      })
    ))

  it.effect("says why if the folder of the sessions cannot be read", () =>
    within((state) =>
      Effect.gen(function*() {
        rmSync(join(state, "sessions"), { recursive: true })
        writeFileSync(join(state, "sessions"), "")
        const { message } = yield* Effect.flip((yield* SearchIndex).search("hello", 9))
        assert.match(message, /cannot be used \(ENOTDIR.*fix its permissions/)
      })
    ))

  it.effect("says so when the relay keeps no sessions", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(search("x"))
      assert.include(error.message, "--no-state")
    }).pipe(Effect.provide(
      SearchIndex.layer.pipe(
        Layer.provide(Layer.succeed(SessionRegistry, {} as SessionRegistry["Service"])),
        Layer.provide(Journal.layerMemory),
        Layer.provide(RelayConfig.layer())
      )
    )))
})

describe("what is kept of a session", () => {
  it("has a bound: the oldest goes first", () => {
    const folder = temp()
    mkdirSync(folder, { recursive: true })
    const line = (seq: number) => ({
      seq,
      ts: seq,
      who: "agent" as const,
      text: `word${seq} ${"x ".repeat(9_000)}`
    })
    let known = SaidFile.nothing
    for (let seq = 1; seq <= 300; seq++) known = SaidFile.add(folder, known, [line(seq)], seq)
    assert.isAtMost(statSync(join(folder, "said.jsonl")).size, 2 * 1024 * 1024)
    const text = SaidFile.textOf(folder, known) ?? ""
    assert.isDefined(findIn(text, ["word300"]))
    assert.isUndefined(findIn(text, ["word1 "]))
    assert.isTrue(TextBits.mayHave(known.bits, "word300"))
    assert.deepStrictEqual(SaidFile.read(folder), known)
    rmSync(folder, { recursive: true })
  })

  it("never rules out a word that is there", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 400 }),
        fc.nat(),
        fc.nat(20),
        (text, at, length) => {
          const lower = text.toLowerCase()
          const from = at % lower.length
          const bits = new Uint8Array(TextBits.bytesFor(lower.length))
          TextBits.add(bits, lower)
          assert.isTrue(TextBits.mayHave(bits, lower.slice(from, from + length)))
        }
      )
    )
  })

  it("takes at most ten words of a query", () => {
    assert.lengthOf(wordsOf(Array.from({ length: 50 }, (_, index) => `w${index}`).join(" ")), 10)
    assert.deepStrictEqual(wordsOf("  A a\tB\n"), ["a", "b"])
  })
})
