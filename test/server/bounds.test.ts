/** What a client, or many, may cost. Each bound is answered with an error that says what to do. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import { once } from "node:events"
import { get } from "node:https"
import { connect as connectTcp, type Socket } from "node:net"
import { until } from "../support/processes.js"
import { test } from "../support/relayServer.js"

const isError = (code: string) => (event: { readonly [field: string]: unknown }) =>
  event["type"] === "error" && event["code"] === code

describe("a frame", () => {
  test(
    "that is nested deeply is refused at once, however large; the session goes on",
    async ({ join }) => {
      const client = await join()
      const brackets = 5_000_000
      const started = performance.now()
      client.send(`{"text":${"[".repeat(brackets)}${"]".repeat(brackets)}}`)
      const error = await client.waitFor(isError("bad_command"))
      assert.include(error["text"], "at most 20 levels")
      // Parsing it would take a minute.
      assert.isBelow(performance.now() - started, 10_000)
      client.send({ text: "hi" })
      await client.waitFor("turn_end")
    },
    { max_json_depth: 20 },
    30_000
  )

  test("that is too large gets an error that says how large it may be, then 1009", async ({ join }) => {
    const client = await join()
    client.send({ text: "x".repeat(20_000) })
    const error = await client.waitFor(isError("too_large"))
    assert.include(error["text"], "10000 bytes")
    assert.strictEqual(await client.closed, 1009)
  }, { max_frame_bytes: 10_000 })

  test("that is no UTF-8 gets an error, then 1007", async ({ join, port }) => {
    await join()
    const socket = await upgrade(port)
    const bytes = Buffer.from([0xff, 0xfe])
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]))
    let received = Buffer.alloc(0)
    for await (const data of socket) received = Buffer.concat([received, data as Buffer])
    assert.include(received.toString("latin1"), "not valid UTF-8")
    assert.include([...received], 1007 & 255)
  })
})

describe("large prompts", () => {
  test(
    "wait up to a number of bytes; one more is refused, and small commands get through",
    async ({ join }) => {
      const client = await join()
      client.send({ text: "first" })
      await client.waitFor("turn_start")
      const large = "x".repeat(40_000)
      client.send({ text: large, message_id: "a" })
      client.send({ text: large, message_id: "b" })
      client.send({ text: large, message_id: "c" })
      const error = await client.waitFor(isError("overloaded"))
      assert.deepInclude(error, { message_id: "c" })
      assert.include(error["text"], "--max-queued-bytes")
      client.send({ type: "cancel_queued", message_id: "a" })
      await client.waitFor((event) => event["type"] === "input_ack" && event["status"] === "cancelled")
      client.send({ text: large, message_id: "d" })
      await client.waitFor((event) => event["message_id"] === "d" && event["status"] === "queued")
    },
    { max_queued_bytes: 100_000, onCommand: () => Effect.void }
  )

  test("that never become whole cost no more than may be unfinished in all", async ({ join, port }) => {
    const client = await join()
    const frame = (bytes: number) => {
      const head = Buffer.alloc(14)
      head.set([0x81, 0x80 | 127])
      head.writeBigUInt64BE(BigInt(bytes), 2)
      return head
    }
    const strangers = await Promise.all(Array.from({ length: 4 }, async () => {
      const socket = await upgrade(port)
      const handshake = Buffer.from(JSON.stringify({ tool: "fake", session_id: "s" }))
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | handshake.length, 0, 0, 0, 0]), handshake]))
      await once(socket, "data")
      return socket
    }))
    const told: Array<string> = []
    for (const socket of strangers) socket.on("data", (data: Buffer) => told.push(data.toString("latin1")))
    for (const socket of strangers) {
      // Half of a frame of 2 MB.
      socket.write(Buffer.concat([frame(2_000_000), Buffer.alloc(1_000_000, 0x20)]))
    }
    await until(() => strangers.filter(({ destroyed }) => destroyed).length >= 1)
    assert.isTrue(told.some((text) => text.includes("--max-unfinished-bytes") && text.includes("overloaded")))
    assert.isAtLeast(strangers.filter(({ destroyed }) => !destroyed).length, 1)
    // Others are not disturbed, and what was given up is free again.
    client.send({ text: "y".repeat(100_000) })
    await client.waitFor("turn_end")
    for (const socket of strangers) socket.destroy()
  }, { max_unfinished_bytes: 3_200_000 })
})

/** A socket that has become a WebSocket, and says nothing. */
const upgrade = async (port: number): Promise<Socket> => {
  const socket = connectTcp(port, "127.0.0.1")
  socket.on("error", () => {})
  socket.write(
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
  )
  await once(socket, "data")
  return socket
}

