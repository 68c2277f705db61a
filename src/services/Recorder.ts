/**
 * Recorder: writes sessions to transcript files when the relay was started with `--record`.
 *
 * A transcript is a session's events as ndjson, one file per session (`<session_id>.ndjson`, mode 0600), secrets
 * replaced. It can be replayed: `{"tool":"replay","command":["FILE"]}`. Recording follows the log like any client; it
 * ends with the session, and the relay does not go down before the last line is written.
 */
import { FileSystem, Path } from "@effect/platform"
import { Context, Effect, FiberSet, Layer, Stream } from "effect"
import type { EventLog } from "./EventLog.js"
import { makeRedact } from "./redact.js"
import { RelayConfig } from "./RelayConfig.js"

export class Recorder extends Context.Tag("ai-relay/services/Recorder")<Recorder, {
  /** Begin to write this session's transcript, if recording is on. */
  readonly record: (log: Context.Tag.Service<EventLog>) => Effect.Effect<void>
}>() {
  static readonly layer = Layer.unwrapEffect(Effect.map(RelayConfig, ({ record }) =>
    record === undefined
      ? Layer.succeed(this, { record: () => Effect.void })
      : Layer.scoped(this, make(record))))
}

const make = Effect.fnUntraced(function*(folder: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const redact = makeRedact(process.env)
  yield* files.makeDirectory(folder, { recursive: true, mode: 0o700 })

  const fibers = yield* FiberSet.make<void>()
  yield* Effect.addFinalizer(() => FiberSet.awaitEmpty(fibers))

  const write = (log: Context.Tag.Service<EventLog>) => {
    const file = path.join(folder, `${log.session_id}.ndjson`)
    return log.batches(0).pipe(
      Stream.map(({ bytes }) => redact(bytes.toString("utf8"))),
      Stream.encodeText,
      Stream.run(files.sink(file, { flag: "a", mode: 0o600 })),
      Effect.catchAllCause((cause) =>
        Effect.logError(`The transcript ${file} could not be written; the session goes on.`, cause)
      )
    )
  }

  return Recorder.of({ record: (log) => Effect.asVoid(FiberSet.run(fibers, write(log))) })
})
