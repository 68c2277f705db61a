import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Queue, Result } from "effect"
import { TestClock } from "effect/testing"
import type { AgentExit } from "../../../src/adapters/Adapter.js"
import { JsonRpcError } from "../../../src/adapters/wire/JsonRpc.js"
import * as JsonRpcPeer from "../../../src/adapters/wire/JsonRpcPeer.js"

/** A peer, and the agent's end of its pipes. */
const connect = (options: Partial<JsonRpcPeer.JsonRpcPeerOptions> = {}) =>
  Effect.gen(function*() {
    const written = yield* Queue.unbounded<string>()
    const exited = yield* Deferred.make<AgentExit>()
    const told: Array<string> = []
    let onLine: (line: Buffer) => void = () => {}
    const peer = yield* JsonRpcPeer.open(
      (take) => {
        onLine = take
        return Effect.succeed({
          pid: 1,
          writeLine: (line) => Effect.asVoid(Queue.offer(written, line)),
          endInput: Effect.void,
          exit: Deferred.await(exited)
        })
      },
      {
        tool: "agent",
        jsonrpc: false,
        onNotification: ({ method }) => told.push(`notification ${method}`),
        onRequest: () => undefined,
        onOther: (line, message) =>
          told.push(`${message === undefined ? "text" : "other"} ${line.toString()}`),
        ...options
      }
    )
    return {
      peer,
      told,
      say: (...lines: ReadonlyArray<string>) =>
        Effect.sync(() => lines.forEach((line) => onLine(Buffer.from(line)))),
      written: Effect.map(Queue.take(written), (line) => JSON.parse(line)),
      exit: (how: AgentExit) => Deferred.succeed(exited, how)
    }
  })

