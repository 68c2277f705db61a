/**
 * marks: the states that a session's folder has had, and who changed what: the agent's changes are between the start and end of
 * a turn, a person's between an end and the next start.
 *
 * They are in `checkpoints/SESSION.ndjson` in the state folder, one per line.
 */
import { Option, Schema } from "effect"

const Left = Schema.Struct({
  path: Schema.String,
  why: Schema.Literals(["too_large", "repository", "unreadable", "special"])
})

/** The first line: where the states are. */
export const Where = Schema.Struct({
  kind: Schema.Literal("where"),
  folder: Schema.String,
  /** The relay's own git directory, and the one that holds the refs. */
  own: Schema.String,
  refs: Schema.String
})
export type Where = typeof Where.Type

const common = { tree: Schema.String, at: Schema.Number, turn: Schema.Number }
export const Mark = Schema.Union([
  /** The state before a turn. */
  Schema.Struct({
    kind: Schema.Literal("before"),
    ...common,
    left_out: Schema.optionalKey(Schema.Array(Left))
  }),
  Schema.Struct({ kind: Schema.Literal("after"), ...common }),
  /**
   * A rewind to before `turn`: the state was `from`, it is now `tree`. Also the previous conversation, if
   * that was rewound too.
   */
  Schema.Struct({
    kind: Schema.Literal("rewound"),
    ...common,
    rewind_id: Schema.String,
    from: Schema.String,
    files: Schema.Boolean,
    native_session_id: Schema.optionalKey(Schema.String)
  }),
  /** The rewind was undone. */
  Schema.Struct({ kind: Schema.Literal("undone"), ...common, rewind_id: Schema.String })
])
export type Mark = typeof Mark.Type
export type Rewound = Extract<Mark, { readonly kind: "rewound" }>

const decodeMark = Schema.decodeUnknownOption(Schema.fromJsonString(Mark))
const decodeWhere = Schema.decodeUnknownOption(Schema.fromJsonString(Where))

/** Undefined: not one of our files. Torn lines are skipped. */
export const parse = (text: string): { readonly where: Where; readonly marks: Array<Mark> } | undefined => {
  const [first = "", ...rest] = text.split("\n")
  const where = Option.getOrUndefined(decodeWhere(first))
  return where && { where, marks: rest.flatMap((line) => Option.toArray(decodeMark(line))) }
}

export const lineOf = (line: Where | Mark): string => `${JSON.stringify(line)}\n`

/** Letters, digits, `_` and `-` are unchanged, so that it can be part of a ref. */
export const refFolder = (session_id: string): string =>
  `refs/ai-relay/${
    session_id.replaceAll(/[^A-Za-z0-9_-]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
  }`

export const refOf = (session_id: string, mark: Mark): string | undefined => {
  const folder = refFolder(session_id)
  switch (mark.kind) {
    case "before":
      return `${folder}/${mark.turn}`
    case "after":
      return `${folder}/${mark.turn}-end`
    case "rewound":
      return `${folder}/rewind-${mark.rewind_id}`
    case "undone":
      return undefined
  }
}

/** The tree named by its ref. */
export const treeOf = (mark: Mark): string => mark.kind === "rewound" ? mark.from : mark.tree

interface Step {
  readonly kind: "before" | "after"
  readonly turn: number
  readonly tree: string
}

/** The marks that count now, without those undone by a rewind. */
const stepsOf = (marks: ReadonlyArray<Mark>): ReadonlyArray<Step> => {
  let steps: Array<Step> = []
  const saved = new Map<string, Array<Step>>()
  for (const mark of marks) {
    if (mark.kind === "before" || mark.kind === "after") {
      steps.push(mark)
      continue
    }
    if (mark.kind === "rewound") {
      saved.set(mark.rewind_id, [...steps])
      if (!mark.files) continue
      const place = steps.findLastIndex(({ kind, turn }) => kind === "before" && turn === mark.turn)
      if (place !== -1) steps.length = place + 1
    } else {
      steps = saved.get(mark.rewind_id) ?? steps
      if (mark.tree === "") continue
    }
    steps.push({ kind: "after", turn: mark.turn, tree: mark.tree })
  }
  return steps
}

/** Pairs of trees: what differs within a pair was changed by somebody other than the session's agent. */
export const spansOfOthers = (
  marks: ReadonlyArray<Mark>,
  turn: number,
  now: string
): ReadonlyArray<readonly [from: string, to: string]> => {
  const steps = stepsOf(marks)
  const begin = Math.max(0, steps.findLastIndex((step) => step.kind === "before" && step.turn === turn))
  const spans: Array<readonly [string, string]> = []
  for (let at = begin; at < steps.length; at++) {
    const step = steps[at]
    if (step?.kind === "after") spans.push([step.tree, steps[at + 1]?.tree ?? now])
  }
  return spans.filter(([from, to]) => from !== to)
}

/** The last state before that turn. */
export const beforeTurn = (marks: ReadonlyArray<Mark>, turn: number) =>
  marks.findLast((mark) => mark.kind === "before" && mark.turn === turn) as
    | Extract<Mark, { readonly kind: "before" }>
    | undefined

/** A rewind that can be undone: the last one, unless it was undone. */
export const undoable = (marks: ReadonlyArray<Mark>): Rewound | undefined => {
  const last = marks.findLast((mark) => mark.kind === "rewound" || mark.kind === "undone")
  return last?.kind === "rewound" ? last : undefined
}
