/**
 * pumpLines: passes a process's output to the sink line by line, with the lines of a chunk as one batch.
 *
 * This is the hot path: callbacks, no fiber. While the sink is full the pipe is not read; it fills, and the process blocks in
 * its write, so nothing is lost and nothing piles up. A process that never stops printing yields after every 64 KiB.
 */
import type { Readable } from "node:stream"
import type { EventSink } from "../../adapters/Adapter.js"
import { LineSplitter } from "../../adapters/wire/NdJson.js"
import { countRead } from "./warmUp.js"

interface Pump {
  readonly pipe: Readable
  readonly sink: EventSink["Service"]
  readonly onLine: (line: Buffer) => void
  /** Longer lines are cut. */
  readonly maxLineBytes: number
  /** Called if `onLine` or the sink throws: only this process cannot go on. */
  readonly onDefect: (defect: unknown) => void
}

const fairShare = 64 * 1024

/** Starts pumping. Gives a function to call when everything was read, which passes on a last line without a newline. */
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
    countRead()
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
