/**
 * Audit: records who did what, in `audit.ndjson` in the state folder, separate from the sessions' journal and not deleted with
 * them. One line per action: connections accepted and refused, prompts, permissions and who answered them, commands, changes.
 *
 * It contains no agents' answers and no keys: long texts are cut and secrets removed. The files are rotated by size and limited
 * in total. Actions of strangers are limited per minute, so that nobody can flood the log to hide something.
 */
import { Clock, Context, Effect, Layer } from "effect"
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync
} from "node:fs"
import { dirname, join } from "node:path"
import type { ClientCommand, EventBody } from "../../schema/index.js"
import { createFolder } from "../disk/createFolder.js"
import { cutSecrets } from "./cutSecrets.js"
import { longestSecret } from "./redact.js"

/** Who did something, as far as known. */
export interface Doer {
  /** The peer's address. */
  readonly address?: string | undefined
  /** The number of its connection, as in the relay's log. */
  readonly connection?: number
  /** The name of its access token. */
  readonly token?: string | undefined
  /** The client's software, as named in its handshake. */
  readonly front?: string
  /** The user, in the words of the app that embeds the relay. */
  readonly user?: string
  /** Set if not a person but this schedule did it. */
  readonly schedule?: string
}

export interface AuditFields {
  /** Writes a line: what was done, by whom, and details. */
  readonly write: (what: string, by: Doer, more?: Readonly<Record<string, unknown>>) => void
  /** The same for actions possible without a token: only some are written per minute, the rest is counted. */
  readonly writeOfStranger: (what: string, by: Doer, more?: Readonly<Record<string, unknown>>) => void
}

const none: AuditFields = { write: () => {}, writeOfStranger: () => {} }

export interface AuditOptions {
  readonly state_dir?: string
  /** Bytes of one file, and how many files there are at most. */
  readonly audit_bytes?: number
  readonly audit_files?: number
}

/** Without a state folder nothing is written. */
export const Audit = Context.Reference<AuditFields>("ai-relay/services/Audit", { defaultValue: () => none })

export const layer = ({ audit_bytes = 10 * 1024 * 1024, audit_files = 5, state_dir }: AuditOptions) =>
  Layer.effect(
    Audit,
    state_dir === undefined
      ? Effect.succeed(none)
      : make(join(state_dir, "audit.ndjson"), audit_bytes, audit_files)
  )

/** Most lines about strangers per minute. */
const strangersPerMinute = 60
/** Characters of one text, and of a whole line without its beginning. */
const longestText = 1000
const longestLine = 8000

const shorten = (value: unknown, cut: (text: string) => string): unknown => {
  if (typeof value === "string") return cut(value)
  if (Array.isArray(value)) return value.slice(0, 50).map((inner) => shorten(inner, cut))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).slice(0, 50).map(([name, inner]) => [name, shorten(inner, cut)])
  )
}

const cutText = (text: string): string => text.length > longestText ? `${text.slice(0, longestText)}…` : text

/** Enough to find every secret that begins in what is kept: a whole word, since only private keys hold blanks. */
const cutLater = (text: string): string => {
  if (text.length <= longestText + longestSecret) return text
  const rest = text.slice(longestText + longestSecret).search(/\s/)
  return rest === -1 ? text : text.slice(0, longestText + longestSecret + rest)
}

/** Opens a file that only its user can read; refuses to follow a link, and waits for no reader of a pipe. */
const open = (file: string) => {
  createFolder(dirname(file))
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants
  return openSync(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
}

/** Whether the file ends in the middle of a line, which a full disk or a kill has cut off. */
const isCutOff = (fd: number, size: number): boolean => {
  const last = Buffer.alloc(1)
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== newline
}
const newline = 10

/** Whether this is still the file of that name; another relay may have rotated it, or somebody moved it. */
const isNamed = (fd: number, file: string): boolean =>
  statSync(file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino

/** Renames `audit.ndjson` to `audit.ndjson.1` and so on; the oldest is deleted. */
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
      close()
    })
  )

  const close = () => {
    if (to !== undefined) closeSync(to)
    to = undefined
  }

  const put = (line: string) => {
    const data = Buffer.from(line + "\n")
    try {
      if (to !== undefined && !isNamed(to, file)) close()
      if (to !== undefined && size + data.length > bytes) {
        close()
        rotate(file, files)
      }
      if (to === undefined) {
        to = open(file)
        size = fstatSync(to).size
        if (isCutOff(to, size)) size += writeSync(to, "\n")
      }
      for (let done = 0; done < data.length;) done += writeSync(to, data, done)
      size += data.length
      hasFailed = false
    } catch (cause) {
      close()
      if (!hasFailed) {
        run(Effect.logError(`${file} cannot be written: free some space, or fix its permissions`, cause))
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
    const clean = shorten(cutSecrets(shorten(more, cutLater)), cutText)
    const whole = JSON.stringify({ ...head, ...clean as object })
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

/** The details of a command to record; never terminal input, which may be a password. */
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

/** Commands that are not recorded. */
const unnoted = new Set<ClientCommand["type"]>(["ping", "resize"])
export const isNoted = ({ type }: ClientCommand): boolean => !unnoted.has(type)

/** Events of a session that are recorded. */
const noted = new Set<EventBody["type"]>([
  "session_start",
  "session_end",
  "permission_request",
  "permission_cancelled",
  "control_response",
  "tool_call"
])

/** Records an event of the session; cheap for events that are not recorded. */
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
