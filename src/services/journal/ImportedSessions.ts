/**
 * ImportedSessions: writes recorded sessions into a state folder as saved sessions.
 *
 * A relay may be using the folder. So each session is written completely in a folder beside the sessions, and then moved into
 * place by one rename, which fails if a session with that id has appeared meanwhile. Nobody ever sees half a session, and a
 * kill leaves only that folder, which the next import removes. A running relay lists the session at its next look.
 *
 * `import.json` beside the events remembers what was imported, so that it is not imported twice.
 */
import { Effect, Layer, Option, Schema } from "effect"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { type EventBody, Handshake, RequestId, type SessionId } from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
import { createFolder } from "../disk/createFolder.js"
import * as EventLog from "../log/EventLog.js"
import type { SessionSummary } from "../log/SessionSummary.js"
import { RelayConfig } from "../RelayConfig.js"
import { Journal } from "./Journal.js"
import * as SessionRecord from "./SessionRecord.js"

/** A recorded session, and the id to save it under. */
export interface Recording {
  readonly session_id: SessionId
  /** Who recorded it, for people. */
  readonly by: string
  readonly tool?: string
  readonly folder?: string
  readonly model?: string
  /** Identifies the recording: the same for the same lines. */
  readonly digest: string
  readonly events: ReadonlyArray<{ readonly event: EventBody; readonly ts: number; readonly raw?: string }>
}

/** The result of an import, or of looking at one. */
export type Outcome =
  | { readonly _tag: "New" }
  /** The same recording was imported before. */
  | { readonly _tag: "Imported" }
  /** The session itself is saved here: the file is this relay's own recording or export. */
  | { readonly _tag: "Kept" }
  /** Another session has this id, or a shorter version of this one. */
  | { readonly _tag: "Taken"; readonly isEarlier: boolean }

