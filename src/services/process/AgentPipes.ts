/**
 * AgentPipes: an agent's stdin, stdout and stderr.
 *
 * Every line of stdout goes to `onLine`. Every line of stderr is logged as an event, and the last ones are kept to explain an
 * exit. Writing waits while the agent does not read, and fails once it is gone. Nothing is dropped while the pipes are open.
 */
import { Effect } from "effect"
import type { Readable, Writable } from "node:stream"
import { stripVTControlCharacters } from "node:util"
import type { AgentExit, AgentProcess, EventSink } from "../../adapters/Adapter.js"
import { AgentFailed } from "../../adapters/AdapterError.js"
import { maxLineBytes } from "../../adapters/wire/NdJson.js"
import { pumpLines } from "./pumpLines.js"

const maxStderrLineBytes = 64 * 1024
/** How many lines of stderr are kept, and how much of each. */
const keptLines = 20
const keptLength = 1000

export interface AgentPipes {
  readonly writeLine: AgentProcess["writeLine"]
  readonly endInput: () => void
  /** Whether lines wait in the pipes because the sink is full. */
  readonly areHeldUp: () => boolean
  /** Completes when everything was read. */
  readonly closed: Effect.Effect<void>
  /** Passes on a last line without a newline. Gives the last lines of stderr. */
  readonly finish: () => AgentExit["stderr"]
  readonly destroy: () => void
}

interface Options {
  readonly tool: string
  readonly child: { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable }
  readonly sink: EventSink["Service"]
  readonly onLine: (line: Buffer) => void
  /** `onLine` or the sink threw. */
  readonly onDefect: (defect: unknown) => void
}

export const open = ({ child, onDefect, onLine, sink, tool }: Options): AgentPipes => {
  const { stderr, stdin, stdout } = child
  const kept: Array<string> = []

  const onStderrLine = (line: Buffer) => {
    const text = stripVTControlCharacters(line.toString())
    if (text === "") return
    sink.emit({ type: "stderr", text })
    kept.push(text.slice(0, keptLength))
    if (kept.length > keptLines) kept.shift()
  }

  const finishStdout = pumpLines({ pipe: stdout, sink, onLine, maxLineBytes, onDefect })
  const finishStderr = pumpLines({
    pipe: stderr,
    sink,
    onLine: onStderrLine,
    maxLineBytes: maxStderrLineBytes,
    onDefect
  })
  // A broken pipe means that the agent is gone, which its exit and the writer report anyway.
  for (const pipe of [stdin, stdout, stderr]) pipe.on("error", () => {})

  const gone = () =>
    new AgentFailed({ tool, reason: "it no longer reads its input. Open the session again to continue." })
  const writeLine = (line: string) =>
    Effect.callback<void, AgentFailed>((resume) => {
      stdin.write(`${line}\n`, (error) => resume(error || stdin.destroyed ? gone() : Effect.void))
    })

  return {
    writeLine,
    endInput: () => void stdin.end(),
    areHeldUp: () => stdout.isPaused() || stderr.isPaused(),
    closed: Effect.andThen(closeOf(stdout), closeOf(stderr)),
    finish: () => {
      finishStdout()
      finishStderr()
      return kept
    },
    destroy: () => [stdin, stdout, stderr].forEach((pipe) => pipe.destroy())
  }
}

const closeOf = (pipe: Readable): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const onClose = () => resume(Effect.void)
    if (pipe.closed) return onClose()
    pipe.once("close", onClose)
    return Effect.sync(() => void pipe.off("close", onClose))
  })
