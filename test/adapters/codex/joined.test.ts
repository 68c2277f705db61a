/** A thread joined at Codex' daemon: what a session hears of turns that are not its own. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Option, Schema } from "effect"
import { Notification } from "../../../src/adapters/codex/CodexMessage.js"
import { makeJoined } from "../../../src/adapters/codex/joined.js"
import { makeState, translate } from "../../../src/adapters/codex/translate.js"
import type { JsonRpcNotification } from "../../../src/adapters/wire/JsonRpc.js"
import { JsonRpcError } from "../../../src/adapters/wire/JsonRpc.js"
import type { JsonRpcPeer } from "../../../src/adapters/wire/JsonRpcPeer.js"
import type { EventBody } from "../../../src/schema/index.js"

const thread = "t-1"
const read = Schema.decodeUnknownOption(Notification)

const user = (id: string, text: string) => ({
  type: "userMessage",
  id,
  content: [{ type: "text", text, text_elements: [] }],
  completedAtMs: 1
})
const said = (id: string, text: string, completedAtMs: number | null = 1) => ({
  type: "agentMessage",
  id,
  text,
  completedAtMs
})
const command = (id: string, status: string) => ({
  type: "commandExecution",
  id,
  command: "ls",
  cwd: "/srv",
  status,
  aggregatedOutput: status === "completed" ? "a\n" : null,
  exitCode: status === "completed" ? 0 : null,
  completedAtMs: status === "completed" ? 1 : null
})

const join = () => {
  const events: Array<EventBody> = []
  let isOpen = false
  const state = makeState(() => isOpen)
  state.thread = thread
  const joined = makeJoined({
    state,
    inTurn: () => isOpen,
    emit: (event) => {
      if (event.type === "turn_start") isOpen = true
      if (event.type === "turn_end") isOpen = false
      events.push(event)
    },
    handle: (message, line) => {
      const known = Option.getOrUndefined(read(message))
      if (known !== undefined) joined.tell(translate(known, state), line)
    }
  })
  const hear = (method: string, params: object) => {
    const message: JsonRpcNotification = { method, params: { threadId: thread, ...params } }
    joined.onNotification(message, Buffer.from(JSON.stringify(message)))
  }
  const asked: Array<unknown> = []
  const peer = (answer: Effect.Effect<unknown, JsonRpcError>): JsonRpcPeer =>
    ({
      request: (method: string, params: unknown) => {
        asked.push([method, params])
        return answer
      }
    }) as unknown as JsonRpcPeer // Nothing else is asked of it.
  const catchUp = (answer: Effect.Effect<unknown, JsonRpcError>) =>
    Effect.runSync(joined.catchUp(peer(answer), thread))
  /** What people see. */
  const seen = () =>
    events.flatMap((event): ReadonlyArray<string> => {
      switch (event.type) {
        case "turn_start":
          return [`turn: ${event.text ?? "?"} (${event.metadata?.["origin"]})`]
        case "assistant_message":
        case "response":
        case "user_message":
          return [`${event.type}: ${event.text}`]
        case "tool_call":
          return ["call"]
        case "tool_result":
          return [`result: ${event.text}`]
        case "turn_end":
          return [`end: ${event.stop_reason}`]
        default:
          return []
      }
    })
  return { asked, catchUp, events, hear, joined, seen }
}

const nothing = Effect.succeed({ data: [] })
const running = (...items: ReadonlyArray<object>) =>
  Effect.succeed({ data: [{ id: "turn-1", status: "inProgress", items }], nextCursor: null })

const whole = [
  "turn: mend it (terminal)",
  "user_message: mend it",
  "call",
  "result: a\n",
  "assistant_message: done",
  "response: done",
  "end: end_turn"
]

describe("a joined thread", () => {
  it("a turn of the terminal begins with what was said there", () => {
    const { asked, catchUp, hear, joined, seen } = join()
    catchUp(nothing)
    assert.deepStrictEqual(asked, [[
      "thread/turns/list",
      { threadId: thread, limit: 1, sortDirection: "desc", itemsView: "full" }
    ]])
    hear("turn/started", { turn: { id: "turn-1" } })
    assert.deepStrictEqual(seen(), [])
    hear("item/completed", { item: user("u", "mend it") })
    hear("item/started", { item: command("c", "inProgress") })
    hear("item/completed", { item: command("c", "completed") })
    hear("item/completed", { item: said("m", "done") })
    hear("turn/completed", { turn: { id: "turn-1", status: "completed", items: [said("m", "done")] } })
    assert.deepStrictEqual(seen(), whole)
    assert.isTrue(joined.hasTold("u"))
    assert.isFalse(joined.hasTold("another"))
  })

  it("a turn that ran before is told whole, each of its items once", () => {
    const { catchUp, hear, seen } = join()
    // Came between the joining and the answer; the answer has it, too.
    hear("item/completed", { item: command("c", "completed") })
    catchUp(running(user("u", "mend it"), command("c", "completed"), said("m", "do", null)))
    hear("item/started", { item: said("m", "", null) })
    hear("item/completed", { item: said("m", "done") })
    hear("turn/completed", { turn: { id: "turn-1", status: "completed", items: [] } })
    assert.deepStrictEqual(seen(), whole)
  })

  it("a turn that began after the joining is told by what came of it alone", () => {
    const { catchUp, hear, seen } = join()
    hear("turn/started", { turn: { id: "turn-1" } })
    hear("item/completed", { item: user("u", "mend it") })
    hear("item/started", { item: command("c", "inProgress") })
    catchUp(running(user("u", "mend it"), command("c", "completed")))
    hear("item/completed", { item: command("c", "completed") })
    hear("item/completed", { item: said("m", "done") })
    hear("turn/completed", { turn: { id: "turn-1", status: "completed", items: [] } })
    assert.deepStrictEqual(seen(), whole)
  })

  it("a turn that ended while it was asked for is not lost", () => {
    const { catchUp, hear, seen } = join()
    hear("turn/completed", { turn: { id: "turn-1", status: "completed", items: [] } })
    catchUp(Effect.succeed({
      data: [{
        id: "turn-1",
        status: "completed",
        items: [user("u", "mend it"), command("c", "completed"), said("m", "done")]
      }]
    }))
    assert.deepStrictEqual(seen(), whole)
  })

  it("a turn that was over is history, and nothing of it is told", () => {
    const { catchUp, seen } = join()
    catchUp(Effect.succeed({ data: [{ id: "turn-1", status: "completed", items: [user("u", "old")] }] }))
    assert.deepStrictEqual(seen(), [])
  })

  it("what an older Codex does not tell of a running turn is told by its end", () => {
    const { catchUp, hear, seen } = join()
    catchUp(new JsonRpcError({ code: -32601, reason: "no such method" }))
    hear("turn/started", { turn: { id: "turn-1" } })
    hear("item/completed", { item: user("u", "mend it") })
    hear("turn/completed", { turn: { id: "turn-1", status: "completed", items: [said("m", "done")] } })
    assert.deepStrictEqual(seen(), [
      "turn: mend it (terminal)",
      "user_message: mend it",
      "assistant_message: done",
      "response: done",
      "end: end_turn"
    ])
  })
})