describe("a fuzzer", () => {
  const wrong = fc.oneof(fc.integer(), fc.boolean(), fc.constant([]), fc.constant({ a: {} }))
  const types = fc.constantFrom(
    ..."user_message permission_response set_model set_permission_mode control_request control_response"
      .split(" "),
    ..."raw_request resize stdin cancel_queued".split(" ")
  )
  /** Each is an object, so no prompt; and each is wrong. */
  const malformed = fc.oneof(
    fc.record({ type: types }),
    fc.record({
      type: types,
      message_id: wrong,
      content: wrong,
      request_id: wrong,
      mode: wrong,
      data: wrong
    }),
    fc.record({
      type: types,
      model: wrong,
      request: wrong,
      response: wrong,
      method: wrong,
      cols: fc.string()
    }),
    fc.record({ type: fc.string({ maxLength: 5 }), text: fc.anything({ maxDepth: 3 }) }),
    fc.record({ text: wrong, images: fc.array(fc.jsonValue()) }),
    fc.record({ text: fc.string(), images: fc.array(fc.string(), { minLength: 1, maxLength: 3 }) }),
    fc.constant({ text: " " }),
    fc.constant({})
  ).map((fields) => JSON.stringify(fields))
  const frames = fc.oneof(
    { weight: 8, arbitrary: malformed },
    {
      weight: 1,
      arbitrary: malformed.map((frame) => `{"__proto__":{"type":"end"},${frame.slice(1)}`.replace(",}", "}"))
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: malformed.map((frame) => `{"x":${"[".repeat(150)}${frame}${"]".repeat(150)}}`) }
  )

  test(
    "that sends 10,000 malformed frames gets 10,000 errors, and the session goes on",
    async (relay) => {
      const client = await relay.join()
      const sent = fc.sample(frames, { numRuns: 10_000, seed: 5 })
      for (const frame of sent) client.send(frame)
      client.send({ type: "ping" })
      await client.waitFor(({ status }) => status === "pong", { within: 60_000 })
      const errors = client.events.filter(isError("bad_command"))
      assert.lengthOf(errors, 10_000)
      for (const { text } of errors) assert.isNotEmpty(text)
      assert.isEmpty(relay.agent().sent)
      client.send({ text: "hi" })
      await client.waitFor("turn_end")
    },
    {},
    90_000
  )

  test(
    "that sends bytes which are no WebSocket frames, or no HTTP, loses its connection and nothing else",
    async (relay) => {
      const client = await relay.join()
      const noise = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 500 }), { numRuns: 100, seed: 5 })
      await Promise.all(noise.map(async (bytes, index) => {
        const socket = index % 2 === 0 ? await upgrade(relay.port) : connectTcp(relay.port, "127.0.0.1")
        socket.on("error", () => {})
        socket.resume()
        socket.end(bytes)
        await new Promise((resolve) => socket.once("close", resolve))
      }))
      client.send({ text: "hi" })
      await client.waitFor("turn_end")
    },
    {},
    30_000
  )
})

