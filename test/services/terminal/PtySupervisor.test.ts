import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, References, Scope } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  EventSink,
  type LaunchSpec,
  type Terminal,
  type TerminalSize,
  TerminalSpawner
} from "../../../src/adapters/Adapter.js"
import * as PtySupervisor from "../../../src/services/terminal/PtySupervisor.js"
import { eventually, freshTree, isAlive, settled } from "../../support/realAgents.js"
import * as TestSink from "../../support/testSink.js"

const live = PtySupervisor.layer({ signal: 250 })

interface RealTerminal extends Terminal {
  readonly printed: () => string
  readonly pieces: ReadonlyArray<Buffer>
  /** Wait until this was printed. */
  readonly shows: (text: string) => Effect.Effect<void>
}

/** Run a script in `sh` on a terminal, or whatever `launch` says instead. */
const start = (
  script: string,
  { size = { cols: 100, rows: 20 }, sink = TestSink.make(), ...launch }:
    & Partial<LaunchSpec>
    & { readonly size?: TerminalSize; readonly sink?: TestSink.TestSink } = {}
) =>
  Effect.gen(function*() {
    const spawner = yield* TerminalSpawner
    const pieces: Array<Buffer> = []
    const spec = { tool: "test", command: "sh", args: ["-c", script], cwd: tmpdir(), advice: "", ...launch }
    const terminal = yield* Effect.provideService(
      spawner.spawn(spec, size, (bytes) => pieces.push(bytes)),
      EventSink,
      sink.service
    )
    const printed = () => Buffer.concat(pieces).toString()
    const shows = (text: string) => eventually(() => printed().includes(text))
    return { ...terminal, printed, pieces, shows } satisfies RealTerminal
  })

/** Start, do something, close the scope; `took` is how long that was, in ms. */
const close = <A>(script: string, use: (terminal: RealTerminal) => Effect.Effect<A>) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const terminal = yield* Scope.provide(start(script), scope)
    const used = yield* use(terminal)
    const before = performance.now()
    yield* Scope.close(scope, Exit.void)
    return { terminal, used, took: performance.now() - before }
  }).pipe(Effect.provide(live))

const pidsIn = (text: string) => Array.from(text.matchAll(/pid (\d+)/g), ([, pid]) => Number(pid))
const pids = (count: number) => (terminal: RealTerminal) =>
  Effect.map(eventually(() => pidsIn(terminal.printed()).length >= count), () => pidsIn(terminal.printed()))

/** Prints its pid, then goes on for ever, whatever it is asked. */
const stubborn = "trap '' TERM INT HUP; echo pid $$; while :; do sleep 0.02; done"
const patient = "echo pid $$; exec sleep 60"

