/**
 * SessionRecord: the contents of `meta.json`: how a session was opened, without secrets, and how it went.
 *
 * It is written only now and then. The frames have what it lacks, and can replace it if it is lost.
 */
import { Effect, Option, Schema, Struct } from "effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import {
  type Handshake,
  HandshakeFields,
  isSessionId,
  type RelayEvent,
  type SessionId
} from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
import { readRegular } from "../disk/regularFile.js"
import type { EventStore } from "../log/EventStore.js"
import { lastSeqOf, textsOf } from "../log/frames.js"
import * as SessionSummary from "../log/SessionSummary.js"
import { procSource } from "../process/ProcessTree.js"
import * as Segment from "./Segment.js"
import * as SessionFiles from "./SessionFiles.js"

const opener = {
  /** The relay that has it open. */
  pid: Schema.optionalKey(Schema.Number),
  /** When that process started, as the system tells it, since pids are reused. */
  pid_started: Schema.optionalKey(Schema.String)
}

const Opener = Schema.Struct(opener)
export type Opener = typeof Opener.Type

export const SessionRecord = Schema.Struct({
  handshake: HandshakeFields,
  summary: SessionSummary.SessionSummary,
  ...opener
})
export type SessionRecord = typeof SessionRecord.Type

/** What a list needs of it: the rest is for opening the session, and may be long. */
const SessionOutline = Schema.Struct({
  summary: SessionSummary.SessionSummary.mapFields(Struct.omit(["known_prompts"])),
  ...opener
})
export type SessionOutline = typeof SessionOutline.Type

/** The folder of all sessions; each has a folder named after its id in it. */
export const folderIn = (state_dir: string): string => join(state_dir, "sessions")
export const filesOf = (folder: string, session_id: SessionId): string => join(folder, session_id)

/** A handshake that may be written to disk. */
export const withoutSecrets = (
  {
    after_seq: _after,
    env: _env,
    // How it was opened that time.
    follow: _follow,
    fork: _fork,
    history: _history,
    if_open: _open,
    mcp_servers: _servers,
    must_exist: _must,
    front: _front,
    snowflake,
    ticket: _ticket,
    token: _token,
    ...rest
  }: Handshake
): Handshake => {
  const { token: _pat, ...account } = snowflake ?? {}
  return { ...rest, ...(snowflake !== undefined && { snowflake: account }) }
}

// --- which relay has it open -----------------------------------------------------------------------------------------

const processes = process.platform === "linux" ? procSource() : undefined
const startOf = (pid: number): string | undefined => processes?.read?.(pid)?.started

export const thisRelay = (): Opener => {
  const { pid } = process
  const pid_started = startOf(pid)
  return { pid, ...(pid_started !== undefined && { pid_started }) }
}

/** This relay's name, unique among all that ever ran here; see `isRelayAlive`. */
export const relayName = (): string => [process.pid, startOf(process.pid) ?? ""].join("-")

export const isRelayAlive = (name: string): boolean => {
  const [pid, started] = name.split("-")
  return isRunning(Number(pid)) && (startOf(Number(pid)) ?? "") === started
}

export const pidOf = (name: string): number => Number(name.split("-", 1)[0])

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The relay that has this session open, if it is alive. */
export const openedBy = (
  { pid, pid_started }: Opener
): number | undefined =>
  pid !== undefined && isRunning(pid) && (pid_started === undefined || startOf(pid) === pid_started)
    ? pid
    : undefined

// --- reading ---------------------------------------------------------------------------------------------------------

/** These are our own frames, encoded from typed events; undefined for one that was damaged on the disk. */
const eventOf = (frame: string): RelayEvent | undefined => {
  try {
    return JSON.parse(frame) as RelayEvent
  } catch {
    return undefined
  }
}

/**
 * Updates a summary with frames that it lacks, one frame at a time. If it knows more than the frames, which may be lost in a
 * crash of the machine, the frames are right.
 */
const catchUpSteps = function*(
  frames: Pick<EventStore, "lastSeq" | "read">,
  summary: SessionSummary.SessionSummary
): Generator<undefined, SessionSummary.SessionSummary, undefined> {
  let known = summary.last_seq <= frames.lastSeq() ? summary : SessionSummary.reset(summary)
  for (let batch = frames.read(known.last_seq); batch !== undefined; batch = frames.read(known.last_seq)) {
    for (const frame of textsOf(batch)) {
      const found = eventOf(frame)
      if (found !== undefined) {
        const { seq, ts, turn, ...event } = found
        known = SessionSummary.fold(known, event as RelayEvent, seq, ts, turn)
      }
      yield
    }
    known = { ...known, last_seq: lastSeqOf(batch) }
  }
  return known
}

