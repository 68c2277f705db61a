/**
 * NativeSessions: conversations held with agents in a terminal: lists them, reads them, and tells where they are open.
 *
 * Clients see only conversations in folders that sessions may work in; not even the number of others is revealed. The agents'
 * files are only read, except by `removeLeftovers`. What is known of a file is cached until the file changes.
 */
import { Context, Effect, Layer, Option, Schema, Scope } from "effect"
import { realpathSync, unlinkSync, writeFileSync } from "node:fs"
import { basename, isAbsolute, join } from "node:path"
import type { AcpAgent } from "../../adapters/acp/AcpAgent.js"
import { presets } from "../../adapters/acp/presets.js"
import { ProcessSpawner } from "../../adapters/Adapter.js"
import { knownAgents } from "../../adapters/agents.js"
import type { NativeFiles } from "../../adapters/native/NativeFiles.js"
import type {
  AgentSilent,
  NativeCounts,
  NativeFile,
  NativeHistory,
  NativeHolder,
  NativeStore,
  NativeSummary
} from "../../adapters/native/NativeStore.js"
import * as NativeTurns from "../../adapters/native/NativeTurns.js"
import { Folders } from "../access/Folders.js"
import { makeRedact } from "../access/redact.js"
import { createFolder } from "../disk/createFolder.js"
import { makePause } from "../makePause.js"
import { relayEnvironment } from "../process/AgentEnvironment.js"
import { RelayConfig } from "../RelayConfig.js"
import { inSlices } from "./inSlices.js"
import * as NativeDisk from "./NativeDisk.js"
import * as NativeIndex from "./NativeIndex.js"
import type { IndexEntry } from "./NativeIndex.js"

