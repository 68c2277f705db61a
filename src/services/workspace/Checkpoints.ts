/**
 * Checkpoints: saves the state of a session's folder before each turn, and restores one.
 *
 * States are git trees in the folder's repository, under `refs/ai-relay/SESSION/`, or in the relay's own objects if there is no
 * repository it may write to. Nothing else in the repository is touched: not its index, HEAD, branches, stash, hooks or
 * settings. The code for it (`FolderStates`) is loaded for the first session that needs it.
 */
import { Context, Effect, Layer } from "effect"
import type { SessionId } from "../../schema/index.js"
import { Folders } from "../access/Folders.js"
import { RelayConfig } from "../RelayConfig.js"
import type { FileChange, LeftOut } from "./FolderStates.js"
import type { RewindRefused } from "./SessionStates.js"
import { whyUnkept } from "./unkept.js"

/** A turn that a session can be rewound to. */
export interface Checkpoint {
  readonly turn: number
  /** Unix time in seconds. */
  readonly at: number
  /** What is not part of it, as far as known at the time. */
  readonly left_out: ReadonlyArray<LeftOut>
}

export interface CheckpointList {
  /** Why there are none, if there are none. */
  readonly reason?: string
  /** Whether states are in the user's repository. */
  readonly in_repository?: boolean
  /** The oldest first. */
  readonly checkpoints: ReadonlyArray<Checkpoint>
  /** The rewind that can be undone. */
  readonly undo?: { readonly rewind_id: string; readonly turn: number; readonly at: number }
}

/** What rewinding to before a turn would do. */
export interface Preview {
  readonly turn: number
  readonly files: ReadonlyArray<FileChange>
  /** How many there are; `files` has the first of them. */
  readonly files_changed: number
  /** Those that somebody other than the agent has changed since, or that are in the way. Only `force` overwrites them. */
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
  /** The conversation that was used before. */
  readonly native_session_id?: string
}

export interface SessionCheckpoints {
  /** Saves the folder's state before this turn. A failure is reported once and stops nothing. */
  readonly before: (turn: number) => Effect.Effect<void>
  /** Saves the state after a turn in the background; returns at once. */
  readonly after: (turn: number) => Effect.Effect<void>
  readonly list: Effect.Effect<CheckpointList>
  readonly preview: (turn: number) => Effect.Effect<Preview, RewindRefused>
  /**
   * Rewinds the files to before the turn. `meanwhile` moves the conversation before any file is changed, and gives the
   * conversation that was left; if it fails, nothing has changed.
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
  /** Whether states of this folder are saved. */
  readonly keeps: (folder: string) => boolean
  /**
   * The checkpoints of a session; undefined if the operator turned them off. `tell` is called once with the reason if a state
   * could not be saved. Returns at once; reading the folder starts in the background.
   */
  readonly open: (
    session_id: SessionId,
    folder: string,
    tell: (why: string) => void
  ) => Effect.Effect<SessionCheckpoints | undefined>
  /** Deletes everything saved of a session. */
  readonly forget: (session_id: SessionId) => Effect.Effect<void>
}

const none: CheckpointsFields = {
  keeps: () => false,
  open: () => Effect.succeed(undefined),
  forget: () => Effect.void
}

/** Nothing is read before somebody asks. */
const withoutFiles = (opened: Effect.Effect<SessionCheckpoints>): SessionCheckpoints => ({
  before: () => Effect.void,
  after: () => Effect.void,
  list: Effect.flatMap(opened, ({ list }) => list),
  preview: (turn) => Effect.flatMap(opened, ({ preview }) => preview(turn)),
  rewind: (wanted, meanwhile) => Effect.flatMap(opened, ({ rewind }) => rewind(wanted, meanwhile)),
  undo: (wanted, meanwhile) => Effect.flatMap(opened, ({ undo }) => undo(wanted, meanwhile))
})

/** If nothing is stored on disk, there are none. */
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
    // A sandboxed agent could make its repository point elsewhere.
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
