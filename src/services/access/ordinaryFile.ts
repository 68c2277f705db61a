/**
 * ordinaryFile: reads files whose names, or whose folders, others decide on.
 *
 * A pipe would be waited for in one of Node's four threads for files, for ever; a device or a file of gigabytes would fill
 * the memory. So the file is opened without waiting and without following a link, and looked at before it is read.
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
        catch: () => refuse("cannot be read: check that it is a file the relay may read")
      }),
      (handle) => Effect.promise(() => handle.close().catch(() => {}))
    )
    const unreadable = () => refuse("cannot be read: its disk fails")
    const stat = yield* Effect.tryPromise({ try: () => handle.stat(), catch: unreadable })
    if (!stat.isFile()) {
      return yield* refuse("cannot be read: it is no ordinary file; name one that was recorded")
    }
    if (stat.size > longestTranscript) {
      return yield* refuse(
        `cannot be read: it has ${stat.size} bytes, and ${longestTranscript} may be played: cut it at a line's end`
      )
    }
    // No more than was looked at, should it grow meanwhile.
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
