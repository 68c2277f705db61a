/**
 * AcpStores: conversations of agents that speak the Agent Client Protocol and list them themselves
 * (`session/list`).
 *
 * The agent must be started for that, which takes seconds: one process per agent, ended a minute after its
 * last use. Lists are cached for some seconds.
 */
import { Deferred, Effect, RcRef, type Scope, Semaphore } from "effect"
import type { AcpAgent } from "../../adapters/acp/AcpAgent.js"
import type { AcpListed } from "../../adapters/acp/AcpViewer.js"
import { ProcessSpawner } from "../../adapters/Adapter.js"
import type { NativeFiles } from "../../adapters/native/NativeFiles.js"
import type {
  AgentSilent,
  NativeFile,
  NativeHistory,
  NativeHolder,
  NativeStore
} from "../../adapters/native/NativeStore.js"

/** Its conversations are read from disk, as its own or as those of the agent it stands for. */
const isReadElsewhere = ({ store, stored_as }: AcpAgent) => store !== undefined || stored_as !== undefined

/** How long a list is fresh, and how long an agent that cannot list is not asked again; in ms. */
const freshMs = 15_000
const unableMs = 600_000
const idleFor = "60 seconds"
const mostHistories = 8
/** If the agent's program runs in the folder, a conversation written to within this time counts as open; in ms. */
const lately = 10 * 60 * 1000

const silent = (state: AgentSilent["state"], reason: string): AgentSilent => ({
  _tag: "AgentSilent",
  state,
  reason
})

const makeStore = Effect.fnUntraced(function*(
  agent: AcpAgent,
  files: NativeFiles,
  spawner: ProcessSpawner["Service"],
  scope: Scope.Scope,
  /** Agents are large programs: they are started one after the other. */
  starting: Semaphore.Semaphore
) {
  const { command, conversations, name, tool } = agent
  const viewer = yield* RcRef.make({
    acquire: Effect.flatMap(
      Effect.promise(() => import("../../adapters/acp/AcpViewer.js")),
      (AcpViewer) => AcpViewer.open(agent, files.home)
    ).pipe(
      starting.withPermits(1),
      Effect.provideService(ProcessSpawner, spawner),
      Effect.mapError((error) =>
        error._tag === "CommandNotFound"
          ? silent("missing", error.message)
          : silent("failed", `${name} cannot list its conversations: ${error.message}`)
      )
    ),
    idleTimeToLive: idleFor
  })

  let listed = new Map<string, AcpListed>()
  /** When each folder was last asked for, `""` for all. */
  const asked = new Map<string, number>()
  let unable: { readonly until: number; readonly why: AgentSilent } | undefined
  const histories = new Map<string, { readonly updated_at: number; readonly history: NativeHistory }>()
  const turnstile = yield* Semaphore.make(1)

  const failing = (error: { readonly message: string }) =>
    silent("failed", `${name} cannot list its conversations: ${error.message}`)

  const refresh = Effect.fnUntraced(
    function*(folder: string | undefined) {
      if (files.now() - (asked.get(folder ?? "") ?? 0) < freshMs) return
      if (unable !== undefined && files.now() < unable.until) return yield* Effect.fail(unable.why)
      const view = yield* RcRef.get(viewer)
      if (!view.lists || !view.loads) {
        return yield* Effect.fail(silent("unable", `this version of ${name} does not list its conversations`))
      }
      const folders = folder !== undefined ? [folder] : conversations?.foldersOf?.(files) ?? [undefined]
      const found = yield* Effect.forEach(folders, (folder) => Effect.mapError(view.list(folder), failing))
      // One folder's list says nothing about the others.
      if (folder === undefined) listed = new Map()
      for (const one of found.flat()) listed.set(one.id, one)
      asked.set(folder ?? "", files.now())
    },
    Effect.scoped,
    Effect.tapError((why) =>
      Effect.sync(() => {
        if (why.state !== "failed") unable = { until: files.now() + unableMs, why }
      })
    )
  )

  /** One caller asks; all others get the same answer. */
  let running: { readonly key: string; readonly done: Deferred.Deferred<void, AgentSilent> } | undefined
  const list = (folder?: string) =>
    Effect.suspend(() => {
      const key = folder ?? ""
      if (running?.key === key) return Deferred.await(running.done)
      const done = Deferred.makeUnsafe<void, AgentSilent>()
      const mine = { key, done }
      running = mine
      const work = turnstile.withPermits(1)(refresh(folder)).pipe(
        Effect.exit,
        Effect.flatMap((exit) => {
          if (running === mine) running = undefined
          return Effect.asVoid(Deferred.done(done, exit))
        })
      )
      return Effect.andThen(Effect.forkIn(work, scope), Deferred.await(done))
    })

  const history = Effect.fnUntraced(function*(file: NativeFile) {
    const one = listed.get(file.id)
    if (one === undefined) return
    if (histories.get(one.id)?.updated_at === one.updated_at) return
    const view = yield* RcRef.get(viewer)
    const told = yield* Effect.mapError(view.load(one), failing)
    histories.delete(one.id)
    histories.set(one.id, { updated_at: one.updated_at, history: told })
    for (const id of histories.keys()) {
      if (histories.size <= mostHistories) break
      histories.delete(id)
    }
  }, Effect.scoped)

  const toFile = ({ id, updated_at }: AcpListed): NativeFile => ({
    id,
    path: `${tool}:${id}`,
    stamp: { dev: 0, ino: 0, size: 0, mtime: updated_at * 1000 }
  })

  /** A process the person started, not the relay. */
  const isOpenIn = (folder: string): number | undefined =>
    files.programs().find(({ argv, folder: where }) =>
      where === folder && argv.slice(0, 3).some((word) => word.split("/").at(-1) === command)
    )?.pid

  const store: NativeStore = {
    tool,
    name,
    id: /^[\w.:-]{1,128}$/,
    forks: false,
    tellsHolder: false,
    ask: {
      list,
      history,
      // A process that has loaded a conversation does not see what another adds to it.
      forget: Effect.suspend(() => {
        asked.clear()
        histories.clear()
        return RcRef.invalidate(viewer)
      }),
      onlyByName: conversations === undefined
    },
    // None of this takes time.
    *files() {
      return [...listed.values()].map(toFile)
    },
    *find(id) {
      const found = listed.get(id)
      return found === undefined ? undefined : toFile(found)
    },
    summary: ({ id }) => {
      const found = listed.get(id)
      if (found === undefined) return undefined
      const { folder, title, updated_at } = found
      return {
        folder,
        last_active_at: updated_at,
        ...(title !== undefined && { title, title_by: "agent" as const })
      }
    },
    *history({ id }) {
      return histories.get(id)?.history ?? { records: [], complete: true, undated: true }
    },
    holders: () => new Map<string, NativeHolder>(),
    holder: ({ stamp }, folder) => {
      const pid = files.now() - stamp.mtime < lately ? isOpenIn(folder) : undefined
      return pid === undefined ? undefined : { by: "unknown", pid }
    },
    command: (id) => conversations?.command(id) ?? [command],
    ...(conversations === undefined && {
      warning: `${name} was not tried: choose the conversation in its own list.`
    })
  }
  return store
})

export const makeStores = Effect.fnUntraced(function*(
  agents: ReadonlyArray<AcpAgent>,
  files: NativeFiles,
  spawner: ProcessSpawner["Service"]
) {
  const scope = yield* Effect.scope
  const starting = yield* Semaphore.make(1)
  return yield* Effect.forEach(
    agents.filter((agent) => !isReadElsewhere(agent)),
    (agent) => makeStore(agent, files, spawner, scope, starting)
  )
})
