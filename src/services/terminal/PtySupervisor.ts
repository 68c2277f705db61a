/**
 * PtySupervisor: starts programs on terminals, and makes sure that they and everything they started are gone afterwards.
 *
 * It gives the same guarantees as `ProcessSupervisor`, but ends differently: a program gets SIGHUP, as when its window is
 * closed, and is killed if it ignores that. Output of background jobs after their shell's exit is lost. node-pty is native, and
 * is loaded for the first terminal.
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
/** How long closing the scope waits for the last output, in ms. */
const lastOutputMs = 300

/** Members of node-pty on Unix that its types do not declare. */
interface UnixPty extends Pick<IPty, "onData" | "onExit" | "pause" | "pid" | "resize" | "resume"> {
  readonly fd: number
  /** The path of the program's side. */
  readonly ptsName: string
  readonly on: (event: "end" | "error", listener: () => void) => void
  readonly once: (event: "close", listener: () => void) => void
  readonly destroy: () => void
  /** Called by `destroy`, too. */
  kill: () => void
  /** Internal. Once set, an exit is reported when it happens and reading goes on; otherwise both end 200 ms later. */
  _emittedClose: boolean
}

const load = Effect.tryPromise({
  try: () => import("node-pty"),
  catch: (cause) => new TerminalUnavailable({ cause })
})

/** Fails if terminals are not available on this machine. */
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
            reason: "the system has no free terminal. Close some sessions first.",
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
  /** Completes when it has exited and all its output was read. */
  readonly ended: Effect.Effect<void>
  /** Releases everything; call it when no process is left. */
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

/** Takes charge of a program at the moment it starts, so that nothing is missed. */
const supervise = ({ mark, marker, onOutput, pty, sink, tool }: Started): Supervised => {
  const exited = Deferred.makeUnsafe<AgentExit>()
  const leaderExited = Deferred.makeUnsafe<void>()
  const closed = Deferred.makeUnsafe<void>()
  let failure = Effect.void
  let exit: AgentExit | undefined
  let isOpen = true

  const onDefect = (defect: unknown) => {
    failure = Effect.logError(
      `The relay failed while reading the output of ${tool}, and ended it.`,
      Cause.die(defect)
    )
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
  // The family sends signals: it knows whether a pid was reused.
  pty.kill = () => {}
  // Declared as a string, but without an encoding it is bytes.
  pty.onData((bytes) => output.push(bytes as unknown as Buffer))
  pty.onExit((how) => {
    exit = toExit(how)
    families.leaderExited(family)
    doneSoon(leaderExited, Effect.void)
    output.end(close, finish)
  })
  // A broken terminal is useless, and without a listener node-pty throws.
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
    reason: `${tool} is not reading its input, and too much is waiting already: try again later`
  })

const isGone = (tool: string) =>
  new AgentFailed({ tool, reason: "it no longer reads its terminal. Open the session again to continue." })

/** After a signal, the exit code means nothing. */
const toExit = ({ exitCode, signal }: { exitCode: number; signal?: number }): AgentExit => {
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0]
  return name === undefined ? { exit_code: exitCode, stderr: [] } : { signal: name, stderr: [] }
}

/** Drops variables that describe the terminal in which the relay itself was started. */
const withoutTerminal = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !tellsOfTerminal.test(name)))

const tellsOfTerminal =
  /^(TERM|TERMCAP|TERM_PROGRAM.*|TERM_SESSION_ID|COLORTERM|COLUMNS|LINES|WINDOW|WINDOWID|STY|TMUX.*|VTE_.*|KITTY_.*|ITERM_.*|WEZTERM_.*|WT_.*|KONSOLE_.*)$/
