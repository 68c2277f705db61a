import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { once } from "node:events"
import { connect as connectTcp, type Socket } from "node:net"
import { hostname, networkInterfaces } from "node:os"
import { WebSocket } from "ws"
import { AgentFailed, AuthRequired, BadHandshake, CommandNotFound } from "../../src/adapters/AdapterError.js"
import type { EventBody } from "../../src/schema/index.js"
import type { Connection } from "../../src/server/Connection.js"
import { serveConnection } from "../../src/server/serveConnection.js"
import { connect, type Event } from "../support/client.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { askFor } from "../support/fakeAdapter.js"
import { layerOf, line, type Relay, say, test } from "../support/relayServer.js"

const typesOf = (events: ReadonlyArray<Event>) => events.map(({ type }) => type)
const hasText = (text: string) => (event: Event) => event.text === text

describe("a handshake that is no good", () => {
  const cases: ReadonlyArray<
    readonly [name: string, handshake: object | string, code: string, text: string]
  > = [
    ["no JSON", "hello", "bad_handshake", "the first frame must be the handshake"],
    ["no object", "[1]", "bad_handshake", "the first frame must be the handshake"],
    ["a field of another type", { tool: "fake", extra_args: "x" }, "bad_handshake", "`extra_args` must be"],
    ["an unknown tool", { tool: "x" }, "unknown_tool", "fake"],
    ["no such folder", { tool: "fake", folder: "./nowhere" }, "folder_not_found", "nowhere"],
    ["a folder outside", { tool: "fake", folder: "/" }, "forbidden_folder", "--root /"],
    [
      "a name that a close frame cannot hold",
      { tool: "fake", folder: `./${"文".repeat(80)}` },
      "folder_not_found",
      "文"
    ],
    ["a wrong token", { tool: "fake", token: "wrong" }, "unauthorized", "token"]
  ]
  for (const [name, handshake, code, text] of cases) {
    test(`gets one error that says what to change, then 1008: ${name}`, async ({ connect, fake }) => {
      const client = await connect(handshake)
      assert.strictEqual(await client.closed, 1008)
      assert.deepStrictEqual(typesOf(client.events), ["error"])
      assert.deepInclude(client.events[0], { code, seq: 0, metadata: { fatal: true } })
      assert.include(client.events[0]?.["text"], text)
      assert.isNumber(client.events[0]?.["ts"])
      assert.isEmpty(fake.agents)
    }, { token: Redacted.make("right"), auth: "remote" })
  }

  const failures = [
    [new AgentFailed({ tool: "fake", reason: "it crashed" }), "agent_failed"],
    [new AuthRequired({ tool: "fake", advice: "Run `fake login`." }), "auth_required"],
    [new CommandNotFound({ command: "fake", advice: "Install it." }), "command_not_found"],
    [new BadHandshake({ reason: "not that model" }), "bad_handshake"]
  ] as const
  for (const [failure, code] of failures) {
    test(`for the agent: ${code}`, async ({ connect }) => {
      const client = await connect({ tool: "fake" })
      assert.strictEqual(await client.closed, 1008)
      assert.deepInclude(client.events[0], { type: "error", code, text: failure.message })
      assert.lengthOf(client.events, 1)
    }, { opening: () => failure })
  }

  test("because the relay is at fault is told as such, without the fault", async ({ connect }) => {
    const client = await connect({ tool: "fake" })
    assert.strictEqual(await client.closed, 1011)
    assert.deepInclude(client.events[0], { type: "error", code: "internal", metadata: { fatal: true } })
    assert.notInclude(JSON.stringify(client.events), "kaputt")
  }, { opening: () => Effect.die(new Error("kaputt")) })

  test("because it is too long opens nothing, however it goes on", async ({ connect, fake }) => {
    const client = await connect({ tool: "fake", model: "x".repeat(200_000) })
    assert.strictEqual(await client.closed, 1009)
    assert.deepStrictEqual(typesOf(client.events), ["error"])
    assert.deepInclude(client.events[0], { code: "too_large" })
    assert.include(client.events[0]?.["text"], "65536 bytes")
    assert.isEmpty(fake.agents)
  })

  it.effect("because it does not come is told after ten seconds", () =>
    Effect.gen(function*() {
      const told: Array<EventBody> = []
      const closed = yield* Deferred.make<number>()
      const silent: Connection = {
        opening: Effect.never,
        receive: Effect.never,
        tell: (event) => Effect.sync(() => void told.push(event)),
        tellList: () => Effect.void,
        follow: () => Effect.never,
        gone: Deferred.await(closed),
        close: (code) => Deferred.succeed(closed, code)
      }
      const visitor = { address: "127.0.0.1", host: "localhost", origin: undefined, authorization: undefined }
      yield* serveConnection(silent, visitor).pipe(Effect.scoped, Effect.forkChild)
      yield* TestClock.adjust("9 seconds")
      assert.isEmpty(told)
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Deferred.await(closed), 1008)
      assert.deepStrictEqual(told.map((event) => [event.type, "code" in event && event.code]), [[
        "error",
        "bad_handshake"
      ]])
    }).pipe(Effect.provide(layerOf(FakeAdapter.make(), {}))))
})

