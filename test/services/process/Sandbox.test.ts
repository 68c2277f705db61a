/** Real agents' programs in a real bubblewrap: what they see, what they can write, and that nothing of them stays. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Result, Scope } from "effect"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { EventSink, type LaunchSpec, ProcessSpawner } from "../../../src/adapters/Adapter.js"
import { claude } from "../../../src/adapters/claude/descriptor.js"
import { probe } from "../../../src/services/agents/AgentProbe.js"
import * as ProcessSupervisor from "../../../src/services/process/ProcessSupervisor.js"
import * as Sandbox from "../../../src/services/process/Sandbox.js"
import { eventually, freshTree } from "../../support/realAgents.js"
import * as TestSink from "../../support/testSink.js"

const found = await Effect.runPromise(Effect.result(Sandbox.check))
const why = Result.isFailure(found) ? found.failure.message : undefined
if (why !== undefined) process.stderr.write(`Sandbox.test.ts is skipped: ${why}\n`)
const bwrap = Result.isSuccess(found) ? found.success : ""

/** A home of its own below the home folder: `/tmp` is another one inside. */
const newHome = Effect.acquireRelease(
  Effect.sync(() => {
    const base = realpathSync(mkdtempSync(join(homedir(), ".ai-relay-sandbox-")))
    const [home, state, session] = ["home", "state", "session"].map((name) => join(base, name)) as [
      string,
      string,
      string
    ]
    for (const folder of [home, state, session, join(home, ".ssh")]) mkdirSync(folder)
    writeFileSync(join(state, "token"), "the-relay-s-token")
    writeFileSync(join(base, "policy.json"), "the-policy")
    writeFileSync(join(base, "other"), "of-another-user")
    return { base, home, state, session }
  }),
  ({ base }) => Effect.sync(() => rmSync(base, { recursive: true, force: true, maxRetries: 5 }))
)
type Home = Effect.Success<typeof newHome>

const layerOf = ({ base, state }: Home, readable: ReadonlyArray<string> = []) =>
  ProcessSupervisor.layer({
    input: 100,
    signal: 200,
    sandbox: {
      bwrap,
      settings: { hidden: [state, join(base, "policy.json")], readable, writable: [], others: [] }
    }
  })

/** What a script prints in there. */
const start = Effect.fnUntraced(function*(where: Home, script: string, more: Partial<LaunchSpec> = {}) {
  const lines: Array<string> = []
  const { spawn } = yield* ProcessSpawner
  const agent = yield* spawn({
    tool: claude.name,
    writable: claude.writable,
    command: "sh",
    args: ["-c", script],
    cwd: where.session,
    env: { HOME: where.home },
    advice: "",
    ...more
  }, (line) => void lines.push(line.toString("utf8"))).pipe(
    Effect.provideService(EventSink, TestSink.make().service)
  )
  return { ...agent, lines }
})

const printed = Effect.fnUntraced(function*(where: Home, script: string) {
  const agent = yield* Effect.provide(start(where, script), layerOf(where))
  yield* agent.exit
  return agent.lines
})

