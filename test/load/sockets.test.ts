/**
 * Resume with real sockets, a real process for the relay and one for the agent: what is lost on the way, if anything.
 * The agent is fast and needs no network (`test/support/fakeClaude.mjs`).
 */
import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeAll } from "vitest"
import { WebSocket } from "ws"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { installFakeClaude } from "../support/fakeClaude.js"
import { atHome, until } from "../support/processes.js"
import { smallDisk, whyNoSmallDisk } from "../support/smallDisk.js"

const patience = 120_000

beforeAll(() => void buildDaemon(), patience)

const cleanUp = cleanUpAfterEach(patience)

/** A home with an agent, and relays that come and go in it. */
const settle = async (...args: ReadonlyArray<string>) => {
  const home = mkdtempSync(join(tmpdir(), "ai-relay-resume-"))
  cleanUp(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))
  const env = { ...installFakeClaude(home), ANTHROPIC_API_KEY: "sk-relays-own-secret" }
  const state = join(home, "state")
  const start = async (folder = state) => {
    const daemon = await startDaemon({
      env,
      cwd: home,
      // The relay's own state is out of reach unless a root lies in it.
      args: [
        "--root",
        home,
        "--root",
        join(folder, "sessions"),
        "--state-dir",
        folder,
        "--log-level",
        "warning",
        ...args
      ]
    })
    cleanUp(() => daemon.kill())
    return daemon
  }
  return {
    home,
    state,
    start,
    daemon: await start(),
    /** The session's journal, as it lies on the disk. */
    journal: (session_id = "s"): ReadonlyArray<string> => {
      const folder = join(state, "sessions", session_id)
      return readdirSync(folder).filter((name) => name.endsWith(".ndjson")).toSorted()
        .flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
    }
  }
}

const open = async (daemon: Daemon, handshake: object = {}): Promise<Client> => {
  const client = await connect(daemon.url, { session_id: "s", ...handshake })
  cleanUp(() => client.drop())
  return client
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const seqsOf = (events: ReadonlyArray<Event>) => events.map(({ seq }) => seq)
const httpOf = (daemon: Daemon) => daemon.url.replace("ws:", "http:")

const residentBytes = (pid: number) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024

/** The largest the process became until `stop`. */
const watchMemory = (pid: number) => {
  let peak = 0
  const timer = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), 50)
  cleanUp(() => clearInterval(timer))
  return { stop: () => (clearInterval(timer), peak) }
}

/** A client that only looks at numbers, so that fifty of them keep up. */
interface Counter {
  readonly socket: WebSocket
  readonly seqs: Array<number>
  readonly codes: Array<string>
  readonly closed: Promise<number>
  readonly until: (seq: number) => Promise<void>
}

