import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { buildSync } from "esbuild"
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LaunchSpec } from "../../../src/adapters/Adapter.js"
import { endFamily } from "../../../src/services/process/endFamily.js"
import { ProcessFamily } from "../../../src/services/process/ProcessFamily.js"
import * as ProcessSupervisor from "../../../src/services/process/ProcessSupervisor.js"
import {
  type ProcessEntry,
  type ProcessSource,
  ProcessTree
} from "../../../src/services/process/ProcessTree.js"
import { eventually, isAlive, type RealAgent, settled, start } from "../../support/realAgents.js"

const folder = mkdtempSync(join(tmpdir(), "process-family-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** Start an agent, do something, close its scope; `took` is how long that was, in ms. */
const close = <A>(
  script: string,
  use: (agent: RealAgent) => Effect.Effect<A>,
  launch: Partial<LaunchSpec> = {},
  options: Partial<ProcessSupervisor.Options> = { input: 150, signal: 250 }
) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const agent = yield* Scope.provide(start(script, launch), scope)
    const used = yield* use(agent)
    const before = performance.now()
    yield* Scope.close(scope, Exit.void)
    return { agent, used, took: performance.now() - before }
  }).pipe(Effect.provide(ProcessSupervisor.layer(options)))

const closeWhenReady = (
  script: string,
  launch: Partial<LaunchSpec> = {},
  options?: Partial<ProcessSupervisor.Options>
) => close(script, (agent) => agent.pids(1), launch, options)

/** Prints its pid, then goes on for ever, whatever it is asked. */
const stubborn = "trap '' TERM INT HUP; echo $$; while :; do sleep 0.02; done"
const inQuotes = (script: string) => script.replaceAll("$", "\\$")
const patient = "echo $$; exec sleep 60"
const on = (signal: string) =>
  `trap 'echo got ${signal}; exit 5' ${signal}; echo $$; while :; do sleep 0.02; done`

describe("when the scope of an agent closes", { timeout: 20_000 }, () => {
  it.live("it is given the time to end with its input", () =>
    Effect.gen(function*() {
      const { agent, took } = yield* closeWhenReady("echo $$; cat; echo bye", {}, { input: 10_000 })
      assert.strictEqual(agent.lines[1], "bye")
      assert.deepStrictEqual(yield* agent.exit, { exit_code: 0, stderr: [] })
      assert.isBelow(took, 5000)
    }))

  it.live("it is asked by SIGTERM, or by the signal it likes better", () =>
    Effect.gen(function*() {
      const term = yield* closeWhenReady(on("TERM"))
      assert.strictEqual(term.agent.lines[1], "got TERM")
      assert.strictEqual((yield* term.agent.exit).exit_code, 5)
      const int = yield* closeWhenReady(on("INT"), { stopSignal: "SIGINT" })
      assert.strictEqual(int.agent.lines[1], "got INT")
    }))

  it.live("that signal is not for those it left behind, who might ignore it", () =>
    Effect.gen(function*() {
      const script = `sh -c '${patient}' & cat`
      const { took } = yield* closeWhenReady(script, { stopSignal: "SIGINT" }, {
        input: 10_000,
        signal: 10_000
      })
      assert.isBelow(took, 5000)
    }))

  it.live("it is killed when it does not listen", () =>
    Effect.gen(function*() {
      const { agent, took } = yield* closeWhenReady(stubborn)
      assert.strictEqual((yield* agent.exit).signal, "SIGKILL")
      assert.isBelow(took, 5000)
    }))

  it.live("it is killed when it is suspended", () =>
    Effect.gen(function*() {
      const { agent } = yield* close("cat", ({ pid }) => Effect.sync(() => process.kill(pid, "SIGSTOP")))
      assert.strictEqual((yield* agent.exit).signal, "SIGKILL")
    }))

  it.effect("a test's clock makes no difference", () =>
    Effect.gen(function*() {
      const { agent } = yield* closeWhenReady(stubborn)
      assert.isFalse(isAlive(agent.pid))
    }))
})