describe("a program on a terminal", () => {
  it.live("has one, of the size and kind it should have, and nothing of the relay's", () =>
    Effect.gen(function*() {
      process.env["COLUMNS"] = "42"
      const terminal = yield* start("tty; stty size; echo [$TERM] [$COLUMNS] [$AI_RELAY_X]", {
        clientEnv: { TERM: "vt220" }
      })
      delete process.env["COLUMNS"]
      assert.deepStrictEqual(yield* terminal.exit, { exit_code: 0, stderr: [] })
      assert.match(terminal.printed(), /^\/dev\/pts\/\d+\r\n20 100\r\n\[vt220\] \[\] \[\]\r\n$/)
    }).pipe(Effect.provide(live)))

  it.live("prints everything before its exit is told, cut nowhere", () =>
    Effect.gen(function*() {
      const terminal = yield* start("stty -opost; seq 1 300000; printf 'é—🙂'")
      yield* terminal.exit
      const expected = Array.from({ length: 300_000 }, (_, n) => `${n + 1}\n`).join("") + "é—🙂"
      assert.isTrue(terminal.printed() === expected)
      assert.isAtMost(Math.max(...terminal.pieces.map((piece) => piece.length)), 32 * 1024)
      assert.isBelow(terminal.pieces.length, expected.length / 8192)
    }).pipe(Effect.provide(live)))

  it.live("blocks while the sink has enough, and loses nothing", () =>
    Effect.gen(function*() {
      const sink = TestSink.make()
      sink.block()
      const terminal = yield* start("stty -opost; seq 1 300000; echo done", { sink })
      const length = () => terminal.printed().length
      yield* settled(length)
      assert.isBelow(length(), 200_000)
      assert.isTrue(isAlive(terminal.pid))
      sink.drain()
      yield* terminal.exit
      assert.match(terminal.printed(), /\n299999\n300000\ndone\n$/)
      assert.strictEqual(terminal.printed().split("\n").length, 300_002)
    }).pipe(Effect.provide(live)))

  it.live("loses nothing when it exits while the sink has enough", () =>
    Effect.gen(function*() {
      const sink = TestSink.make()
      sink.block()
      // Fewer bytes than every system takes of a program though nobody reads them: it can exit.
      const terminal = yield* start("stty -opost -echo; echo; read go; seq 1 900; exit 3", { sink })
      yield* terminal.shows("\n")
      yield* terminal.write("go\n")
      // It takes nothing more once it was read to its end and let go of.
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, Effect.exit(terminal.write(""))), {
        until: Exit.isFailure
      })
      assert.isFalse(isAlive(terminal.pid))
      assert.strictEqual(terminal.printed(), "\n")
      sink.drain()
      assert.strictEqual((yield* terminal.exit).exit_code, 3)
      assert.strictEqual(terminal.printed().split("\n").length, 902)
    }).pipe(Effect.provide(live)))

  it.live("shows an echo at once, and a flood in few pieces", () =>
    Effect.gen(function*() {
      const terminal = yield* start("for n in $(seq 200); do echo $n; done; cat")
      yield* terminal.shows("200\r\n")
      assert.isBelow(terminal.pieces.length, 60)
      yield* terminal.write("hello")
      yield* terminal.shows("hello")
    }).pipe(Effect.provide(live)))

  it.live("tells a signal from an exit code", () =>
    Effect.gen(function*() {
      const exitOf = (script: string) => Effect.flatMap(start(script), (terminal) => terminal.exit)
      assert.deepStrictEqual(yield* exitOf("exit 7"), { exit_code: 7, stderr: [] })
      assert.deepStrictEqual(yield* exitOf("kill -TERM $$"), { signal: "SIGTERM", stderr: [] })
      assert.deepStrictEqual(yield* exitOf("kill -KILL $$"), { signal: "SIGKILL", stderr: [] })
    }).pipe(Effect.provide(live)))

  it.live("is told of a new size; a size for one that is gone does no harm", () =>
    Effect.gen(function*() {
      const terminal = yield* start("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.02; done")
      yield* terminal.shows("ready")
      yield* terminal.resize({ cols: 81, rows: 25 })
      yield* terminal.shows("25 81")
      yield* terminal.exit
      yield* terminal.resize({ cols: 10, rows: 10 })
    }).pipe(Effect.provide(live)))

  it.live("stops alone when the relay cannot handle it", () =>
    Effect.gen(function*() {
      const spawner = yield* TerminalSpawner
      const spec = {
        tool: "test",
        command: "sh",
        args: ["-c", "echo bad; exec sleep 60"],
        cwd: "/",
        advice: ""
      }
      const terminal = yield* spawner.spawn(spec, { cols: 80, rows: 24 }, () => {
        throw new Error("a fault in an adapter")
      }).pipe(Effect.provideService(EventSink, TestSink.make().service))
      const exit = yield* Effect.provideService(terminal.exit, References.MinimumLogLevel, "None")
      assert.deepStrictEqual(exit, { signal: "SIGKILL", stderr: [] })
    }).pipe(Effect.provide(live)))

  it.live("fails to start with advice when it is missing", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        start("", { command: "no-such-program", advice: "apt install no-such" })
      )
      assert.strictEqual(error._tag, "CommandNotFound")
      assert.include(error.message, "apt install no-such")
    }).pipe(Effect.provide(live)))
})