describe("JsonRpcPeer", () => {
  it.effect("gives each request the answer of its id, in whatever order they come", () =>
    Effect.gen(function*() {
      const { peer, say, written } = yield* connect()
      const first = yield* Effect.forkChild(peer.request("one", { a: 1 }))
      assert.deepStrictEqual(yield* written, { id: 1, method: "one", params: { a: 1 } })
      const second = yield* Effect.forkChild(peer.request("two"))
      assert.deepStrictEqual(yield* written, { id: 2, method: "two" })
      yield* say(`{"id":2,"result":"second"}`, `{"id":1,"result":null}`)
      assert.strictEqual(yield* Fiber.join(second), "second")
      assert.strictEqual(yield* Fiber.join(first), null)
    }))

  it.effect("writes the jsonrpc member where the agent wants it", () =>
    Effect.gen(function*() {
      const { peer, say, written } = yield* connect({ jsonrpc: true })
      yield* peer.notify("cancel", {})
      assert.deepStrictEqual(yield* written, { jsonrpc: "2.0", method: "cancel", params: {} })
      yield* say(`{"jsonrpc":"2.0","id":0,"method":"unknown"}`)
      assert.strictEqual((yield* written).jsonrpc, "2.0")
    }))

  it.effect("tells an answer in the step its line is read, between the lines around it", () =>
    Effect.gen(function*() {
      const { peer, say, told } = yield* connect()
      yield* peer.post("prompt", {}, (answer) => told.push(`answer ${Result.getOrThrow(answer)}`))
      yield* say(`{"method":"before"}`, `{"id":1,"result":"done"}`, `{"method":"after"}`)
      assert.deepStrictEqual(told, ["notification before", "answer done", "notification after"])
    }))

  it.effect("fails a request with the error it is answered with", () =>
    Effect.gen(function*() {
      const { peer, say, written } = yield* connect()
      const asked = yield* Effect.forkChild(Effect.flip(peer.request("one")))
      yield* written
      yield* say(`{"id":1,"error":{"code":-32600,"message":"no active turn","data":{"kind":"idle"}}}`)
      assert.deepInclude(yield* Fiber.join(asked), {
        _tag: "JsonRpcError",
        code: -32600,
        message: "no active turn",
        detail: { kind: "idle" }
      })
    }))

  it.effect("gives up a request after its time, and takes no notice of the late answer", () =>
    Effect.gen(function*() {
      const { peer, say, told, written } = yield* connect()
      const asked = yield* Effect.forkChild(Effect.flip(peer.request("slow", {}, { within: "5 seconds" })))
      yield* written
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(asked)).message, `agent did not answer "slow" within 5s`)
      yield* say(`{"id":1,"result":{}}`)
      assert.deepStrictEqual(told, [])
    }))

  it.effect("answers the agent's requests under their id, as the type it is", () =>
    Effect.gen(function*() {
      const { say, written } = yield* connect({
        onRequest: ({ method }) =>
          method === "ask"
            ? Effect.succeed({ decision: "accept" })
            : method === "refused"
            ? new JsonRpcError({ code: -32000, reason: "not now" })
            : method === "broken"
            ? Effect.die("a bug")
            : undefined
      })
      yield* say(`{"id":0,"method":"ask"}`, `{"id":"0","method":"ask"}`, `{"id":1,"method":"refused"}`)
      assert.deepStrictEqual(yield* written, { id: 0, result: { decision: "accept" } })
      assert.deepStrictEqual(yield* written, { id: "0", result: { decision: "accept" } })
      assert.deepStrictEqual(yield* written, { id: 1, error: { code: -32000, message: "not now" } })
      yield* say(`{"id":2,"method":"unheard"}`, `{"id":3,"method":"broken"}`)
      assert.deepStrictEqual(yield* written, {
        id: 2,
        error: { code: -32601, message: "Method not found: unheard" }
      })
      assert.strictEqual((yield* written).error.code, -32603)
    }))

  it.effect("sends no answer that nobody waits for", () =>
    Effect.gen(function*() {
      const { say, written } = yield* connect({
        onRequest: ({ method }) => method === "withdrawn" ? Effect.succeed(undefined) : undefined
      })
      yield* say(`{"id":0,"method":"withdrawn"}`, `{"id":1,"method":"next"}`)
      assert.strictEqual((yield* written).id, 1)
    }))

  it.effect("lets no person who takes long hold up the rest", () =>
    Effect.gen(function*() {
      const answered = yield* Deferred.make<string>()
      const { say, told, written } = yield* connect({ onRequest: () => Deferred.await(answered) })
      yield* say(`{"id":0,"method":"ask"}`, `{"method":"meanwhile"}`)
      assert.deepStrictEqual(told, ["notification meanwhile"])
      yield* Deferred.succeed(answered, "yes")
      assert.deepStrictEqual(yield* written, { id: 0, result: "yes" })
    }))

  it.effect("tells of lines that are no messages, and of answers to nothing", () =>
    Effect.gen(function*() {
      const { say, told } = yield* connect()
      yield* say("panic!", `[1]`, `{"id":7,"result":1}`, `{"hello":1}`)
      assert.deepStrictEqual(told, [
        "text panic!",
        "other [1]",
        `other {"id":7,"result":1}`,
        `other {"hello":1}`
      ])
    }))

  it.effect("fails all that waits when the agent is gone, and all that comes after", () =>
    Effect.gen(function*() {
      const { exit, peer, written } = yield* connect()
      const asked = yield* Effect.forkChild(Effect.flip(peer.request("one")))
      yield* written
      let posted: Result.Result<unknown, unknown> | undefined
      yield* peer.post("two", {}, (answer) => {
        posted = answer
      })
      yield* exit({ exit_code: 1, stderr: ["no such flag"] })
      const failure = yield* Fiber.join(asked)
      assert.strictEqual(failure._tag, "AgentFailed")
      assert.include(failure.message, "exit code 1")
      assert.include(failure.message, "no such flag")
      assert.isTrue(posted !== undefined && Result.isFailure(posted))
      assert.strictEqual((yield* Effect.flip(peer.request("three")))._tag, "AgentFailed")
    }))
})