/** The state folder cannot be written. */
export class ImportFailed extends Schema.TaggedError<ImportFailed>()("ImportFailed", {
  folder: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.folder} cannot be written (${this.reason}): free some space or fix its permissions, or use another folder with --state-dir`
  }
}

const Imported = Schema.Struct({ digest: Schema.String, events: Schema.Number })
const decodeImported = Schema.decodeUnknownOption(Schema.fromJsonString(Imported))
const importedFile = "import.json"

const readImported = (files: string) => {
  try {
    return Option.getOrUndefined(decodeImported(readFileSync(join(files, importedFile), "utf8")))
  } catch {
    // It was not imported.
    return undefined
  }
}

/** Events per batch; the disk is waited for after each. */
const atOnce = 500
/** How much the times of the same event may differ by rounding, in seconds. */
const sameMoment = 0.002

/** Sessions are written to a folder `import-PID-STARTED`, beside the sessions' folder, before they are moved into place. */
const workPrefix = "import-"

const removeLeftovers = (state_dir: string) => {
  for (const name of existsSync(state_dir) ? readdirSync(state_dir) : []) {
    if (!name.startsWith(workPrefix) || SessionRecord.isRelayAlive(name.slice(workPrefix.length))) continue
    rmSync(join(state_dir, name), { recursive: true, force: true })
  }
}

/** Settles what was open when the recording ended. */
const settle = (
  log: EventLog.EventLog["Service"],
  { open_turn, pending, queued }: SessionSummary,
  ts: number
) => {
  const metadata = { reason: "recording_ends" }
  for (const request_id of pending) {
    log.unsafeAppendAt({
      type: "permission_cancelled",
      request_id: RequestId.make(request_id),
      text: "The recording ended before anybody answered.",
      metadata
    }, ts)
  }
  for (const message_id of queued) {
    log.unsafeAppendAt({ type: "input_ack", status: "cancelled", message_id, metadata }, ts)
  }
  if (open_turn === undefined) return
  log.unsafeAppendAt({ type: "turn_end", stop_reason: "cancelled", metadata }, ts)
}

const append = (log: EventLog.EventLog["Service"], events: Recording["events"]) =>
  Effect.gen(function*() {
    for (let at = 0; at < events.length; at += atOnce) {
      log.unsafeBatch(() => {
        for (const { event, raw, ts } of events.slice(at, at + atOnce)) {
          log.unsafeAppendAt(event, ts, raw === undefined ? undefined : Buffer.from(raw))
        }
      })
      yield* Effect.callback<void>((resume) => log.unsafeOnceDrained(() => resume(Effect.void)))
    }
  })

/**
 * Removes permission mode and `on_limit` from an imported session. The client that opens it decides these anew, because a file
 * from elsewhere must not grant anything.
 */
const withoutGrants = (files: string) => {
  const path = join(files, "meta.json")
  const {
    handshake,
    summary: { model: _model, on_limit: _limit, permission_mode: _mode, ...summary },
    ...rest
  } = JSON
    .parse(
      readFileSync(path, "utf8")
    ) as SessionRecord.SessionRecord // It was written a moment ago.
  writeFileSync(path, SessionRecord.encode({ ...rest, handshake, summary }), { mode: 0o600 })
}

/** No bounds: imported sessions are saved completely. */
const unbounded = {
  journal_bytes: Number.MAX_SAFE_INTEGER,
  journal_events: Number.MAX_SAFE_INTEGER,
  journal_total_bytes: Number.MAX_SAFE_INTEGER,
  journal_days: Number.MAX_SAFE_INTEGER
}

const handshakeOf = Schema.decodeUnknownSync(Handshake)

export interface ImportedSessions {
  /** What importing this recording would do. */
  readonly look: (recording: Pick<Recording, "session_id" | "digest" | "events">) => Outcome
  /** Saves the recording if it is new. */
  readonly keep: (recording: Recording) => Effect.Effect<Outcome, ImportFailed>
}

export const make = (state_dir: string): ImportedSessions => {
  const sessions = SessionRecord.folderIn(state_dir)
  const failed = (cause: unknown) => new ImportFailed({ folder: state_dir, reason: messageOf(cause) })

  const look: ImportedSessions["look"] = ({ digest, events, session_id }) => {
    const files = SessionRecord.filesOf(sessions, session_id)
    if (!existsSync(files)) return { _tag: "New" }
    const imported = readImported(files)
    if (imported?.digest === digest) return { _tag: "Imported" }
    const kept = Option.getOrUndefined(SessionRecord.read(sessions, session_id))
    const began = events[0]?.ts
    const isSame = kept !== undefined && began !== undefined
      && Math.abs(kept.summary.created_at - began) < sameMoment
    // It contains the whole recording, and perhaps more.
    if (isSame && kept.summary.last_seq >= events.length) return { _tag: "Kept" }
    return { _tag: "Taken", isEarlier: isSame }
  }

  const write = Effect.fnUntraced(function*(work: string, recording: Recording) {
    const { by, digest, events, folder, model, session_id, tool } = recording
    const journal = yield* Journal
    const handshake = handshakeOf({
      session_id,
      ...(tool !== undefined && tool !== "" && { tool }),
      ...(folder !== undefined && folder !== "" && { folder }),
      ...(model !== undefined && model !== "" && { model })
    })
    yield* Effect.scoped(Effect.gen(function*() {
      const log = yield* EventLog.make(session_id, yield* journal.open(session_id, handshake))
      yield* append(log, events)
      log.unsafeBatch(() => {
        settle(log, log.summary(), events.at(-1)?.ts ?? 0)
        // Dated now, or an old session would soon be deleted as unused.
        log.unsafeAppend({
          type: "status",
          status: "imported",
          text: `Imported: ${events.length} events recorded by ${by}.`,
          metadata: { events: events.length, by, digest }
        })
      })
      yield* log.close
    }))
    const files = SessionRecord.filesOf(work, session_id)
    yield* Effect.try({
      try: () => {
        const trouble = journal.trouble()
        if (trouble !== undefined) throw new Error(trouble)
        withoutGrants(files)
        writeFileSync(join(files, importedFile), `${JSON.stringify({ digest, events: events.length })}\n`, {
          mode: 0o600
        })
      },
      catch: failed
    })
    return files
  })

  const keep = Effect.fn("ImportedSessions.keep")(function*(recording: Recording) {
    const outcome = look(recording)
    if (outcome._tag !== "New") return outcome
    const work = join(state_dir, `${workPrefix}${SessionRecord.relayName()}`)
    const place = SessionRecord.filesOf(sessions, recording.session_id)
    return yield* Effect.acquireUseRelease(
      Effect.try({
        try: () => {
          createFolder(sessions)
          removeLeftovers(state_dir)
          rmSync(work, { recursive: true, force: true })
          mkdirSync(work, { mode: 0o700 })
        },
        catch: failed
      }),
      () =>
        Effect.gen(function*() {
          const files = yield* write(work, recording).pipe(
            Effect.provide(
              Journal.layerDisk(work).pipe(Layer.provide(RelayConfig.layer({ ...unbounded, state_dir })))
            ),
            Effect.scoped,
            Effect.mapError(failed)
          )
          return yield* Effect.try({
            try: (): Outcome => {
              try {
                renameSync(files, place)
                return outcome
              } catch (cause) {
                // A session with this id has appeared meanwhile.
                if (existsSync(place) && statSync(place).isDirectory()) {
                  return { _tag: "Taken", isEarlier: false }
                }
                throw cause
              }
            },
            catch: failed
          })
        }),
      () => Effect.sync(() => rmSync(work, { recursive: true, force: true }))
    )
  })

  return { look, keep }
}
