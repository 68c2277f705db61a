/** SessionFiles: the files of a session's journal, oldest first. Together they contain its frames without a gap. */
import { existsSync, readdirSync } from "node:fs"
import type { EventStore } from "../log/EventStore.js"
import type { Batch } from "../log/frames.js"
import * as Segment from "./Segment.js"

/** The existing files. Changes nothing. */
export const open = (folder: string): Array<Segment.Segment> => {
  const firsts = readdirSync(folder)
    .flatMap((name) => Segment.firstOf(name) ?? [])
    .toSorted((left, right) => left - right)
  return firsts.map((first, index) => {
    const next = firsts[index + 1]
    return next === undefined ? Segment.newest(folder, first) : Segment.whole(folder, first, next - 1)
  })
}

/** Some of the frames after `seq`. */
export const read = (segments: ReadonlyArray<Segment.Segment>, seq: number): Batch | undefined => {
  for (const segment of segments) {
    const batch = Segment.read(segment, seq)
    if (batch !== undefined) return batch
  }
  return undefined
}

/** A read-only view of a session's frames that does not disturb their writer. Files that are deleted meanwhile have none. */
export const view = (folder: string): Pick<EventStore, "firstSeq" | "lastSeq" | "read"> => {
  const segments = open(folder)
  const last = segments.at(-1)?.last ?? 0
  return {
    firstSeq: () => segments[0]?.first ?? 1,
    lastSeq: () => last,
    read: (seq) => read(segments.filter(({ file, last }) => last > seq && existsSync(file)), seq)
  }
}