const count = async (daemon: Daemon, handshake: object): Promise<Counter> => {
  const socket = new WebSocket(daemon.url)
  cleanUp(() => socket.terminate())
  const seqs: Array<number> = []
  const codes: Array<string> = []
  let waiting = { seq: Infinity, done: (_: Error | undefined) => {} }
  socket.on("message", (data: Buffer) => {
    const text = data.toString("latin1")
    const seq = Number(/"seq":(\d+),"ts":/.exec(text)?.[1])
    const code = /^\{"type":"error","code":"(\w+)"/.exec(text)?.[1]
    if (code !== undefined) codes.push(code)
    // What concerns this connection alone repeats the place where it stands.
    else if (seq !== seqs.at(-1)) seqs.push(seq)
    if (seq >= waiting.seq) waiting.done(undefined)
  })
  const closed = once(socket, "close").then(([code]) => {
    waiting.done(new Error(`closed with ${code} at ${seqs.at(-1)}`))
    return Number(code)
  })
  await once(socket, "open")
  socket.send(JSON.stringify({ session_id: "s", ...handshake }))
  return {
    socket,
    seqs,
    codes,
    closed,
    until: (seq) =>
      new Promise((resolve, reject) => {
        waiting = { seq, done: (failure) => failure === undefined ? resolve() : reject(failure) }
        if ((seqs.at(-1) ?? 0) >= seq) resolve()
      })
  }
}

describe("fifty clients on one session", () => {
  it("all see all of it though one of them reads nothing; that one is told to come again", async () => {
    const { daemon } = await settle("--journal-bytes", "16000000")
    const writer = await open(daemon, { raw: false })
    await writer.waitFor("session_start")
    await writer.waitFor((event) => event.status === "initialized")
    const since = writer.events.at(-1)?.seq ?? 0
    const readers = await Promise.all(range(1, 48).map(() => count(daemon, { after_seq: since, raw: false })))
    const stopped = await count(daemon, { after_seq: since })
    await stopped.until(since)
    stopped.socket.pause()
    const memory = watchMemory(daemon.pid)

    /** Turns of 6 MB each; everybody has read one when the next begins. How long it took, and the last `seq`. */
    const talk = async (turns: number) => {
      const started = performance.now()
      let last = 0
      for (let turn = 0; turn < turns; turn++) {
        const after = writer.events.at(-1)?.seq ?? 0
        writer.send({ text: "FAST 1000 3000" })
        last = (await writer.waitFor("turn_end", { after, within: patience })).seq
        await Promise.all(readers.map((reader) => reader.until(last)))
      }
      return { last, ms: Math.round(performance.now() - started) }
    }
    const { last, ms } = await talk(6)
    assert.isAbove(last, 6000)
    assert.deepStrictEqual(seqsOf(writer.events).filter((seq) => seq > since), range(since + 1, last))
    for (const { codes, seqs } of readers) {
      assert.deepStrictEqual(seqs.filter((seq) => seq > since), range(since + 1, last))
      assert.isEmpty(codes)
    }
    const peak = memory.stop()
    assert.isBelow(peak, 400e6)

    stopped.socket.resume()
    assert.strictEqual(await stopped.closed, 1013)
    const seen = stopped.seqs.filter((seq) => seq > since)
    const place = seen.at(-1) ?? since
    assert.deepStrictEqual(seen, range(since + 1, place))
    assert.isBelow(place, last)
    // What it needed was in the way of what is new: it is told what the journal holds no longer, and gets the rest.
    const again = await open(daemon, { after_seq: place })
    const gap = await again.waitFor(({ code }) => code === "gap")
    await again.waitFor(({ seq }) => seq === last, { within: patience })
    assert.deepStrictEqual(
      seqsOf(again.events).filter((seq) => seq > place),
      range(gap.metadata.first_seq, last)
    )
    await again.close()

    const free = await talk(6)
    assert.isBelow(ms, free.ms * 5 + 5000, "the agent's speed does not depend on who reads")
    process.stdout.write(
      `50 clients, 6000 events of 6 KB: ${ms} ms with a stopped one, ${free.ms} ms without; relay ${
        Math.round(peak / 1e6)
      } MB at most\n`
    )
  }, patience)
})

describe("a client that is cut again and again while the agent talks at full speed", () => {
  it("has every event once, in order, as the journal has it", async () => {
    const { daemon, journal } = await settle()
    const writer = await open(daemon)
    await writer.waitFor("session_start")
    const seen: Array<Event> = []
    let cuts = 0
    const isOver = () => seen.some(({ type }) => type === "turn_end")
    const follow = async () => {
      while (!isOver()) {
        const after_seq = seen.at(-1)?.seq ?? 0
        const client = await connect(daemon.url, { session_id: "s", after_seq })
        const quota = 1 + Math.floor(Math.random() * 500)
        await new Promise<void>((cut) => {
          let taken = 0
          client.onEvent((event) => {
            // A greeting repeats the place.
            if (taken >= quota || event.seq <= after_seq) return
            seen.push(event)
            if (++taken >= quota || event.type === "turn_end") cut()
          })
        })
        client.drop()
        cuts += 1
      }
    }
    writer.send({ text: "FAST 6000 500" })
    await follow()
    await writer.waitFor("turn_end", { within: patience })
    assert.isAbove(cuts, 10)
    assert.deepStrictEqual(seqsOf(seen), range(1, seen.length))
    const kept = journal().map((frame): unknown => JSON.parse(frame))
    assert.deepStrictEqual(seen, kept.slice(0, seen.length) as typeof seen)
    assert.isAbove(seen.length, 6000)
  }, patience)
})

describe("a relay that is killed", () => {
  it("in the middle of its first turn goes on, with nothing lost and the conversation intact", async () => {
    const { daemon, home, journal, start } = await settle()
    const before = await open(daemon, { permission_mode: "plan" })
    before.send({ text: "remember me, FAST 100000 100", message_id: "m1" })
    before.send({ text: "waits", message_id: "m2" })
    await before.waitFor((event) => event.type === "stream_event", { within: patience })
    await before.waitFor((event) => event.seq > 2000, { within: patience })
    await daemon.kill()
    await before.closed
    const seen = before.events
    assert.deepStrictEqual(journal().slice(0, seen.length).map((frame): unknown => JSON.parse(frame)), [
      ...seen
    ])

    const after = await open(await start(), { after_seq: 0 })
    await after.waitFor((event) => event.type === "session_start" && event.seq > seen.length, {
      within: patience
    })
    assert.deepStrictEqual(after.events.slice(0, seen.length), [...seen])
    const cut = after.events.find(({ type }) => type === "turn_end")
    assert.include(cut, { stop_reason: "error", turn: 1 })
    assert.isTrue(
      after.events.some(({ message_id, status }) => message_id === "m2" && status === "cancelled")
    )
    const [started] = after.events.filter(({ seq, type }) => type === "session_start" && seq > seen.length)
    assert.strictEqual(started?.metadata.resumed, true)
    assert.include(started?.metadata.cmd.join(" "), "--permission-mode plan")
    // What ran does not run again; what was only waiting may.
    after.send({ text: "again", message_id: "m1" })
    await after.waitFor((event) => event.message_id === "m1" && event.status === "duplicate")
    after.send({ text: "waits", message_id: "m2" })
    await after.waitFor((event) => event.type === "turn_end" && event.turn === 2)
    after.send({ text: "RECALL" })
    const recalled = await after.waitFor((event) => event.type === "response" && event.turn === 3)
    assert.deepStrictEqual(JSON.parse(recalled.text), ["remember me, FAST 100000 100", "waits", "RECALL"])
    assert.deepStrictEqual(seqsOf(after.events), range(1, after.events.length))
    assert.isNotEmpty(atHome(home))
  }, patience)

  it("while a permission waits says that nobody needs to answer it any more", async () => {
    const { daemon, start } = await settle()
    const before = await open(daemon)
    before.send({ text: "ASK" })
    const ask = await before.waitFor("permission_request")
    await daemon.kill()
    const after = await open(await start(), { after_seq: 0 })
    await after.waitFor((event) => event.type === "session_start" && event.seq > ask.seq)
    const settled = after.events.filter(({ request_id, seq }) =>
      request_id === ask.request_id && seq > ask.seq
    )
    assert.deepStrictEqual(settled.map(({ type }) => type), ["permission_cancelled"])
    assert.isEmpty(
      after.events.findLast(({ type }) => type === "session_start")?.metadata.pending_permissions
    )
    after.send({ type: "permission_response", request_id: ask.request_id, behavior: "allow" })
    const refusal = await after.waitFor(({ code }) => code === "bad_command")
    assert.include(refusal.text, ask.request_id)
  }, patience)

  it("leaves the session to one relay at a time", async () => {
    const { daemon, start } = await settle()
    const client = await open(daemon)
    await client.waitFor("session_start")
    const other = await start()
    const refused = await open(other)
    assert.strictEqual(await refused.closed, 1008)
    assert.include(refused.events[0], { type: "error", code: "bad_handshake" })
    assert.include(refused.events[0]?.text, String(daemon.pid))
    await daemon.kill()
    const taken = await open(other)
    await taken.waitFor("session_start")
  }, patience)

  it("has no secret in its state folder", async () => {
    const { daemon, state } = await settle("--token", "relays-token-secret")
    const client = await open(daemon, {
      token: "relays-token-secret",
      env: { MY_API_KEY: "clients-own-secret" }
    })
    await client.turn("hello")
    await daemon.kill()
    const files = readdirSync(state, { recursive: true, encoding: "utf8" }).map((path) => join(state, path))
      .filter((path) => statSync(path).isFile())
    assert.isAtLeast(files.length, 2)
    for (const file of files) assert.notInclude(readFileSync(file, "utf8"), "secret")
  }, patience)
})

describe("a permission", () => {
  it(
    "waits for whoever comes; the first answer decides, and the journal tells how, by whom and in which command",
    async () => {
      const { daemon, journal } = await settle()
      const asker = await open(daemon)
      asker.send({ text: "ASK" })
      const { request_id, metadata } = await asker.waitFor("permission_request")
      assert.closeTo(metadata.expires_at, Date.now() / 1000 + 30 * 60, 120)
      await asker.close()
      const [one, other] = await Promise.all([open(daemon), open(daemon, { after_seq: 0 })])
      const greeting = await one.waitFor("session_start")
      assert.strictEqual(greeting.metadata.pending_permissions[0].request_id, request_id)
      await other.waitFor("permission_request")
      const answer = { type: "permission_response", request_id }
      one.send({ ...answer, behavior: "deny", message: "not today", message_id: "first" })
      const settled = await other.waitFor("control_response")
      other.send({ ...answer, behavior: "allow", message_id: "second" })
      const refusal = await one.waitFor("error")
      assert.include(refusal, { code: "bad_command", message_id: "second" })
      const { by, ...decision } = settled.metadata
      assert.strictEqual(settled.status, "deny")
      assert.deepStrictEqual(decision, { message_id: "first", message: "not today" })
      // Two came at once after the asker.
      assert.strictEqual(by.address, "127.0.0.1")
      assert.include([2, 3], by.connection)
      await one.waitFor("turn_end")
      const kept = journal().map((frame): Event => JSON.parse(frame))
      assert.lengthOf(
        kept.filter((event) => event.request_id === request_id && event.status !== undefined),
        1
      )
      assert.deepInclude(kept, settled)
    },
    patience
  )
})

describe("a session", () => {
  const stateOf = async (daemon: Daemon, session_id = "s") => {
    const { sessions } = await getJson(daemon, "/sessions")
    return sessions.find((session: { session_id: string }) => session.session_id === session_id)
  }

  it("lives on for its linger without a client, then is kept", async () => {
    const { daemon, home } = await settle("--linger", "2")
    const client = await open(daemon)
    await client.turn("hello")
    await client.close()
    assert.strictEqual((await stateOf(daemon)).state, "idle")
    assert.isNotEmpty(atHome(home).filter((pid) => pid !== daemon.pid))
    const back = await open(daemon, { after_seq: 1 })
    await back.waitFor("turn_end")
    await back.close()
    let state = ""
    while (state !== "closed") state = (await stateOf(daemon)).state
    await until(() => atHome(home).every((pid) => pid === daemon.pid), patience)
    const reopened = await open(daemon, { after_seq: 0 })
    const end = await reopened.waitFor("session_end")
    await reopened.waitFor("session_start", { after: end.seq })
    assert.deepStrictEqual(seqsOf(reopened.events), range(1, reopened.events.length))
  }, patience)

  it("ends at once when a client says so, in the middle of a turn, for every client", async () => {
    const { daemon, journal } = await settle()
    const one = await open(daemon)
    await one.waitFor("session_start")
    const other = await open(daemon, { after_seq: 0 })
    one.send({ text: "SLOW 100000 5" })
    await other.waitFor((event) => event.type === "stream_event", { within: patience })
    other.send({ type: "end" })
    assert.strictEqual(await one.closed, 1000)
    assert.strictEqual(await other.closed, 1000)
    for (const client of [one, other]) assert.strictEqual(client.events.at(-1)?.type, "session_end")
    assert.lengthOf(journal(), one.events.length)
    assert.include(await stateOf(daemon), {
      state: "closed",
      turns: 1,
      last_seq: one.events.length,
      tool: "claude"
    })
  }, patience)

  it("is listed with what it did", async () => {
    const { daemon, home } = await settle()
    const client = await open(daemon)
    await client.turn("hello")
    assert.include(await stateOf(daemon), { state: "idle", turns: 1, tool: "claude", folder: home })
    client.send({ text: "SLOW 100000 5" })
    await client.waitFor((event) => event.type === "stream_event", { within: patience })
    const running = await stateOf(daemon)
    assert.include(running, { state: "running", turns: 2 })
    assert.closeTo(running.last_active_at, Date.now() / 1000, 60)
    assert.isString(running.native_session_id)
  }, patience)
})

describe("a journal", () => {
  it("is a transcript that replay plays", async () => {
    const { daemon, state } = await settle()
    const client = await open(daemon)
    await client.turn("FAST 3 10")
    client.send({ type: "end" })
    await client.closed
    const replay = await open(daemon, {
      session_id: "again",
      tool: "replay",
      folder: join(state, "sessions", "s"),
      command: ["000000000001.ndjson"]
    })
    await replay.closed
    const toldBy = (events: ReadonlyArray<Event>) =>
      events.filter(({ type }) => !["session_start", "session_end", "input_ack"].includes(type))
        .map(({ text, type }) => [type, text])
    assert.deepStrictEqual(toldBy(replay.events), toldBy(client.events))
  }, patience)
})

// --- over HTTP -------------------------------------------------------------------------------------------------------

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: IncomingMessage
}

