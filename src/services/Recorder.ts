/**
 * Recorder: writes sessions to transcript files when the relay was started with `--record`.
 *
 * A transcript is a session's events as ndjson, one file per session (`<session_id>.ndjson`, mode 0600), secrets
 * replaced. It can be replayed: `{"tool":"replay","command":["FILE"]}`. Recording follows the log like any client; it
 * ends with the session, and the relay does not go down before the last line is written.
 */
import { Context, Effect, FiberSet, FileSystem, Layer, Path, Stream } from "effect"
import type { EventLog } from "./EventLog.js"
import { makeRedact } from "./redact.js"
import { RelayConfig } from "./RelayConfig.js"

export class Recorder extends Context.Service<Recorder, {
  /** Begin to write this session's transcript, if recording is on. */
  readonly record: (log: EventLog["Service"]) => Effect.Effect<void>
}>()("ai-relay/services/Recorder") {
  static readonly layer = Layer.unwrap(Effect.map(RelayConfig, ({ record }) =>
    record === undefined
      ? Layer.succeed(this, { record: () => Effect.void })
      : Layer.effect(this, make(record))))
}

const make = Effect.fnUntraced(function*(folder: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const redact = makeRedact(process.env)
  yield* files.makeDirectory(folder, { recursive: true, mode: 0o700 })

  const fibers = yield* FiberSet.make<void>()
  yield* Effect.addFinalizer(() => FiberSet.awaitEmpty(fibers))

  const write = (log: EventLog["Service"]) => {
    const file = path.join(folder, `${log.session_id}.ndjson`)
    return log.batches(0).pipe(
      Stream.map(({ bytes }) => redact(bytes.toString("utf8"))),
      Stream.encodeText,
      Stream.run(files.sink(file, { flag: "a", mode: 0o600 })),
      Effect.catchCause((cause) =>
        Effect.logError(`The transcript ${file} could not be written; the session goes on.`, cause)
      )
    )
  }

  return Recorder.of({ record: (log) => Effect.asVoid(FiberSet.run(fibers, write(log))) })
})