describe.skipIf(why !== undefined)("an agent in the sandbox", { timeout: 30_000 }, () => {
  it.live("writes to the session's folder and to what its own program keeps, and nowhere else", () =>
    Effect.gen(function*() {
      const where = yield* newHome
      const places = [
        join(where.session, "x"),
        join(where.home, ".claude", "x"),
        join(where.home, ".claude.json"),
        "/tmp/x-of-the-sandbox",
        // In a folder that is out of sight, so in memory alone.
        join(where.base, "x"),
        join(where.home, "x"),
        join(where.home, ".codex", "x"),
        join(where.home, ".ssh", "authorized_keys"),
        "/etc/x",
        "/usr/local/bin/x"
      ]
      const script = places.map((place) => `(echo hi > ${place}) 2>/dev/null && echo yes || echo no`).join(
        "\n"
      )
      assert.deepStrictEqual(yield* printed(where, script), [
        ...["yes", "yes", "yes", "yes", "yes"],
        ...["no", "no", "no", "no", "no"]
      ])
      assert.strictEqual(readFileSync(join(where.session, "x"), "utf8"), "hi\n")
      assert.isTrue(existsSync(join(where.home, ".claude", "x")))
      // Its own `/tmp` was gone with it.
      assert.isFalse(existsSync("/tmp/x-of-the-sandbox"))
      assert.isFalse(existsSync(join(where.base, "x")))
    }))

  it.live("sees nothing of the relay's state and secrets, of other homes, of services, and of others' processes", () =>
    Effect.gen(function*() {
      const where = yield* newHome
      const script = `cat ${where.state}/token ${where.base}/policy.json
ls -A ${where.state}; ls -A /home; ls /run/docker.sock 2>/dev/null
ls -d /root/.bashrc 2>/dev/null
ls -d /proc/[0-9]* | wc -l
cat /proc/${process.pid}/environ 2>/dev/null
tr '\\0' '\\n' < /proc/1/environ | grep ${"AI_RELAY_TEST_SECRET"}
kill -USR1 ${process.pid} 2>/dev/null && echo signalled
echo end`
      process.env["AI_RELAY_TEST_SECRET"] = "in the relay's environment"
      yield* Effect.addFinalizer(() => Effect.sync(() => void delete process.env["AI_RELAY_TEST_SECRET"]))
      const lines = yield* printed(where, script)
      assert.strictEqual(lines.at(-1), "end")
      assert.isBelow(Number(lines[0]), 10)
      assert.lengthOf(lines, 2)
    }))

  it.live("puts nothing where something hidden is, or was, although it may write around it", () =>
    Effect.gen(function*() {
      const where = yield* newHome
      const cache = join(where.base, "cache")
      const [code, rules] = [join(cache, "ai-relay", "code"), join(cache, "conf", "rules")]
      for (const folder of [join(code, ".."), join(rules, "..")]) mkdirSync(folder, { recursive: true })
      writeFileSync(rules, "the rules")
      const script = `cd ${cache}; echo hi > x; mv ai-relay away; rm -rf ai-relay; mkdir -p ai-relay/code
echo hi > ai-relay/code/x; mv conf away; rm -rf conf; mkdir -p conf; echo hi > conf/rules; cat conf/rules; ls; ls *`
      const layer = (writable: ReadonlyArray<string>, hidden: ReadonlyArray<string>) =>
        ProcessSupervisor.layer({
          input: 100,
          signal: 200,
          sandbox: {
            bwrap,
            settings: { hidden: [join(code, "/"), rules, ...hidden], readable: [], writable, others: [] }
          }
        })
      for (
        const [run, settings] of [
          [{ cwd: where.session }, layer([cache], [])],
          [{ cwd: cache }, layer([], [])],
          // Below a hidden folder, too: the operator says so by a root.
          [{ cwd: cache }, layer([], [where.base])]
        ] as const
      ) {
        const agent = yield* Effect.provide(start(where, script, run), settings)
        yield* agent.exit
        assert.strictEqual(readFileSync(join(cache, "x"), "utf8"), "hi\n")
        rmSync(join(cache, "x"))
        assert.deepStrictEqual(readdirSync(cache), ["ai-relay", "conf"])
        // It was missing, and was made to be hidden.
        assert.deepStrictEqual(readdirSync(code), [])
        assert.strictEqual(readFileSync(rules, "utf8"), "the rules")
        rmSync(code, { recursive: true })
      }
    }))

  it.live("is not started again where its folder was exchanged for a link: that would open what it leads to", () =>
    Effect.gen(function*() {
      const where = yield* newHome
      yield* Effect.provide(start(where, "exit"), layerOf(where))
      rmSync(where.session, { recursive: true })
      symlinkSync(where.home, where.session)
      const again = yield* Effect.flip(Effect.provide(start(where, "echo hi > .bashrc"), layerOf(where)))
      assert.include(again.message, "is now a link")
      assert.isFalse(existsSync(join(where.home, ".bashrc")))
    }))

  it.live("writes nothing where it is started only to list its conversations", () =>
    Effect.gen(function*() {
      const where = yield* newHome
      const script = "(echo hi > .bashrc) 2>/dev/null || echo no; echo hi > .claude/x && pwd"
      const agent = yield* start(where, script, { cwd: where.home, only_reads: true }).pipe(
        Effect.provide(layerOf(where))
      )
      yield* agent.exit
      assert.deepStrictEqual(agent.lines, ["no", where.home])
      assert.isFalse(existsSync(join(where.home, ".bashrc")))
    }))

  it.live("holds what is only asked for its version and login, too, by a program that agents may have changed", () =>
    Effect.gen(function*() {
      const where = yield* newHome
      const program = join(where.base, "agent")
      const outside = join(where.base, "outside")
      writeFileSync(program, `#!/bin/sh\necho hi > ${outside}\ncat ${where.state}/token\necho 1.2.3\n`, {
        mode: 0o755
      })
      const facts = {
        tool: "agent",
        name: "Agent",
        command: program,
        install: "",
        login: "",
        signs: { args: ["status"] }
      }
      const finding = yield* probe(facts).pipe(
        Effect.provide(Layer.mergeAll(layerOf(where), NodeFileSystem.layer, NodePath.layer))
      )
      assert.deepInclude(finding, { installed: true, version: "1.2.3", logged_in: true })
      assert.isFalse(existsSync(outside))
    }))

  it.live("hides what is hidden from the next agent, too, whatever one moves that lies above it", () =>
    Effect.gen(function*() {
      const where = yield* newHome
      const state = join(where.home, ".local/share/relay")
      const cache = join(where.home, "build/cache")
      mkdirSync(state, { recursive: true })
      mkdirSync(cache, { recursive: true })
      mkdirSync(join(where.home, ".codex"))
      writeFileSync(join(state, "token"), "the-relay-s-token")
      const layer = ProcessSupervisor.layer({
        input: 100,
        signal: 200,
        sandbox: {
          bwrap,
          settings: { hidden: [state], readable: [], writable: [cache], others: ["~/.codex", "~/.gemini"] }
        }
      })
      const say = Effect.fnUntraced(function*(script: string) {
        const agent = yield* Effect.provide(start(where, script, { cwd: where.home }), layer)
        yield* agent.exit
        return agent.lines
      })
      yield* say(
        `mv .local .l; mv .local/share .local/s; mv build b; mv .codex .c; mkdir -p .local/share/relay build; ln -s ${where.base} build/cache; ln -s ${where.base} .codex`
      )
      const next = yield* say(
        `cat $(find . -name token) /dev/null; (echo hi > build/cache/escaped) 2>&1; echo own > .local/share/x && cat .local/share/x`
      )
      assert.deepStrictEqual(next, ["own"])
      assert.isFalse(existsSync(join(where.base, "escaped")))
      assert.isTrue(lstatSync(join(where.home, ".codex")).isDirectory())
      assert.strictEqual(readFileSync(join(state, "token"), "utf8"), "the-relay-s-token")
      assert.isTrue(existsSync(join(cache, "escaped")))
    }))

  it.live("ends with all it started, also what became a daemon and dropped its environment", () =>
    Effect.gen(function*() {
      const where = yield* newHome
      const scope = yield* Scope.make()
      const agent = yield* start(
        where,
        `echo up; setsid env -i sh -c '(setsid sleep 1234.5 &) &'; trap '' TERM HUP INT; sleep 1234.5`
      ).pipe(Effect.provide(layerOf(where)), Scope.provide(scope))
      const sleepers = () =>
        [...freshTree().all("now").values()].filter(({ pid }) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, "utf8") === "sleep\u00001234.5\u0000"
          } catch {
            return false
          }
        })
      yield* eventually(() => sleepers().length === 2)
      yield* eventually(() => agent.lines.length > 0)
      assert.deepStrictEqual(agent.lines, ["up"])
      yield* Scope.close(scope, Exit.void)
      yield* eventually(() => sleepers().length === 0)
    }))

  it.live("may read, too, what the operator lists, and answers with its own exit code", () =>
    Effect.gen(function*() {
      const where = yield* newHome
      const outside = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-outside-")))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(outside, { recursive: true })))
      writeFileSync(join(outside, "x"), "shown")
      const script = `cat ${outside}/x || exit 3; exit 4`
      const without = yield* Effect.provide(start(where, script), layerOf(where))
      assert.propertyVal(yield* without.exit, "exit_code", 3)
      const agent = yield* Effect.provide(start(where, script), layerOf(where, [outside]))
      assert.propertyVal(yield* agent.exit, "exit_code", 4)
      assert.deepStrictEqual(agent.lines, ["shown"])
    }))
})

describe("a machine without bubblewrap", () => {
  it.effect("is told what to do", () =>
    Effect.gen(function*() {
      const before = process.env["PATH"]
      process.env["PATH"] = "/nowhere"
      const error = yield* Effect.flip(Sandbox.check).pipe(
        Effect.ensuring(Effect.sync(() => void (process.env["PATH"] = before)))
      )
      assert.match(error.message, process.platform === "linux" ? /apt install bubblewrap/ : /needs Linux/)
    }))
})