const ask = (
  daemon: Daemon,
  path: string,
  { headers = {}, method = "GET" }: { headers?: Record<string, string>; method?: string } = {}
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(httpOf(daemon))
    const asking = request({ hostname, port, path, method, headers, agent: false }, (body) =>
      resolve({ status: body.statusCode ?? 0, headers: body.headers, body }))
    asking.on("error", reject).end()
    cleanUp(() =>
      asking.destroy()
    )
  })

const textOf = async ({ body }: Answer) => {
  let text = ""
  for await (const chunk of body) text += String(chunk)
  return text
}

const getJson = async (daemon: Daemon, path: string) => JSON.parse(await textOf(await ask(daemon, path)))

interface ServerSentEvent {
  readonly id: number | undefined
  readonly event: Event
}

/** Server-sent events as they come. */
const readEvents = async function*({ body }: Answer): AsyncGenerator<ServerSentEvent> {
  let rest = ""
  for await (const chunk of body.setEncoding("utf8")) {
    const blocks = (rest + String(chunk)).split("\n\n")
    rest = blocks.pop() ?? ""
    for (const block of blocks) {
      if (block.startsWith(":")) continue
      const fields = new Map(
        block.split("\n").map((line): [string, string] => [
          line.slice(0, line.indexOf(": ")),
          line.slice(line.indexOf(": ") + 2)
        ])
      )
      const id = fields.get("id")
      yield { id: id === undefined ? undefined : Number(id), event: JSON.parse(fields.get("data") ?? "null") }
    }
  }
}

