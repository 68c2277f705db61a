import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { until } from "../../support/processes.js"
import { freshTree, isAlive } from "../../support/realAgents.js"
import { buildRelay, type RelayProcess, startedBy, startRelay } from "../../support/relayProcess.js"

let outfile = ""
let remove = () => {}
beforeAll(() => void ({ outfile, remove } = buildRelay()))
afterAll(() => remove())

const relays: Array<RelayProcess> = []
const relay = async (scripts: ReadonlyArray<string>, lines = scripts.length) => {
  const started = startRelay(outfile, scripts)
  relays.push(started)
  await until(() => started.lines.length >= lines, 20_000)
  return started
}
afterAll(() => relays.forEach(({ child }) => child.kill("SIGKILL")))

/** Empty if the process has just ended. */
const commandOf = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
  } catch {
    return ""
  }
}
const areAlive = (pids: ReadonlyArray<number>) => {
  const everyone = freshTree().all()
  return pids.some((pid) => everyone.has(pid))
}
const watcherOf = ({ pid }: RelayProcess): number | undefined =>
  [...freshTree().descendants([pid])].map((entry) => entry.pid)
    .find((child) => commandOf(child).includes("ai-relay-watcher"))

/** The CPU time it has used, in hundredths of a second. */
const ticksOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? []
  return Number(fields[11]) + Number(fields[12])
}

/** Kill the relay; how long it took until nobody of these was left, in ms. */
const kill = async (
  { child }: RelayProcess,
  pids: ReadonlyArray<number>,
  signal: NodeJS.Signals = "SIGKILL"
) => {
  child.kill(signal)
  return until(() => !areAlive(pids), 15_000)
}

const patient = "echo $$; exec sleep 60"
const stubborn = "trap '' TERM INT HUP; echo $$; while :; do sleep 0.05; done"

describe.runIf(process.platform === "linux")("when the relay is killed", { timeout: 30_000 }, () => {
  it("within 5 s nobody is left, whatever they do about it", async () => {
    const scripts = [
      // An agent that would wait for ever, and one that ignores signals.
      patient,
      stubborn,
      // A tool in a session of its own, one that ignores hangups, a daemon, forked twice.
      `setsid sh -c '${patient}' & sleep 60`,
      `nohup sh -c '${patient}' 2>/dev/null & sleep 60`,
      `(setsid sh -c '${patient}' &); exec cat`,
      // One without our marker, whose parent lives (an orphan without it is nobody's); one that is suspended.
      `setsid env -i sh -c '${patient}' & sleep 60`,
      "sh -c 'echo $$; kill -STOP $$' & cat"
    ]
    const started = await relay(scripts)
    const pids = startedBy(started)
    assert.includeMembers([...pids], started.lines.map(Number))
    assert.isBelow(await kill(started, pids), 5000)
  })

  it("others are left alone: another relay's agents, and who has nothing to do with us", async () => {
    const bystander = spawn("sleep", ["60"], { detached: true })
    const [neighbour, started] = await Promise.all([relay([patient]), relay([patient, stubborn])])
    await kill(started, startedBy(started))
    assert.isTrue(isAlive(Number(neighbour.lines[0])))
    assert.isTrue(isAlive(bystander.pid!))
    bystander.kill("SIGKILL")
    await kill(neighbour, startedBy(neighbour))
  })

  it("agents are asked first, so that they can save what they have", async () => {
    const file = `${outfile}.saved`
    // Nobody reads its errors any more, and a shell tells there that its `sleep` was ended.
    const started = await relay([
      `exec 2>/dev/null; trap 'echo saved > ${file}; exit' TERM; echo $$; while :; do sleep 0.02; done`
    ])
    await kill(started, startedBy(started))
    assert.strictEqual(readFileSync(file, "utf8"), "saved\n")
  })
})

describe.runIf(process.platform === "linux")("the watcher", { timeout: 30_000 }, () => {
  it("is a small process, one for all agents, not in the relay's group, and gone with the relay", async () => {
    const started = await relay([patient, patient, patient])
    const watchers = startedBy(started).filter((pid) => commandOf(pid).includes("ai-relay-watcher"))
    assert.lengthOf(watchers, 1)
    const [watcher = 0] = watchers
    const resident = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${watcher}/status`, "utf8"))?.[1])
    assert.isBelow(resident, 8 * 1024)
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(watcher, signal)
    assert.notInclude(
      execFileSync("ps", ["-o", "pgid=", "-p", String(watcher)], { encoding: "utf8" }),
      String(started.pid)
    )
    assert.isBelow(await kill(started, startedBy(started)), 5000)
    assert.isFalse(isAlive(watcher))
  })

  it("ends who is left at once, however many others have ended, in any order", async () => {
    const started = await relay(["crowd"])
    const [last] = started.lines.map(Number)
    const watcher = watcherOf(started)!
    let used = -1
    let idleSince = 0
    // It has heard everything.
    await until(() => {
      if (ticksOf(watcher) !== used) idleSince = performance.now()
      used = ticksOf(watcher)
      return performance.now() - idleSince > 500
    }, 10_000)
    assert.isBelow(await kill(started, [last!]), 5000)
  })

  it("is started with the first agent, and again when somebody ends it", async () => {
    assert.isUndefined(watcherOf(await relay([])))
    const started = await relay([patient])
    const first = watcherOf(started)!
    // As old as one must be to be started again at once.
    process.kill(started.pid, "SIGUSR2")
    await until(() => started.lines.includes("later"))
    process.kill(first, "SIGKILL")
    await until(() => ![undefined, first].includes(watcherOf(started)))
    assert.isBelow(await kill(started, startedBy(started)), 5000)
  })
})

describe.runIf(process.platform === "linux")("a relay that starts", { timeout: 30_000 }, () => {
  it("ends what dead ones left whose watcher was killed too, and nothing of a living one", async () => {
    const alive = await relay([patient])
    let ended = 0
    // Any relay of this machine does so: one that another test starts or kills may be first.
    while (ended === 0) {
      const dead = await relay([`setsid sh -c '${patient}' & cat`])
      const left = dead.lines.map(Number)
      process.kill(watcherOf(dead)!, "SIGKILL")
      dead.child.kill("SIGKILL")
      await until(() => !isAlive(dead.pid))
      const sweeping = startRelay(outfile, ["sweep"])
      await until(() => !left.some(isAlive) && sweeping.lines.length > 0)
      ended = Number(sweeping.lines[0])
    }
    assert.isTrue(isAlive(Number(alive.lines[0])))
    await kill(alive, startedBy(alive))
  })
})
