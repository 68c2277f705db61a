/**
 * SessionStates: the checkpoints of sessions, based on the states of their folders.
 *
 * The folder is read before a turn's prompt is delivered; the state gets its name and is written down afterwards. Changes by a
 * person since the agent's last turn are not overwritten unless requested, and whatever a rewind removes is saved, so that it
 * can be undone.
 */
import { Clock, Deferred, type Duration, Effect, Schema, type Scope, Semaphore } from "effect"
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"
import { isSessionId, type SessionId } from "../../schema/index.js"
import { createFolder } from "../disk/createFolder.js"
import * as SessionRecord from "../journal/SessionRecord.js"
import { placeOf } from "../process/runProgram.js"
import type {
  CheckpointList,
  CheckpointsFields,
  Preview,
  RewoundFiles,
  SessionCheckpoints,
  UndoneRewind
} from "./Checkpoints.js"
import * as FolderStates from "./FolderStates.js"
import { environment, git, type GitFailed, updateRef } from "./git.js"
import * as Marks from "./marks.js"
import * as Place from "./place.js"

/** The rewind was refused; nothing was changed. */
export class RewindRefused extends Schema.TaggedError<RewindRefused>()("RewindRefused", {
  reason: Schema.String,
  /** Files that would be overwritten. */
  files: Schema.optional(Schema.Array(Schema.String))
}) {
  override get message() {
    return this.reason
  }
}

export interface States extends Omit<CheckpointsFields, "keeps"> {
  readonly open: (...wanted: Parameters<CheckpointsFields["open"]>) => Effect.Effect<SessionCheckpoints>
}

export interface Options {
  readonly state_dir: string
  /** Background work lives in it. */
  readonly scope: Scope.Scope
  readonly mayUse: (path: string) => Effect.Effect<boolean>
  readonly inRepository: boolean
  readonly bounds?: FolderStates.Bounds
  /** How long a prompt waits. */
  readonly patience?: Duration.Input
}

/** Turns of a session that can be rewound to. */
const mostTurns = 200
/** Files reported by name. */
const mostTold = 500
const patience = "3 seconds"
const noGit = "git is not installed on the relay's machine, so file states are not saved: install git"

const nextNumber = (marks: ReadonlyArray<Marks.Mark>) =>
  String(
    1 + Math.max(0, ...marks.flatMap((mark) => mark.kind === "rewound" ? [Number(mark.rewind_id)] : []))
  )

