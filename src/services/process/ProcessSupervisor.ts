/**
 * ProcessSupervisor: starts agents, and makes sure that they and everything they started are gone afterwards.
 *
 * An agent runs without a shell, in its own process group, with a marker in its environment that everything it starts
 * inherits. Closing its scope ends it in bounded time: its input is closed, then it gets a signal, then what is left is
 * killed. Until then it costs a callback per chunk, and no fiber.
 */
import { Cause, Deferred, Effect, Layer, Option, Predicate } from "effect"
import { type ChildProcessWithoutNullStreams, spawn as startProcess } from "node:child_process"
import {
  type AgentExit,
  type AgentProcess,
  EventSink,
  type LaunchSpec,
  ProcessSpawner
} from "../../adapters/Adapter.js"
import { AgentFailed } from "../../adapters/AdapterError.js"
import { doneSoon } from "../../adapters/doneSoon.js"
import { type Holdable, SessionHold } from "../budget/AgentHold.js"
import { completesWithin } from "../completesWithin.js"
import { marking } from "./agentMark.js"
import * as AgentPipes from "./AgentPipes.js"
import { endFamily, type StopTimeouts } from "./endFamily.js"
import * as families from "./families.js"
import { type LaunchOptions, prepareLaunch } from "./prepareLaunch.js"
import { sendSignal } from "./ProcessTree.js"

export interface Options extends StopTimeouts, LaunchOptions {
  /** How long an agent's pipes may stay open after its exit, in ms: processes it left behind may hold them forever. */
  readonly linger: number
}

const defaults: Options = { input: 700, signal: 1500, kill: 1500, linger: 1000, pass_env: [] }
/** How long closing the scope waits for the last lines, in ms. */
const lastLinesMs = 200

export const layer = (options: Partial<Options> = {}): Layer.Layer<ProcessSpawner> =>
  Layer.sync(ProcessSpawner, () => make({ ...defaults, ...options }))

const make = (options: Options) => {
  const spawn = Effect.fnUntraced(function*(
    launch: LaunchSpec,
    onLine: (line: Buffer) => void
  ) {
    const { cwd, tool } = launch
    const sink = yield* EventSink
    const { args, env, marker, program } = yield* prepareLaunch(launch, options)
    const start = Effect.callback<Supervised, AgentFailed>((resume) => {
      const refuse = (error: unknown) => resume(new AgentFailed({ tool, reason: whyNotStarted(error) }))
      try {
        const child = marking(() => startProcess(program, args, { cwd, env, detached: true }))
        child.on("error", refuse)
        if (child.pid === undefined) return
        resume(Effect.succeed(supervise({ child, pid: child.pid, launch, marker, onLine, options, sink })))
      } catch (error) {
        refuse(error)
      }
    })
    const { agent, hold } = yield* Effect.acquireRelease(start, ({ stop }) => stop)
    const holder = yield* Effect.serviceOption(SessionHold)
    if (Option.isSome(holder)) {
      yield* Effect.acquireRelease(
        Effect.sync(() => holder.value.add(hold)),
        () => Effect.sync(() => holder.value.remove(hold))
      )
    }
    return agent
  })

  return ProcessSpawner.of({ spawn })
}

interface Started {
  readonly child: ChildProcessWithoutNullStreams
  readonly pid: number
  readonly launch: LaunchSpec
  readonly marker: string
  readonly onLine: (line: Buffer) => void
  readonly options: Options
  readonly sink: EventSink["Service"]
}

interface Supervised {
  readonly agent: AgentProcess
  readonly stop: Effect.Effect<void>
  readonly hold: Holdable
}

/** Takes charge of a process at the moment it starts, so that nothing is missed. */
const supervise = ({ child, launch, marker, onLine, options, pid, sink }: Started): Supervised => {
  const { stopSignal = "SIGTERM", tool } = launch
  const exited = Deferred.makeUnsafe<AgentExit>()
  const leaderExited = Deferred.makeUnsafe<void>()
  let complaint = Effect.void
  let linger: NodeJS.Timeout | undefined

  const onDefect = (defect: unknown) => {
    complaint = Effect.logError(
      `The relay failed while reading the output of ${tool}, and ended it.`,
      Cause.die(defect)
    )
    pipes.destroy()
    family.kill()
  }
  const pipes = AgentPipes.open({ tool, child, sink, onLine: guarded(onLine, sink), onDefect })
  const hasExited = () => child.exitCode !== null || child.signalCode !== null
  const family = families.found({ pid, hasExited }, marker)

  const letGo = () => {
    if (pipes.areHeldUp()) linger = setTimeout(letGo, options.linger)
    else pipes.destroy()
  }
  const finish = () => {
    clearTimeout(linger)
    doneSoon(exited, Effect.succeed(toExit(child, pipes.finish())))
  }
  child.once("close", finish).once("exit", () => {
    families.leaderExited(family)
    doneSoon(leaderExited, Effect.void)
    linger = setTimeout(letGo, options.linger)
  })
  let stopOthers: NodeJS.Immediate | undefined
  const release = Effect.sync(() => {
    clearImmediate(stopOthers)
    families.forget(family)
    pipes.destroy()
    finish()
  })

  return {
    agent: {
      pid,
      writeLine: pipes.writeLine,
      endInput: Effect.sync(pipes.endInput),
      exit: Effect.tap(Deferred.await(exited), Effect.suspend(() => complaint))
    },
    hold: {
      // Fifty sessions that share a budget stop together, so groups are signalled before other members are looked for.
      stop: () => {
        if (!hasExited()) sendSignal(-pid, "SIGSTOP")
        stopOthers = setImmediate(() => family.signal("SIGSTOP", "SIGSTOP"))
      },
      go: () => {
        clearImmediate(stopOthers)
        family.signal("SIGCONT", "SIGCONT")
      }
    },
    stop: endFamily(
      family,
      { endInput: pipes.endInput, exited: Deferred.await(leaderExited), stopSignal },
      options
    ).pipe(
      Effect.andThen(completesWithin(pipes.closed, lastLinesMs)),
      Effect.ensuring(release)
    )
  }
}

/** Output of an agent never ends a session: a line that the relay fails to handle is passed on as is. */
const guarded = (onLine: (line: Buffer) => void, sink: EventSink["Service"]) => (line: Buffer) => {
  try {
    onLine(line)
  } catch (defect) {
    sink.emit({ type: "stdout", text: line.toString("utf8") })
    sink.emit({
      type: "error",
      code: "internal",
      text: `The relay failed to handle a line of the agent (${
        String(defect)
      }). The session goes on; please report this.`
    })
  }
}

const toExit = (
  { exitCode, signalCode }: ChildProcessWithoutNullStreams,
  stderr: AgentExit["stderr"]
): AgentExit => ({
  ...(exitCode !== null && { exit_code: exitCode }),
  ...(signalCode !== null && { signal: signalCode }),
  stderr
})

/** Why a program did not start, from the error's code only: the error contains the arguments, which may contain a prompt. */
const whyNotStarted = (error: unknown): string => {
  const code = Predicate.hasProperty(error, "code") ? String(error.code) : "no code"
  return code === "ENOENT"
    ? "its folder, or the interpreter named in its first line, does not exist. Create or install it."
    : `the system cannot start it (${code}). Try running it by hand on the relay's machine.`
}
