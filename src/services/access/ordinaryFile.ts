/**
 * ordinaryFile: safely reads files whose name or folder is chosen by others.
 *
 * Reading a pipe would block one of Node's four file threads forever; a device or a huge file would fill the memory. So the
 * file is opened without blocking and without following links, and checked before it is read.
 */
import { Effect, Layer } from "effect"
import { constants } from "node:fs"
import { open } from "node:fs/promises"
import { TranscriptFile, TranscriptUnreadable } from "../../adapters/replay/TranscriptFile.js"

/** In bytes: four files of a session's journal. */
export const longestTranscript = 64 * 1024 * 1024

const refuse = (reason: string) => new TranscriptUnreadable({ reason })

const read = Effect.fn("TranscriptFile.read")(function*(file: string) {
  return yield* Effect.scoped(Effect.gen(function*() {
    const handle = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW),
        catch: () => refuse("cannot be read: check that it is a file that the relay may read")
      }),
      (handle) => Effect.promise(() => handle.close().catch(() => {}))
    )
    const unreadable = () => refuse("cannot be read: its disk fails")
    const stat = yield* Effect.tryPromise({ try: () => handle.stat(), catch: unreadable })
    if (!stat.isFile()) {
      return yield* refuse("cannot be read: it is not a regular file; name a recorded one")
    }
    if (stat.size > longestTranscript) {
      return yield* refuse(
        `cannot be read: it has ${stat.size} bytes, and at most ${longestTranscript} can be replayed: cut it at the end of a line`
      )
    }
    // Not more than was checked, in case it grows meanwhile.
    const bytes = Buffer.alloc(stat.size)
    let filled = 0
    while (filled < bytes.length) {
      const { bytesRead } = yield* Effect.tryPromise({
        try: () => handle.read(bytes, filled, bytes.length - filled, filled),
        catch: unreadable
      })
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.toString("utf8", 0, filled)
  }))
})

export const layerTranscripts = Layer.succeed(TranscriptFile, { read })
