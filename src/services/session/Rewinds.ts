/**
 * Rewinds: rewinds the files of the session's folder, the conversation, or both to before a turn, and undoes that.
 *
 * A turn waits until the folder's state is saved, and for nothing else. A rewind first checks the files, then moves the
 * conversation, then restores the files, so that a refused one has changed nothing.
 */
import { Effect } from "effect"
import type { SendError } from "../../adapters/AdapterError.js"
import { CommandRefused } from "../../adapters/AdapterError.js"
import type { BodyOf, CommandOf } from "../../schema/index.js"
import type { EventLog } from "../log/EventLog.js"
import type { NativeAgent, RewoundConversation } from "../native/NativeAgent.js"
import type {
  CheckpointList,
  Preview,
  RewoundFiles,
  SessionCheckpoints,
  UndoneRewind
} from "../workspace/Checkpoints.js"
import { lastRewind, pastTurns, toTold } from "./pastTurns.js"
import { Sender } from "./Sender.js"
import type { Turns } from "./Turn.js"

export type Conversation = Pick<NativeAgent, "rewind" | "goBackTo">

export interface Listed extends CheckpointList {
  /** Whether the agent's conversation can be rewound, too. */
  readonly conversation: boolean
}

export interface Rewinds {
  readonly rewind: (command: CommandOf<"rewind">) => Effect.Effect<void, SendError>
  readonly undo: (command: CommandOf<"undo_rewind">) => Effect.Effect<void, SendError>
  readonly list: Effect.Effect<Listed>
  /** What can be rewound, in the words of `restore`. */
  readonly can: () => ReadonlyArray<"files" | "conversation">
  readonly preview: (turn: number) => Effect.Effect<Preview, CommandRefused>
  /** The same turns, with a look at the folder after each. */
  readonly watching: (turns: Turns, fork: (effect: Effect.Effect<void>) => unknown) => Turns
  /** The effect to run before a turn, after `first`; undefined: none. */
  readonly beforeTurn: (
    first: Effect.Effect<void, SendError> | undefined
  ) => Effect.Effect<void, SendError> | undefined
  /** Takes a first look at the folder. */
  readonly warm: Effect.Effect<void>
}

export interface Parts {
  readonly tool: string
  readonly log: EventLog["Service"]
  /** Whether states of the folder are saved. */
  readonly keeps_files: boolean
  /** Undefined: the agent does not work on files. If its result is undefined: the operator turned checkpoints off. */
  readonly checkpoints: Effect.Effect<SessionCheckpoints | undefined> | undefined
  readonly emit: (event: BodyOf<"status">) => void
  /** How to move the conversation; undefined if that is not possible. */
  readonly conversation: () => Conversation | undefined
}

interface Refusing {
  readonly message: string
  readonly files?: ReadonlyArray<string> | undefined
}

const toRefused = ({ files, message }: Refusing) =>
  new CommandRefused({
    reason: message,
    ...(files !== undefined && { code: "files_changed" as const, metadata: { files } })
  })

const count = (files: number) => files === 1 ? "1 file was" : `${files} files were`
const howGone = {
  copy: "The conversation continues from there.",
  new: "The conversation starts over.",
  told: "The agent starts a new conversation and is told what was said before that turn."
} as const

