/**
 * PtySupervisor: starts programs on terminals, and sees to it that they and all they started are gone afterwards.
 *
 * What `ProcessSupervisor` guarantees holds here too. The end differs: a program at a terminal is told by SIGHUP, as
 * when its window is closed; a program that ignores it is killed. What jobs in the background print after their
 * shell's exit is lost. node-pty is native and is loaded when the first terminal is asked for.
 */
import { Cause, Deferred, Effect, Layer } from "effect"
import type { IPty } from "node-pty"
import { constants } from "node:os"
import { type AgentExit, EventSink, type Terminal, TerminalSpawner } from "../../adapters/Adapter.js"
import {
  AgentFailed,
  CommandRefused,
  type SendError,
  TerminalUnavailable
} from "../../adapters/AdapterError.js"
import { doneSoon } from "../../adapters/doneSoon.js"
import { completesWithin } from "../completesWithin.js"
import { type Environment, relayEnvironment } from "../process/AgentEnvironment.js"
import { marking } from "../process/agentMark.js"
import { endFamily, type StopTimeouts } from "../process/endFamily.js"
import * as families from "../process/families.js"
import { type LaunchOptions, prepareLaunch } from "../process/prepareLaunch.js"
import type { ProcessFamily } from "../process/ProcessFamily.js"
import * as OutputSentinel from "./OutputSentinel.js"
import * as TerminalInput from "./TerminalInput.js"
import * as TerminalOutput from "./TerminalOutput.js"

const defaultTimeouts: Omit<StopTimeouts, "input"> = { signal: 1500, kill: 1500 }
/** How long the end of the scope waits for the last output, in ms. */
const lastOutputMs = 300

/** What node-pty gives on Unix and does not declare. */
interface UnixPty extends Pick<IPty, "onData" | "onExit" | "pause" | "pid" | "resize" | "resume"> {
  readonly fd: number
  /** The path of the program's side. */
  readonly ptsName: string
  readonly on: (event: "end" | "error", listener: () => void) => void
  readonly once: (event: "close", listener: () => void) => void
  readonly destroy: () => void
  /** Called by `destroy`, too. */
  kill: () => void
  /** Its own. Once set, an exit is told when it happens, and reading goes on: else both end 200 ms later. */
  _emittedClose: boolean
}

const load = Effect.tryPromise({
  try: () => import("node-pty"),
  catch: (cause) => new TerminalUnavailable({ cause })
})

/** Fails where no program can be given a terminal. */
export const isAvailable: Effect.Effect<void, TerminalUnavailable> = Effect.asVoid(load)

export interface Options extends Partial<typeof defaultTimeouts>, Partial<LaunchOptions> {}

export const layer = ({ pass_env = [], sandbox, ...timeouts }: Options = {}): Layer.Layer<TerminalSpawner> =>
  Layer.sync(
    TerminalSpawner,
    () => make({ ...defaultTimeouts, ...timeouts, input: 0 }, { pass_env, sandbox })
  )

/** When its window is closed. */
const atTerminal = { endInput: () => {}, stopSignal: "SIGHUP" } as const

const make = (timeouts: StopTimeouts, launching: LaunchOptions) => {
  const spawn: TerminalSpawner["Service"]["spawn"] = Effect.fn("PtySupervisor.spawn")(
    function*(launch, size, onOutput) {
      const { cwd, tool } = launch
      const sink = yield* EventSink
      const { args, env, marker, program } = yield* prepareLaunch(
        launch,
        launching,
        withoutTerminal(relayEnvironment())
      )
      const { spawn } = yield* load
      const start = Effect.try({
        try: () => {
          const options = { ...size, name: env["TERM"] ?? "xterm-256color", cwd, env, encoding: null }
          const pty = marking(() => spawn(program, [...args], options)) as unknown as UnixPty
          return supervise({ pty, mark: markFor(pty), tool, marker, sink, onOutput })
        },
        catch: (cause) =>
          new AgentFailed({
            tool,
            reason: "the system gives it no terminal. Close some sessions first.",
            cause
          })
      })
      const { terminal } = yield* Effect.acquireRelease(
        start,
        ({ ended, exited, family, output, release }) =>
          Effect.sync(output.drainToEnd).pipe(
            Effect.andThen(endFamily(family, { ...atTerminal, exited }, timeouts)),
            Effect.andThen(completesWithin(ended, lastOutputMs)),
            Effect.ensuring(Effect.sync(release))
          )
      )
      return terminal
    }
  )
  return TerminalSpawner.of({ spawn })
}

