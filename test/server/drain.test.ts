/** The end of the relay, with turns that run. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { until } from "../support/processes.js"
import { test } from "../support/relayServer.js"

/** Turns end when the test says so, or when they are interrupted. */
const onCommand: NonNullable<Parameters<typeof test>[2]>["onCommand"] = ({ type }, agent) =>
  type === "interrupt" ? agent.say({ type: "turn_end", stop_reason: "cancelled" }) : Effect.void

const isDraining = ({ status }: { readonly [field: string]: unknown }) => status === "draining"

describe("a relay that is told to stop", () => {
  test(
    "tells every client, lets the turn end, begins no other, and says goodbye",
    async (relay) => {
      const busy = await relay.connect({ tool: "fake", session_id: "busy" })
      await busy.waitFor("session_start")
      const agent = relay.agent()
      const idle = await relay.connect({ tool: "fake", session_id: "idle" })
      await idle.waitFor("session_start")
      busy.send({ text: "work", message_id: "m1" })
      busy.send({ text: "more", message_id: "m2" })
      await busy.waitFor(({ message_id, status }) => message_id === "m2" && status === "queued")

      const ended = relay.end()
      for (const client of [busy, idle]) {
        assert.deepInclude((await client.waitFor(isDraining))["metadata"], { seconds: 20 })
      }
      idle.send({ text: "new", message_id: "m3" })
      assert.strictEqual((await idle.waitFor("error"))["code"], "overloaded")
      assert.notStrictEqual(await relay.join().then(() => "let in", String), "let in")

      await Effect.runPromise(agent.say({ type: "turn_end", stop_reason: "end_turn" }))
      await ended
      assert.strictEqual(await busy.closed, 1000)
      assert.strictEqual(await idle.closed, 1000)
      assert.strictEqual((await busy.waitFor("turn_end"))["stop_reason"], "end_turn")
      assert.lengthOf(busy.events.filter(({ type }) => type === "turn_start"), 1)
      assert.deepInclude(busy.events.findLast(({ message_id }) => message_id === "m2"), {
        status: "cancelled"
      })
      for (const client of [busy, idle]) assert.strictEqual(client.events.at(-1)?.type, "session_end")
    },
    { onCommand, drain: 20 },
    30_000
  )

  test("stops a turn that goes on for too long, with its proper end", async (relay) => {
    const client = await relay.join()
    client.send({ text: "work" })
    await client.waitFor("turn_start")
    await relay.end()
    assert.strictEqual(await client.closed, 1000)
    assert.deepStrictEqual(client.events.slice(-2).map(({ stop_reason, type }) => stop_reason ?? type), [
      "cancelled",
      "session_end"
    ])
  }, { onCommand, drain: 0.2 })

  test(
    "waits for no turn any longer when it is told to hurry",
    async (relay) => {
      const client = await relay.join()
      client.send({ text: "work" })
      await client.waitFor("turn_start")
      const ended = relay.end()
      await client.waitFor(isDraining)
      relay.hurry()
      await ended
      await until(() => client.events.at(-1)?.type === "session_end")
      assert.strictEqual((await client.waitFor("turn_end"))["stop_reason"], "cancelled")
    },
    { onCommand, drain: 600 },
    20_000
  )
})