export const make = Effect.fnUntraced(function*(parts: Parts): Effect.fn.Return<Rewinds> {
  const { conversation, emit, log, tool } = parts
  const checkpoints = yield* Effect.cached(parts.checkpoints ?? Effect.succeed(undefined))
  /** Agents that do not work on files have no states. Otherwise they are opened when the first turn needs them. */
  const none = `file states are not saved for ${tool}, or the operator turned them off (--no-checkpoints)`
  const noFiles = Effect.suspend(() =>
    new CommandRefused({
      reason: conversation() === undefined
        ? none
        : `${none}: rewind only the conversation (\`restore\`: "conversation")`
    })
  )
  const kept = Effect.flatMap(
    checkpoints,
    (found) => found === undefined ? new CommandRefused({ reason: none }) : Effect.succeed(found)
  )

  /** Rewinds the conversation where no file states are saved; the log knows where from. */
  const rewindWithoutFiles = <E>(turn: number, meanwhile: Effect.Effect<unknown, E>) =>
    Effect.gen(function*() {
      const before = yield* lastRewind(log)
      yield* meanwhile
      const done: RewoundFiles = {
        rewind_id: `c${(before?.number ?? 0) + 1}`,
        turn,
        files: [],
        files_changed: 0
      }
      return done
    })
  /** Undoes such a rewind. Undefined: the last rewind is not of this kind. */
  const undoWithoutFiles = (
    wanted: string | undefined,
    meanwhile: (native_session_id: string) => Effect.Effect<void, SendError>
  ) =>
    Effect.gen(function*() {
      const last = yield* lastRewind(log)
      if (last?.before === undefined || (wanted !== undefined && wanted !== last.rewind_id)) return undefined
      yield* meanwhile(last.before)
      const { rewind_id, turn } = last
      const undone: UndoneRewind = { rewind_id, turn, files: [], files_changed: 0, had_files: false }
      return undone
    })

  const by = Effect.map(Sender, (sender) => Object.keys(sender).length > 0 ? { by: sender } : {})

  const cannot = () =>
    new CommandRefused({
      reason: `the conversation with ${tool} cannot be rewound: rewind only the files (\`restore\`: "files")`
    })

  const rewind = ({ force = false, restore = "both", turn }: CommandOf<"rewind">) =>
    Effect.gen(function*() {
      const found = yield* checkpoints
      const moves = conversation()
      if (found === undefined && restore !== "conversation") return yield* noFiles
      if (restore !== "files" && moves === undefined) return yield* cannot()
      let moved: RewoundConversation | undefined
      const move = Effect.gen(function*() {
        if (restore === "files" || moves === undefined) return undefined
        const turns = yield* pastTurns(log)
        const target = turns.find((one) => one.turn === turn)
        if (target === undefined) {
          return yield* new CommandRefused({
            reason: `the conversation has no turn ${turn}: it was removed by a rewind, or never existed`
          })
        }
        const { prompt, ts } = target
        moved = yield* moves.rewind({ prompt, ts, told: toTold(turns.filter((one) => one.turn < turn)) })
        return moved.before
      })
      const wanted = { turn, files: restore !== "conversation", force }
      const done = yield* found === undefined
        ? rewindWithoutFiles(turn, move)
        : found.rewind(wanted, move).pipe(
          Effect.catchTag("RewindRefused", (refused) => Effect.fail(toRefused(refused)))
        )
      emit({
        type: "status",
        status: "rewound",
        text: [
          `Rewound to before turn ${turn}:`,
          ...restore === "conversation" ? [] : [`${count(done.files_changed)} set back.`],
          ...moved === undefined ? [] : [howGone[moved.conversation]]
        ].join(" "),
        metadata: {
          ...shown(done),
          restore,
          ...(moved !== undefined && { conversation: moved.conversation }),
          ...(moved?.native_session_id !== undefined && { native_session_id: moved.native_session_id }),
          ...(moved?.before !== undefined && { before_native_session_id: moved.before }),
          ...(yield* by)
        }
      })
    })

  const undo = ({ force = false, rewind_id }: CommandOf<"undo_rewind">) =>
    Effect.gen(function*() {
      const found = yield* checkpoints
      let back: string | undefined
      const moveBack = (native_session_id: string | undefined) =>
        Effect.suspend((): Effect.Effect<void, SendError> => {
          const moves = conversation()
          if (native_session_id === undefined) return Effect.void
          if (moves === undefined) return cannot()
          back = native_session_id
          return moves.goBackTo(native_session_id)
        })
      const alone = undoWithoutFiles(rewind_id, moveBack)
      const undone = found === undefined
        ? (yield* alone) ?? (yield* new CommandRefused({
          reason:
            "there is no rewind of the conversation to undo: only the last one can be undone, and only once"
        }))
        : yield* found.undo({ rewind_id, force }, moveBack).pipe(
          // Without saved states of this folder, earlier notes about it ended with the previous relay.
          Effect.catchTag("RewindRefused", (refused) =>
            Effect.flatMap(
              alone,
              (undone) => undone === undefined ? Effect.fail(toRefused(refused)) : Effect.succeed(undone)
            ))
        )
      emit({
        type: "status",
        status: "rewind_undone",
        text: [
          `The rewind to before turn ${undone.turn} was undone:`,
          ...undone.had_files ? [`${count(undone.files_changed)} set again.`] : [],
          ...back === undefined ? [] : ["The conversation continues where it was."]
        ].join(" "),
        metadata: { ...shown(undone), ...(back !== undefined && { native_session_id: back }), ...(yield* by) }
      })
    })

  const shown = ({ files, files_changed, rewind_id, turn }: RewoundFiles) => ({
    rewind_id,
    turn,
    files: files.slice(0, 200),
    files_changed
  })

  const watching: Rewinds["watching"] = (turns, fork) =>
    parts.checkpoints === undefined ? turns : ({
      ...turns,
      end: (...how) => {
        const turn = log.turn()
        const ended = turns.end(...how)
        if (ended && turn !== undefined) {
          fork(Effect.flatMap(checkpoints, (found) => found === undefined ? Effect.void : found.after(turn)))
        }
        return ended
      }
    })

  const before = Effect.flatMap(
    checkpoints,
    (found) => found === undefined ? Effect.void : found.before(log.summary().turns + 1)
  )

  return {
    rewind,
    undo,
    list: Effect.flatMap(checkpoints, (found): Effect.Effect<Listed> =>
      found === undefined
        ? Effect.succeed({
          reason: none,
          checkpoints: [],
          conversation: conversation() !== undefined
        })
        : Effect.map(found.list, (listed) => ({ ...listed, conversation: conversation() !== undefined }))),
    can: () => [
      ...parts.keeps_files ? ["files" as const] : [],
      ...conversation() === undefined ? [] : ["conversation" as const]
    ],
    preview: (turn) =>
      Effect.flatMap(kept, (found) => found.preview(turn)).pipe(
        Effect.catchTag("RewindRefused", (refused) => Effect.fail(toRefused(refused)))
      ),
    watching,
    beforeTurn: (first) =>
      parts.checkpoints === undefined ? first : first === undefined ? before : Effect.andThen(first, before),
    warm: Effect.asVoid(checkpoints)
  }
})
