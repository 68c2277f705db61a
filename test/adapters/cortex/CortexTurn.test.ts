import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted } from "effect"
import * as fc from "fast-check"
import { EventSink, PermissionGate, type PermissionOutcome } from "../../../src/adapters/Adapter.js"
import { makeAgent } from "../../../src/adapters/cortex/agent.js"
import { makeAnalyst } from "../../../src/adapters/cortex/analyst.js"
import { chat } from "../../../src/adapters/cortex/chat.js"
import { type Conversation, run } from "../../../src/adapters/cortex/CortexTurn.js"
import type { Dialect } from "../../../src/adapters/cortex/Dialect.js"
import { makeContextMeter } from "../../../src/adapters/wire/contextMeter.js"
import * as Server from "../../support/cortexServer.js"
import * as FakeHttp from "../../support/fakeHttp.js"
import * as TestSink from "../../support/testSink.js"
import { answers } from "./scenarios.js"

const silentGate = { request: () => Effect.never, withdraw: () => {} }

/** What a turn says, event by event with its native message, when the answer comes in these chunks. */
const turnOf = (dialect: Dialect, chunks: ReadonlyArray<Uint8Array>) => {
  const said: Array<unknown> = []
  const sink = {
    ...TestSink.make().service,
    emit: (event: object, raw?: Uint8Array) =>
      void said.push([event, raw && JSON.parse(Buffer.from(raw).toString())])
  }
  const conversation: Conversation = {
    account: { origin: "https://a.snowflakecomputing.com", token: Redacted.make("x"), token_type: "OAUTH" },
    dialect,
    silence: Duration.infinity,
    warn: makeContextMeter(),
    fork: (question) => Effect.runFork(question as Effect.Effect<PermissionOutcome>),
    model: "claude-sonnet-4-5",
    messages: []
  }
  const prompt = {
    type: "user_message",
    content: [{ type: "text", text: "hello" }],
    uuid: "00000000-0000-4000-8000-000000000001"
  } as const
  return run(conversation, prompt).pipe(
    Effect.provideService(EventSink, sink),
    Effect.provideService(PermissionGate, silentGate),
    Effect.provide(FakeHttp.make(FakeHttp.streamOf(chunks)).layer),
    Effect.map(() => ({ said, messages: conversation.messages }))
  )
}

const cut = (bytes: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter(({ length }) =>
    length > 0
  )
}

const dialects: Record<keyof typeof answers, Effect.Effect<Dialect>> = {
  chat: Effect.succeed(chat),
  analyst: Effect.succeed(makeAnalyst([["semantic_view", "D.S.V"]])),
  agent: Effect.orDie(makeAgent({ agent: "D.S.A" }))
}

describe("a turn", () => {
  for (
    const [name, events] of Object.entries(answers) as Array<[keyof typeof answers, typeof answers.chat]>
  ) {
    it(`says the same wherever the answer of ${name} is cut`, () => {
      const bytes = Server.encode(events, { eol: "\r\n", lines: true })
      const play = (chunks: ReadonlyArray<Uint8Array>) =>
        Effect.runPromise(Effect.flatMap(dialects[name], (dialect) => turnOf(dialect, chunks)))
      return play([bytes]).then((whole) =>
        fc.assert(
          fc.asyncProperty(
            fc.array(fc.nat()),
            (places) => play(cut(bytes, places)).then((said) => assert.deepStrictEqual(said, whole))
          ),
          { numRuns: 50 }
        )
      )
    })
  }
})