interface Started {
  readonly pty: UnixPty
  readonly mark: OutputSentinel.OutputSentinel
  readonly tool: string
  readonly marker: string
  readonly sink: EventSink["Service"]
  readonly onOutput: (bytes: Buffer) => void
}

interface Supervised {
  readonly terminal: Terminal
  readonly family: ProcessFamily
  readonly output: TerminalOutput.TerminalOutput
  /** Completes when it has exited. */
  readonly exited: Effect.Effect<void>
  /** Completes when it has exited, and all it printed was read. */
  readonly ended: Effect.Effect<void>
  /** Let go of everything; to be called when nobody is left. */
  readonly release: () => void
}

const markFor = (pty: UnixPty) => {
  try {
    return OutputSentinel.open(pty.ptsName)
  } catch (error) {
    pty.destroy()
    throw error
  }
}

/** Take charge of a program in the moment it starts: whatever it does later is noticed. */
const supervise = ({ mark, marker, onOutput, pty, sink, tool }: Started): Supervised => {
  const exited = Deferred.makeUnsafe<AgentExit>()
  const leaderExited = Deferred.makeUnsafe<void>()
  const closed = Deferred.makeUnsafe<void>()
  let failure = Effect.void
  let exit: AgentExit | undefined
  let isOpen = true

  const onDefect = (defect: unknown) => {
    failure = Effect.logError(`The relay failed while reading the output of ${tool}, and ended it.`, Cause.die(defect))
    family.kill()
  }
  const leader = { pid: pty.pid, hasExited: () => exit !== undefined }
  const family = families.found(leader, marker)
  const output = TerminalOutput.open({ pty, mark, sink, onOutput, onDefect })
  const input = TerminalInput.open(pty.fd)

  const close = () => {
    if (!isOpen) return
    isOpen = false
    input.close()
    mark.close()
    pty.destroy()
    output.cut()
    doneSoon(closed, Effect.void)
  }
  const finish = () => doneSoon(exited, Effect.succeed(exit ?? { stderr: [] }))

  pty._emittedClose = true
  // Signals are sent by the family, which knows that a number has not become another program's.
  pty.kill = () => {}
  // Declared as text, but without an encoding it is bytes.
  pty.onData((bytes) => output.push(bytes as unknown as Buffer))
  pty.onExit((how) => {
    exit = toExit(how)
    families.leaderExited(family)
    doneSoon(leaderExited, Effect.void)
    output.end(close, finish)
  })
  // A terminal that breaks is of no use any more; without a listener for that node-pty throws.
  pty.on("error", close)
  pty.on("end", close)
  pty.once("close", close)

  const terminal: Terminal = {
    pid: pty.pid,
    write: (data) =>
      Effect.suspend((): Effect.Effect<void, SendError> =>
        !isOpen ? isGone(tool) : input.write(data) ? Effect.void : doesNotRead(tool)
      ),
    interrupt: Effect.suspend(() => isOpen ? Effect.sync(input.interrupt) : isGone(tool)),
    resize: ({ cols, rows }) => Effect.sync(() => isOpen ? pty.resize(cols, rows) : undefined),
    exit: Effect.tap(Deferred.await(exited), Effect.suspend(() => failure))
  }
  const release = () => {
    families.forget(family)
    close()
    output.flush()
    finish()
  }
  const left = Deferred.await(leaderExited)
  return {
    terminal,
    family,
    output,
    exited: left,
    ended: Effect.andThen(left, Deferred.await(closed)),
    release
  }
}

const doesNotRead = (tool: string) =>
  new CommandRefused({
    reason: `${tool} does not read what is typed, and much waits for it already: try again later`
  })

const isGone = (tool: string) =>
  new AgentFailed({ tool, reason: "it no longer reads its terminal. Open the session again to go on." })

/** With a signal the code means nothing. */
const toExit = ({ exitCode, signal }: { exitCode: number; signal?: number }): AgentExit => {
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0]
  return name === undefined ? { exit_code: exitCode, stderr: [] } : { signal: name, stderr: [] }
}

/** The relay may have been started in a terminal too: what tells of that one is not passed on. */
const withoutTerminal = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !tellsOfTerminal.test(name)))

const tellsOfTerminal =
  /^(TERM|TERMCAP|TERM_PROGRAM.*|TERM_SESSION_ID|COLORTERM|COLUMNS|LINES|WINDOW|WINDOWID|STY|TMUX.*|VTE_.*|KITTY_.*|ITERM_.*|WEZTERM_.*|WT_.*|KONSOLE_.*)$/