describe("of what an agent started nothing is left", { timeout: 20_000 }, () => {
  const cases: Record<string, string> = {
    "a background job": `sh -c '${patient}' &`,
    "one in a session of its own": `setsid sh -c '${patient}' &`,
    "one that ignores hangups": `nohup sh -c '${patient}' 2>/dev/null &`,
    "a stubborn one in a session of its own": `setsid sh -c "${inQuotes(stubborn)}" &`,
    "a daemon, forked twice": `(setsid sh -c '${patient}' &)`,
    "one without our marker": `setsid env -i sh -c '${patient}' &`,
    "one that node detached":
      `node -e 'require("child_process").spawn("sh", ["-c", "${patient}"], { detached: true, stdio: "inherit" }).unref()'`
  }

  it.live.each(Object.entries(cases))("%s", ([, script]) =>
    Effect.gen(function*() {
      const { used } = yield* close(`${script}\ncat`, ({ pids }) => pids(1))
      assert.deepStrictEqual(used.filter(isAlive), [])
    }))

  // An orphan without a marker, in a session of its own, is nobody's: only a living parent gives it away.
  it.live.each(Object.entries(cases).filter(([name]) => name !== "one without our marker"))(
    "when the agent has ended by itself before: %s",
    ([, script]) =>
      Effect.gen(function*() {
        const ended = (agent: RealAgent) => Effect.tap(agent.pids(1), eventually(() => !isAlive(agent.pid)))
        const { used } = yield* close(script, ended)
        assert.deepStrictEqual(used.filter(isAlive), [])
      })
  )

  it.live(
    "a hundred, all stubborn and starting others, half of them in sessions of their own",
    () =>
      Effect.gen(function*() {
        const child = inQuotes(stubborn.replace("0.02", "2"))
        const script = `for n in $(seq 50); do sh -c "${child}" & setsid sh -c "${child}" & done; wait`
        const { took, used } = yield* close(script, ({ pids }) => pids(100))
        assert.strictEqual(used.length, 100)
        assert.deepStrictEqual(used.filter(isAlive), [])
        assert.isBelow(took, 5000)
      }),
    15_000
  )

  it.live("one that hides by starting another and ending, again and again", () =>
    Effect.gen(function*() {
      const script = join(folder, "hide")
      const lives = () => readFileSync(script, "utf8").length
      writeFileSync(script, "#!/bin/sh\n[ $1 -gt 0 ] || exit\nprintf '#' >> $0\n$0 $(($1 - 1)) &\n", {
        mode: 0o755
      })
      yield* closeWhenReady(`${script} 500 & echo $$; cat`)
      const before = lives()
      yield* settled(lives)
      assert.isBelow(lives() - before, 3)
    }))

  it.live("but others live on: the agent of another session, and who has nothing to do with us", () =>
    Effect.gen(function*() {
      const bystander = spawn("sleep", ["60"], { detached: true })
      const neighbour = yield* start(patient)
      yield* neighbour.pids(1)
      yield* closeWhenReady(stubborn)
      assert.isTrue(isAlive(neighbour.pid))
      assert.isTrue(isAlive(bystander.pid!))
      bystander.kill("SIGKILL")
    }).pipe(Effect.scoped, Effect.provide(ProcessSupervisor.layer())))
})

describe("when the relay exits", { timeout: 20_000 }, () => {
  /** A relay of its own that starts an agent with a runaway child, and then ends as `ending` says. */
  const relay = (ending: string) => `
    import { Effect } from "effect"
    import * as ProcessSupervisor from "./src/services/process/ProcessSupervisor.js"
    import { start } from "./test/support/realAgents.js"
    const script = ${JSON.stringify(`sh -c '${patient}' & setsid sh -c '${patient}' & cat`)}
    Effect.runFork(Effect.gen(function*() {
      const agent = yield* start(script)
      console.log((yield* agent.pids(2)).join())
      ${ending}
      yield* Effect.never
    }).pipe(Effect.scoped, Effect.provide(ProcessSupervisor.layer())))`

  it.live.each(["process.exit(0)", "setTimeout(() => { throw new Error('a fault') })"])(
    "nobody is left after %s",
    (ending) =>
      Effect.gen(function*() {
        const outfile = join(folder, "relay.mjs")
        const stdin = { contents: relay(ending), resolveDir: process.cwd(), loader: "ts" } as const
        buildSync({ stdin, outfile, bundle: true, platform: "node", format: "esm" })
        const { stdout } = spawnSync(process.execPath, [outfile], { encoding: "utf8" })
        const pids = stdout.trim().split(",").map(Number)
        assert.strictEqual(pids.length, 2)
        yield* eventually(() => !pids.some(isAlive))
      })
  )
})

