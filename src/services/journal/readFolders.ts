/**
 * readFolders: reads the folders of sessions without delaying anybody: a few at once, in slices; many in a thread of their own,
 * where a slow disk stops nothing else. Asking Node for each file in the background costs nine times the CPU of reading it.
 */
import { Cause, Data, Effect, Queue } from "effect"
import { Worker } from "node:worker_threads"
import { folderThreadSource } from "./folderThreadSource.js"
import * as SessionFolder from "./SessionFolder.js"

/** Fewer folders are read before a thread has started. */
const worthThread = 500
/** Folders per message. */
const together = 32

class ThreadFailed extends Data.TaggedError("ThreadFailed")<{ readonly cause: unknown }> {}

interface Options {
  /** The folder of all sessions. */
  readonly folder: string
  readonly asked: ReadonlyArray<SessionFolder.Asked>
  /** Takes what is found, in order; what is as it was is left out. May be called again for the same folders. */
  readonly use: (found: ReadonlyArray<SessionFolder.SessionFolder>) => Effect.Effect<void>
  /** Run after each folder that is read here. */
  readonly pause: Effect.Effect<void>
  /** The thread's program; for tests. */
  readonly source?: string | undefined
}

const readHere = Effect.fnUntraced(function*({ asked, folder, pause, use }: Options) {
  for (const one of asked) {
    const found = SessionFolder.read(folder, one)
    if (found !== undefined) yield* use([found])
    yield* pause
  }
})

const readInThread = (source: string, { asked, folder, use }: Omit<Options, "source">) =>
  Effect.scoped(Effect.gen(function*() {
    const answers = yield* Queue.unbounded<ReadonlyArray<SessionFolder.SessionFolder>, ThreadFailed>()
    const fail = (cause: unknown) =>
      void Queue.failCauseUnsafe(answers, Cause.fail(new ThreadFailed({ cause })))
    const thread = yield* Effect.acquireRelease(
      Effect.try({
        try: () => new Worker(source, { eval: true, workerData: folder, env: {}, execArgv: [] }),
        catch: (cause) => new ThreadFailed({ cause })
      }),
      (thread) => Effect.promise(() => thread.terminate())
    )
    thread.on("message", (found) => void Queue.offerUnsafe(answers, found))
    thread.on("error", fail)
    thread.on("exit", fail)
    let sent = 0
    const send = () => {
      if (sent < asked.length) thread.postMessage(asked.slice(sent, sent + together))
      sent += together
    }
    send()
    for (let at = 0; at < asked.length; at += together) {
      // The next ones are read while these are used.
      send()
      yield* use(yield* Queue.take(answers))
    }
  }))

export const readFolders = ({ source = folderThreadSource, ...options }: Options): Effect.Effect<void> =>
  source === undefined || options.asked.length < worthThread
    ? readHere(options)
    // There may be no memory for a thread, for example.
    : Effect.catch(readInThread(source, options), () => readHere(options))
