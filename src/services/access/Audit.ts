/**
 * Audit: who did what at the relay: `audit.ndjson` in the state folder, apart from the sessions' journal and not removed with
 * them. One line per deed: who came and who was turned away, what was asked of agents, what was allowed by whom, what ran,
 * what was changed.
 *
 * It holds no answers of agents and no keys: long texts are cut, secrets taken out. The file is rotated by size and bounded
 * in all; what strangers do is bounded by the minute, so that nobody fills it to hide something.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { closeSync, constants, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs"
import { dirname, join } from "node:path"
import type { ClientCommand, EventBody } from "../../schema/index.js"
import { cutSecrets } from "./cutSecrets.js"

/** Who did it, as far as it is known. */
export interface Doer {
  /** The peer's address. */
  readonly address?: string | undefined
  /** The number of its connection, as in the relay's log. */
  readonly connection?: number
  /** The name of its access token. */
  readonly token?: string | undefined
  /** What the person uses, as its handshake names it. */
  readonly front?: string
  /** Whatever the embedding app calls its users. */
  readonly user?: string
  /** Nobody: the schedule of that name. */
  readonly schedule?: string
}

export interface AuditFields {
  /** Write a line: `what` was done, by whom, and what else there is to say of it. */
  readonly write: (what: string, by: Doer, more?: Readonly<Record<string, unknown>>) => void
  /** The same for what anybody can do without a token: only so many a minute are written, the rest is counted. */
  readonly writeOfStranger: (what: string, by: Doer, more?: Readonly<Record<string, unknown>>) => void
}

const none: AuditFields = { write: () => {}, writeOfStranger: () => {} }

export interface AuditOptions {
  readonly state_dir?: string
  /** Bytes of one file, and how many files there are at most. */
  readonly audit_bytes?: number
  readonly audit_files?: number
}

/** Where nothing is kept, nothing is written. */
export const Audit = Context.Reference<AuditFields>("ai-relay/services/Audit", { defaultValue: () => none })

export const layer = ({ audit_bytes = 10 * 1024 * 1024, audit_files = 5, state_dir }: AuditOptions) =>
  Layer.effect(
    Audit,
    state_dir === undefined
      ? Effect.succeed(none)
      : make(join(state_dir, "audit.ndjson"), audit_bytes, audit_files)
  )

/** Lines of strangers that are written in a minute. */
const strangersPerMinute = 60
/** Characters of one text, and of a whole line without its beginning. */
const longestText = 1000
const longestLine = 8000

const shortened = (value: unknown): unknown => {
  if (typeof value === "string") return value.length > longestText ? `${value.slice(0, longestText)}…` : value
  if (Array.isArray(value)) return value.slice(0, 50).map(shortened)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).slice(0, 50).map(([name, inner]) => [name, shortened(inner)])
  )
}

/** Readable by its user alone, and no link somebody laid. */
const open = (file: string) => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants
  return openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
}

/** `audit.ndjson.1` is the one before, and so on; the oldest goes. */
const rotate = (file: string, files: number) => {
  rmSync(files > 1 ? `${file}.${files - 1}` : file, { force: true })
  for (let number = files - 2; number >= 0; number--) {
    try {
      renameSync(number === 0 ? file : `${file}.${number}`, `${file}.${number + 1}`)
    } catch {
      // There are not so many yet.
    }
  }
}

const make = Effect.fnUntraced(function*(file: string, bytes: number, files: number) {
  const clock = yield* Clock.Clock
  const run = Effect.runSyncWith(yield* Effect.context<never>())
  let to: number | undefined
  let size = 0
  let hasFailed = false
  let minute = 0
  let strangers = 0
  let untold = 0
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      if (untold > 0) write("more", {}, { left_out: untold })
      if (to !== undefined) closeSync(to)
      to = undefined
    })
  )

  const put = (line: string) => {
    const data = Buffer.from(line + "\n")
    try {
      if (to !== undefined && size + data.length > bytes) {
        closeSync(to)
        to = undefined
        rotate(file, files)
      }
      if (to === undefined) {
        to = open(file)
        size = fstatSync(to).size
      }
      writeSync(to, data)
      size += data.length
      hasFailed = false
    } catch (cause) {
      if (!hasFailed) {
        run(Effect.logError(`${file} cannot be written: make room, or mend its permissions`, cause))
      }
      hasFailed = true
    }
  }

  const write: AuditFields["write"] = (
    what,
    { address, connection, front, schedule, token, user },
    more = {}
  ) => {
    const by = { token, user, address, front, connection, schedule }
    const head = { ts: clock.currentTimeMillisUnsafe() / 1000, what, by }
    const whole = JSON.stringify({ ...head, ...shortened(cutSecrets(more)) as object })
    put(whole.length <= longestLine ? whole : JSON.stringify({ ...head, left_out: whole.length }))
  }

  const writeOfStranger: AuditFields["writeOfStranger"] = (what, by, more) => {
    const now = Math.floor(clock.currentTimeMillisUnsafe() / 60_000)
    if (now !== minute) {
      if (untold > 0) write("more", {}, { left_out: untold })
      minute = now
      strangers = 0
      untold = 0
    }
    strangers += 1
    if (strangers > strangersPerMinute) untold += 1
    else write(what, by, more)
  }

  const audit: AuditFields = { write, writeOfStranger }
  return audit
})

/** What a command says of itself: not what is typed into a terminal, which may be a password. */
export const deedOf = (command: ClientCommand): Readonly<Record<string, unknown>> => {
  switch (command.type) {
    case "stdin":
      return { characters: command.data.length }
    case "user_message":
      return {
        text: command.content.flatMap((block) => block.type === "text" ? [block.text] : []).join(""),
        ...(command.message_id !== undefined && { message_id: command.message_id })
      }
    default: {
      const { type: _, ...rest } = command
      return rest
    }
  }
}

/** Not worth a line. */
const unnoted = new Set<ClientCommand["type"]>(["ping", "resize"])
export const isNoted = ({ type }: ClientCommand): boolean => !unnoted.has(type)

/** What happens in a session that is worth a line. */
const noted = new Set<EventBody["type"]>([
  "session_start",
  "session_end",
  "permission_request",
  "permission_cancelled",
  "control_response",
  "tool_call"
])

/** Write down what happens in the session; cheap for all that is not noted. */
export const note = (audit: AuditFields, session_id: string, event: EventBody): void => {
  if (!noted.has(event.type)) return
  switch (event.type) {
    case "tool_call":
      return audit.write("run", {}, {
        session_id,
        tool: event.tool,
        args: event.args,
        tool_use_id: event.tool_use_id
      })
    case "permission_request":
      return audit.write("ask", {}, {
        session_id,
        request_id: event.request_id,
        tool: event.tool,
        args: event.args
      })
    case "permission_cancelled":
      return audit.write("unanswered", {}, {
        session_id,
        request_id: event.request_id,
        why: event.metadata?.["reason"]
      })
    case "control_response": {
      // The rest settles requests of the agent's own protocol, which are noted as commands.
      if (event.status !== "allow" && event.status !== "deny") return
      const { by = {}, ...decided } = (event.metadata ?? {}) as { readonly by?: Doer }
      return audit.write(event.status, "policy" in by ? {} : by, {
        session_id,
        request_id: event.request_id,
        ...("policy" in by && { policy: by.policy }),
        ...decided
      })
    }
    default:
      return audit.write(event.type, {}, { session_id })
  }
}