const allEvents = async (answer: Answer) => {
  const all: Array<ServerSentEvent> = []
  for await (const one of readEvents(answer)) all.push(one)
  return all
}

describe("GET /sessions/ID/events", () => {
  it("follows a session that lives, from any place, until it ends", async () => {
    const { daemon, journal } = await settle()
    const client = await open(daemon)
    await client.turn("hello")
    const whole = await ask(daemon, "/sessions/s/events")
    assert.strictEqual(whole.status, 200)
    assert.strictEqual(whole.headers["content-type"], "text/event-stream; charset=utf-8")
    const some = allEvents(await ask(daemon, "/sessions/s/events?after_seq=3"))
    const resumed = allEvents(
      await ask(daemon, "/sessions/s/events?after_seq=1", { headers: { "Last-Event-ID": "4" } })
    )
    const all = allEvents(whole)
    await client.turn("FAST 500 2000")
    client.send({ type: "end" })
    await client.closed
    const frames = journal().map((frame): unknown => JSON.parse(frame))
    for (const [events, after] of [[await all, 0], [await some, 3], [await resumed, 4]] as const) {
      assert.deepStrictEqual(events.map(({ id }) => id), range(after + 1, frames.length))
      assert.deepStrictEqual(events.map(({ event }): unknown => event), frames.slice(after))
    }
  }, patience)

  it("gives what is kept of a session that is closed, and disturbs nothing", async () => {
    const { daemon, journal, start, state } = await settle()
    const client = await open(daemon, { session_id: "with:colon" })
    await client.turn("hello")
    client.send({ type: "end" })
    await client.closed
    await daemon.kill()
    const next = await start()
    const count = journal("with:colon").length
    for (const path of ["/sessions/with:colon/events", "/sessions/with%3Acolon/events"]) {
      const events = await allEvents(await ask(next, path))
      assert.deepStrictEqual(events.map(({ id }) => id), range(1, count))
    }
    assert.isEmpty(await allEvents(await ask(next, `/sessions/with:colon/events?after_seq=${count}`)))
    assert.isFalse(existsSync(join(state, "sessions", "nobody")))
    const { sessions } = await getJson(next, "/sessions")
    assert.deepInclude(sessions[0], { session_id: "with:colon", state: "closed", turns: 1 })
  }, patience)

  it("tells honestly what is no longer kept", async () => {
    const { daemon } = await settle("--journal-bytes", "400000")
    const client = await open(daemon)
    await client.waitFor("session_start")
    client.send({ text: "FAST 400 3000" })
    await client.waitFor("turn_end", { within: patience })
    client.send({ type: "end" })
    await client.closed
    const [gap, ...events] = await allEvents(await ask(daemon, "/sessions/s/events?after_seq=5"))
    const first = events[0]?.id ?? 0
    assert.isAbove(first, 100)
    assert.isUndefined(gap?.id)
    assert.deepInclude(gap?.event, { type: "error", code: "gap", metadata: { first_seq: first }, seq: 5 })
    assert.deepStrictEqual(events.map(({ id }) => id), range(first, events.at(-1)?.id ?? 0))
  }, patience)

  it("lets go of a reader that is gone, and cuts off one that is too slow", async () => {
    const { daemon } = await settle("--journal-bytes", "4000000")
    const client = await open(daemon, { raw: false })
    await client.waitFor("session_start")
    const slow = await ask(daemon, "/sessions/s/events")
    slow.body.pause()
    const gone = await ask(daemon, "/sessions/s/events")
    gone.body.destroy()
    client.send({ text: "FAST 8000 3000" })
    await client.waitFor("turn_end", { within: patience })
    const seen: Array<number> = []
    for await (const { id } of readEvents(slow)) if (id !== undefined) seen.push(id)
    assert.deepStrictEqual(seen, range(1, seen.length))
    assert.isBelow(seen.length, 8000)
    const { body } = await ask(daemon, `/sessions/s/events?after_seq=${seen.length}`)
    const [first] = await once(body.setEncoding("utf8"), "data")
    assert.include(first, "\"code\":\"gap\"")
    body.destroy()
  }, patience)

  it("is for the same visitors as the socket", async () => {
    const { daemon } = await settle("--token", "right", "--allow-origin", "https://app.example")
    const client = await open(daemon)
    await client.waitFor("session_start")
    const statusOf = async (path: string, headers: Record<string, string>) => {
      const answer = await ask(daemon, path, { headers })
      answer.body.destroy()
      return [answer.status, answer.headers["access-control-allow-origin"]]
    }
    for (const path of ["/sessions", "/sessions/s/events"]) {
      assert.deepStrictEqual(await statusOf(path, {}), [200, undefined])
      assert.deepStrictEqual(await statusOf(path, { authorization: "Bearer right" }), [200, undefined])
      assert.deepStrictEqual(await statusOf(path, { authorization: "Bearer wrong" }), [401, undefined])
      assert.deepStrictEqual(await statusOf(path, { origin: "https://evil.example" }), [403, undefined])
      assert.deepStrictEqual(await statusOf(path, { host: "evil.example" }), [403, undefined])
      assert.deepStrictEqual(await statusOf(path, { origin: "https://app.example" }), [
        200,
        "https://app.example"
      ])
    }
  }, patience)

  it("answers whatever is asked", async () => {
    const { daemon } = await settle()
    const client = await open(daemon)
    await client.waitFor("session_start")
    const statusOf = async (path: string, method = "GET") => {
      const answer = await ask(daemon, path, { method })
      answer.body.destroy()
      return answer.status
    }
    assert.strictEqual(await statusOf("/sessions/nobody/events"), 404)
    assert.strictEqual(await statusOf("/sessions/..%2F..%2Fetc/events"), 404)
    assert.strictEqual(await statusOf("/sessions/%E0%A4%A/events"), 404)
    assert.strictEqual(await statusOf("//"), 404)
    assert.strictEqual(await statusOf("/elsewhere"), 404)
    assert.strictEqual(await statusOf("/"), 200)
    assert.strictEqual(await statusOf("/sessions", "POST"), 405)
    const head = await ask(daemon, "/sessions/s/events", { method: "HEAD" })
    assert.strictEqual(head.status, 200)
    assert.strictEqual(await textOf(head), "")
  }, patience)
})

