/** Conversations that agents of the Agent Client Protocol tell themselves: their recorded answers, as the relay shows them. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import type { AcpAgent } from "../../../src/adapters/acp/AcpAgent.js"
import { kimi } from "../../../src/adapters/acp/agents/kimi.js"
import { opencode } from "../../../src/adapters/acp/agents/opencode.js"
import { type AgentExit, EventSink, ProcessSpawner } from "../../../src/adapters/Adapter.js"
import { CommandNotFound } from "../../../src/adapters/AdapterError.js"
import { Folders } from "../../../src/services/access/Folders.js"
import { hashOf, knownUndated } from "../../../src/services/log/knownPrompts.js"
import * as NativeDisk from "../../../src/services/native/NativeDisk.js"
import { NativeSessions } from "../../../src/services/native/NativeSessions.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import { samples } from "../../support/nativeHomes.js"

const home = realpathSync(mkdtempSync(join(tmpdir(), "acp-stores-")))
const shop = join(home, "shop")
mkdirSync(shop)
afterAll(() => rmSync(home, { recursive: true }))

type Said = Readonly<Record<string, unknown>>

/** A recording's lines, as if they were made in this folder. */
const recorded = (path: string): ReadonlyArray<Said> =>
  readFileSync(join(samples, path), "utf8").replaceAll("/srv/shop", shop).trim().split("\n")
    .map((line) => JSON.parse(line))

const openCode = recorded("opencode/1.18.33/acp-list-and-load.ndjson")
const qwen = recorded("qwen/0.15.10/acp-list-and-load.ndjson")

/** A program that answers as it was recorded; how often it was started, and how many run. */
const playing = (lines: ReadonlyArray<Said>) => {
  const seen = { started: 0, running: 0, asked: [] as Array<string> }
  const layer = Layer.succeed(ProcessSpawner, {
    spawn: (_launch, onLine) =>
      Effect.gen(function*() {
        const sink = yield* EventSink
        const exited = yield* Deferred.make<AgentExit>()
        seen.started += 1
        seen.running += 1
        yield* Effect.addFinalizer(() => {
          seen.running -= 1
          return Deferred.succeed(exited, { stderr: [], exit_code: 0 })
        })
        const print = (message: object) =>
          sink.batch(() => onLine(Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }))))
        return {
          pid: 1,
          writeLine: (line) =>
            Effect.sync(() => {
              const { id, method, params } = JSON.parse(line)
              seen.asked.push(method)
              if (method === "session/load") {
                for (const { update_before_answer: update } of lines) {
                  if (update !== undefined) {
                    print({ method: "session/update", params: { sessionId: params.sessionId, update } })
                  }
                }
              }
              const answer = lines.find((line) => method in line)?.[method]
              print({ id, result: answer ?? {} })
            }),
          endInput: Effect.void,
          exit: Deferred.await(exited)
        }
      })
  })
  return { layer, seen }
}

const run = <A, E>(
  body: Effect.Effect<A, E, NativeSessions>,
  agents: ReadonlyArray<AcpAgent>,
  spawner: Layer.Layer<ProcessSpawner>,
  roots: ReadonlyArray<string> = [home]
) =>
  Effect.provide(
    body,
    NativeSessions.layerOf(NativeDisk.make({ home, variables: {} }), agents).pipe(
      Layer.provide([Folders.layer, spawner]),
      Layer.provide(RelayConfig.layer({ roots })),
      Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
    )
  )

const id = "ses_ddd49cc02ffeCqXC1dr5pvsstB"
const list = (tool?: string) => Effect.flatMap(NativeSessions, (native) => native.list({ tool }))