/** There is no such conversation, or none that this relay may show. */
export class NativeNotFound
  extends Schema.TaggedError<NativeNotFound>()("NativeNotFound", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** A conversation as listed by `GET /native-sessions`. */
export interface NativeListing extends NativeSummary {
  readonly tool: string
  readonly native_session_id: string
  readonly bytes: number
  readonly archived?: boolean
  readonly prompts?: number
  readonly messages?: number
  readonly tokens?: { readonly input: number; readonly output: number; readonly cached: number }
  readonly open?: Omit<NativeHolder, "by"> & {
    readonly by: NativeHolder["by"] | "relay"
    readonly session_id?: string
  }
  readonly can: {
    readonly history: boolean
    readonly follow: boolean
    readonly resume: boolean
    readonly fork: boolean
    /** Whether it can be shared with the terminal that has it open: `if_open: "join"`. */
    readonly join?: true
  }
  readonly continue_with: ContinueWith
}

/** How to continue a conversation in a terminal. */
export interface ContinueWith {
  readonly folder: string
  readonly argv: ReadonlyArray<string>
  /** The same for a POSIX shell. */
  readonly shell: string
  readonly warning?: string
}

export interface NativeQuery {
  readonly tool?: string | undefined
  readonly folder?: string | undefined
  readonly q?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface NativeList {
  readonly sessions: ReadonlyArray<NativeListing>
  readonly next_cursor?: string
  /** The results of asking agents that list their conversations themselves. */
  readonly agents: ReadonlyArray<NativeAgentState>
}

/** A page of a history, oldest first. */
export interface NativePage {
  readonly events: ReadonlyArray<NativeTurns.TimedEvent>
  /** Cursor of the preceding page; absent at the beginning. */
  readonly before?: string
}

/** A conversation that may be shown. */
export interface FoundNative {
  readonly store: NativeStore
  readonly file: NativeFile
  readonly summary: NativeSummary
}

export interface PageQuery {
  readonly before?: string | undefined
  /** Turns at most. */
  readonly turns: number
  /** Approximate bytes of events; at least one turn is returned. */
  readonly bytes: number
}

export class NativeSessions extends Context.Service<NativeSessions, {
  /** The most recently written first. */
  readonly list: (query: NativeQuery) => Effect.Effect<NativeList, NativeNotFound>
  readonly find: (tool: string, id: string) => Effect.Effect<FoundNative, NativeNotFound>
  /**
   * Whether such a conversation exists but must not be shown: continuing it would reveal messages from a
   * folder that is not allowed. Agents that list their conversations themselves are asked when they open one.
   */
  readonly isHidden: (tool: string, id: string) => Effect.Effect<boolean>
  /** Whether conversations in this folder may be shown. */
  readonly isVisible: (folder: string) => Effect.Effect<boolean>
  /** The conversation of a session of this relay, whose folder is known. Its contents are not read. */
  readonly locate: (tool: string, id: string, folder: string) => Effect.Effect<FoundNative | undefined>
  /** The conversation with all its counts. */
  readonly describe: (found: FoundNative) => Effect.Effect<NativeListing>
  readonly page: (found: FoundNative, query: PageQuery) => Effect.Effect<NativePage>
  /** The records in at least the last `bytes` of the file in its current version. */
  readonly history: (found: FoundNative, bytes: number) => Effect.Effect<NativeHistory>
  /** The reader of an agent's conversations, if the relay has one. */
  readonly store: (tool: string) => Effect.Effect<NativeStore | undefined>
  /** Copies the file into the state folder; gives the path of the copy if that worked. */
  readonly keepCopy: (found: FoundNative) => Effect.Effect<string | undefined>
  /** Removes leftovers that would make the agent delete the conversation; the only change the relay makes to agents' files. */
  readonly removeLeftovers: (found: FoundNative) => Effect.Effect<void>
  readonly files: NativeFiles
}>()("ai-relay/services/NativeSessions") {
  /** If a `ProcessSpawner` is available, includes those that agents list themselves. */
  static readonly layer = Layer.effect(
    this,
    Effect.suspend(() => make(NativeDisk.make(), presets))
  )
  /** There are none. */
  static readonly layerNone = Layer.succeed(this, {
    list: () => Effect.succeed({ sessions: [], agents: [] }),
    find: (tool, id) => new NativeNotFound({ reason: `there is no conversation "${id}" of ${tool}` }),
    isHidden: () => Effect.succeed(false),
    isVisible: () => Effect.succeed(true),
    locate: () => Effect.succeed(undefined),
    describe: () => Effect.die("there is no conversation"),
    page: () => Effect.succeed({ events: [] }),
    history: () => Effect.succeed({ records: [], complete: true }),
    store: () => Effect.succeed(undefined),
    keepCopy: () => Effect.succeed(undefined),
    removeLeftovers: () => Effect.void,
    files: NativeDisk.make({ home: "/nowhere", variables: {} })
  })
  /** For tests: with a machine of their own. */
  static readonly layerOf = (files: NativeFiles, agents: ReadonlyArray<AcpAgent> = []) =>
    Layer.effect(this, make(files, agents))
}

/** A word of a POSIX shell. */
const shellWord = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

export const continueWith = (
  { command, warning }: Pick<NativeStore, "command" | "warning">,
  id: string,
  folder: string
): ContinueWith => {
  const argv = command(id)
  return {
    folder,
    argv,
    shell: `cd -- ${shellWord(folder)} && ${argv.map(shellWord).join(" ")}`,
    ...(warning !== undefined && { warning })
  }
}

/** Concurrent checks of whether a folder may be used: each takes several disk accesses. */
const foldersAtOnce = 16

const withoutJoin = ({ join: _, ...store }: NativeStore): NativeStore => store

const mostAtOnce = 200
/** Files up to this size are read whole for their counts without being requested individually. */
const smallEnough = 16 * 1024 * 1024

/** Between two files that are counted. */
const countPause = "25 millis"

const firstWindow = 1024 * 1024

/** State of an agent that is asked for its list. `partial`: it has not answered yet, ask again. */
export interface NativeAgentState {
  readonly tool: string
  readonly state: "ok" | "partial" | "failed"
  readonly text?: string
}

const toCursor = ({ id, stamp: { mtime } }: NativeFile) => `${mtime}-${id}`
/** Newest first; at equal times by id. */
const isAfter = (file: NativeFile, cursor: string | undefined): boolean => {
  // Files may be older than 1970.
  const [, time, id = ""] = /^(-?[\d.]+)-(.*)$/.exec(cursor ?? "") ?? []
  if (time === undefined) return true
  const { mtime } = file.stamp
  return mtime < Number(time) || (mtime === Number(time) && file.id > id)
}

/** Of a conversation's files only the one that is found by its id: a moved or archived one may have left a copy. */
const withoutCopies = (files: ReadonlyArray<NativeFile>): ReadonlyArray<NativeFile> => {
  const byId = new Map<string, NativeFile>()
  for (const file of files) {
    const other = byId.get(file.id)
    const isFound = other === undefined
      || (other.archived === file.archived ? other.stamp.mtime < file.stamp.mtime : other.archived === true)
    if (isFound) byId.set(file.id, file)
  }
  return [...byId.values()]
}

/** Agents accept a UUID in any form. */
const canonicalId = (id: string): string => {
  const digits = id.toLowerCase().replace(/^urn:uuid:/, "").replaceAll("-", "")
  return /^[0-9a-f]{32}$/.test(digits)
    ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
    : id
}

const sizeOf = (events: ReadonlyArray<NativeTurns.TimedEvent>) =>
  events.reduce((sum, { event }) => sum + JSON.stringify(event).length, 0)

/** How long a list waits for agents that must be started for theirs: if one is asked for by name, and otherwise. */
const patience = { named: "60 seconds", any: "800 millis" } as const

const make = Effect.fnUntraced(function*(
  files: NativeFiles,
  agents: ReadonlyArray<AcpAgent>
) {
  const folders = yield* Folders
  const { no_native_sessions, roots, sandbox, state_dir } = yield* RelayConfig
  // Each loaded when needed: they contain the agents' message formats.
  const readFromDisk: ReadonlyMap<string, Effect.Effect<NativeStore>> = new Map(
    yield* Effect.forEach(
      knownAgents.flatMap(({ store, tool }) => store === undefined ? [] : [{ store, tool }]),
      ({ store, tool }) =>
        Effect.map(
          Effect.cached(Effect.map(Effect.promise(store), ({ makeStore }) => makeStore(files))),
          (loaded) => [tool, loaded] as const
        )
    )
  )
  const spawner = yield* Effect.serviceOption(ProcessSpawner)
  const scope = yield* Effect.scope
  const asked = yield* Effect.cached(
    Option.isNone(spawner) ? Effect.succeed([]) : Effect.gen(function*() {
      const { makeStores } = yield* Effect.promise(() => import("./AcpStores.js"))
      return yield* makeStores(agents, files, spawner.value).pipe(
        Effect.provideService(Scope.Scope, scope)
      )
    })
  )
  // Whatever an agent's daemon runs is outside our sandbox.
  const asAllowed = (store: NativeStore): NativeStore => sandbox ? withoutJoin(store) : store
  const allStores: Effect.Effect<ReadonlyArray<NativeStore>> = no_native_sessions
    ? Effect.succeed([])
    : Effect.zipWith(
      Effect.all([...readFromDisk.values()]),
      asked,
      (read, told) => [...read.map(asAllowed), ...told]
    )
  const storeOf = (tool: string): Effect.Effect<NativeStore | undefined> => {
    const read = readFromDisk.get(tool)
    if (no_native_sessions) return Effect.succeed(undefined)
    return read === undefined
      ? Effect.map(asked, (stores) => stores.find((store) => store.tool === tool))
      : Effect.map(read, asAllowed)
  }
  const redact = makeRedact(relayEnvironment())
  const realRoots = roots.map((root) => {
    try {
      return realpathSync(root)
    } catch {
      return root
    }
  })
  const index = yield* NativeIndex.make(
    state_dir === undefined ? undefined : join(state_dir, "native-index.ndjson")
  )

  const look = (store: NativeStore, file: NativeFile): IndexEntry =>
    // Conversations listed by the agent itself need no reading.
    store.ask === undefined
      ? index.look(file, () => store.summary(file))
      : { ...file.stamp, summary: store.summary(file), counts: undefined, shown: false }

  /** A folder is text written by an agent: an incomplete one could be any. */
  const isVisible = (folder: string) =>
    isAbsolute(folder) ? Effect.isSuccess(folders.resolve(folder)) : Effect.succeed(false)

  /** The same for a folder that need not be checked on disk: without a pause. */
  const isInside = (folder: string): boolean => {
    try {
      return isAbsolute(folder) && folders.allows(realpathSync(folder))
    } catch {
      return false
    }
  }

  const toListing = (
    store: NativeStore,
    file: NativeFile,
    { counts, summary }: { readonly counts: NativeCounts | undefined; readonly summary: NativeSummary },
    holder: NativeHolder | undefined
  ): NativeListing => {
    const listing: NativeListing = {
      tool: store.tool,
      native_session_id: file.id,
      ...summary,
      bytes: file.stamp.size,
      ...(file.archived === true && { archived: true }),
      ...counts,
      ...(holder !== undefined && { open: holder }),
      can: {
        history: true,
        follow: store.ask === undefined,
        resume: file.archived !== true,
        fork: store.forks,
        ...(holder !== undefined && store.join?.(file) !== undefined && { join: true as const })
      },
      continue_with: continueWith(store, file.id, summary.folder)
    }
    const { first_prompt, title } = listing
    return {
      ...listing,
      ...(title !== undefined && { title: clean(title) }),
      ...(first_prompt !== undefined && { first_prompt: clean(first_prompt) })
    }
  }
  const clean = (text: string): string => String(JSON.parse(redact(JSON.stringify(text))))

  // --- counting, one file at a time ------------------------------------------------------------------------------

  const wanted = new Map<
    string,
    { readonly store: NativeStore; readonly file: NativeFile; readonly entry: IndexEntry }
  >()
  let isCounting = false
  const count = ({ counts }: NativeStore, file: NativeFile, entry: IndexEntry) =>
    counts === undefined ? Effect.succeed(undefined) : Effect.map(inSlices(() => counts(file)), (counts) => {
      entry.counts = counts
      index.changed()
      return counts
    })
  const countAll = Effect.gen(function*() {
    if (isCounting) return
    isCounting = true
    for (const [path, { entry, file, store }] of wanted) {
      // A list does not wait for this.
      yield* Effect.sleep(countPause)
      wanted.delete(path)
      yield* count(store, file, entry)
    }
    isCounting = false
    yield* index.saveLater
  })
  const countLater = Effect.suspend(() =>
    Effect.andThen(index.saveLater, wanted.size === 0 ? Effect.void : Effect.forkIn(countAll, scope))
  )

  /** The outcome of asking an agent for its list; a missing one is not mentioned unless it was asked for. */
  const askFor = ({ tool }: NativeStore, asking: Effect.Effect<void, AgentSilent>, isNamed: boolean) =>
    asking.pipe(
      Effect.map((): ReadonlyArray<NativeAgentState> => [{ tool, state: "ok" }]),
      Effect.timeoutOrElse({
        duration: isNamed ? patience.named : patience.any,
        // The request continues: the next list has the answer.
        orElse: () => Effect.succeed<ReadonlyArray<NativeAgentState>>([{ tool, state: "partial" }])
      }),
      Effect.catch(({ reason, state }) =>
        Effect.succeed<ReadonlyArray<NativeAgentState>>(
          state === "failed" || isNamed ? [{ tool, state: "failed", text: reason }] : []
        )
      )
    )

  const list = Effect.fn("NativeSessions.list")(
    function*({ cursor, folder, limit = 50, q, tool }: NativeQuery) {
      yield* index.load
      const pause = makePause()
      const chosen = (yield* allStores).filter((store) =>
        tool === undefined ? store.ask?.onlyByName !== true : store.tool === tool
      )
      const inside = folder === undefined ? undefined : yield* folders.resolve(folder).pipe(
        Effect.mapError(({ message }) => new NativeNotFound({ reason: message }))
      )
      const agents = yield* Effect.forEach(
        chosen,
        (store) =>
          store.ask === undefined
            ? Effect.succeed([])
            : askFor(store, store.ask.list(inside), tool !== undefined),
        { concurrency: "unbounded" }
      )
      const states = { agents: agents.flat() }
      const found: Array<{ readonly store: NativeStore; readonly file: NativeFile }> = []
      for (const store of chosen) {
        const files = yield* inSlices(() => store.files(inside === undefined ? realRoots : [inside]))
        for (const file of withoutCopies(files)) if (isAfter(file, cursor)) found.push({ store, file })
      }
      found.sort((a, b) => b.file.stamp.mtime - a.file.stamp.mtime || (a.file.id < b.file.id ? -1 : 1))

      const visible = new Map<string, boolean>()
      const words = q?.toLowerCase().split(/\s+/).filter((word) => word !== "") ?? []
      const holders = new Map(chosen.map((store) => [store, store.holders()]))
      const most = Math.min(Math.max(1, limit), mostAtOnce)
      const sessions: Array<NativeListing> = []
      let last: NativeFile | undefined
      /** What is known about the next files. Whether their folders may be used is checked for all of them at once. */
      const lookAt = Effect.fnUntraced(function*(some: typeof found) {
        const looked: Array<{ store: NativeStore; file: NativeFile; entry: IndexEntry }> = []
        const unknown = new Set<string>()
        for (const { file, store } of some) {
          yield* pause
          const entry = look(store, file)
          looked.push({ store, file, entry })
          const { folder } = entry.summary ?? {}
          if (folder !== undefined && !visible.has(folder)) unknown.add(folder)
        }
        yield* Effect.forEach(
          unknown,
          (folder) => Effect.map(isVisible(folder), (isSeen) => visible.set(folder, isSeen)),
          { concurrency: foldersAtOnce, discard: true }
        )
        return looked
      })
      const candidates = function*() {
        // One more than a page holds shows whether there is another page.
        for (let at = 0; at < found.length; at += most + 1) yield found.slice(at, at + most + 1)
      }
      for (const some of candidates()) {
        for (const { entry, file, store } of yield* lookAt(some)) {
          const { summary } = entry
          if (summary === undefined || visible.get(summary.folder) !== true) continue
          entry.shown = true
          if (inside !== undefined && summary.folder !== inside && !summary.folder.startsWith(`${inside}/`)) {
            continue
          }
          const text = words.length === 0
            ? ""
            : `${summary.title ?? ""} ${summary.first_prompt ?? ""} ${summary.folder} ${
              summary.branch ?? ""
            } ${store.name} ${file.id}`
              .toLowerCase()
          if (!words.every((word) => text.includes(word))) continue
          if (sessions.length === most) {
            yield* countLater
            return { sessions, ...states, ...(last !== undefined && { next_cursor: toCursor(last) }) }
          }
          last = file
          if (store.counts !== undefined && entry.counts === undefined && file.stamp.size <= smallEnough) {
            wanted.set(file.path, { store, file, entry })
          }
          const holder = store.tellsHolder
            ? holders.get(store)?.get(file.id)
            : store.holder(file, summary.folder)
          sessions.push(toListing(store, file, { summary, counts: entry.counts }, holder))
        }
      }
      yield* countLater
      return { sessions, ...states }
    }
  )

  const find = Effect.fn("NativeSessions.find")(function*(tool: string, id: string) {
    const missing = new NativeNotFound({
      reason:
        `there is no conversation "${
          id.slice(0, 80)
        }" of ${tool} that this relay may show: GET /native-sessions `
        + "lists those there are"
    })
    const store = yield* storeOf(tool)
    if (store === undefined || !store.id.test(id)) return yield* missing
    if (store.ask !== undefined) {
      yield* Effect.mapError(store.ask.list(), ({ reason }) => new NativeNotFound({ reason }))
    }
    const file = yield* inSlices(() => store.find(id))
    const summary = file === undefined ? undefined : look(store, file).summary
    if (file === undefined || summary === undefined || !(yield* isVisible(summary.folder))) {
      return yield* missing
    }
    const found: FoundNative = { store, file, summary }
    return found
  })

  // Also where nothing is listed: Codex continues any conversation.
  const isHidden = Effect.fn("NativeSessions.isHidden")(function*(tool: string, id: string) {
    const keeper = presets.find((agent) => agent.tool === tool)?.stored_as ?? tool
    const store = yield* readFromDisk.get(keeper) ?? Effect.succeed(undefined)
    const named = canonicalId(id)
    if (store === undefined || !store.id.test(named)) return false
    const file = yield* inSlices(() => store.find(named))
    if (file === undefined) return false
    const { summary } = look(store, file)
    return summary === undefined || !(yield* isVisible(summary.folder))
  })

  const locate = Effect.fnUntraced(function*(tool: string, id: string, folder: string) {
    const store = yield* storeOf(tool)
    const file = store === undefined || !store.id.test(id) ? undefined : yield* inSlices(() => store.find(id))
    if (store === undefined || file === undefined) return undefined
    const found: FoundNative = { store, file, summary: { folder, last_active_at: file.stamp.mtime / 1000 } }
    return found
  })

  /** The file as it is now. */
  const now = ({ file }: FoundNative): NativeFile => ({
    ...file,
    stamp: files.stamp(file.path) ?? file.stamp
  })

  const history = (found: FoundNative, bytes: number) => {
    const reading = inSlices(() => found.store.history(now(found), bytes, isInside))
    const { ask } = found.store
    return ask === undefined ? reading : Effect.andThen(
      // A conversation the agent does not report does not exist.
      Effect.catch(ask.history(found.file), ({ reason }) => Effect.logWarning(reason)),
      reading
    )
  }

  const describe = Effect.fnUntraced(function*({ file, store, summary }: FoundNative) {
    const entry = look(store, file)
    const counts = entry.counts ?? (yield* count(store, file, entry))
    return toListing(store, file, { summary, counts }, store.holder(file, summary.folder))
  })

  const page = Effect.fn("NativeSessions.page")(
    function*(found: FoundNative, { before, bytes, turns }: PageQuery) {
      const { size } = now(found).stamp
      for (let window = firstWindow;; window *= 4) {
        const { complete, records } = yield* history(found, window)
        const all = NativeTurns.byTurn(records)
        // The first turn of a window may begin before it.
        const whole = complete ? all : all.slice(1)
        const end = before === undefined ? whole.length : whole.findIndex(([first]) => first?.key === before)
        const isAll = complete || window >= size
        if (!isAll && (end === -1 || end < turns)) continue
        if (end === -1) return { events: [] }
        const told: Array<ReadonlyArray<NativeTurns.TimedEvent>> = []
        let left = bytes
        let start = end
        const pause = makePause()
        while (start > 0 && end - start < turns && left > 0) {
          start -= 1
          const assembler = NativeTurns.make()
          const events = [
            ...(whole[start] ?? []).flatMap((record) => assembler.push(record)),
            ...assembler.finish()
          ]
          left -= sizeOf(events)
          told.unshift(events)
          yield* pause
        }
        const first = whole[start]?.[0]
        const answer: NativePage = {
          events: told.flat(),
          ...((start > 0 || !complete) && first !== undefined && { before: first.key })
        }
        return answer
      }
    }
  )

  /** Each version once: earlier copies stay unchanged. */
  const keepCopy = ({ file, store }: FoundNative) =>
    Effect.sync(() => {
      if (state_dir === undefined) return undefined
      const folder = join(state_dir, "native-copies", store.tool)
      const path = join(folder, `${Math.round(file.stamp.mtime)}-${basename(file.path)}`)
      createFolder(folder)
      writeFileSync(path, files.read(file.path, 0, file.stamp.size), { mode: 0o600 })
      return path
    }).pipe(Effect.catchDefect((defect) =>
      Effect.as(Effect.logWarning("a conversation could not be copied", defect), undefined)
    ))

  const removeLeftovers = (found: FoundNative) =>
    Effect.try({
      try: () => {
        for (const { path } of found.store.leftovers?.(now(found)) ?? []) unlinkSync(path)
      },
      catch: (cause) => cause
    }).pipe(Effect.catch((cause) => Effect.logWarning("what an agent left could not be removed", cause)))

  return NativeSessions.of({
    keepCopy,
    removeLeftovers,
    list,
    find,
    isHidden,
    isVisible,
    locate,
    describe,
    page,
    history,
    store: storeOf,
    files
  })
})
