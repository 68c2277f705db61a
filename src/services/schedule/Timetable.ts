/**
 * Timetable: all schedules of this state folder. Each is a file in `schedules/` that is written first, so that a kill of the
 * relay loses none; without a state folder they last as long as the relay.
 *
 * Several relays may share the folder. `claim` assigns a run to one of them.
 */
import { Context, Effect, Layer, Option, Result } from "effect"
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { SessionId } from "../../schema/index.js"
import { jsonReader } from "../../schema/jsonFile.js"
import { messageOf } from "../../schema/messageOf.js"
import { createFolder } from "../disk/createFolder.js"
import { readRegular } from "../disk/regularFile.js"
import { IdGenerator } from "../IdGenerator.js"
import * as SessionRecord from "../journal/SessionRecord.js"
import { RelayConfig } from "../RelayConfig.js"
import { Schedule } from "./Schedule.js"

export interface Table {
  /** An id for a new schedule. */
  readonly freshId: Effect.Effect<string>
  /** All schedules, including those of other relays. */
  readonly all: () => ReadonlyArray<Schedule>
  readonly get: (schedule_id: string) => Schedule | undefined
  /** Adds a schedule, or replaces the one with the same id. */
  readonly put: (schedule: Schedule) => void
  /** Removes a schedule; false if there is none. */
  readonly remove: (schedule_id: string) => boolean
  readonly removeOf: (session_id: SessionId) => void
  /** True: this relay, and no other, starts the run that is due. */
  readonly claim: (schedule: Schedule) => boolean
  /** Calls `listener` when a schedule was added, changed or removed here; gives a function that stops that. */
  readonly onChange: (listener: () => void) => () => void
  /** Why schedules cannot be written at the moment; undefined if they can. */
  readonly trouble: () => string | undefined
}

export class Timetable extends Context.Service<Timetable, Table>()("ai-relay/services/Timetable") {
  static readonly layer = Layer.effect(
    this,
    Effect.gen(function*() {
      const { state_dir } = yield* RelayConfig
      const ids = yield* IdGenerator
      const run = Effect.runSyncWith(yield* Effect.context<never>())
      return state_dir === undefined
        ? inMemory(ids)
        : onDisk(join(state_dir, "schedules"), ids, (text) => run(Effect.logWarning(text)))
    })
  )
}

/** The relay's timetable; a session opened without a relay gets its own. */
export const current = Effect.map(
  Effect.all([Effect.serviceOption(Timetable), Effect.serviceOption(IdGenerator)]),
  ([table, ids]) =>
    Option.getOrElse(
      table,
      () => inMemory(Option.getOrElse(ids, () => ({ uuid: Effect.succeed("schedule") })))
    )
)

/** Where schedules are stored. */
interface Store {
  readonly load: () => void
  readonly write: (schedule: Schedule) => void
  readonly erase: (schedule_id: string) => void
  readonly claim: (schedule: Schedule) => boolean
  readonly trouble: () => string | undefined
}

type Ids = IdGenerator["Service"]

const over = (known: Map<string, Schedule>, store: Store, ids: Ids): Table => {
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of [...listeners]) listener()
  }
  const table: Table = {
    // Short enough to be typed.
    freshId: Effect.map(ids.uuid, (uuid) => uuid.slice(-12)),
    all: () => {
      store.load()
      return [...known.values()].toSorted((left, right) => left.created_at - right.created_at)
    },
    get: (schedule_id) => {
      store.load()
      return known.get(schedule_id)
    },
    put: (schedule) => {
      known.set(schedule.schedule_id, schedule)
      store.write(schedule)
      changed()
    },
    remove: (schedule_id) => {
      store.load()
      const existed = known.delete(schedule_id)
      store.erase(schedule_id)
      if (existed) changed()
      return existed
    },
    removeOf: (session_id) => {
      for (const schedule of table.all()) {
        if (schedule.session_id === session_id) table.remove(schedule.schedule_id)
      }
    },
    claim: (schedule) => {
      if (!store.claim(schedule)) return false
      // The relay that was first may have finished the run meanwhile.
      return table.get(schedule.schedule_id)?.next_at === schedule.next_at
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    trouble: store.trouble
  }
  return table
}

/** A timetable in memory only. */
export const inMemory = (ids: Ids): Table => {
  /** The started run of each schedule. */
  const claims = new Map<string, number | undefined>()
  return over(new Map(), {
    load: () => {},
    write: ({ schedule_id }) => void claims.delete(schedule_id),
    erase: (schedule_id) => void claims.delete(schedule_id),
    claim: ({ next_at, schedule_id }) => {
      if (claims.has(schedule_id) && claims.get(schedule_id) === next_at) return false
      claims.set(schedule_id, next_at)
      return true
    },
    trouble: () => undefined
  }, ids)
}

const read = jsonReader(Schedule, { onUnknown: "ignore" })
const suffix = ".json"
const claimed = ".claimed-"