describe("conversations an agent tells itself", () => {
  it.effect("are listed with the command that goes on, and read in whole turns, by one process", () => {
    const { layer, seen } = playing(openCode)
    return run(
      Effect.gen(function*() {
        const native = yield* NativeSessions
        const { agents, sessions } = yield* native.list({ tool: "opencode" })
        assert.deepStrictEqual(agents, [{ tool: "opencode", state: "ok" }])
        assert.deepInclude(sessions[0], {
          tool: "opencode",
          native_session_id: id,
          folder: shop,
          title: "Mend the shop total",
          can: { history: true, follow: false, resume: true, fork: false },
          continue_with: {
            folder: shop,
            argv: ["opencode", "-s", id],
            shell: `cd -- ${shop} && opencode -s ${id}`
          }
        })
        const found = yield* native.find("opencode", id)
        const { before, events } = yield* native.page(found, { turns: 50, bytes: 1e6 })
        assert.isUndefined(before)
        const types = events.map(({ event }) => event.type)
        const wanted = [
          "turn_start",
          "user_message",
          "reasoning",
          "assistant_message",
          "tool_call",
          "tool_result"
        ]
        assert.deepStrictEqual(types.slice(0, wanted.length) as ReadonlyArray<string>, wanted)
        assert.strictEqual(
          types.filter((type) => type === "turn_start").length,
          types.filter((type) => type === "turn_end").length
        )
        assert.isTrue(
          events.every(({ event }) => "metadata" in event && event.metadata?.["history"] === true)
        )
        assert.deepInclude(events[0]?.event, { type: "turn_start", text: "RUN_BASH now" })
        assert.isFalse(types.includes("stream_event"))
        assert.deepStrictEqual(seen.asked, ["initialize", "session/list", "session/load"])
        assert.strictEqual(seen.started, 1)
        // Nobody asks any more.
        yield* TestClock.adjust("61 seconds")
        assert.strictEqual(seen.running, 0)
      }),
      [opencode],
      layer
    )
  })

  it.effect("are read from Qwen Code, too, with what its tools gave back", () => {
    const { layer } = playing(qwen)
    return run(
      Effect.gen(function*() {
        const native = yield* NativeSessions
        const [one] = (yield* native.list({ tool: "opencode" })).sessions
        const found = yield* native.find("opencode", one?.native_session_id ?? "")
        const { events } = yield* native.page(found, { turns: 50, bytes: 1e6 })
        const prompts = events.flatMap(({ event }) => event.type === "turn_start" ? [event.text] : [])
        assert.deepStrictEqual(prompts, ["RUN_BASH qwen", "from the tui"])
        const results = events.flatMap(({ event }) => event.type === "tool_result" ? [event.text] : [])
        assert.include(results[0], "hi")
      }),
      [opencode],
      layer
    )
  })

  it.effect("of folders the relay may not use are not there", () => {
    const { layer } = playing(openCode)
    const other = join(home, "other")
    mkdirSync(other, { recursive: true })
    return run(
      Effect.gen(function*() {
        const native = yield* NativeSessions
        assert.deepStrictEqual((yield* native.list({ tool: "opencode" })).sessions, [])
        const refused = yield* Effect.flip(native.find("opencode", id))
        assert.include(refused.message, "that this relay may show")
      }),
      [opencode],
      layer,
      [other]
    )
  })

  it.effect("of folders that are not whole, go upwards or lead elsewhere are not there", () => {
    const foreign = join(home, "foreign")
    mkdirSync(foreign, { recursive: true })
    symlinkSync(foreign, join(shop, "link"))
    const cwds = [
      "",
      ".",
      "shop",
      "~",
      "link",
      "..",
      `${shop}/../foreign`,
      `${shop}/link`,
      `${shop}/gone`,
      foreign
    ]
    const [initialized = {}] = openCode
    const { layer } = playing([
      initialized,
      {
        "session/list": {
          sessions: cwds.map((cwd, place) => ({ sessionId: `ses_${place}`, cwd, title: "a secret" }))
        }
      }
    ])
    return run(
      Effect.gen(function*() {
        const native = yield* NativeSessions
        for (const query of [{}, { q: "secret" }, { folder: shop }, { q: "ses_9" }]) {
          const listed = yield* native.list({ tool: "opencode", ...query })
          assert.deepStrictEqual(listed.sessions, [], JSON.stringify(query))
          assert.notInclude(JSON.stringify(listed), "secret")
        }
        for (const place of cwds.keys()) {
          const refused = yield* Effect.flip(native.find("opencode", `ses_${place}`))
          assert.include(refused.message, "that this relay may show")
        }
      }),
      [opencode],
      layer,
      [shop]
    )
  })

  it.effect("say why there are none: the program is missing, or does not list", () =>
    Effect.gen(function*() {
      const nobody = Layer.succeed(ProcessSpawner, {
        spawn: () => new CommandNotFound({ command: "opencode", advice: "Install it." })
      })
      const missing = yield* run(list("opencode"), [opencode], nobody)
      assert.deepInclude(missing.agents[0], { tool: "opencode", state: "failed" })
      assert.include(missing.agents[0]?.text, "opencode")
      // Who asks for everything is not told of what is not there.
      assert.deepStrictEqual((yield* run(list(), [opencode], nobody)).agents, [])
      const { layer } = playing([{
        initialize: { protocolVersion: 1, agentCapabilities: { loadSession: true } }
      }])
      const unable = yield* run(list("opencode"), [opencode], layer)
      assert.include(unable.agents[0]?.text, "does not list its conversations")
    }))

  it.effect("are asked for only by name where that was not tried", () => {
    const { layer, seen } = playing(openCode)
    const { conversations: _, ...untried } = opencode
    return run(
      Effect.gen(function*() {
        assert.deepStrictEqual((yield* list()).sessions, [])
        assert.strictEqual(seen.started, 0)
        const [one] = (yield* list("opencode")).sessions
        assert.include(one?.continue_with.warning, "was not tried")
      }),
      [untried],
      layer
    )
  })

  it.effect("are told without what the agent's own program put beside a prompt", () => {
    const piece = (text: string, kind = "user_message_chunk") => ({
      update_before_answer: { sessionUpdate: kind, content: { type: "text", text } }
    })
    const { layer } = playing([
      ...openCode.filter((line) => "initialize" in line || "session/list" in line),
      piece("mend it"),
      piece("<system-reminder>\nThe secret rules of the vendor.</system-reminder>"),
      piece("done", "agent_message_chunk")
    ])
    return run(
      Effect.gen(function*() {
        const native = yield* NativeSessions
        yield* native.list({ tool: "kimi" })
        const { events } = yield* native.page(yield* native.find("kimi", id), { turns: 50, bytes: 1e6 })
        assert.deepInclude(events[0]?.event, { type: "turn_start", text: "mend it" })
        assert.notInclude(JSON.stringify(events), "secret rules")
      }),
      [kimi],
      layer
    )
  })
})

describe("what is known of prompts without times", () => {
  const known = (...texts: ReadonlyArray<string>) => texts.map((text) => ({ ts: 0, hash: hashOf(text) }))

  it("ends where the last known one stands with most of what stands before it", () => {
    assert.strictEqual(knownUndated(["a", "go on", "go on"], known("a", "go on")), 2)
    assert.strictEqual(knownUndated(["x", "go on", "a", "go on"], known("a", "go on")), 4)
    assert.strictEqual(knownUndated(["a", "b", "c"], known("b")), 2)
    assert.strictEqual(knownUndated(["a", "b"], known("a", "was refused")), 1)
    assert.strictEqual(knownUndated(["a"], known("z")), 0)
    assert.strictEqual(knownUndated(["a"], []), 0)
  })
})
