import { afterEach, assert, describe, it } from "@effect/vitest"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import {
  markerVariable,
  parsePs,
  parseStat,
  type ProcessEntry,
  ProcessTree,
  procSource,
  psArguments,
  psSource
} from "../../../src/services/process/ProcessTree.js"

const started: Array<ChildProcess> = []
const start = (script: string, env: Record<string, string> = {}) => {
  const child = spawn("sh", ["-c", script], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "ignore"]
  })
  started.push(child)
  return child
}
afterEach(() => started.splice(0).forEach((child) => child.kill("SIGKILL")))

/** What a child printed first. */
const firstLine = (child: ChildProcess) =>
  new Promise<string>((resolve) =>
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()))
  )
const exited = (child: ChildProcess) => new Promise<void>((resolve) => child.once("exit", () => resolve()))

const pidsOf = (entries: Iterable<ProcessEntry>) => Array.from(entries, ({ pid }) => pid)

const runPs = () => execFileSync("ps", psArguments, { encoding: "utf8" })
const sources = [["ps", () => psSource(runPs)] as const, ["/proc", procSource] as const]
  .filter(([name]) => name === "ps" || process.platform === "linux")

describe.each(sources)("ProcessTree from %s", (_name, makeSource) => {
  const fresh = () => new ProcessTree({ ...makeSource(), reuseMs: -1 })

  it("knows this process, its parent and its group", () => {
    const own = fresh().all().get(process.pid)
    assert.strictEqual(own?.ppid, process.ppid)
    assert.isAbove(own?.pgid ?? 0, 0)
  })

  it("finds children and their children, and nobody else", async () => {
    const child = start("sh -c 'echo $$; read wait; true' <&0; true")
    const bystander = start("read wait")
    const grandchild = Number(await firstLine(child))
    const tree = fresh()
    assert.deepStrictEqual(pidsOf(tree.descendants([child.pid!])), [grandchild])
    assert.includeMembers(pidsOf(tree.descendants([process.pid])), [child.pid!, grandchild, bystander.pid!])
  })

  it("takes a zombie for gone", async () => {
    // The child ends when its shell has become `sleep`, which does not ask what became of it.
    const child = start(
      "sh -c 'until [ \"$(ps -o comm= -p $PPID)\" = sleep ]; do :; done' & echo $!; exec sleep 60"
    )
    const zombie = Number(await firstLine(child))
    const tree = fresh()
    while (tree.all().has(zombie)) await new Promise(setImmediate)
    assert.doesNotThrow(() => process.kill(zombie, 0))
    assert.isTrue(tree.all().has(child.pid!))
  })

  it("signals a process, but not another one that has its pid now", async () => {
    const child = start("read wait")
    const tree = fresh()
    const entry = tree.all().get(child.pid!)!
    tree.signal({ ...entry, started: "earlier" }, "SIGKILL")
    assert.isTrue(tree.isAlive(entry))
    tree.signal(entry, "SIGKILL")
    await exited(child)
    assert.strictEqual(child.signalCode, "SIGKILL")
    assert.isFalse(tree.isAlive(entry))
    tree.signal(entry, "SIGKILL")
  })

  it("reads once for all who ask at the same time", () => {
    let reads = 0
    const source = makeSource()
    const tree = new ProcessTree({
      ...source,
      list: () => {
        reads += 1
        return source.list()
      },
      reuseMs: 10_000
    })
    tree.all()
    tree.descendants([1])
    tree.marked("x")
    assert.strictEqual(reads, 1)
  })

  it("is read anew for who asks for now, once in a turn of the event loop", async () => {
    let reads = 0
    const tree = new ProcessTree({ list: () => (reads++, []), environ: () => "", reuseMs: 10_000 })
    tree.all()
    for (let turns = 1; turns <= 3; turns++) {
      tree.all("now")
      tree.all("now")
      assert.strictEqual(reads, turns)
      await new Promise((resolve) => setImmediate(resolve))
    }
    tree.all()
    assert.strictEqual(reads, 3)
  })
})

describe.runIf(process.platform === "linux")("markers", () => {
  it("finds those who carry one, wherever they went", async () => {
    const child = start("setsid sh -c 'echo $$; exec sleep 60' & wait", { [markerVariable]: "mine" })
    start("read wait", { [markerVariable]: "mine-not" })
    start("read wait", { [`X_${markerVariable}`]: "mine" })
    const grandchild = Number(await firstLine(child))
    const tree = new ProcessTree(procSource())
    assert.sameMembers(pidsOf(tree.marked("mine")), [child.pid!, grandchild])
    process.kill(grandchild, "SIGKILL")
  })
})

describe("markers of a list that is read anew", () => {
  const one: ProcessEntry = { pid: 9_000_001, ppid: 1, pgid: 9_000_001, started: "10" }

  it("are known of those who had one, and asked again of all others", () => {
    const asked: Array<string> = []
    let processes = [one, { ...one, pid: 9_000_002 }]
    const tree = new ProcessTree({
      list: () => processes,
      environ: ({ pid, started }) => {
        asked.push(`${pid} ${started}`)
        return pid === one.pid ? `${markerVariable}=mine\0` : "A=1\0"
      },
      reuseMs: -1
    })
    assert.deepStrictEqual(tree.marked("mine"), [one])
    asked.length = 0
    assert.deepStrictEqual(tree.marked("mine"), [one])
    assert.deepStrictEqual(asked, ["9000002 10"])
    // Another has its number now.
    processes = [{ ...one, started: "11" }]
    tree.marked("mine")
    assert.deepStrictEqual(asked, ["9000002 10", "9000001 11"])
  })
})

describe("parseStat", () => {
  const rest = "100 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 0 0"

  it.each(["sh", "a b", "tmux: server", "(sd-pam)", "x) S 1 1", ") (", ""])(
    "reads past the name %j",
    (name) => {
      assert.deepStrictEqual(parseStat(`42 (${name}) S ${rest}\n`), {
        pid: 42,
        ppid: 100,
        pgid: 7,
        started: "987654"
      })
    }
  )

  it("gives nothing for the dead and for what it cannot read", () => {
    assert.isUndefined(parseStat(`42 (x) Z ${rest}`))
    assert.isUndefined(parseStat(`42 (x) X ${rest}`))
    assert.isUndefined(parseStat(""))
  })
})

describe("parsePs", () => {
  it("reads what macOS prints, without its zombies", () => {
    const answer = "    1     0     1 Ss   Mon Nov  2 09:00:00 2026    \n"
      + "  512   400   512 Z    Mon Nov  2 09:10:00 2026    \n"
      + "40321   512 40321 R+   Mon Nov 23 08:13:59 2026    \n"
    assert.deepStrictEqual(parsePs(answer), [
      { pid: 1, ppid: 0, pgid: 1, started: "Mon Nov  2 09:00:00 2026" },
      { pid: 40321, ppid: 512, pgid: 40321, started: "Mon Nov 23 08:13:59 2026" }
    ])
  })
})