describe("typing", () => {
  it.live("reaches the program; Ctrl-C stops what runs in it", () =>
    Effect.gen(function*() {
      const terminal = yield* start(
        "trap 'echo interrupted' INT; read line; echo got $line; (echo running; exec sleep 60)"
      )
      yield* terminal.write("grün\r")
      yield* terminal.shows("got grün")
      // Between two commands the shell would hear it and wait for the next one all the same.
      yield* terminal.shows("running")
      yield* terminal.write("\x03")
      yield* terminal.shows("interrupted")
    }).pipe(Effect.provide(live)))

  it.live("never holds up the relay, is refused when much waits, and arrives whole in the end", () =>
    Effect.gen(function*() {
      const size = 1_500_000
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-typing-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const terminal = yield* start(
        `stty raw -echo; echo ready; until [ -e go ]; do sleep 0.02; done; head -c ${size} | cksum; echo end`,
        { cwd: folder }
      )
      yield* terminal.shows("ready")
      const before = performance.now()
      yield* terminal.write(Array.from({ length: size / 6 }, (_, n) => String(n).padStart(6)).join(""))
      assert.strictEqual((yield* Effect.flip(terminal.write("x")))._tag, "CommandRefused")
      assert.isBelow(performance.now() - before, 900)
      writeFileSync(join(folder, "go"), "")
      yield* terminal.shows("end")
      const expected = yield* start(`seq -f '%6.0f' 0 ${size / 6 - 1} | tr -d '\\n' | cksum`)
      yield* expected.exit
      assert.include(terminal.printed(), expected.printed().trim())
    }).pipe(Effect.provide(live)))

  it.live("fails when the program is gone", () =>
    Effect.gen(function*() {
      const terminal = yield* start("exit 0")
      yield* terminal.exit
      assert.strictEqual((yield* Effect.flip(terminal.write("x")))._tag, "AgentFailed")
    }).pipe(Effect.provide(live)))
})

describe("when the scope of a terminal closes", () => {
  it.live("its program is told by SIGHUP, and may say goodbye", () =>
    Effect.gen(function*() {
      const { terminal, took } = yield* close(
        "trap 'echo bye; exit 5' HUP; echo pid $$; while :; do sleep 0.02; done",
        pids(1)
      )
      assert.strictEqual((yield* terminal.exit).exit_code, 5)
      assert.include(terminal.printed(), "bye")
      assert.isBelow(took, 1000)
    }))

  it.live("it is killed when it does not listen", () =>
    Effect.gen(function*() {
      const { terminal } = yield* close(stubborn, pids(1))
      assert.strictEqual((yield* terminal.exit).signal, "SIGKILL")
    }))

  const cases: Record<string, string> = {
    "a background job": `sh -c '${patient}' &`,
    "a job of an interactive shell, in a group of its own": `set -m; sh -c '${patient}' &`,
    "one in a session of its own": `setsid sh -c '${patient}' &`,
    "one that ignores hangups": `nohup sh -c '${patient}' 2>/dev/null | cat &`,
    "a stubborn one in a session of its own": `setsid sh -c "${stubborn.replaceAll("$", "\\$")}" &`,
    "a daemon, forked twice": `(setsid sh -c '${patient}' &)`,
    "one without our marker": `setsid env -i /bin/sh -c '${patient}' &`
  }

  it.live.each(Object.entries(cases))("nothing is left of %s", ([, script]) =>
    Effect.gen(function*() {
      const { used } = yield* close(`${script}\ncat`, pids(1))
      assert.strictEqual(used.length, 1)
      assert.deepStrictEqual(used.filter(isAlive), [])
    }))

  it.live("no descriptor is left", () =>
    Effect.gen(function*() {
      const open = () =>
        freshTree() && process.getActiveResourcesInfo().filter((name) => name.includes("TTY"))
      const before = open().length
      yield* close(stubborn, pids(1))
      yield* eventually(() => open().length <= before)
    }))
})
