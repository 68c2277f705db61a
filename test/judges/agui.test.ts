/** AG-UI's own clients, both versions, with their verification on: over every recording, and on a relay that is killed. */
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it, vi } from "vitest"
import type { AguiEvent, Dialect } from "../../src/fronts/agui/encode.js"
import { stretchesOf, turnsOf } from "../fronts/agui/runsOf.js"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { startDaemon } from "../support/daemon.js"
import { judgesOf } from "../support/judges.js"
import { recordedSessions } from "../support/recordedSessions.js"

const judges = judgesOf("ag-ui")
const versions: ReadonlyArray<readonly [string, Dialect]> = [["old", "0.0"], ["@ag-ui/client", "1.0"]]

// What the clients give: a test reads what it knows is there.
type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any
type Client = new(options: object) => Json

/** What stays in a thread: not what only a running tool shows. */
const threadOf = (messages: ReadonlyArray<Json>) =>
  JSON.stringify(
    messages.filter(({ activityType }) => activityType !== "TOOL_OUTPUT").toSorted((one, other) =>
      one["id"] < other["id"] ? -1 : 1
    ),
    null,
    1
  )

/** Fails at any warning: that is how the clients say that they have dropped something. */
const withoutWarnings = async <A>(body: () => Promise<A>): Promise<A> => {
  const said: Array<unknown> = []
  const spies = (["warn", "error"] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...words) => void said.push(words.join(" ")))
  )
  try {
    const result = await body()
    assert.deepStrictEqual(said, [])
    return result
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** What a client's thread is after these runs. */
const readAll = async (HttpAgent: Client, runs: ReadonlyArray<ReadonlyArray<AguiEvent>>) => {
  let next = 0
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.end((runs[next++] ?? []).map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""))
  }).listen(0, "127.0.0.1")
  await new Promise((resolve) => server.once("listening", resolve))
  const agent = new HttpAgent({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    threadId: "t"
  })
  for (const run of runs) {
    // The time to answer was over when it was recorded; a client that knows of no question need not say anything.
    agent["pendingInterrupts"] = []
    const failed = run.at(-1)?.type === "RUN_ERROR"
    await agent["runAgent"]({}).catch((error: Error) => {
      if (!failed) throw error
    })
  }
  server.close()
  return threadOf(agent["messages"])
}

describe.skipIf(judges.missing !== undefined)("AG-UI's clients, over every recording", () => {
  for (const [name, dialect] of versions) {
    it(`${name}: take all events without a word, and show the same live, replayed, and in stretches`, async () => {
      const { HttpAgent } = await judges.load(name)
      for (const { events: recorded } of recordedSessions) {
        const events = await Effect.runPromise(recorded)
        await withoutWarnings(async () => {
          const live = await readAll(HttpAgent, turnsOf(events, dialect))
          const replayed = turnsOf(events, dialect, { settled_until: Infinity })
          assert.strictEqual(await readAll(HttpAgent, replayed), live)
          assert.strictEqual(await readAll(HttpAgent, stretchesOf(events, dialect)), live)
        })
      }
    })
  }
})

const folder = mkdtempSync(join(tmpdir(), "ai-relay-agui-"))
const env = { PATH: process.env["PATH"] ?? "", HOME: folder }
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const approve = (agent: Json, approved = true) =>
  (agent["pendingInterrupts"] as ReadonlyArray<Json>).map(({ id, reason, metadata }) => ({
    interruptId: id,
    status: "resolved",
    payload: reason === "input_required"
      ? {
        answers: Object.fromEntries(
          (metadata.args.questions as ReadonlyArray<Json>).map(({ id, options, question }) => [
            id ?? question,
            options[0].label
          ])
        )
      }
      : { approved }
  }))

/** Run until nothing is asked any more. */
const finish = async (agent: Json, first: object = {}) => {
  await agent["runAgent"](first)
  while (agent["pendingInterrupts"].length > 0) await agent["runAgent"]({ resume: approve(agent) })
  return threadOf(agent["messages"])
}