describe("frames from a client", () => {
  const promptOf = (relay: Relay) =>
    Effect.runPromise(
      Effect.map(relay.agent().next, (command) => "content" in command ? command.content : [])
    )

  for (const frame of ["hello there", "42", "[\"a\"]", "{ not json", " "]) {
    test(`that are no JSON object are prompts: ${frame}`, async (relay) => {
      const client = await relay.join()
      client.send(frame)
      if (frame.trim() === "") {
        assert.deepInclude(await client.waitFor("error"), { code: "bad_command" })
        return
      }
      assert.deepStrictEqual(await promptOf(relay), [{ type: "text", text: frame }])
      await client.waitFor("turn_end")
      assert.strictEqual((await client.waitFor("turn_start"))["text"], frame)
    })
  }

  test("that come in one piece with the handshake are answered in their order", async ({ port }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    const answers: Array<string> = []
    const isDone = new Promise<void>((resolve) =>
      socket.on("message", (data) => {
        const { code, status, text = "", type } = JSON.parse(String(data)) as Record<string, string>
        if (type === "error") answers.push(`${code}: ${text}`)
        if (status === "pong") answers.push("pong")
        if (answers.length === 4) resolve()
      })
    )
    await once(socket, "open")
    const { _socket: wire } = socket as unknown as { readonly _socket: Socket }
    wire.cork()
    for (
      const frame of [
        `{"tool":"fake"}`,
        Buffer.from("{}"),
        `{"type":"resize"}`,
        `{"type":"ping"}`,
        `{"type":"what"}`
      ]
    ) {
      socket.send(frame)
    }
    wire.uncork()
    await isDone
    socket.terminate()
    assert.match(answers[0] ?? "", /^bad_command: binary frames/)
    assert.match(answers[1] ?? "", /^bad_command: .*`cols`/)
    assert.strictEqual(answers[2], "pong")
    assert.match(answers[3] ?? "", /^bad_command: `type` must be/)
  })

  test("that are binary are refused, before the handshake and after", async ({ connect }) => {
    const client = await connect(Buffer.from("{}"))
    const before = await client.waitFor("error")
    assert.deepInclude(before, { code: "bad_command" })
    client.send({ tool: "fake" })
    const { seq } = await client.waitFor("session_start")
    client.send(Buffer.from("{\"text\":\"hi\"}"))
    const error = await client.waitFor((event) => event.type === "error" && event !== before)
    assert.strictEqual(error.seq, seq)
    assert.include(error["text"], "binary")
    client.send({ text: "hi" })
    await client.waitFor("turn_end")
  })

  test("that are malformed are answered, to their sender alone", async (relay) => {
    const [client, other] = [await relay.join(), await relay.join()]
    client.send({ type: "set_model", message_id: "m1" })
    client.send({ type: "what", message_id: "m2" })
    client.send({ message_id: "m3" })
    for (const message_id of ["m1", "m2", "m3"]) {
      const error = await client.waitFor((event) => event["message_id"] === message_id)
      assert.deepInclude(error, { type: "error", code: "bad_command", seq: 1, session_id: "s" })
    }
    await say(relay, line("a"))
    await other.waitFor("stdout")
    assert.notInclude(typesOf(other.events), "error")
  })

  test("that are pings are answered, to their sender alone, at the seq where it stands", async (relay) => {
    const [client, other] = [await relay.join(), await relay.join()]
    await say(relay, line("a"), line("b"))
    await client.waitFor(hasText("b"))
    client.send({ type: "ping" })
    const pong = await client.waitFor(({ status }) => status === "pong")
    assert.deepInclude(pong, { type: "status", seq: 3, session_id: "s" })
    await say(relay, line("c"))
    assert.strictEqual((await other.waitFor(hasText("c"))).seq, 4)
    assert.notInclude(other.events.map(({ status }) => status), "pong")
  })

  test("may come in thousands at once", async ({ join }) => {
    const client = await join()
    for (let n = 0; n < 3000; n++) client.send({ type: "ping" })
    client.send({ text: "hi" })
    await client.waitFor("turn_end")
    assert.lengthOf(client.events.filter(({ status }) => status === "pong"), 3000)
  })

  test("that are too large end the connection, not the session", async (relay) => {
    const [client, other] = [await relay.join(), await relay.join()]
    client.send({ text: "x".repeat(20_000) })
    assert.strictEqual(await client.closed, 1009)
    await say(relay, line("a"))
    await other.waitFor("stdout")
  }, { max_frame_bytes: 10_000 })

  test("may follow a handshake at once, though both together are longer than that may be", async ({ port }) => {
    /** A masked text frame, as a browser sends it. */
    const toFrame = (text: string) => {
      const head = Buffer.from([0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
      head.writeUInt32BE(Buffer.byteLength(text), 6)
      return Buffer.concat([head, Buffer.from(text)])
    }
    const handshake = toFrame(`{"tool":"fake","developerInstructions":"${"x".repeat(40_000)}"}`)
    const prompt = toFrame(JSON.stringify({ text: "y".repeat(60_000) }))
    const socket = connectTcp(port, "127.0.0.1")
    let received = ""
    socket.on("data", (data) => (received += data.toString("latin1")))
    const until = async (text: string) => {
      while (!received.includes(text)) await once(socket, "data")
    }
    socket.write(
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await until("\r\n\r\n")
    // The relay reads the first part alone, as its pong says, then the rest together with what follows.
    const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0])
    const pong = "\u008a\u0000"
    socket.write(Buffer.concat([ping, handshake.subarray(0, 39_000)]))
    await until(pong)
    socket.write(Buffer.concat([handshake.subarray(39_000), prompt]))
    await until("turn_end")
    assert.notInclude(received, "too_large")
    socket.destroy()
  })
})

describe("clients of a session", () => {
  test("all see the same events in the same order, and each permission settled", async (relay) => {
    const one = await relay.join()
    const other = await relay.join({ after_seq: 0 })
    for (const name of ["a", "b", "c"]) {
      one.send({ text: name })
      other.send({ text: name })
    }
    const asked = Effect.runPromise(relay.agent().ask(askFor("p1")))
    await one.waitFor("permission_request")
    other.send({ type: "permission_response", request_id: "p1", behavior: "allow" })
    assert.strictEqual((await asked).behavior, "allow")
    const settled = await one.waitFor("control_response")
    // The journal tells who it was: the second connection.
    assert.deepNestedInclude(settled, { "metadata.by": { address: "127.0.0.1", connection: 2 } })
    for (const client of [one, other]) {
      await client.waitFor((event) => event.type === "turn_end" && event["turn"] === 6)
    }
    await say(relay, line("last"))
    for (const client of [one, other]) await client.waitFor(hasText("last"))
    const logged = one.events.filter(({ seq }) => seq > 0)
    assert.deepStrictEqual(logged.map(({ seq }) => seq), logged.map((_, index) => index + 1))
    // The other was greeted first.
    assert.deepStrictEqual(other.events.slice(1), logged)
  })

  test("who attach are greeted at the place they ask for, then get all after it", async (relay) => {
    const first = await relay.join()
    await say(relay, line("a"), line("b"), line("c"))
    await first.waitFor(hasText("c"))
    const late = await relay.connect({ session_id: "s", after_seq: 2 })
    await late.waitFor(hasText("c"))
    assert.deepStrictEqual(late.events.map(({ seq, text, type }) => [type, seq, text]), [
      ["session_start", 2, undefined],
      ["stdout", 3, "b"],
      ["stdout", 4, "c"]
    ])
    assert.deepInclude(late.events[0], { session_id: "s" })
    assert.deepInclude(late.events[0]?.["metadata"], { last_seq: 4, tool: "fake" })
    assert.deepStrictEqual(late.events[0]?.["metadata"].pending_permissions, [])
  })

  test("who attach without a place get only what comes", async (relay) => {
    await relay.join()
    await say(relay, line("before"))
    const late = await relay.join()
    await say(relay, line("after"))
    await late.waitFor(hasText("after"))
    assert.deepStrictEqual(late.events.map(({ seq, type }) => [type, seq]), [["session_start", 2], [
      "stdout",
      3
    ]])
  })

  test("who come too late are told where the log begins", async (relay) => {
    await relay.join()
    for (let n = 0; n < 20; n++) await say(relay, line("x".repeat(500)))
    const late = await relay.connect({ session_id: "s", after_seq: 1 })
    const { metadata: { first_seq } } = await late.waitFor("error")
    await late.waitFor(({ seq }) => seq === 21)
    assert.deepStrictEqual(typesOf(late.events).slice(0, 3), ["session_start", "error", "stdout"])
    assert.deepInclude(late.events[1], { code: "gap", seq: 1 })
    assert.isAbove(first_seq, 2)
    assert.deepStrictEqual(
      late.events.slice(2).map(({ seq }) => seq),
      Array.from({ length: 22 - first_seq }, (_, index) => first_seq + index)
    )
  }, { retain_bytes: 3000 })

  test("get native messages untouched, or not at all if they do not want them", async (relay) => {
    const [all, small] = [await relay.join(), await relay.join({ raw: false })]
    const native = "{ \"n\" : 1.0, \"text\": \"é\\u00e9\" }"
    relay.agent().sink.emit({ type: "status", status: "native" }, Buffer.from(native))
    const frame = new Promise<string>((resolve) =>
      all.socket.once("message", (data) => resolve(String(data)))
    )
    assert.isTrue((await frame).endsWith(`,"raw":${native}}`))
    const event = await small.waitFor(({ status }) => status === "native")
    assert.notProperty(event, "raw")
    assert.strictEqual(event["session_id"], "s")
  })

  test("who are dropped come back and miss nothing", async (relay) => {
    const first = await relay.join()
    await say(relay, line("a"))
    const { seq } = await first.waitFor(hasText("a"))
    first.drop()
    await first.closed
    await say(relay, line("b"), line("c"))
    const again = await relay.join({ after_seq: seq })
    await say(relay, line("d"))
    await again.waitFor(hasText("d"))
    assert.deepStrictEqual(again.events.slice(1).map(({ text }) => text), ["b", "c", "d"])
    assert.lengthOf(relay.fake.agents, 1)
  })

  test("without a session_id end the session when they go", async ({ agent, connect }) => {
    const client = await connect({ tool: "fake" })
    await client.waitFor("session_start")
    const gone = new Promise<void>((resolve) => (onGone = resolve))
    await client.close()
    await gone
    assert.isEmpty(agent().sent)
  }, { closing: () => Effect.sync(() => onGone()) })
  let onGone = () => {}
})

describe("the end of a session", () => {
  test("is told to every client, then the connections close with 1000", async (relay) => {
    const [one, other] = [await relay.join(), await relay.join()]
    one.send({ type: "end", message_id: "m1" })
    for (const client of [one, other]) {
      assert.strictEqual(await client.closed, 1000)
      assert.strictEqual(client.events.at(-1)?.type, "session_end")
    }
  })

  test("is told before the relay goes down, in the middle of a turn too", async (relay) => {
    const one = await relay.join()
    const other = await relay.connect({ tool: "fake" })
    one.send({ text: "work" })
    await one.waitFor("turn_start")
    await other.waitFor("session_start")
    await relay.end()
    for (const client of [one, other]) assert.strictEqual(await client.closed, 1000)
    assert.deepStrictEqual(typesOf(one.events).slice(-2), ["turn_end", "session_end"])
    assert.strictEqual(one.events.at(-2)?.["stop_reason"], "cancelled")
    assert.strictEqual(other.events.at(-1)?.type, "session_end")
  }, {
    onCommand: ({ type }, agent) =>
      type === "interrupt" ? FakeAdapter.answering()({ type }, agent) : Effect.void
  })

  test("reaches a client that reads slowly, whole", async (relay) => {
    const [client, other] = [await relay.join(), await relay.join()]
    client.socket.pause()
    for (let n = 0; n < 100; n++) await say(relay, line("x".repeat(100_000)))
    await Effect.runPromise(relay.agent().exit({ exit_code: 0 }))
    assert.strictEqual(await other.closed, 1000)
    client.socket.resume()
    assert.strictEqual(await client.closed, 1000)
    assert.strictEqual(client.events.at(-1)?.type, "session_end")
    assert.lengthOf(client.events, 102)
  })
})

describe("a client that stops reading", () => {
  const megabytes = 60

  test(
    "slows nobody else, and is told to come again (what it costs is measured in test/load)",
    async (relay) => {
      const stalled = await relay.connect({ tool: "fake", session_id: "s" })
      await stalled.waitFor("session_start")
      stalled.socket.pause()
      const reader = await relay.join()
      let read = 0
      let last = 0
      reader.socket.removeAllListeners("message")
      const done = new Promise<void>((resolve) =>
        reader.socket.on("message", (data: Buffer) => {
          read += data.length
          const seq = Number(/"seq":(\d+),"ts"/.exec(data.toString("latin1", data.length - 200))?.[1])
          assert.strictEqual(seq, last === 0 ? seq : last + 1)
          last = seq
          if (read > megabytes * 1e6) resolve()
        })
      )
      const { sink } = relay.agent()
      const event = line("x".repeat(10_000))
      const pump = (): void => {
        for (let n = 0; n < 10; n++) {
          if (!sink.batch(() => sink.emit(event))) return sink.onceDrained(() => setImmediate(pump))
        }
        if (read <= megabytes * 1e6) setImmediate(pump)
      }
      const started = performance.now()
      pump()
      await done
      assert.isBelow(performance.now() - started, 10_000)
      stalled.socket.resume()
      assert.strictEqual(await stalled.closed, 1013)
      const seqs = stalled.events.slice(0, -1).map(({ seq }) => seq)
      assert.deepStrictEqual(seqs, seqs.map((_, index) => index + 1))
      assert.deepInclude(stalled.events.at(-1), { type: "error", code: "overloaded", seq: seqs.length })
      assert.isBelow(seqs.length, last)
      reader.drop()
    },
    { retain_bytes: 1e6 },
    30_000
  )
})

describe("who may come", () => {
  const refused = (relay: Relay, headers: Record<string, string>) =>
    relay.connect({ tool: "fake" }, headers).then(
      () => "let in",
      (error: Error) => error.message
    )

  test(
    "pages of other origins, and names that are not the relay's, are turned away with 403",
    async (relay) => {
      for (
        const headers of [{ Origin: "https://evil.example" }, { Host: "evil.example" }, { Origin: "null" }]
      ) {
        assert.include(await refused(relay, headers), "403")
      }
      assert.isEmpty(relay.fake.agents)
      const own = await relay.connect({ tool: "fake" }, { Origin: `http://127.0.0.1:${relay.port}` })
      await own.waitFor("session_start")
      const named = await relay.connect({ tool: "fake", token: "t0ken" }, {
        Host: hostname(),
        Origin: "https://app.example"
      })
      await named.waitFor("session_start")
    },
    { allow_origin: ["https://app.example"], token: Redacted.make("t0ken"), auth: "remote" }
  )

  test("and are told what to do about it", async ({ port }) => {
    const socket = connectTcp(port, "127.0.0.1")
    socket.write(
      "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nUpgrade: websocket\r\n"
        + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    let answer = ""
    for await (const data of socket) answer += data.toString()
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
    assert.include(answer, "--allow-origin https://evil.example")
  })

  const outward = Object.values(networkInterfaces()).flat()
    .find((address) => address !== undefined && !address.internal && address.family === "IPv4")?.address

  if (outward !== undefined) {
    const from = (port: number, handshake: object, headers: Record<string, string> = {}) =>
      connect(`ws://${outward}:${port}/`, handshake, { headers })

    test("other machines with the token, in the header or the handshake", async ({ port }) => {
      const strangers = [
        await from(port, { tool: "fake" }),
        await from(port, { tool: "fake", token: "wrong" })
      ]
      for (const stranger of strangers) {
        assert.strictEqual(await stranger.closed, 1008)
        assert.deepInclude(stranger.events[0], { type: "error", code: "unauthorized" })
      }
      const byHandshake = await from(port, { tool: "fake", token: "t0ken" })
      await byHandshake.waitFor("session_start")
      const byHeader = await from(port, { tool: "fake" }, { Authorization: "Bearer t0ken" })
      await byHeader.waitFor("session_start")
    }, { host: "0.0.0.0", token: Redacted.make("t0ken") })

    test("other machines not at all where there is no token", async ({ port }) => {
      const stranger = await from(port, { tool: "fake", token: "any" })
      assert.strictEqual(await stranger.closed, 1008)
      assert.include(stranger.events[0]?.["text"], "--token")
    }, { host: "0.0.0.0" })
  }
})

describe("plain HTTP", () => {
  test("tells that the relay is well, and what it is", async ({ port }) => {
    const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init)
    const health = await get("/healthz")
    assert.strictEqual(health.status, 200)
    assert.deepStrictEqual(await health.json(), { status: "ok" })
    assert.strictEqual((await get("/healthz?x=1")).status, 200)
    assert.strictEqual((await get("/healthz", { method: "POST" })).status, 405)
    assert.include(await (await get("/")).text(), "Connect a WebSocket")
    assert.strictEqual((await get("/nothing")).status, 404)
    assert.strictEqual((await get("/__proto__")).status, 404)
  })
})

describe("RelayServer", () => {
  test("says that its port is taken", ({ port }) =>
    Effect.runPromise(
      Layer.build(layerOf(FakeAdapter.make(), { port })).pipe(
        Effect.scoped,
        Effect.flip,
        Effect.map((failure) => {
          assert.strictEqual(failure._tag, "ListenFailed")
          assert.include(failure.message, `port ${port} is in use`)
        })
      )
    ))
})
