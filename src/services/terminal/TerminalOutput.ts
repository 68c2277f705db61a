/**
 * TerminalOutput: gathers what a terminal prints, and hands it on in few pieces.
 *
 * What comes after a pause goes on at once, because an echo must not wait; what follows is gathered for some
 * milliseconds or up to 32 KiB. While the sink has enough the terminal is not read, and its program blocks. What a
 * program left in its terminal when it exited is taken in, whatever the sink says: that is not much.
 */
import type { EventSink } from "../../adapters/Adapter.js"
import type { OutputSentinel } from "./OutputSentinel.js"

/** How long output is gathered, in ms, and how much of it, in bytes. */
const gatherMs = 15
const pieceBytes = 32 * 1024
/** How much is taken in of a program that is to end, while the sink has enough. */
const farewellBytes = 1024 * 1024
/** How long it is waited for what an exited program printed, in ms: somebody may have stopped the terminal's output. */
const lastOutputMs = 1000

interface Options {
  readonly pty: { readonly pause: () => void; readonly resume: () => void }
  readonly mark: OutputSentinel
  readonly sink: EventSink["Service"]
  readonly onOutput: (bytes: Buffer) => void
  /** `onOutput` or the sink threw: this program cannot go on, all others can. */
  readonly onDefect: (defect: unknown) => void
}

export interface TerminalOutput {
  readonly push: (bytes: Buffer) => void
  /** Read on though the sink has enough: the program is to end. */
  readonly drainToEnd: () => void
  /** The program exited: `onRead` is called when all it printed was read, `onHanded` when that was handed on. */
  readonly end: (onRead: () => void, onHanded: () => void) => void
  /** There is no more to read. */
  readonly cut: () => void
  /** Hand on what is there, whether the sink has enough or not. */
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
      // It may be read up to the middle of the mark.
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
