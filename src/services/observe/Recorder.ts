/**
 * Recorder: writes transcripts of sessions to files (`--record`).
 *
 * A transcript is a session's events as ndjson, one file per session (`<session_id>.ndjson`, mode 0600), with secrets replaced.
 * It can be replayed: `{"tool":"replay","command":["FILE"]}`. The recorder follows the log like any client. It ends with the
 * session, and the relay does not exit before the last line is written. Agents may be able to write to the folder, so links
 * and anything else that is not the relay's own file are never written to.
 */
import { Context, Effect, Fiber, FiberSet, Layer, Path, Redacted, Schema, Semaphore, Stream } from "effect"
import { appendFile, closeSync, constants, fchmodSync, fstatSync, openSync, readSync } from "node:fs"
import { messageOf } from "../../schema/messageOf.js"
import * as Redact from "../access/redact.js"
import * as RedactPieces from "../access/redactPieces.js"
import { createFolder } from "../disk/createFolder.js"
import type { EventLog } from "../log/EventLog.js"
import { relayEnvironment } from "../process/AgentEnvironment.js"
import { RelayConfig, type Settings } from "../RelayConfig.js"

export interface RecordOptions {
  /** The last `seq` before this opening: what the file already contains is not written again. */
  readonly since?: number
  /** The handshake's variables; values whose name suggests a secret are removed. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** More values to remove. */
  readonly secrets?: ReadonlyArray<string>
}

export class Recorder extends Context.Service<Recorder, {
  /** Starts writing this session's transcript, if recording is on. */
  readonly record: (log: EventLog["Service"], options?: RecordOptions) => Effect.Effect<void>
}>()("ai-relay/services/Recorder") {
  static readonly layer = Layer.unwrap(
    Effect.map(RelayConfig, (settings) =>
      settings.record === undefined
        ? Layer.succeed(this, { record: () => Effect.void })
        : Layer.effect(this, make(settings.record, settings)))
  )
}

/** The existing file is not the relay's own. */
/** The folder for transcripts cannot be made. */
export class RecordingFailed extends Schema.TaggedError<RecordingFailed>()("RecordingFailed", {
  folder: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `transcripts cannot be written to ${this.folder} (${this.reason}): name a folder that this user can write to, or `
      + "one that can be made, with --record"
  }
}

class NotOurs extends Schema.TaggedError<NotOurs>()("NotOurs", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** How long a delta that may be the start of a secret waits for the next one. */
const patience = "2 seconds"
const lastBytes = 256 * 1024
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants

/** Opens the file for appending if it belongs to this user, and sets its mode to 0600. Never blocks. */
const openOwn = (file: string): number => {
  const fd = openSync(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  try {
    const stat = fstatSync(fd)
    const isOurs = process.getuid === undefined || stat.uid === process.getuid()
    if (stat.isFile() && isOurs && stat.nlink === 1) {
      fchmodSync(fd, 0o600)
      return fd
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
  closeSync(fd)
  throw new NotOurs({ reason: "it is a link, or does not belong to the relay's user: remove it" })
}

/** The `seq` of the last line; 0 if there is none or it is torn. */
const lastSeqIn = (fd: number): number => {
  const { size } = fstatSync(fd)
  const buffer = Buffer.alloc(Math.min(size, lastBytes))
  readSync(fd, buffer, 0, buffer.length, size - buffer.length)
  const line = buffer.toString("utf8").split("\n").at(-2)
  try {
    const { seq }: { readonly seq?: unknown } = JSON.parse(line ?? "{}")
    return typeof seq === "number" ? seq : 0
  } catch {
    return 0
  }
}

const append = (fd: number, text: string) =>
  text === "" ? Effect.void : Effect.callback<void, Error>((resume) => {
    appendFile(fd, text, (error) => resume(error === null ? Effect.void : Effect.fail(error)))
  })

const make = Effect.fnUntraced(function*(folder: string, { secrets = [] }: Settings) {
  const path = yield* Path.Path
  yield* Effect.try({
    try: () => createFolder(folder),
    catch: (cause) => new RecordingFailed({ folder, reason: messageOf(cause) })
  })

  const fibers = yield* FiberSet.make<void>()
  yield* Effect.addFinalizer(() => FiberSet.awaitEmpty(fibers))

  const write = Effect.fnUntraced(
    function*(file: string, log: EventLog["Service"], options: RecordOptions) {
      const { env = {}, since = 0 } = options
      const fd = yield* Effect.acquireRelease(
        Effect.try({ try: () => openOwn(file), catch: (cause) => cause }),
        (fd) => Effect.sync(() => closeSync(fd))
      )
      const redactor = Redact.make({
        env: [relayEnvironment(), env],
        values: [...secrets.map(Redacted.value), ...options.secrets ?? []]
      })
      const transcript = RedactPieces.make(redactor)
      const known = yield* Effect.try({ try: () => lastSeqIn(fd), catch: (cause) => cause })
      const turn = yield* Semaphore.make(1)
      const scope = yield* Effect.scope
      let letGo: Fiber.Fiber<unknown, unknown> | undefined
      yield* log.batches(Math.min(since, known)).pipe(
        Stream.runForEach(({ bytes }) =>
          Effect.gen(function*() {
            if (letGo !== undefined) yield* Fiber.interrupt(letGo)
            yield* turn.withPermits(1)(
              Effect.suspend(() => append(fd, transcript.feed(bytes.toString("utf8"))))
            )
            letGo = transcript.isHolding()
              ? yield* turn.withPermits(1)(Effect.suspend(() => append(fd, transcript.flush()))).pipe(
                Effect.uninterruptible,
                Effect.delay(patience),
                Effect.ignore,
                Effect.forkIn(scope)
              )
              : undefined
          })
        )
      )
      yield* turn.withPermits(1)(Effect.suspend(() => append(fd, transcript.flush())))
    },
    Effect.scoped
  )

  const record = (log: EventLog["Service"], options: RecordOptions = {}) => {
    const file = path.join(folder, `${log.session_id}.ndjson`)
    return write(file, log, options).pipe(
      Effect.catchCause((cause) =>
        Effect.logError(`The transcript ${file} could not be written; the session goes on.`, cause)
      )
    )
  }

  return Recorder.of({ record: (log, options) => Effect.asVoid(FiberSet.run(fibers, record(log, options))) })
})
