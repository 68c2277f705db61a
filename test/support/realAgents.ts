/** realAgents: shell scripts run as agents by the real ProcessSupervisor, and ways to wait for what they do. */
import { Effect } from "effect"
import { tmpdir } from "node:os"
import { type AgentProcess, EventSink, type LaunchSpec, ProcessSpawner } from "../../src/adapters/Adapter.js"
import { lookUntil } from "../../src/services/process/lookUntil.js"
import { ProcessTree, procSource } from "../../src/services/process/ProcessTree.js"
import * as TestSink from "./testSink.js"

export interface RealAgent extends AgentProcess {
  /** What it printed. */
  readonly lines: ReadonlyArray<string>
  readonly sink: TestSink.TestSink
  /** The pids it printed, one a line, once there are so many. */
  readonly pids: (count: number) => Effect.Effect<ReadonlyArray<number>>
}

/** Start a script in `sh`, or whatever `launch` says instead. */
export const start = (script: string, launch: Partial<LaunchSpec> = {}, sink = TestSink.make()) =>
  Effect.gen(function*() {
    const spawner = yield* ProcessSpawner
    const lines: Array<string> = []
    const spec = { tool: "test", command: "sh", args: ["-c", script], cwd: tmpdir(), advice: "", ...launch }
    const agent = yield* Effect.provideService(
      spawner.spawn(spec, (line) => lines.push(line.toString())),
      EventSink,
      sink.service
    )
    const pids = (count: number) =>
      Effect.map(eventually(() => lines.length >= count), () => lines.map(Number))
    return { ...agent, lines, sink, pids } satisfies RealAgent
  })

/** Wait for a fact, for so long that only a fault makes it too long. */
export const eventually = (fact: () => boolean) =>
  Effect.flatMap(
    lookUntil(fact, 15_000),
    (holds) => holds ? Effect.void : Effect.die(new Error(`This never came true: ${fact}`))
  )

/** Wait until a number has not changed for 30 looks: whoever counts is blocked. */
export const settled = (count: () => number) => {
  let last = -1
  let same = 0
  return eventually(() => {
    same = count() === last ? same + 1 : 0
    last = count()
    return same >= 30
  })
}

export const freshTree = () => new ProcessTree({ ...procSource(), reuseMs: -1 })

/** It runs; a zombie does not. */
export const isAlive = (pid: number): boolean => freshTree().all().has(pid)