export const make = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<States> {
  const { scope, state_dir } = options
  const base = join(state_dir, "checkpoints")
  const program = placeOf("git")
  if (program === undefined) yield* Effect.logWarning(noGit)
  /** By the relay's own git directory for each. */
  const folders = new Map<string, FolderStates.FolderStates>()
  /** Stops writing for a session. */
  const live = new Map<SessionId, Effect.Effect<void>>()
  const later = <A>(effect: Effect.Effect<A>) => Effect.asVoid(Effect.forkIn(effect, scope))
  const fileOf = (session_id: SessionId) => join(base, `${session_id}.ndjson`)

  const statesOf = Effect.fnUntraced(function*(folder: string) {
    if (program === undefined) return { unkept: noGit }
    const { inRepository, mayUse } = options
    const place = yield* Place.find({ folder, state_dir, program, mayUse, inRepository })
    if ("unkept" in place) return place
    const known = folders.get(place.own)
    if (known !== undefined) return known
    const opened = FolderStates.open(place, options.bounds)
    folders.set(place.own, opened)
    return opened
  })

  const open: States["open"] = (session_id, folder, tell) =>
    Effect.gen(function*() {
      live.set(session_id, Effect.void)
      yield* sweepOnce
      const session = yield* openOne(session_id, folder, tell)
      yield* later(session.warm)
      return session.checkpoints
    })

  const openOne = Effect.fnUntraced(
    function*(session_id: SessionId, folder: string, tell: (why: string) => void) {
      const file = fileOf(session_id)
      let marks: Array<Marks.Mark> = []
      let off: string | undefined
      let hasTold = false
      /** A read after a turn that has not finished. */
      let looking: Deferred.Deferred<FolderStates.FolderState | undefined> | undefined

      const fail = (why: string) =>
        Effect.sync(() => {
          if (!hasTold) tell(why)
          hasTold = true
        })

      const writeAll = (where: Marks.Where) => {
        writeFileSync(`${file}.new`, [where, ...marks].map(Marks.lineOf).join(""), { mode: 0o600 })
        renameSync(`${file}.new`, file)
      }

      const whereOf = ({ place }: FolderStates.FolderStates): Marks.Where => ({
        kind: "where",
        folder,
        own: place.own,
        refs: place.refs.env["GIT_DIR"] ?? place.own
      })

      /** Saved states, if they are still in the same place. */
      const load = (states: FolderStates.FolderStates) =>
        Effect.gen(function*() {
          const where = whereOf(states)
          const before = existsSync(file) ? Marks.parse(readFileSync(file, "utf8")) : undefined
          if (before !== undefined && before.where.own === where.own) {
            marks = before.marks
            return
          }
          if (before !== undefined) yield* dropRefs(session_id, before.where)
          createFolder(base)
          writeAll(where)
        })

      const ready = yield* Effect.cached(
        statesOf(folder).pipe(
          Effect.tap((states) => "unkept" in states ? Effect.void : load(states)),
          Effect.catch((failure) => Effect.as(fail(toText(failure)), { unkept: failure.reason })),
          Effect.catchDefect((defect) =>
            Effect.as(
              Effect.logError("the states of a folder cannot be saved", defect),
              { unkept: `the state folder cannot be written: ${String(defect)}` }
            )
          )
        )
      )

      const writing = Semaphore.makeUnsafe(1)
      let isForgotten = false
      live.set(session_id, writing.withPermits(1)(Effect.sync(() => void (isForgotten = true))))
      /** The ref for its tree, if it has one. */
      const refsOf = (mark: Marks.Mark): ReadonlyArray<string> => {
        const ref = Marks.refOf(session_id, mark)
        return ref === undefined || Marks.treeOf(mark) === "" ? [] : [ref]
      }
      /** Records them at once; the returned effect names the states and writes them to disk. */
      const keep = (states: FolderStates.FolderStates, ...fresh: ReadonlyArray<Marks.Mark>) => {
        marks.push(...fresh)
        const names = fresh.flatMap((mark) => refsOf(mark).map((ref) => [ref, Marks.treeOf(mark)] as const))
        const { dropped, kept } = bounded(marks)
        if (dropped.length > 0) marks = kept
        const still = new Set(kept.map((mark) => Marks.refOf(session_id, mark)))
        const forgotten = dropped.flatMap(refsOf).filter((ref) => !still.has(ref))
        return Effect.suspend(() => isForgotten ? Effect.void : states.name(names, [...new Set(forgotten)]))
          .pipe(
            Effect.andThen(Effect.sync(() => {
              if (isForgotten) return
              if (dropped.length > 0) writeAll(whereOf(states))
              else appendFileSync(file, fresh.map(Marks.lineOf).join(""), { mode: 0o600 })
            })),
            Effect.catch((failure) => fail(toText(failure))),
            Effect.catchDefect((defect) => Effect.logError("a checkpoint could not be written down", defect)),
            writing.withPermits(1)
          )
      }

      const look = (states: FolderStates.FolderStates) =>
        states.alone(states.look).pipe(
          Effect.catch((failure) => {
            if (failure.why === "too_much" || failure.why === "too_slow") off = failure.reason
            return Effect.as(fail(toText(failure)), undefined)
          })
        )

      const now = Effect.map(Clock.currentTimeMillis, (ms) => ms / 1000)

      /** A prompt waits for a limited time; the read continues, so that the next prompt finds it done. */
      const inTime = Effect.fnUntraced(function*(states: FolderStates.FolderStates) {
        const seen = yield* Deferred.make<FolderStates.FolderState | undefined>()
        yield* later(Effect.flatMap(look(states), (state) => Deferred.succeed(seen, state)))
        return yield* Deferred.await(seen).pipe(
          Effect.timeoutOrElse({
            duration: options.patience ?? patience,
            orElse: () =>
              Effect.as(
                fail(
                  "The folder is large and is still being read: its files cannot be rewound to before this turn, only to before later ones."
                ),
                undefined
              )
          })
        )
      })

      const before = Effect.fnUntraced(function*(turn: number) {
        const states = yield* ready
        if ("unkept" in states || off !== undefined) return
        // It began before what a person may have changed since: the folder is read again.
        if (looking !== undefined) yield* Deferred.await(looking)
        const state = yield* inTime(states)
        if (state === undefined) return
        const { left_out, tree } = state
        const mark = { kind: "before", turn, tree, at: yield* now } as const
        yield* later(keep(states, left_out.length === 0 ? mark : { ...mark, left_out }))
      })

      const lookBehind = Effect.fnUntraced(function*(turn: number) {
        const states = yield* ready
        if ("unkept" in states || off !== undefined) return undefined
        const state = yield* look(states)
        if (state !== undefined) {
          yield* keep(states, { kind: "after", turn, tree: state.tree, at: yield* now })
        }
        return state
      })

      const after = (turn: number) =>
        Effect.suspend(() => {
          const seen = Deferred.makeUnsafe<FolderStates.FolderState | undefined>()
          looking = seen
          return later(
            Effect.flatMap(
              Effect.ensuring(
                lookBehind(turn),
                Effect.sync(() => {
                  if (looking === seen) looking = undefined
                })
              ),
              (state) => Deferred.succeed(seen, state)
            )
          )
        })

      /**
       * Keeps the first prompt from waiting for all files to be read; changes a killed relay did not see end
       * here.
       */
      const warm = Effect.gen(function*() {
        const states = yield* ready
        if ("unkept" in states) return
        const last = marks.at(-1)
        if (last?.kind === "before") yield* lookBehind(last.turn)
        else yield* look(states)
      })

      // --- going back ----------------------------------------------------------------------------------------------

      const statesNow = Effect.gen(function*() {
        const states = yield* ready
        // The agent's own changes in the last turn do not count.
        if (looking !== undefined) yield* Deferred.await(looking)
        const reason = "unkept" in states ? states.unkept : off
        return "unkept" in states || reason !== undefined
          ? yield* new RewindRefused({ reason: `states of this folder are not saved: ${reason ?? ""}` })
          : states
      })

      const isKept = (turn: number) => {
        const mark = Marks.beforeTurn(marks, turn)
        if (mark !== undefined) return Effect.succeed(mark)
        const turns = marks.flatMap((one) => one.kind === "before" ? [one.turn] : [])
        return new RewindRefused({
          reason: turns.length === 0
            ? "there are no saved states of this session's folder yet: one is saved before each prompt"
            : `no state was saved before turn ${turn}: choose one of ${turns.slice(-20).join(", ")}`
        })
      }

      /** What would be lost: changed by others since, or not saved at all. */
      const conflictsOf = Effect.fnUntraced(function*(
        states: FolderStates.FolderStates,
        changes: ReadonlyArray<FolderStates.RawChange>,
        spans: ReadonlyArray<readonly [string, string]>
      ) {
        const others = new Set<string>()
        for (const [from, to] of spans) {
          for (const { name } of yield* states.difference(from, to)) others.add(name.toString("latin1"))
        }
        const lost = new Set(yield* states.inTheWay(changes))
        return changes
          .filter((change) => others.has(change.name.toString("latin1")) || lost.has(change))
          .map(({ path }) => path)
      })

      const toRefusal = (failure: GitFailed) =>
        new RewindRefused({
          reason:
            `the files could not be restored (${failure.reason}): check what is in the way, and try again`
        })

      const shown = (changes: ReadonlyArray<FolderStates.RawChange>) =>
        changes.slice(0, mostTold).map(({ name: _, ...change }) => change)

      const refuseOver = (conflicts: ReadonlyArray<string>) =>
        new RewindRefused({
          reason:
            `${conflicts.length === 1 ? "a file was" : `${conflicts.length} files were`} changed by somebody `
            + `else since, or would be lost: ${conflicts.slice(0, 10).join(", ")}${
              conflicts.length > 10 ? ", …" : ""
            }. Save or commit what you need, then send it again with \`force\`: true`,
          files: conflicts.slice(0, mostTold)
        })

      const preview = (turn: number): Effect.Effect<Preview, RewindRefused> =>
        Effect.gen(function*() {
          const states = yield* statesNow
          const target = yield* isKept(turn)
          return yield* states.alone(Effect.gen(function*() {
            const current = yield* states.look
            const changes = yield* states.difference(current.tree, target.tree)
            const spans = Marks.spansOfOthers(marks, turn, current.tree)
            return {
              turn,
              files: shown(changes),
              files_changed: changes.length,
              conflicts: yield* conflictsOf(states, changes, spans),
              left_out: target.left_out ?? []
            }
          })).pipe(Effect.catchTag("GitFailed", toRefusal))
        })

      /** From the current state to a tree; `spans` are the changes others have made meanwhile. */
      const setBack = <E>(
        states: FolderStates.FolderStates,
        target: string,
        spansAt: (now: string) => ReadonlyArray<readonly [string, string]>,
        force: boolean,
        meanwhile: Effect.Effect<string | undefined, E>
      ) =>
        states.alone(Effect.gen(function*() {
          const current = yield* states.look
          const changes = yield* states.difference(current.tree, target)
          const conflicts = yield* conflictsOf(states, changes, spansAt(current.tree))
          if (conflicts.length > 0 && !force) return yield* refuseOver(conflicts)
          // Named before anything is lost.
          yield* states.name([[`${Marks.refFolder(session_id)}/rewinding`, current.tree]])
          const native_session_id = yield* meanwhile
          yield* states.change(current.tree, target, force)
          const { tree } = yield* states.look
          yield* states.name([], [`${Marks.refFolder(session_id)}/rewinding`])
          return { from: current.tree, tree, changes, native_session_id }
        })).pipe(Effect.catchIf(isGitFailed, toRefusal))

      /** For the conversation alone: also if no files are saved, while the session is open. */
      const note = (mark: Marks.Mark) =>
        Effect.flatMap(
          ready,
          (states) => "unkept" in states ? Effect.sync(() => void marks.push(mark)) : keep(states, mark)
        )

      const rewind: SessionCheckpoints["rewind"] = ({ files, force, turn }, meanwhile) =>
        Effect.gen(function*() {
          const rewind_id = nextNumber(marks)
          const mark = { kind: "rewound", turn, rewind_id, files } as const
          if (!files) {
            const native_session_id = yield* meanwhile
            const kept = { ...mark, tree: "", from: "", at: yield* now }
            yield* note(native_session_id === undefined ? kept : { ...kept, native_session_id })
            const none: RewoundFiles = { rewind_id, turn, files: [], files_changed: 0 }
            return none
          }
          const states = yield* statesNow
          const target = yield* isKept(turn)
          const { changes, from, native_session_id, tree } = yield* setBack(
            states,
            target.tree,
            (now) => Marks.spansOfOthers(marks, turn, now),
            force,
            meanwhile
          )
          const done = { ...mark, tree, from, at: yield* now }
          yield* keep(states, native_session_id === undefined ? done : { ...done, native_session_id })
          const rewound: RewoundFiles = {
            rewind_id,
            turn,
            files: shown(changes),
            files_changed: changes.length
          }
          return rewound
        })

      const undo: SessionCheckpoints["undo"] = ({ force, rewind_id }, meanwhile) =>
        Effect.gen(function*() {
          yield* ready
          const last = Marks.undoable(marks)
          if (last === undefined || (rewind_id !== undefined && rewind_id !== last.rewind_id)) {
            return yield* new RewindRefused({
              reason: rewind_id === undefined
                ? "there is no rewind to undo"
                : `the rewind ${rewind_id} can no longer be undone: only the last one can`
            })
          }
          const { files, from, native_session_id, tree, turn } = last
          const undone = { kind: "undone", turn, rewind_id: last.rewind_id } as const
          const result = {
            rewind_id: last.rewind_id,
            turn,
            had_files: files,
            ...(native_session_id !== undefined && { native_session_id })
          }
          const back = Effect.as(meanwhile(native_session_id), undefined)
          if (!files) {
            yield* back
            yield* note({ ...undone, tree: "", at: yield* now })
            const none: UndoneRewind = { ...result, files: [], files_changed: 0 }
            return none
          }
          const states = yield* statesNow
          const set = yield* setBack(states, from, (now) => [[tree, now]], force, back)
          yield* keep(states, { ...undone, tree: set.tree, at: yield* now })
          const whole: UndoneRewind = {
            ...result,
            files: shown(set.changes),
            files_changed: set.changes.length
          }
          return whole
        })

      const list = Effect.gen(function*() {
        const states = yield* ready
        const reason = "unkept" in states ? states.unkept : off
        const last = Marks.undoable(marks)
        const turns = new Map(
          marks.flatMap((mark) => mark.kind === "before" ? [[mark.turn, mark] as const] : [])
        )
        const listed: CheckpointList = {
          ...(reason !== undefined && { reason }),
          ...(!("unkept" in states) && { in_repository: states.place.inRepository }),
          checkpoints: [...turns.values()].map(({ at, left_out = [], turn }) => ({ turn, at, left_out })),
          ...(last !== undefined && { undo: { rewind_id: last.rewind_id, turn: last.turn, at: last.at } })
        }
        return listed
      })

      const checkpoints: SessionCheckpoints = { before, after, list, preview, rewind, undo }
      return { checkpoints, warm }
    }
  )

  // --- what is not needed any more ---------------------------------------------------------------------------------

  const refsIn = (own: string, refs: string) => ({
    program: program ?? "git",
    cwd: existsSync(refs) ? refs : base,
    env: { ...environment(base), GIT_DIR: refs, ...(refs === own && { GIT_INDEX_FILE: join(own, "index") }) }
  })

  const dropRefs = (session_id: SessionId, { own, refs }: Marks.Where) =>
    Effect.gen(function*() {
      if (!existsSync(refs)) return
      const where = refsIn(own, refs)
      const { stdout } = yield* git(where, [
        "for-each-ref",
        "--format=delete %(refname)",
        `${Marks.refFolder(session_id)}/`
      ])
      if (stdout.length > 0) yield* updateRef(where, ["update-ref", "--stdin"], { input: stdout })
      if (refs === own && stdout.length > 0) yield* git(where, ["prune", "--expire=1.hour.ago"])
    }).pipe(
      Effect.catch((failure) =>
        Effect.logWarning(`the saved states of a folder could not be deleted: ${failure.reason}`)
      )
    )

  const forget = (session_id: SessionId) =>
    Effect.gen(function*() {
      yield* live.get(session_id) ?? Effect.void
      live.delete(session_id)
      const file = fileOf(session_id)
      const kept = existsSync(file) ? Marks.parse(readFileSync(file, "utf8")) : undefined
      if (kept !== undefined && program !== undefined) {
        const { own } = kept.where
        yield* (folders.get(own)?.alone ?? ((effect) => effect))(dropRefs(session_id, kept.where))
      }
      rmSync(file, { force: true })
      if (kept === undefined) return
      const { own } = kept.where
      // Another session of the same folder may be opened at this moment.
      if (dirname(own) !== join(base, "folders") || folders.has(own) || usedBy(own)) return
      rmSync(own, { recursive: true, force: true })
    }).pipe(
      Effect.catchDefect((defect) =>
        Effect.logWarning("the saved states of a folder could not be deleted", defect)
      )
    )

  const names = () => existsSync(base) ? readdirSync(base).filter((name) => name.endsWith(".ndjson")) : []
  const usedBy = (own: string): boolean =>
    names().some((name) => Marks.parse(readFileSync(join(base, name), "utf8"))?.where.own === own)

  /** Sessions deleted from the journal: looked up when the first session is opened. */
  const sweep = Effect.gen(function*() {
    const sessions = SessionRecord.folderIn(state_dir)
    for (const name of names()) {
      const session_id = name.slice(0, -".ndjson".length)
      if (!isSessionId(session_id) || live.has(session_id)) continue
      if (!existsSync(SessionRecord.filesOf(sessions, session_id))) yield* forget(session_id)
    }
  })
  let hasSwept = false
  const sweepOnce = Effect.suspend(() => {
    if (hasSwept) return Effect.void
    hasSwept = true
    return later(sweep)
  })

  return { open, forget }
})

const isGitFailed = (failure: unknown): failure is GitFailed =>
  typeof failure === "object" && failure !== null && "_tag" in failure && failure._tag === "GitFailed"

const toText = ({ reason }: GitFailed) => `The files of this session cannot be rewound: ${reason}.`

/** The last turns; earlier ones are dropped. */
const bounded = (marks: ReadonlyArray<Marks.Mark>) => {
  const turns = marks.flatMap((mark) => mark.kind === "before" ? [mark.turn] : [])
  const oldest = turns.at(-mostTurns) ?? 0
  const isKept = (mark: Marks.Mark) => mark.turn >= oldest
  return { kept: marks.filter(isKept), dropped: marks.filter((mark) => !isKept(mark)) }
}
