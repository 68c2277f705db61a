/**
 * SessionRecord: what is kept of a session besides its events, `meta.json`: how it was opened, without secrets, and how it went.
 *
 * It is written only now and then; what it does not know the frames tell, and all they tell if it is lost.
 */
import { Effect, Option, Schema } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type Handshake, HandshakeFields, type RelayEvent, SessionId } from "../../schema/index.js"
import type { EventStore } from "../log/EventStore.js"
import { textsOf } from "../log/frames.js"
import * as SessionSummary from "../log/SessionSummary.js"
import { procSource } from "../process/ProcessTree.js"
import * as SessionFiles from "./SessionFiles.js"

export const SessionRecord = Schema.Struct({
  handshake: HandshakeFields,
  summary: SessionSummary.SessionSummary,
  /** The relay that has it open. */
  pid: Schema.optionalKey(Schema.Number),
  /** When that process was started, in the system's own words: pids are used again. */
  pid_started: Schema.optionalKey(Schema.String)
})
export type SessionRecord = typeof SessionRecord.Type

/** Sessions lie in a folder of their own below the state folder, each in one of its name. */
export const folderIn = (state_dir: string): string => join(state_dir, "sessions")
export const filesOf = (folder: string, session_id: SessionId): string => join(folder, session_id)

/** A handshake that may lie on a disk. */
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

export const thisRelay = (): Pick<SessionRecord, "pid" | "pid_started"> => {
  const { pid } = process
  const pid_started = startOf(pid)
  return { pid, ...(pid_started !== undefined && { pid_started }) }
}

/** This relay's name among those that ever ran here; `isRelayAlive` knows it. */
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
export const openedBy = ({ pid, pid_started }: SessionRecord): number | undefined =>
  pid !== undefined && isRunning(pid) && (pid_started === undefined || startOf(pid) === pid_started)
    ? pid
    : undefined

// --- reading ---------------------------------------------------------------------------------------------------------

/**
 * What the frames say beyond a summary, a frame at a time. If it says more than they do (they were lost with the machine),
 * they are right.
 */
const catchUpSteps = function*(
  frames: Pick<EventStore, "lastSeq" | "read">,
  summary: SessionSummary.SessionSummary
): Generator<undefined, SessionSummary.SessionSummary, undefined> {
  let known = summary.last_seq <= frames.lastSeq() ? summary : SessionSummary.reset(summary)
  for (let batch = frames.read(known.last_seq); batch !== undefined; batch = frames.read(known.last_seq)) {
    for (const frame of textsOf(batch)) {
      // Our own frames: they were encoded from typed events.
      const { seq, ts, turn, ...event } = JSON.parse(frame) as RelayEvent
      known = SessionSummary.fold(known, event as RelayEvent, seq, ts, turn)
      yield
    }
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
export const encode = (kept: SessionRecord): string => JSON.stringify(kept, null, 2) + "\n"

const readFile = Option.liftThrowable((folder: string) => readFileSync(join(folder, "meta.json"), "utf8"))

/** Of a session whose `meta.json` is lost. */
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

/** A session that was not closed goes on, or was cut: the frames know more. */
const complete = Option.liftThrowable((folder: string, kept: SessionRecord): SessionRecord =>
  kept.pid === undefined ? kept : { ...kept, summary: catchUp(SessionFiles.view(folder), kept.summary) }
)

/** The same as `read`, of a `meta.json` that was read, with a pause after each frame: there may be many. */
export const readSlowly = (
  files: string,
  session_id: SessionId,
  text: string | undefined,
  pause: Effect.Effect<void>
): Effect.Effect<Option.Option<SessionRecord>> =>
  Effect.gen(function*() {
    const known = text === undefined ? undefined : Option.getOrUndefined(decode(text))
    if (known !== undefined && known.pid === undefined) return Option.some(known)
    const steps = catchUpSteps(SessionFiles.view(files), known?.summary ?? SessionSummary.empty(session_id))
    for (;;) {
      const step = steps.next()
      if (step.done !== true) {
        yield* pause
        continue
      }
      if (known !== undefined) return Option.some({ ...known, summary: step.value })
      return step.value.last_seq > 0 ? Option.some(retold(step.value)) : Option.none()
    }
  }).pipe(
    // Files that cannot be read tell nothing: it is passed over, as by `read`.
    Effect.catchDefect(() => Effect.succeedNone)
  )

/** What is known of a session that is kept in this folder. */
export const read = (folder: string, session_id: SessionId): Option.Option<SessionRecord> => {
  const files = filesOf(folder, session_id)
  return Option.flatMap(readFile(files), decode).pipe(
    Option.flatMap((kept) => complete(files, kept)),
    Option.orElse(() => Option.filter(rebuild(files, session_id), ({ summary }) => summary.last_seq > 0))
  )
}

/** All sessions that are kept in this folder, the most recently active first. Nothing is changed. */
export const list = (folder: string): Effect.Effect<ReadonlyArray<SessionRecord>> =>
  Effect.sync(() =>
    (existsSync(folder) ? readdirSync(folder) : [])
      .filter(Schema.is(SessionId))
      .flatMap((session_id) => Option.toArray(read(folder, session_id)))
      .toSorted((left, right) => right.summary.last_active_at - left.summary.last_active_at)
  )
