/**
 * Timetable: all schedules of this state folder. Each is a file below `schedules/`, written before anything is done about
 * it, so a relay that is killed has forgotten none; without a state folder they last as long as the relay.
 *
 * Several relays may use the folder. `claim` gives a run to one of them: only that one may begin it.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { SessionId } from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
import { IdGenerator } from "../IdGenerator.js"
import * as SessionRecord from "../journal/SessionRecord.js"
import { RelayConfig } from "../RelayConfig.js"
import { Schedule } from "./Schedule.js"

export interface Table {
  /** A name for a new one. */
  readonly freshId: Effect.Effect<string>
  /** As they are now, also those other relays have made. */
  readonly all: () => ReadonlyArray<Schedule>
  readonly get: (schedule_id: string) => Schedule | undefined
  /** Add it, or replace the one of that name. */
  readonly put: (schedule: Schedule) => void
  /** False: there is none. */
  readonly remove: (schedule_id: string) => boolean
  readonly removeOf: (session_id: SessionId) => void
  /** True: this relay, and no other, begins the run that is due at that time. */
  readonly claim: (schedule: Schedule) => boolean
  /** `listener` is called when one was added, changed or removed here; gives what ends that. */
  readonly onChange: (listener: () => void) => () => void
  /** Why they are not written at the moment, if they are not. */
  readonly trouble: () => string | undefined
}

export class Timetable extends Context.Service<Timetable, Table>()("ai-relay/services/Timetable") {
  static readonly layer = Layer.effect(
    this,
    Effect.map(
      Effect.zip(RelayConfig, IdGenerator),
      ([{ state_dir }, ids]) =>
        state_dir === undefined ? inMemory(ids) : onDisk(join(state_dir, "schedules"), ids)
    )
  )
}

/** The relay's; a session that is opened without a relay around it has one of its own. */
export const current = Effect.map(
  Effect.all([Effect.serviceOption(Timetable), Effect.serviceOption(IdGenerator)]),
  ([table, ids]) =>
    Option.getOrElse(
      table,
      () => inMemory(Option.getOrElse(ids, () => ({ uuid: Effect.succeed("schedule") })))
    )
)

/** How the schedules are kept. */
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
      // Who was first may have done it while we looked.
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

/** Forgotten with the relay. */
export const inMemory = (ids: Ids): Table => {
  /** By schedule, the run that has begun. */
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

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Schedule))
const suffix = ".json"
const claimed = ".claimed-"

export const onDisk = (folder: string, ids: Ids): Table => {
  const known = new Map<string, Schedule>()
  /** Files that were read, by what says that they have changed. */
  const seen = new Map<string, string>()
  const relay = SessionRecord.relayName()
  let reason: string | undefined

  const attempt = <A>(act: () => A): A | undefined => {
    try {
      const done = act()
      reason = undefined
      return done
    } catch (cause) {
      reason = messageOf(cause)
      return undefined
    }
  }
  // Names of sessions may hold what file systems do not like.
  const fileOf = (schedule_id: string) => join(folder, `${encodeURIComponent(schedule_id)}${suffix}`)
  const stampOf = (path: string) => {
    const { ino, mtimeMs, size } = statSync(path)
    return `${ino} ${mtimeMs} ${size}`
  }

  /** Marks of runs that are written down now. */
  const dropClaims = (schedule_id: string) => {
    const mark = `${encodeURIComponent(schedule_id)}${claimed}`
    for (const name of readdirSync(folder)) {
      if (name.startsWith(mark)) rmSync(join(folder, name), { force: true })
    }
  }

  attempt(() => mkdirSync(folder, { recursive: true, mode: 0o700 }))

  const readOne = (path: string) => {
    try {
      const stamp = stampOf(path)
      if (seen.get(path) === stamp) return
      seen.set(path, stamp)
      const schedule = Option.getOrUndefined(decode(readFileSync(path, "utf8")))
      if (schedule !== undefined) known.set(schedule.schedule_id, schedule)
    } catch {
      // Removed while we looked.
    }
  }

  const load = () => {
    let names: ReadonlyArray<string>
    try {
      names = readdirSync(folder).filter((name) => name.endsWith(suffix))
    } catch {
      // What cannot be read is not gone.
      return
    }
    const paths = new Set(names.map((name) => join(folder, name)))
    for (const path of paths) readOne(path)
    for (const { schedule_id } of [...known.values()]) {
      const path = fileOf(schedule_id)
      // One that could never be written is ours alone.
      if (!paths.has(path) && seen.delete(path)) known.delete(schedule_id)
    }
  }

  return over(known, {
    load,
    write: (schedule) =>
      attempt(() => {
        const path = fileOf(schedule.schedule_id)
        writeFileSync(`${path}.new`, `${JSON.stringify(schedule)}\n`, { mode: 0o600 })
        renameSync(`${path}.new`, path)
        seen.set(path, stampOf(path))
        dropClaims(schedule.schedule_id)
      }),
    erase: (schedule_id) =>
      attempt(() => {
        seen.delete(fileOf(schedule_id))
        rmSync(fileOf(schedule_id), { force: true })
        dropClaims(schedule_id)
      }),
    claim: ({ next_at, schedule_id }) => {
      const path = join(folder, `${encodeURIComponent(schedule_id)}${claimed}${next_at ?? 0}`)
      const take = () => writeFileSync(path, relay, { flag: "wx", mode: 0o600 })
      try {
        take()
        return true
      } catch {
        try {
          // Killed before it could write down that the run begins: then it did not begin. One of us renames it.
          if (SessionRecord.isRelayAlive(readFileSync(path, "utf8"))) return false
          renameSync(path, `${path}.${relay}`)
          take()
          return true
        } catch {
          return false
        }
      }
    },
    trouble: () => reason
  }, ids)
}
