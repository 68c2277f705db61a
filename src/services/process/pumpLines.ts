/**
 * pumpLines: hands what a process prints to the sink, line by line, a chunk's lines as one batch.
 *
 * This is the hot path: callbacks, no fiber. While the sink has enough the pipe is not read; it fills, and the process
 * blocks in its write: nothing is lost and nothing piles up. A process that never stops printing gives way to its
 * neighbours after every 64 KiB.
 */
import type { Readable } from "node:stream"
import type { EventSink } from "../../adapters/Adapter.js"
import { LineSplitter } from "../../adapters/wire/NdJson.js"

interface Pump {
  readonly pipe: Readable
  readonly sink: EventSink["Service"]
  readonly onLine: (line: Buffer) => void
  /** Longer lines are cut. */
  readonly maxLineBytes: number
  /** `onLine` or the sink threw: this one process cannot go on, all others can. */
  readonly onDefect: (defect: unknown) => void
}

const fairShare = 64 * 1024

/** Start pumping. To be called when all is read: what is answered hands on a last line that lacks its newline. */
export const pumpLines = ({ maxLineBytes, onDefect, onLine, pipe, sink }: Pump): () => void => {
  const splitter = new LineSplitter(onLine, maxLineBytes)
  let taken = 0

  const go = () => {
    pipe.resume()
  }
  const hand = (write: () => void): boolean => {
    try {
      return sink.batch(write)
    } catch (defect) {
      onDefect(defect)
      return true
    }
  }

  pipe.on("data", (chunk: Buffer) => {
    taken += chunk.length
    if (!hand(() => splitter.push(chunk))) {
      pipe.pause()
      sink.onceDrained(go)
    } else if (taken >= fairShare) {
      taken = 0
      pipe.pause()
      setImmediate(go)
    }
  })
  return () => {
    hand(() => splitter.end())
  }
}
