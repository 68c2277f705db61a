/**
 * state: the state of a session's turn, as brief as a model needs it; built from a stretch.
 */
import { Effect, Option, Stream } from "effect"
import type { AskOp, ErrorOp, Op, TurnEndOp } from "../Op.js"
import { questions } from "../read.js"
import type { PortError } from "../SessionPort.js"
import type * as stretch from "../stretch.js"

export interface State {
  readonly state: "done" | "running" | "permission" | "failed"
  /** Everything up to there was reported: `relay_wait` continues after it. */
  readonly seq: number
  /** The agent's text; only its end if it is long. */
  readonly text?: string
  readonly stop_reason?: string
  readonly usage?: unknown
  readonly permission?: {
    readonly request_id: string
    readonly kind: string
    readonly tool: string
    readonly text: string
    readonly args: unknown
    readonly options?: ReadonlyArray<unknown>
    /** False: a person must answer, in the console or another client. */
    readonly you_may_allow: boolean
  }
  readonly changed_files?: ReadonlyArray<string>
  /** What went wrong, or what to do now. */
  readonly note?: string
}

/** How much of the text is returned, in characters; `relay_read` has the rest. */
const most = 20_000

const cut = (text: string) =>
  text.length <= most ? text : `[… the beginning is omitted: relay_read returns it]\n${text.slice(-most)}`

const permissionOf = (ask: AskOp, mayAllow: (ask: AskOp) => boolean): NonNullable<State["permission"]> => ({
  request_id: ask.request_id,
  kind: ask.kind,
  tool: ask.tool,
  text: ask.text || questions(ask.args)[0]?.question || `May ${ask.tool} run?`,
  args: ask.args,
  ...(ask.options.length > 0 && { options: ask.options }),
  you_may_allow: mayAllow(ask)
})

const waitForPerson =
  "A person must answer this, in the relay's console, an editor or on a phone. You may deny it with relay_answer; to wait for "
  + "the answer, call relay_wait with this seq."

/** Follow for at most this many seconds. */
export const follow = (
  { ending, items }: stretch.Stretch,
  seconds: number,
  from: number,
  mayAllow: (ask: AskOp) => boolean
): Effect.Effect<State, PortError> =>
  Effect.gen(function*() {
    const texts = new Map<string, string>()
    const files = new Set<string>()
    const asks = new Map<string, AskOp>()
    let seq = from
    let end: TurnEndOp | undefined
    let error: ErrorOp | undefined

    const learn = (op: Op, known: boolean) => {
      if (op.type === "ask") asks.set(op.request_id, op)
      if (op.type === "settled") asks.delete(op.request_id)
      if (known) return
      // Text partly reported before is reported again as a whole: deltas of a message make no sense alone.
      if (op.type === "delta" && op.kind === "text" && op.parent === undefined) {
        texts.set(op.id, (texts.get(op.id) ?? "") + op.text)
      }
      if (op.type === "file_diff") files.add(op.path)
      if (op.type === "turn_end") end = op
      if (op.type === "error") error = op
    }
    yield* Stream.runForEach(items, (told) =>
      Effect.sync(() => {
        for (const { known, op, seq: at } of told) {
          learn(op, known)
          seq = Math.max(seq, at)
        }
      })).pipe(Effect.timeoutOption(`${seconds} seconds`), Effect.map(Option.isSome))

    const how = ending()
    const text = cut([...texts.values()].join("\n\n"))
    const common = {
      seq: Math.max(seq, how?.seq ?? 0),
      ...(text !== "" && { text }),
      ...(files.size > 0 && { changed_files: [...files] })
    }
    const [ask] = how?.type === "asked" ? how.asks : how === undefined ? [...asks.values()] : []
    if (ask !== undefined) {
      const permission = permissionOf(ask, mayAllow)
      return {
        state: "permission",
        ...common,
        permission,
        ...(!permission.you_may_allow && { note: waitForPerson })
      }
    }
    if (how === undefined) {
      return { state: "running", ...common, note: "It is still working: call relay_wait with this seq." }
    }
    if (how.type === "refused") {
      return { state: "failed", ...common, note: how.error.message }
    }
    if (how.type === "session_end") {
      return { state: "failed", ...common, note: "The session has ended; the next prompt reopens it." }
    }
    if (end !== undefined && (end.stop === "error" || end.error !== undefined)) {
      const note = end.error?.text ?? error?.text ?? "The turn failed."
      return { state: "failed", ...common, stop_reason: end.stop, note }
    }
    return {
      state: "done",
      ...common,
      ...(end !== undefined && { stop_reason: end.stop }),
      ...(end?.usage !== undefined && { usage: end.usage })
    }
  })