export const catchUp = (
  frames: Pick<EventStore, "lastSeq" | "read">,
  summary: SessionSummary.SessionSummary
): SessionSummary.SessionSummary => {
  const steps = catchUpSteps(frames, summary)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(SessionRecord))
const decodeOutline = Schema.decodeUnknownOption(Schema.fromJsonString(SessionOutline))
export const encode = (kept: SessionRecord): string => JSON.stringify(kept, null, 2) + "\n"

const readFile = Option.liftThrowable((folder: string) => readRegular(join(folder, "meta.json")))

/** The record of a session whose `meta.json` is lost. */
const retold = (summary: SessionSummary.SessionSummary): SessionRecord => {
  const { folder: worked, session_id, tool } = summary
  return {
    handshake: { session_id, ...(tool !== "" && { tool }), ...(worked !== "" && { folder: worked }) },
    summary
  }
}

const rebuild = Option.liftThrowable((folder: string, session_id: SessionId): SessionRecord =>
  retold(catchUp(SessionFiles.view(folder), SessionSummary.empty(session_id)))
)

/** Completes the record of a session that was not closed, whose frames know more, if they can be read. */
const complete = (folder: string, kept: SessionRecord): SessionRecord => {
  try {
    return kept.pid === undefined
      ? kept
      : { ...kept, summary: catchUp(SessionFiles.view(folder), kept.summary) }
  } catch {
    return kept
  }
}

/**
 * The outline in a `meta.json` that was read already, completed like `read` does, with a pause after each frame since there may
 * be many.
 */
export const outline = (
  files: string,
  session_id: SessionId,
  text: string | undefined,
  pause: Effect.Effect<void>
): Effect.Effect<Option.Option<SessionOutline>> => {
  const known = text === undefined ? undefined : Option.getOrUndefined(decodeOutline(text))
  return Effect.gen(function*() {
    if (known !== undefined && known.pid === undefined) return Option.some(known)
    const steps = catchUpSteps(SessionFiles.view(files), known?.summary ?? SessionSummary.empty(session_id))
    for (;;) {
      const step = steps.next()
      if (step.done !== true) {
        yield* pause
        continue
      }
      const { known_prompts: _, ...summary } = step.value
      return known !== undefined || summary.last_seq > 0 ? Option.some({ ...known, summary }) : Option.none()
    }
  }).pipe(
    // Unreadable files are skipped, as by `read`.
    Effect.catchDefect(() => Effect.succeed(Option.fromUndefinedOr(known)))
  )
}

/** The record of a session in this folder; none if it cannot be read. */
export const read = (folder: string, session_id: SessionId): Option.Option<SessionRecord> => {
  const files = filesOf(folder, session_id)
  return Option.flatMap(readFile(files), decode).pipe(
    Option.map((kept) => complete(files, kept)),
    Option.orElse(() => Option.filter(rebuild(files, session_id), ({ summary }) => summary.last_seq > 0))
  )
}

/** The folder of all sessions cannot be read. */
export class SessionsUnreadable extends Schema.TaggedError<SessionsUnreadable>()("SessionsUnreadable", {
  folder: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the sessions saved in ${this.folder} cannot be read (${this.reason}): fix the permissions, or name another folder `
      + "with --state-dir"
  }
}

export interface SavedSessions {
  readonly records: ReadonlyArray<SessionRecord>
  /** Sessions that are there and cannot be read. */
  readonly unreadable: ReadonlyArray<SessionId>
}

const hasCode = (cause: unknown, ...codes: ReadonlyArray<string>) =>
  codes.includes((cause as NodeJS.ErrnoException).code ?? "")

/** Empty if nothing was ever saved. */
const namesIn = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return []
    throw cause
  }
}

/** Whether this is a session's folder, as far as can be seen. */
export const isSession = (files: string): boolean => {
  try {
    return readdirSync(files).some((name) => name === "meta.json" || Segment.firstOf(name) !== undefined)
  } catch (cause) {
    return !hasCode(cause, "ENOENT", "ENOTDIR")
  }
}

/** All sessions in this folder, the most recently active first. Changes nothing. */
export const list = (folder: string): Effect.Effect<SavedSessions, SessionsUnreadable> =>
  Effect.try({
    try: () => {
      const found = namesIn(folder).filter(isSessionId).map((session_id) =>
        [session_id, Option.getOrUndefined(read(folder, session_id))] as const
      )
      return {
        records: found.flatMap(([, record]) => record ?? [])
          .toSorted((left, right) => right.summary.last_active_at - left.summary.last_active_at),
        unreadable: found.flatMap(([session_id, record]) =>
          record === undefined && isSession(filesOf(folder, session_id)) ? [session_id] : []
        )
      }
    },
    catch: (cause) => new SessionsUnreadable({ folder, reason: messageOf(cause) })
  })