/** `warn` takes what is wrong with a file: such a schedule does not run, and its file stays as it is. */
export const onDisk = (folder: string, ids: Ids, warn: (text: string) => void = () => {}): Table => {
  const known = new Map<string, Schedule>()
  /** Files that were read, with a stamp that shows changes. */
  const seen = new Map<string, string>()
  const relay = SessionRecord.relayName()
  /** Why the folder cannot be read at the moment. */
  let whyUnread: string | undefined
  /** Changes that the disk refused, by schedule, and why. They are tried again whenever the schedules are looked at. */
  const refused = new Map<string, { readonly act: () => void; readonly reason: string }>()

  const attempt = (schedule_id: string, act: () => void) => {
    try {
      act()
      refused.delete(schedule_id)
    } catch (cause) {
      refused.set(schedule_id, { act, reason: messageOf(cause) })
    }
  }
  // Session ids may contain characters that file systems do not allow.
  const fileOf = (schedule_id: string) => join(folder, `${encodeURIComponent(schedule_id)}${suffix}`)
  const stampOf = (path: string) => {
    // Unlike `mtimeMs`, it changes with the permissions, too.
    const { ctimeMs, ino, size } = statSync(path)
    return `${ino} ${ctimeMs} ${size}`
  }

  /** Removes the claims of runs that are now recorded. */
  const dropClaims = (schedule_id: string) => {
    const mark = `${encodeURIComponent(schedule_id)}${claimed}`
    for (const name of readdirSync(folder)) {
      if (name.startsWith(mark)) rmSync(join(folder, name), { force: true })
    }
  }

  /** Creates a file that names this relay; throws if it is there, or cannot be. */
  const take = (path: string) => {
    try {
      writeFileSync(path, relay, { flag: "wx", mode: 0o600 })
    } catch (cause) {
      // A full disk may take the name only.
      if ((cause as NodeJS.ErrnoException).code === "ENOSPC") rmSync(path, { force: true })
      throw cause
    }
  }

  const mkdir = () => createFolder(folder)
  attempt("", mkdir)

  const warnOf = (path: string, reason: string) =>
    warn(
      `The schedule in ${path} cannot be used (${reason}): correct the file, or delete it and create the schedule again.`
    )

  const readOne = (path: string) => {
    try {
      const stamp = stampOf(path)
      if (seen.get(path) === stamp) return
      seen.set(path, stamp)
      const schedule = read(readRegular(path))
      if (Result.isFailure(schedule)) return warnOf(path, schedule.failure)
      const { schedule_id } = schedule.success
      if (fileOf(schedule_id) === path) known.set(schedule_id, schedule.success)
      else warnOf(path, "its name is not that of its `schedule_id`")
    } catch (cause) {
      // Otherwise it was removed meanwhile.
      if (existsSync(path)) warnOf(path, messageOf(cause))
    }
  }

  const tryAgain = () => {
    for (const [schedule_id, { act }] of [...refused]) attempt(schedule_id, act)
  }

  const load = () => {
    tryAgain()
    let names: ReadonlyArray<string>
    try {
      names = readdirSync(folder).filter((name) => name.endsWith(suffix))
    } catch (cause) {
      // An unreadable schedule still exists.
      whyUnread = (cause as NodeJS.ErrnoException).code === "ENOENT" ? undefined : messageOf(cause)
      return
    }
    whyUnread = undefined
    const paths = new Set(names.map((name) => join(folder, name)))
    const outdated = new Set([...refused.keys()].map(fileOf))
    for (const path of paths) if (!outdated.has(path)) readOne(path)
    for (const { schedule_id } of [...known.values()]) {
      const path = fileOf(schedule_id)
      // A schedule that could not be written is known only here.
      if (!paths.has(path) && !outdated.has(path) && seen.delete(path)) known.delete(schedule_id)
    }
  }

  return over(known, {
    load,
    write: (schedule) =>
      attempt(schedule.schedule_id, () => {
        const path = fileOf(schedule.schedule_id)
        mkdir()
        writeFileSync(`${path}.new`, `${JSON.stringify(schedule)}\n`, { mode: 0o600 })
        renameSync(`${path}.new`, path)
        seen.set(path, stampOf(path))
        dropClaims(schedule.schedule_id)
      }),
    erase: (schedule_id) =>
      attempt(schedule_id, () => {
        seen.delete(fileOf(schedule_id))
        rmSync(fileOf(schedule_id), { force: true })
        dropClaims(schedule_id)
      }),
    claim: ({ next_at, schedule_id }) => {
      const path = join(folder, `${encodeURIComponent(schedule_id)}${claimed}${next_at ?? 0}`)
      try {
        take(path)
        return true
      } catch (cause) {
        try {
          // A relay that was killed before it recorded the run did not start it. Only one relay can rename the claim.
          if (SessionRecord.isRelayAlive(readRegular(path))) return false
          renameSync(path, `${path}.${relay}`)
          take(path)
          return true
        } catch {
          if (!existsSync(path)) {
            refused.set(schedule_id, { act: () => (take(path), rmSync(path)), reason: messageOf(cause) })
          }
          return false
        }
      }
    },
    trouble: () => {
      load()
      const [first] = refused.values()
      if (whyUnread !== undefined) {
        return `${folder} cannot be read (${whyUnread}), so no schedule runs that was not known before: fix its permissions`
      }
      return first && `${folder} cannot be written (${first.reason}): free some space, or make it writable`
    }
  }, ids)
}