describe("a relay whose disk is full", () => {
  it.skipIf(whyNoSmallDisk !== "")(
    `says so, goes on, and writes everything when there is room${whyNoSmallDisk}`,
    async () => {
      const disk = smallDisk()
      if (disk === undefined) return
      cleanUp(disk.remove)
      const { daemon, start } = await settle()
      await daemon.kill()
      const full = await start(disk.folder)
      const client = await open(full)
      await client.waitFor("session_start")
      assert.strictEqual((await ask(full, "/readyz")).status, 200)
      client.send({ text: "FAST 1000 500" })
      await client.waitFor("turn_end", { within: patience })
      const errors = client.events.filter(({ type }) => type === "error")
      assert.deepStrictEqual(errors.map(({ code }) => code), ["internal"])
      assert.include(errors[0]?.text, "ENOSPC")
      const unready = await ask(full, "/readyz")
      assert.strictEqual(unready.status, 503)
      assert.include(await textOf(unready), "ENOSPC")
      assert.strictEqual((await ask(full, "/healthz")).status, 200)

      disk.grow()
      while ((await ask(full, "/readyz")).status !== 200) {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      await client.turn("hello")
      assert.isTrue(client.events.some(({ status }) => status === "journal"))
      const seen = client.events
      await full.kill()
      const after = await open(await start(disk.folder), { after_seq: 0 })
      await after.waitFor("session_start", { after: seen.at(-1)?.seq ?? 0 })
      assert.deepStrictEqual(after.events.slice(0, seen.length), [...seen])
    },
    patience
  )
})
