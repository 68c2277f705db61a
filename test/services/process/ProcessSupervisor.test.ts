import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, References } from "effect"
import { EventSink, ProcessSpawner } from "../../../src/adapters/Adapter.js"
import * as ProcessSupervisor from "../../../src/services/process/ProcessSupervisor.js"
import { eventually, freshTree, isAlive, settled, start } from "../../support/realAgents.js"
import * as TestSink from "../../support/testSink.js"

const linger = 100
const live = ProcessSupervisor.layer({ input: 100, signal: 200, linger })

describe("what an agent prints", { timeout: 20_000 }, () => {
  it.live("comes line by line, in order, the last one without its newline too", () =>
    Effect.gen(function*() {
      const agent = yield* start("seq 1 20000; printf 'a\\r\\n\\nb'")
      const exit = yield* agent.exit
      assert.deepStrictEqual(exit, { exit_code: 0, stderr: [] })
      assert.deepStrictEqual(agent.lines, [...Array.from({ length: 20_000 }, (_, n) => `${n + 1}`), "a", "b"])
      assert.isBelow(agent.sink.batches(), 1000)
    }).pipe(Effect.provide(live)))

  it.live("may be one huge line", () =>
    Effect.gen(function*() {
      const agent = yield* start("head -c 20000000 /dev/zero | tr '\\0' x; echo; echo end")
      yield* agent.exit
      assert.deepStrictEqual(agent.lines.map((line) => line.length), [20_000_000, 3])
    }).pipe(Effect.provide(live)))

  it.live("waits in the agent while the sink has enough, and is complete afterwards", () =>
    Effect.gen(function*() {
      const total = 1_000_000
      const sink = TestSink.make()
      sink.block()
      const agent = yield* start(`seq 1 ${total}; echo done`, {}, sink)
      yield* settled(() => agent.lines.length)
      assert.isBelow(agent.lines.length, total / 4)
      assert.isTrue(isAlive(agent.pid))
      sink.drain()
      yield* agent.exit
      assert.strictEqual(agent.lines.length, total + 1)
      assert.isTrue(agent.lines.slice(0, total).every((line, index) => line === `${index + 1}`))
    }).pipe(Effect.provide(live)))

  it.live("is not lost when the agent ends, however long the sink has enough", () =>
    Effect.gen(function*() {
      const sink = TestSink.make()
      sink.block()
      const agent = yield* start("seq 1 30000", {}, sink)
      yield* eventually(() => !isAlive(agent.pid))
      const ended = performance.now()
      yield* eventually(() => performance.now() - ended > 3 * linger)
      sink.drain()
      yield* agent.exit
      assert.strictEqual(agent.lines.length, 30_000)
    }).pipe(Effect.provide(live)))

  it.live("on stderr becomes events without colours, and its last lines explain the exit", () =>
    Effect.gen(function*() {
      const agent = yield* start(
        "seq 1 30 >&2; printf '\\033[31mred\\033[0m\\n\\033[0m\\n' >&2; printf last >&2; exit 3"
      )
      const exit = yield* agent.exit
      const texts = [...Array.from({ length: 30 }, (_, n) => `${n + 1}`), "red", "last"]
      assert.deepStrictEqual(agent.sink.events, texts.map((text) => ({ type: "stderr", text })))
      assert.deepStrictEqual(exit, { exit_code: 3, stderr: texts.slice(-20) })
    }).pipe(Effect.provide(live)))

  it.live("on stderr is cut when it is one endless line, and waits like stdout", () =>
    Effect.gen(function*() {
      const sink = TestSink.make()
      sink.block()
      const agent = yield* start("head -c 3000000 /dev/zero | tr '\\0' x >&2", {}, sink)
      const printed = () =>
        sink.events.reduce((sum, event) => sum + (event.type === "stderr" ? event.text.length : 0), 0)
      yield* settled(printed)
      assert.isBelow(printed(), 2_000_000)
      sink.drain()
      const exit = yield* agent.exit
      assert.strictEqual(printed(), 3_000_000)
      assert.isAbove(sink.events.length, 20)
      assert.isBelow(exit.stderr.join("").length, 30_000)
    }).pipe(Effect.provide(live)))

  it.live("is passed on as it is when the relay fails at a line, and the agent goes on", () =>
    Effect.gen(function*() {
      const spawner = yield* ProcessSpawner
      const sink = TestSink.make()
      const spec = { tool: "test", command: "sh", args: ["-c", "echo bad; echo good"], cwd: "/", advice: "" }
      const lines: Array<string> = []
      const agent = yield* spawner.spawn(spec, (line) => {
        if (String(line) === "bad") throw new Error("a fault in an adapter")
        lines.push(String(line))
      }).pipe(Effect.provideService(EventSink, sink.service))
      assert.deepStrictEqual(yield* agent.exit, { exit_code: 0, stderr: [] })
      assert.deepStrictEqual(lines, ["good"])
      assert.deepInclude(sink.events[0], { type: "stdout", text: "bad" })
      assert.deepInclude(sink.events[1], { type: "error", code: "internal" })
    }).pipe(Effect.provide(live)))

  it.live("stops this agent alone when the relay cannot log it", () =>
    Effect.gen(function*() {
      const spawner = yield* ProcessSpawner
      const other = yield* start("cat")
      const spec = {
        tool: "test",
        command: "sh",
        args: ["-c", "echo bad; exec sleep 60"],
        cwd: "/",
        advice: ""
      }
      const failing: EventSink["Service"] = {
        ...TestSink.make().service,
        batch: () => {
          throw new Error("a fault in the log")
        }
      }
      const agent = yield* spawner.spawn(spec, () => {}).pipe(Effect.provideService(EventSink, failing))
      const exit = yield* Effect.provideService(agent.exit, References.MinimumLogLevel, "None")
      assert.deepStrictEqual(exit, { signal: "SIGKILL", stderr: [] })
      yield* other.writeLine("still here")
      yield* eventually(() => other.lines.length === 1)
    }).pipe(Effect.provide(live)))
})

