/** processes: start a program and wait until it listens; what it costs, as Linux counts it. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"

export interface Started {
  readonly pid: number
  /** What the program said when it was ready: the groups of `ready`. */
  readonly said: RegExpExecArray
  /** From the start to being ready. */
  readonly ms: number
  readonly stop: () => Promise<void>
}

interface Options {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly ready: RegExp
}

const startMs = 15_000
const stopMs = 5000

/** A run that is broken off leaves nothing behind: relays end their agents when they are asked to end. */
const running = new Set<ChildProcess>()
process.on("exit", () => running.forEach((child) => child.kill("SIGTERM")))
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1))

const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

const end = async (child: ChildProcess): Promise<void> => {
  if (ended(child)) return
  const exited = once(child, "exit")
  child.kill("SIGTERM")
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMs)
  await exited
  clearTimeout(timer)
}

export const start = ({ args, command, cwd, env, ready }: Options): Promise<Started> =>
  new Promise((resolve, reject) => {
    const begun = performance.now()
    const child = spawn(command, args, { cwd, env })
    running.add(child)
    child.once("exit", () => running.delete(child))
    let output = ""
    const fail = (why: string) => {
      clearTimeout(timer)
      void end(child)
      reject(new Error(`${command} ${why}:\n${output}`))
    }
    const timer = setTimeout(() => fail("does not listen"), startMs)
    const onOutput = (chunk: Buffer) => {
      if (output.length < 64 * 1024) output += String(chunk)
      const said = ready.exec(output)
      if (said === null) return
      clearTimeout(timer)
      resolve({ pid: child.pid ?? 0, said, ms: performance.now() - begun, stop: () => end(child) })
    }
    child.stdout.on("data", onOutput)
    child.stderr.on("data", onOutput)
    child.once("error", (error) => fail(`does not start (${error.message})`))
    child.once("exit", (code) => fail(`ended (${code})`))
  })

/** CPU time of a process so far, in µs; of all its threads, not of its children. */
export const cpuOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    try {
      return sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)) / 1000
    } catch {
      // It has ended just now.
      return sum
    }
  }, 0)

const statusOf = (pid: number, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

/** Memory of a process, in kB. */
export const memoryOf = (pid: number): number => statusOf(pid, "VmRSS")

/** The most memory since `forgetPeak`, in kB. */
export const peakOf = (pid: number): number => statusOf(pid, "VmHWM")
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, "5")

/** How often a process woke up so far. */
export const wakeUpsOf = (pid: number): number => statusOf(pid, "voluntary_ctxt_switches")