describe.skipIf(judges.missing !== undefined)("AG-UI's clients, on a relay with its demo", () => {
  const cleanUp = cleanUpAfterEach()
  const start = async (port?: string) => {
    const relay = await startDaemon({
      env,
      cwd: folder,
      args: ["--root", folder],
      ...(port !== undefined && { port })
    })
    cleanUp(relay.kill)
    const http = relay.url.replace(/^ws/, "http")
    return { ...relay, http, port: new URL(http).port }
  }
  const agentOn = (
    HttpAgent: Client,
    http: string,
    threadId: string,
    messages: ReadonlyArray<Json> = []
  ): Json => {
    const agent = new HttpAgent({ url: new URL("/agui/demo", http).href, threadId })
    agent.setMessages(messages)
    return agent
  }
  const prompt = { id: "u1", role: "user", content: "mend it" }

  it("they ask, go on with the answer, and show the same to a client that was killed", async () => {
    const { http } = await start()
    await withoutWarnings(() =>
      Promise.all(versions.map(async ([name]) => {
        const { HttpAgent } = await judges.load(name)
        const on = (thread: string, messages: ReadonlyArray<Json> = []) =>
          agentOn(HttpAgent, http, `${name.length}-${thread}`, messages)
        const calm = async () => {
          const agent = on("calm", [prompt])
          const seen = await finish(agent)
          assert.isAtLeast(agent["messages"].length, 8)
          return seen
        }
        // Gone in mid-answer, with nothing of it left: a new one is told all there is, and goes on.
        const killed = async () => {
          const agent = on("killed", [prompt])
          const isShown = new Promise<void>((resolve) => {
            agent["subscribe"]({ onTextMessageContentEvent: () => resolve() })
          })
          const running = agent["runAgent"]({}).catch(() => {})
          await isShown
          agent["abortRun"]()
          await running
          return finish(on("killed"))
        }
        // With a question open: another answers, and the first one's answer comes too late.
        const asked = async () => {
          const agent = on("asked", [prompt])
          await agent["runAgent"]({})
          assert.isNotEmpty(agent["pendingInterrupts"])
          const there = await finish(on("asked"))
          return [there, await finish(agent, { resume: approve(agent, false) })]
        }
        const [expected, again, both] = await Promise.all([calm(), killed(), asked()])
        assert.strictEqual(again, expected)
        assert.deepStrictEqual(both, [expected, expected])
      }))
    )
  })

  it("they go on after their relay was killed, with all that was said", async () => {
    const first = await start()
    const agents = await Promise.all(versions.map(async ([name]) => {
      const { HttpAgent } = await judges.load(name)
      const open = (messages: ReadonlyArray<Json> = []) =>
        agentOn(HttpAgent, first.http, `relay-${name.length}`, messages)
      const agent = open([prompt])
      await agent["runAgent"]({})
      assert.isNotEmpty(agent["pendingInterrupts"])
      return { agent, open, before: agent["messages"].length }
    }))
    await first.kill()
    await start(first.port)
    await Promise.all(agents.map(async ({ agent, before, open }) => {
      // The question went with its turn, which says so.
      const failures: Array<string> = []
      const { unsubscribe } = agent["subscribe"]({
        onRunErrorEvent: ({ event }: Json) => void failures.push(event.message)
      })
      await agent["runAgent"]({ resume: approve(agent) }).catch(() => {})
      unsubscribe()
      assert.match(failures.join(), /restarted/)
      agent["pendingInterrupts"] = []
      agent["addMessage"]({ id: "u2", role: "user", content: "again" })
      await finish(agent)
      assert.isAbove(agent["messages"].length, before + 8)
      const whole = open()
      await whole["runAgent"]({})
      assert.strictEqual(threadOf(whole["messages"]), threadOf(agent["messages"]))
    }))
  })
})