describe("an agent's exit", { timeout: 20_000 }, () => {
  it.live("tells the code, or the signal that ended it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* (yield* start("exit 7")).exit, { exit_code: 7, stderr: [] })
      assert.deepStrictEqual(yield* (yield* start("kill -TERM $$")).exit, { signal: "SIGTERM", stderr: [] })
    }).pipe(Effect.provide(live)))

  it.live("is not held up for ever by a process that keeps the pipes open", () =>
    Effect.gen(function*() {
      const agent = yield* start("sleep 60 & echo $!; printf last")
      assert.strictEqual((yield* agent.exit).exit_code, 0)
      assert.strictEqual(agent.lines[1], "last")
      assert.isTrue(isAlive(Number(agent.lines[0])))
    }).pipe(Effect.provide(live)))
})

describe("starting", { timeout: 20_000 }, () => {
  it.live("fails with advice when the program is missing", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(start("", { command: "no-such-agent", advice: "npm i no-such-agent" }))
      assert.strictEqual(error._tag, "CommandNotFound")
      assert.include(error.message, "npm i no-such-agent")
    }).pipe(Effect.provide(live)))

  it.live("fails when the system refuses, without telling the arguments", () =>
    Effect.gen(function*() {
      const missing = yield* Effect.flip(start("", { cwd: "/no/such/folder" }))
      assert.strictEqual(missing._tag, "AgentFailed")
      assert.include(missing.message, "folder")
      for (const args of [["secret\0"], ["secret".repeat(1_000_000)]]) {
        const refused = yield* Effect.flip(start("", { args }))
        assert.strictEqual(refused._tag, "AgentFailed")
        assert.notInclude(JSON.stringify(refused), "secret")
      }
    }).pipe(Effect.provide(live)))

  it.live("gives each agent a marker of its own, and the environment it is to have", () =>
    Effect.gen(function*() {
      const launch = { env: { FROM: "adapter" }, clientEnv: { FROM: "client", ALSO: "client" } }
      const script = "echo $AI_RELAY_SESSION; echo $FROM $ALSO"
      const agents = yield* Effect.all([start(script, launch), start(script, launch)])
      yield* Effect.forEach(agents, (agent) => agent.exit)
      const [[one, said] = [], [other] = []] = agents.map((agent) => agent.lines)
      // Namespace, pid and start of the relay, then the agent's own name.
      assert.match(one ?? "", /^\d+\.\d+\.\d+\.[0-9a-f-]{36}$/)
      assert.notStrictEqual(one, other)
      assert.strictEqual(said, "adapter client")
    }).pipe(Effect.provide(live)))

  it.live("uses no shell, and a process group of its own", () =>
    Effect.gen(function*() {
      const agent = yield* start("", { command: "printf", args: ["%s\\n", "$HOME; `id`"] })
      yield* agent.exit
      assert.deepStrictEqual(agent.lines, ["$HOME; `id`"])
      const other = yield* start("cat")
      assert.strictEqual(freshTree().all().get(other.pid)?.pgid, other.pid)
    }).pipe(Effect.provide(live)))
})

describe("writing", { timeout: 20_000 }, () => {
  it.live("reaches the agent line by line, until its input is closed", () =>
    Effect.gen(function*() {
      const agent = yield* start("cat; echo end")
      yield* Effect.forEach(["é", "b"], agent.writeLine)
      yield* agent.endInput
      yield* agent.exit
      assert.deepStrictEqual(agent.lines, ["é", "b", "end"])
    }).pipe(Effect.provide(live)))

  it.live("waits while the agent does not read, and can be interrupted", () =>
    Effect.gen(function*() {
      const agent = yield* start("wc -c")
      process.kill(-agent.pid, "SIGSTOP")
      let written = 0
      const line = "x".repeat(64 * 1024 - 1)
      const write = Effect.tap(agent.writeLine(line), () => Effect.sync(() => written += 1))
      const writer = yield* Effect.forkChild(Effect.replicateEffect(write, 100, { discard: true }))
      yield* settled(() => written)
      assert.isBelow(written, 50)
      yield* Fiber.interrupt(yield* Effect.forkChild(agent.writeLine(line)))
      process.kill(-agent.pid, "SIGCONT")
      yield* Fiber.join(writer)
      yield* agent.endInput
      yield* agent.exit
      assert.isAtLeast(Number(agent.lines[0]), 100 * 64 * 1024)
    }).pipe(Effect.provide(live)))

  it.live("fails when the agent is gone, or no longer reads", () =>
    Effect.gen(function*() {
      const gone = yield* start("exit 0")
      yield* gone.exit
      assert.strictEqual((yield* Effect.flip(gone.writeLine("x")))._tag, "AgentFailed")

      const deaf = yield* start("exec 0<&-; echo ready; exec sleep 60")
      yield* eventually(() => deaf.lines.length === 1)
      assert.strictEqual((yield* Effect.flip(deaf.writeLine("x")))._tag, "AgentFailed")

      // Its child keeps the pipe open: nothing but the exit says that nobody reads any more.
      const dies = yield* start("exec 3<&0; sleep 60 <&3 & echo ready; exec sleep 60")
      yield* eventually(() => dies.lines.length === 1)
      const writer = yield* Effect.forkChild(Effect.flip(dies.writeLine("x".repeat(10_000_000))))
      process.kill(dies.pid, "SIGKILL")
      assert.strictEqual((yield* Fiber.join(writer))._tag, "AgentFailed")
    }).pipe(Effect.provide(live)))
})