describe("endFamily", () => {
  it.live("looks twice before nobody is left, however long looking takes", () =>
    Effect.gen(function*() {
      const hidden: ProcessEntry = { pid: 9_000_004, ppid: 1, pgid: 9_000_004, started: "10" }
      let reads = 0
      let isThere = true
      const tree = new ProcessTree({
        list: () => {
          reads += 1
          const began = performance.now()
          while (performance.now() - began < 30);
          return isThere ? [hidden] : []
        },
        read: () => isThere ? hidden : undefined,
        // In the middle of an `execve` at first; it is gone once it was found.
        environ: () => {
          isThere = reads < 2
          return reads < 2 ? "" : "AI_RELAY_SESSION=marker\0"
        },
        reuseMs: 15
      })
      const family = new ProcessFamily(tree, { pid: 9_000_005, hasExited: () => true }, "marker")
      yield* endFamily(family, { endInput: () => {}, exited: Effect.void, stopSignal: "SIGTERM" }, {
        input: 0,
        signal: 0,
        kill: 5000
      })
      assert.isFalse(isThere)
    }))

  /** How often the processes are read to bring nobody to an end, on a machine where one runs that is not ours. */
  const readsOf = (source: Pick<ProcessSource, "environ" | "hasMissed">, reuseMs = 10_000) =>
    Effect.gen(function*() {
      let reads = 0
      const list = () => {
        reads += 1
        return [{ pid: 9_000_006, ppid: 1, pgid: 9_000_006, started: "10" }]
      }
      const tree = new ProcessTree({ list, reuseMs, ...source })
      const family = new ProcessFamily(tree, { pid: 9_000_005, hasExited: () => true }, "marker")
      yield* endFamily(family, { endInput: () => {}, exited: Effect.void, stopSignal: "SIGTERM" }, {
        input: 0,
        signal: 0,
        kill: 5000
      })
      return reads
    })

  it.live("looks once where that leaves no doubt", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* readsOf({ environ: () => "A=1\0" }), 1)
      assert.strictEqual(yield* readsOf({ environ: () => undefined }), 1)
      assert.strictEqual(yield* readsOf({ environ: () => "A=1\0", hasMissed: () => false }), 1)
    }))

  it.live("looks twice where one shows no environment, or ended meanwhile", () =>
    Effect.gen(function*() {
      assert.isAbove(yield* readsOf({ environ: () => "" }, 15), 1)
      assert.isAbove(yield* readsOf({ environ: () => "A=1\0", hasMissed: () => true }, 15), 1)
    }))
})

describe("ProcessFamily.look", { timeout: 20_000 }, () => {
  const leader: ProcessEntry = { pid: 9_000_001, ppid: 1, pgid: 9_000_001, started: "10" }
  const child: ProcessEntry = { pid: 9_000_002, ppid: leader.pid, pgid: leader.pid, started: "11" }
  const stranger: ProcessEntry = { ...leader, started: "99" }

  /** A family on a machine where just these processes run. */
  const onMachine = () => {
    const machine = { processes: [leader, child], exited: false }
    const tree = new ProcessTree({
      list: () => machine.processes,
      read: (pid) => machine.processes.find((entry) => entry.pid === pid),
      environ: () => "",
      reuseMs: -1
    })
    const family = new ProcessFamily(
      tree,
      { pid: leader.pid, hasExited: () => machine.exited },
      "marker"
    )
    return { family, machine }
  }

  it("remembers whom it saw, when nothing else tells whose they are", () => {
    const { family, machine } = onMachine()
    assert.sameDeepMembers([...family.look()], [leader, child])
    const orphan = { ...child, ppid: 1, pgid: child.pid }
    machine.exited = true
    machine.processes = [orphan]
    assert.deepStrictEqual(family.look(), [orphan])
  })

  it("believes no list that is older than its leader's exit", () => {
    let processes = [leader, child]
    let reads = 0
    const tree = new ProcessTree({
      list: () => {
        reads += 1
        return processes
      },
      read: (pid) => processes.find((entry) => entry.pid === pid),
      environ: () => "A=1\0",
      reuseMs: 10_000
    })
    let hasExited = false
    const family = new ProcessFamily(tree, { pid: leader.pid, hasExited: () => hasExited }, "marker")
    assert.sameDeepMembers([...family.look()], [leader, child])
    processes = []
    hasExited = true
    family.leaderExited()
    assert.isTrue(family.isGone())
    assert.strictEqual(family.quietFor(), Infinity)
    assert.strictEqual(reads, 2)
  })

  it("takes the group's number for ours only as long as it cannot be another's", () => {
    const { family, machine } = onMachine()
    family.look()
    machine.exited = true
    const late = { ...child, pid: 9_000_003, ppid: 1 }
    machine.processes = [child, late]
    assert.sameDeepMembers([...family.look()], [child, late])
    machine.processes = [stranger]
    assert.deepStrictEqual(family.look(), [])
  })
})
