/** What Snowflake's services say in ways that were once misunderstood, each with the right value. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Server from "../../support/cortexServer.js"
import { layerSession, openSession, serverOf } from "../../support/cortexSession.js"
import { first, ofType } from "./play.js"

const eventsOf = (name: string) =>
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "cases", `${name}.jsonl`), "utf8")
    .trim().split("\n").map((line) => JSON.parse(line) as { readonly event: string; readonly data: unknown })

const replyOf = (name: string) => Server.stream(eventsOf(name))

const play = (name: string, handshake: object) =>
  Effect.gen(function*() {
    const server = yield* serverOf
    server.reply(replyOf(name))
    const session = yield* openSession(server, handshake as never)
    yield* session.turn("go")
    return yield* session.close
  }).pipe(Effect.provide(layerSession))

describe("Cortex", () => {
  it.live("ends without data: there is nothing to show", () =>
    Effect.gen(function*() {
      const events = yield* play("cortex-analyst-empty-done", { snowflake: { semantic_view: "a.b.c" } })
      assert.deepStrictEqual(ofType(events, "stdout"), [])
    }))

  it.live("refuses in words of its own", () =>
    Effect.gen(function*() {
      const events = yield* play("cortex-chat-refusal", {})
      assert.strictEqual(first(events, "assistant_message").text, "I cannot help with that")
      assert.strictEqual(first(events, "turn_end").stop_reason, "refusal")
    }))

  it.live("tells traces, which are no text for people", () =>
    Effect.gen(function*() {
      const events = yield* play("cortex-execution-trace", { mode: "agent" })
      assert.deepStrictEqual(ofType(events, "stdout"), [])
      const trace = ofType(events, "status").find(({ status }) => status === "execution_trace")
      assert.deepStrictEqual(trace?.metadata, { data: ["{\"resourceSpans\":[]}"] })
    }))

  it.live("suggests what to ask next", () =>
    Effect.gen(function*() {
      const events = yield* play("cortex-suggested-queries", { mode: "agent" })
      const told = ofType(events, "status").find(({ status }) => status === "response.suggested_queries")
      assert.deepStrictEqual(told?.metadata, { suggestions: ["And by month?"] })
    }))
})
