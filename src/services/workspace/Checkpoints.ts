/**
 * Checkpoints: the states a session's folder had before each turn, and back to one of them.
 *
 * They are git trees, kept in the repository the folder lies in, under `refs/ai-relay/SESSION/`, or in objects of the
 * relay's own where there is none it may write to. Nothing else of the repository is touched: not its index, HEAD,
 * branches, stash, hooks or settings. What they are made of (`FolderStates`) is loaded for the first session that has them.
 */
import { Context, Effect, Layer } from "effect"
import type { SessionId } from "../../schema/index.js"
import { Folders } from "../access/Folders.js"
import { RelayConfig } from "../RelayConfig.js"
import type { FileChange, LeftOut } from "./FolderStates.js"
import type { RewindRefused } from "./SessionStates.js"
import { whyUnkept } from "./unkept.js"

/** A turn one can go back to. */
export interface Checkpoint {
  readonly turn: number
  /** Unix time in seconds. */
  readonly at: number
  /** What is not kept in it, as far as it was seen then. */
  readonly left_out: ReadonlyArray<LeftOut>
}

export interface CheckpointList {
  /** Why none are made, if none are. */
  readonly reason?: string
  /** States lie in the user's repository, not with the relay. */
  readonly in_repository?: boolean
  /** The oldest first. */
  readonly checkpoints: ReadonlyArray<Checkpoint>
  /** What can be undone. */
  readonly undo?: { readonly rewind_id: string; readonly turn: number; readonly at: number }
}

/** What going back to before a turn would do. */
export interface Preview {
  readonly turn: number
  readonly files: ReadonlyArray<FileChange>
  /** How many there are; `files` has the first of them. */
  readonly files_changed: number
  /** Of these, what somebody else than the agent has changed since, or what is in the way. Only `force` goes over it. */
  readonly conflicts: ReadonlyArray<string>
  readonly left_out: ReadonlyArray<LeftOut>
}

export interface RewoundFiles {
  readonly rewind_id: string
  readonly turn: number
  readonly files: ReadonlyArray<FileChange>
  readonly files_changed: number
}

/** What was undone. */
export interface UndoneRewind extends RewoundFiles {
  readonly had_files: boolean
  /** The conversation that was gone on with before. */
  readonly native_session_id?: string
}

export interface SessionCheckpoints {
  /** Keep the folder as it is before this turn; what cannot be kept is told once and is in nobody's way. */
  readonly before: (turn: number) => Effect.Effect<void>
  /** The same behind a turn, soon; returns at once. */
  readonly after: (turn: number) => Effect.Effect<void>
  readonly list: Effect.Effect<CheckpointList>
  readonly preview: (turn: number) => Effect.Effect<Preview, RewindRefused>
  /**
   * Back to before the turn, and whatever `meanwhile` does with the conversation in between: it fails before anything was
   * changed. Its result is the conversation there was.
   */
  readonly rewind: <E>(
    wanted: { readonly turn: number; readonly files: boolean; readonly force: boolean },
    meanwhile: Effect.Effect<string | undefined, E>
  ) => Effect.Effect<RewoundFiles, RewindRefused | E>
  readonly undo: <E>(
    wanted: { readonly rewind_id?: string | undefined; readonly force: boolean },
    meanwhile: (native_session_id: string | undefined) => Effect.Effect<void, E>
  ) => Effect.Effect<UndoneRewind, RewindRefused | E>
}

export interface CheckpointsFields {
  /** States of this folder are kept. */
  readonly keeps: (folder: string) => boolean
  /**
   * Those of a session; undefined where the operator wants none. `tell` is told once why a state could not be kept.
   * Returns at once: looking at the folder begins in the background.
   */
  readonly open: (
    session_id: SessionId,
    folder: string,
    tell: (why: string) => void
  ) => Effect.Effect<SessionCheckpoints | undefined>
  /** Remove all that is kept of a session. */
  readonly forget: (session_id: SessionId) => Effect.Effect<void>
}

const none: CheckpointsFields = {
  keeps: () => false,
  open: () => Effect.succeed(undefined),
  forget: () => Effect.void
}

/** Nothing is looked at before anybody asks. */
const withoutFiles = (opened: Effect.Effect<SessionCheckpoints>): SessionCheckpoints => ({
  before: () => Effect.void,
  after: () => Effect.void,
  list: Effect.flatMap(opened, ({ list }) => list),
  preview: (turn) => Effect.flatMap(opened, ({ preview }) => preview(turn)),
  rewind: (wanted, meanwhile) => Effect.flatMap(opened, ({ rewind }) => rewind(wanted, meanwhile)),
  undo: (wanted, meanwhile) => Effect.flatMap(opened, ({ undo }) => undo(wanted, meanwhile))
})

/** Where nothing is kept on disk, there are none. */
export const Checkpoints = Context.Reference<CheckpointsFields>("ai-relay/services/Checkpoints", {
  defaultValue: () => none
})

export const layer = Layer.effect(
  Checkpoints,
  Effect.gen(function*() {
    const { no_checkpoints, sandbox, state_dir } = yield* RelayConfig
    if (no_checkpoints || state_dir === undefined) return none
    const folders = yield* Folders
    const scope = yield* Effect.scope
    const mayUse = (path: string) => Effect.isSuccess(folders.resolve(path))
    // An agent that is kept in could make its repository lead elsewhere.
    const load = yield* Effect.cached(Effect.flatMap(
      Effect.promise(() => import("./SessionStates.js")),
      ({ make }) => make({ state_dir, scope, mayUse, inRepository: !sandbox })
    ))
    const keeps = (folder: string) => whyUnkept(folder) === undefined
    const checkpoints: CheckpointsFields = {
      keeps,
      open: Effect.fnUntraced(function*(session_id, folder, tell) {
        const opening = Effect.flatMap(load, (states) => states.open(session_id, folder, tell))
        return keeps(folder)
          ? yield* opening
          : withoutFiles(yield* Effect.cached(opening))
      }),
      forget: (session_id) => Effect.flatMap(load, (states) => states.forget(session_id))
    }
    return checkpoints
  })
)