describe("connections", () => {
  test(
    "that only wait are closed in time, whether or not they have said anything",
    async ({ port }) => {
      const silent = connectTcp(port, "127.0.0.1")
      const slow = connectTcp(port, "127.0.0.1")
      slow.write("GET / HTTP/1.1\r\nHost: loc")
      const upgraded = await upgrade(port)
      const closed = [silent, slow, upgraded].map((socket) => {
        socket.on("error", () => {}).resume()
        return new Promise((resolve) => socket.once("close", resolve))
      })
      await Promise.all(closed)
    },
    { handshake_timeout: 0.5 },
    20_000
  )

  test(
    "a slow handshake flood keeps nobody out: who waits longest makes room",
    async (relay) => {
      const flood: Array<Socket> = []
      try {
        const client = await relay.join()
        for (let n = 0; n < 60; n++) {
          flood.push(
            n % 2 === 0
              ? await upgrade(relay.port)
              : connectTcp(relay.port, "127.0.0.1").on("error", () => {})
          )
        }
        const late = await relay.join()
        for (const page of [client, late]) page.send({ text: "hi", message_id: "m" })
        await late.waitFor("turn_end")
        flood.forEach((socket) => socket.resume())
        await until(() => flood.filter((socket) => !socket.closed).length <= 20)
      } finally {
        flood.forEach((socket) => socket.destroy())
      }
    },
    { max_connections: 20 },
    30_000
  )

  const tls = {
    tls_cert: new URL("../fixtures/tls/cert.pem", import.meta.url).pathname,
    tls_key: new URL("../fixtures/tls/key.pem", import.meta.url).pathname
  }
  /** What `GET /healthz` is answered with over TLS, or why it is not. */
  const healthOver = (port: number) =>
    new Promise<string>((resolve) => {
      const request = get({
        host: "127.0.0.1",
        port,
        path: "/healthz",
        rejectUnauthorized: false,
        agent: false
      })
      request.on("response", (response) => {
        response.resume()
        resolve(String(response.statusCode))
      })
      request.on("error", ({ message }) => resolve(message))
    })

  test(
    "that say nothing to a relay which speaks TLS keep nobody out",
    async ({ port }) => {
      const flood = Array.from({ length: 70 }, () => connectTcp(port, "127.0.0.1").on("error", () => {}))
      try {
        await Promise.all(flood.map((socket) => socket.connecting ? once(socket, "connect") : undefined))
        assert.strictEqual(await healthOver(port), "200")
        const half = connectTcp(port, "127.0.0.1").on("error", () => {})
        flood.push(half)
        // The beginning of a handshake, and no more.
        half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]))
        assert.strictEqual(await healthOver(port), "200")
        flood.forEach((socket) => socket.resume())
        await until(() => flood.filter((socket) => !socket.closed).length <= 20)
      } finally {
        flood.forEach((socket) => socket.destroy())
      }
    },
    { max_connections: 20, ...tls },
    30_000
  )

  test("that are one too many get 503 and what to do, when all others are in use", async (relay) => {
    const [one] = [await relay.join(), await relay.join()]
    const refused = await relay.join().then(() => "let in", String)
    assert.include(refused, "503")
    const socket = connectTcp(relay.port, "127.0.0.1")
    socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let answer = ""
    for await (const data of socket) answer += String(data)
    assert.include(answer, "--max-connections")
    assert.include(answer, "\"code\":\"overloaded\"")
    await one?.close()
    await until(() => one?.socket.readyState === 3)
    await relay.join()
  }, { max_connections: 2 })
})

describe("sessions", () => {
  test("that are one too many are refused for now; who attaches needs no new one", async (relay) => {
    const first = await relay.connect({ tool: "fake", session_id: "a" })
    await first.waitFor("session_start")
    const other = await relay.connect({ tool: "fake", session_id: "b" })
    await other.waitFor("session_start")
    const refused = await relay.connect({ tool: "fake", session_id: "c" })
    assert.strictEqual(await refused.closed, 1013)
    assert.deepInclude(refused.events[0], { type: "error", code: "overloaded" })
    assert.include(refused.events[0]?.["text"], "--max-sessions")
    await (await relay.connect({ session_id: "a" })).waitFor("session_start")
    other.send({ type: "end" })
    await other.closed
    await (await relay.connect({ tool: "fake", session_id: "c" })).waitFor("session_start")
  }, { max_sessions: 2 })
})
