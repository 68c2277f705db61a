/**
 * TerminalOutput: collects a terminal's output and passes it on in few pieces.
 *
 * Output after a pause is passed on at once, because an echo must not wait; what follows is collected for some milliseconds or
 * up to 32 KiB. While the sink is full the terminal is not read, and its program blocks. Output left in the terminal when its
 * program exits is read even if the sink is full, since it is not much.
 */
import type { EventSink } from "../../adapters/Adapter.js"
import type { OutputSentinel } from "./OutputSentinel.js"

/** How long to collect output, in ms, and how much of it, in bytes. */
const gatherMs = 15
const pieceBytes = 32 * 1024
/** Most bytes to read from a program that is ending while the sink is full. */
const farewellBytes = 1024 * 1024
/** How long to wait for the output of an exited program, in ms: somebody may have stopped the terminal. */
const lastOutputMs = 1000

interface Options {
  readonly pty: { readonly pause: () => void; readonly resume: () => void }
  readonly mark: OutputSentinel
  readonly sink: EventSink["Service"]
  readonly onOutput: (bytes: Buffer) => void
  /** Called if `onOutput` or the sink throws: only this program cannot go on. */
  readonly onDefect: (defect: unknown) => void
}

export interface TerminalOutput {
  readonly push: (bytes: Buffer) => void
  /** Keeps reading although the sink is full, because the program is ending. */
  readonly drainToEnd: () => void
  /** The program exited: calls `onRead` when all its output was read, `onHanded` when that was passed on. */
  readonly end: (onRead: () => void, onHanded: () => void) => void
  /** Nothing more can be read. */
  readonly cut: () => void
  /** Passes on what was collected, even if the sink is full. */
  readonly flush: () => void
}

export const open = ({ mark, onDefect, onOutput, pty, sink }: Options): TerminalOutput => {
  let gathered: Array<Buffer> = []
  let size = 0
  let handedAt = -Infinity
  let gathering: NodeJS.Timeout | undefined
  let state: "open" | "ending" | "read" = "open"
  let isHeldUp = false
  let atEnd: { readonly onRead: () => void; readonly onHanded: () => void } | undefined
  let lastOutput: NodeJS.Timeout | undefined

  const hand = (): boolean => {
    clearTimeout(gathering)
    gathering = undefined
    const bytes = Buffer.concat(gathered, size)
    gathered = []
    size = 0
    handedAt = performance.now()
    try {
      return sink.batch(() => {
        for (let at = 0; at < bytes.length; at += pieceBytes) onOutput(bytes.subarray(at, at + pieceBytes))
      })
    } catch (defect) {
      onDefect(defect)
      return true
    }
  }

  const go = () => {
    if (!hand()) holdUp()
    else if (state === "read") atEnd?.onHanded()
  }

  const holdUp = () => {
    isHeldUp = true
    if (state === "open") pty.pause()
    sink.onceDrained(() => {
      isHeldUp = false
      // The last read may have ended in the middle of the marker.
      if (state === "ending") return
      if (state === "open") pty.resume()
      go()
    })
  }

  const push = (bytes: Buffer) => {
    if (state === "read") return
    if (state === "open" && !isHeldUp && size > 0 && size + bytes.length > pieceBytes) go()
    gathered.push(bytes)
    size += bytes.length
    if (state === "ending") return lookForEnd()
    if (isHeldUp) {
      if (size > farewellBytes) pty.pause()
      return
    }
    const waited = performance.now() - handedAt
    if (waited >= gatherMs) go()
    else gathering ??= setTimeout(go, gatherMs - waited)
  }

  const lookForEnd = () => {
    const bytes = Buffer.concat(gathered, size)
    const place = mark.placeIn(bytes)
    gathered = [bytes.subarray(0, place)]
    size = place ?? size
    if (place !== undefined) cut()
  }

  const cut = () => {
    if (state === "read") return
    clearTimeout(lastOutput)
    state = "read"
    atEnd?.onRead()
    if (!isHeldUp) go()
  }

  const end: TerminalOutput["end"] = (onRead, onHanded) => {
    atEnd = { onRead, onHanded }
    if (state === "read") {
      onRead()
      return isHeldUp ? undefined : go()
    }
    state = "ending"
    clearTimeout(gathering)
    lastOutput = setTimeout(cut, lastOutputMs)
    pty.resume()
    mark.print(cut)
  }

  return { push, drainToEnd: () => pty.resume(), end, cut, flush: () => void hand() }
}
