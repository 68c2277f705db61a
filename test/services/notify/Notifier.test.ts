/** Who is called when nobody looks, when, and with what; never the work itself. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { SessionId } from "../../../src/schema/index.js"
import type { SessionListing } from "../../../src/services/log/SessionListing.js"
import { headOf, letterTo, targetOf } from "../../../src/services/notify/messages.js"
import * as Notifier from "../../../src/services/notify/Notifier.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import { SessionRegistry } from "../../../src/services/session/SessionRegistry.js"
import * as FakeHttp from "../../support/fakeHttp.js"

const id = SessionId.make("shop")
const secret = `ghp_${"a1B2".repeat(9)}`

/** A session that a test changes, and a notifier that watches it. */
const stage = (answer: () => Response = FakeHttp.statusOf(200)) => {
  let line: SessionListing | undefined = {
    session_id: id,
    tool: "claude",
    folder: "/srv/shop",
    title: `Mend it with ${secret}`,
    created_at: 1,
    last_active_at: 1,
    last_seq: 1,
    turns: 1,
    cost_usd: 0,
    pending: [],
    queued: [],
    acknowledged: [],
    state: "running",
    clients: 0
  }
  const watchers = new Set<(id: SessionId | undefined) => void>()
  const registry: Partial<SessionRegistry["Service"]> = {
    listing: () => Effect.sync(() => line),
    watch: (onChange) => {
      watchers.add(onChange)
      return () => void watchers.delete(onChange)
    }
  }
  const http = FakeHttp.make(answer)
  const layer = Notifier.layer.pipe(
    // The notifier uses no more of it.
    Layer.provide(Layer.succeed(SessionRegistry, registry as SessionRegistry["Service"])),
    Layer.provide(http.layer),
    Layer.provide(
      RelayConfig.layer({
        notify: ["https://hooks.example/secret-path"],
        notify_link: "https://relay.example/"
      })
    )
  )
  const settle = Effect.gen(function*() {
    for (let turns = 0; turns < 50; turns++) yield* Effect.yieldNow
  })
  return {
    layer,
    become: (fields: Partial<SessionListing> | undefined) =>
      Effect.suspend(() => {
        line = fields === undefined || line === undefined ? undefined : { ...line, ...fields }
        for (const watcher of watchers) watcher(id)
        return settle
      }),
    pass: (time: `${number} seconds`) => Effect.andThen(TestClock.adjust(time), settle),
    sent: () =>
      http.requests.map(({ body }) =>
        JSON.parse(
          body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : "null"
        ) as Record<string, unknown>
      )
  }
}

describe("a question", () => {
  it.effect("is told at once when nobody is connected, with a link and without secrets", () => {
    const { become, layer, sent } = stage()
    return Effect.gen(function*() {
      yield* become({ pending: ["q1"] })
      assert.deepStrictEqual(sent(), [{
        kind: "question",
        session_id: "shop",
        tool: "claude",
        folder: "/srv/shop",
        title: "Mend it with [REDACTED]",
        link: "https://relay.example/#/s/shop",
        text: "claude is waiting for your answer: Mend it with [REDACTED]"
      }])
      // The same question again is no news; another one is.
      yield* become({ last_seq: 2 })
      assert.lengthOf(sent(), 1)
      yield* become({ pending: ["q1", "q2"] })
      assert.lengthOf(sent(), 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is told after 30 s where somebody is connected, unless it was answered", () => {
    const { become, layer, pass, sent } = stage()
    return Effect.gen(function*() {
      yield* become({ pending: ["q1"], clients: 1 })
      yield* pass("29 seconds")
      assert.lengthOf(sent(), 0)
      yield* become({ pending: [] })
      yield* pass("60 seconds")
      assert.lengthOf(sent(), 0)
      yield* become({ pending: ["q2"] })
      yield* pass("30 seconds")
      assert.lengthOf(sent(), 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("a turn that has ended", () => {
  it.effect("is told if it was long and nobody is connected", () => {
    const { become, layer, pass, sent } = stage()
    return Effect.gen(function*() {
      yield* become({ state: "running" })
      yield* pass("59 seconds")
      yield* become({ state: "idle" })
      assert.lengthOf(sent(), 0)
      yield* become({ state: "running" })
      yield* pass("61 seconds")
      yield* become({ state: "idle" })
      assert.lengthOf(sent(), 1)
      assert.strictEqual(sent()[0]?.["kind"], "done")
      yield* become({ state: "running" })
      yield* pass("61 seconds")
      yield* become({ state: "idle", clients: 1 })
      assert.lengthOf(sent(), 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("what cannot be delivered", () => {
  it.effect("is tried four times in all, and then given up", () => {
    const { become, layer, pass, sent } = stage(FakeHttp.statusOf(500))
    return Effect.gen(function*() {
      yield* become({ pending: ["q1"] })
      for (let times = 0; times < 12; times++) yield* pass("10 seconds")
      assert.lengthOf(sent(), 4)
    }).pipe(Effect.provide(layer))
  })
})

describe("an address", () => {
  it("is a webhook or a topic of ntfy", () => {
    assert.deepStrictEqual(targetOf("https://hooks.example/x"), {
      kind: "webhook",
      url: "https://hooks.example/x"
    })
    assert.deepStrictEqual(targetOf("ntfy:https://ntfy.sh/my-topic"), {
      kind: "ntfy",
      url: "https://ntfy.sh",
      topic: "my-topic"
    })
    for (const wrong of ["", "hooks.example", "ntfy:https://ntfy.sh", "ntfy:topic", "file:///etc/passwd"]) {
      assert.isUndefined(targetOf(wrong), wrong)
    }
  })

  it("of ntfy gets what ntfy publishes", () => {
    const notice = {
      kind: "question" as const,
      session_id: "s",
      tool: "codex",
      folder: "/srv/größe",
      link: "https://r/#/s/s"
    }
    assert.deepStrictEqual(letterTo({ kind: "ntfy", url: "https://ntfy.sh", topic: "t" }, notice), {
      url: "https://ntfy.sh",
      body: {
        topic: "t",
        title: headOf(notice),
        message: "größe",
        priority: 4,
        tags: ["raised_hand"],
        click: "https://r/#/s/s"
      }
    })
  })
})
