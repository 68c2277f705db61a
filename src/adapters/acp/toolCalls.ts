/**
 * toolCalls: follows every tool call through its updates and tells each fact once.
 *
 * An agent may announce a call before it knows its input, ask leave for it, repeat itself, and add what changed after
 * it has said that the call is done. Clients see one `tool_call`, then progress, one `tool_result`, and one
 * `file_diff` per file.
 */
import { isDeepStrictEqual } from "node:util"
import type { EventBody } from "../../schema/index.js"
import { CallIds } from "../wire/CallIds.js"
import type { AcpQuirks } from "./AcpAgent.js"
import type { ToolFields } from "./AcpMessage.js"
import { argsOf, outputOf, printedAfter, toFileDiffs, toolNameOf } from "./toolFields.js"

type Events = ReadonlyArray<EventBody>

interface Call {
  /** What clients call it. */
  readonly id: string
  /** The agent has announced it, not only gone on with it. */
  begun: boolean
  /** All that is known of it; what an update gives replaces what was there. */
  fields: ToolFields
  /** Its `tool_call` was told. */
  told: boolean
  /** Its `tool_result` was told. */
  settled: boolean
  /** Its input, as told. */
  args: unknown
  /** The files whose change was told. */
  readonly changed: Set<string>
  /** What it is going to change, as last told: some agents leave it out of what they say in the end. */
  proposal: Partial<ToolFields> | undefined
  /** Output told as progress so far. */
  progress: string
  /** What it printed on a terminal, in pieces, and the last of these. */
  printed: string
  piece: string
  /** Nobody allowed it: why it has no output. */
  rejected: string | undefined
  /** Its turn is over. */
  isPast: boolean
}

export interface ToolCalls {
  /** A `tool_call` (`begins`) or an update of one; no event if it says nothing new. */
  readonly update: (update: ToolFields, begins?: boolean) => Events
  /** With an id, if it has lost its own. */
  readonly named: <A extends ToolFields>(call: A) => A
  /** It is known well enough to ask leave for it. */
  readonly announce: (call: ToolFields) => Events
  readonly fieldsOf: (id: string) => ToolFields | undefined
  /** What clients call the call that goes by this id. */
  readonly nameOf: (id: string) => string
  /** It may not run; the agent will or will not say so itself. */
  readonly reject: (id: string, why: string) => Events
  /** A call waits for the rest of its input, and is not told yet. */
  readonly isWaiting: () => boolean
  /** Tell of these calls what is known so far. */
  readonly release: () => Events
  /** The turn is over, or was `stopped`. What has no result has one now. */
  readonly endTurn: (stopped: boolean) => Events
}

const unnamedId = "unnamed-"

const stoppedEarly = "The turn was stopped before this tool had finished."
const unfinished = "The turn ended without a result of this tool."

const good = new Set(["completed", "complete", "success", "succeeded", "done"])
const bad = new Set(["failed", "failure", "error", "errored", "cancelled", "canceled", "rejected"])
const isOver = (status: string | undefined) => status !== undefined && (good.has(status) || bad.has(status))

const isEmpty = (input: unknown) =>
  input === undefined || (typeof input === "object" && input !== null && Object.keys(input).length === 0)

/**
 * Announced as pending, which is what it is where nothing else is said, it may lack a part of its input; what an update
 * adds is the whole. One that runs has all of it, if it does not say `{}`.
 */
const isKnown = (
  { rawInput, status }: ToolFields,
  added: unknown,
  begins: boolean,
  { announcesInParts = false }: AcpQuirks
) => {
  if (status !== undefined && status !== "pending") {
    return !begins || rawInput === undefined || !isEmpty(rawInput)
  }
  return !announcesInParts && !begins && !isEmpty(added)
}

const toCall = (id: string, fields: ToolFields, begun: boolean): Call => ({
  id,
  begun,
  fields,
  told: false,
  settled: false,
  args: undefined,
  changed: new Set(),
  proposal: undefined,
  progress: "",
  printed: "",
  piece: "",
  rejected: undefined,
  isPast: false
})

/** What an agent asks leave with says why it asks, not what came of it. */
const withoutReasons = ({ content, ...fields }: ToolFields): ToolFields => {
  const diffs = content?.filter(({ type }) => type === "diff") ?? []
  return diffs.length > 0 ? { ...fields, content: diffs } : fields
}

/** Neither what it is nor what it is given is the same. */
const isOther = (one: ToolFields, other: ToolFields) =>
  !isEmpty(one.rawInput) && !isEmpty(other.rawInput) && !isDeepStrictEqual(one.rawInput, other.rawInput)
  && one.title !== other.title && other.title !== undefined && toKind(one) !== toKind(other)

const toKind = ({ kind, name }: ToolFields) => name ?? kind

const isSame = (one: ToolFields, other: Pick<ToolFields, "title">) => one.title === other.title

const hasDiff = ({ content = [] }: ToolFields) => content.some(({ type }) => type === "diff")

const proposalOf = ({ content, locations }: ToolFields): Partial<ToolFields> => ({
  ...(content !== undefined && { content }),
  ...(locations !== undefined && { locations })
})

/** `thread`: the session of a subagent. */
export const makeToolCalls = (quirks: AcpQuirks, ids = new CallIds(), thread?: string): ToolCalls => {
  const calls = new Map<string, Call>()
  /** Those whose `tool_call` was not told. */
  const waiting = new Set<Call>()
  /** Those that run though their id was given to another: what ends by that id ends the first of them. */
  const older = new Map<string, Array<Call>>()
  let unnamed = 0

  /** A call that has lost its id is one of its own; an update without one is of the only call that runs. */
  const named = <A extends ToolFields>(fields: A, begins: boolean): A => {
    if (fields.toolCallId !== "") return fields
    const open = [...calls].filter(([, { isPast, settled }]) => !settled && !isPast)
    const [only] = begins ? [] : open.length === 1 ? open : open.filter(([id]) => id.startsWith(unnamedId))
    return { ...fields, toolCallId: only?.[0] ?? `${unnamedId}${++unnamed}` }
  }

  const begin = (fields: ToolFields, begins: boolean): Call => {
    const { toolCallId } = fields
    const before = calls.get(toolCallId)
    if (before !== undefined && !before.settled) {
      older.set(toolCallId, [...older.get(toolCallId) ?? [], before])
    }
    ids.settle(toolCallId, thread)
    const call = toCall(ids.announce(toolCallId, thread), fields, begins)
    calls.set(toolCallId, call)
    if (quirks.announcesInParts !== true) waiting.add(call)
    return call
  }

  /** An id that is used again, once its call is over. */
  const isAnother = (call: Call, { status, ...fields }: ToolFields, begins: boolean) =>
    !call.settled ? begins && call.begun && call.told && isOther(call.fields, fields) : (begins
      ? call.isPast || !isOver(status) || !isSame(call.fields, fields)
      : call.isPast
        && (status === "pending" || status === "in_progress"
          || (fields.title !== undefined && fields.rawInput !== undefined && !isSame(call.fields, fields))))

  /** The call that an update is of. */
  const callOf = (update: ToolFields, begins: boolean): Call => {
    const { status, toolCallId } = update
    const known = calls.get(toolCallId)
    // What comes first and is announced afterwards is the same call.
    const isLate = known !== undefined && begins && known.settled && !known.begun && !known.isPast
    if (known === undefined || (!isLate && isAnother(known, update, begins))) return begin(update, begins)
    const [first, ...others] = !begins && isOver(status) ? older.get(toolCallId) ?? [] : []
    if (first !== undefined) older.set(toolCallId, others)
    const call = first ?? known
    if (begins) call.begun = true
    return call
  }

  const merge = (update: ToolFields, begins: boolean): Call => {
    const call = callOf(update, begins)
    const { _meta = call.fields._meta } = update
    const rawInput = quirks.input?.(update)
    call.fields = {
      ...call.fields,
      ...update,
      ...(rawInput !== undefined && { rawInput }),
      ...(_meta !== undefined && { _meta: { ...call.fields._meta, ..._meta } })
    }
    const before = call.printed
    call.printed = printedAfter(before, update, isOver(update.status))
    call.piece = call.printed.startsWith(before) ? call.printed.slice(before.length) : call.printed
    if (hasDiff(update)) call.proposal = proposalOf(call.fields)
    return call
  }

  const tell = (call: Call): Events => {
    if (call.told) return []
    call.told = true
    waiting.delete(call)
    const { fields } = call
    const { kind, title } = fields
    call.args = argsOf(fields, quirks)
    const metadata = { ...(title !== undefined && { title }), ...(kind !== undefined && { kind }) }
    return [{
      type: "tool_call",
      tool: toolNameOf(fields, quirks),
      tool_use_id: call.id,
      args: call.args,
      ...(Object.keys(metadata).length > 0 && { metadata })
    }]
  }

  const settle = (call: Call, result: { status: "ok" | "error"; text: string }): Events => {
    if (call.settled) return []
    call.settled = true
    waiting.delete(call)
    return [{ type: "tool_result", tool_use_id: call.id, ...result }]
  }

  const tellDiffs = (call: Call, update: ToolFields): Events => {
    if (!good.has(call.fields.status ?? "")) return []
    const fields = { ...call.fields, ...update }
    // Each update has all changes so far: those of further files are news.
    const diffs = toFileDiffs(hasDiff(fields) ? fields : { ...fields, ...call.proposal }, call.id)
      .filter(({ file_path }) => !call.changed.has(file_path))
    for (const { file_path } of diffs) call.changed.add(file_path)
    return diffs
  }

  const finish = (call: Call): Events => {
    const { fields } = call
    call.settled = true
    const status = good.has(fields.status ?? "") ? "ok" as const : "error" as const
    const output = outputOf(fields, call.printed)
    const why = status === "error" && output.text === undefined ? call.rejected : undefined
    const told: Events = [
      ...tell(call),
      {
        type: "tool_result",
        tool_use_id: call.id,
        status,
        ...output,
        ...(why !== undefined && { text: why })
      },
      ...tellDiffs(call, fields)
    ]
    call.proposal = undefined
    // It may be a file; what an update brings later stands in that update.
    const { content: _content, rawInput: _input, rawOutput: _output, ...rest } = fields
    call.fields = rest
    return told
  }

  /** Output so far replaces what was there; only what is new of it is progress, and only of a tool that runs. */
  const proceed = (call: Call, update: ToolFields, isFirst: boolean): Events => {
    if (call.piece !== "") return [{ type: "tool_progress", tool_use_id: call.id, text: call.piece }]
    const more = isFirst ? [] : moreInput(call, update)
    if (more.length > 0) return more
    const { text = "" } = update.content === undefined ? {} : outputOf(update)
    const news = text.startsWith(call.progress) ? text.slice(call.progress.length) : text
    if (text !== "") call.progress = text
    const said = news === "" || isFirst || call.fields.status !== "in_progress"
      ? quirks.toolProgress?.(update)
      : news
    return said === undefined ? [] : [{ type: "tool_progress", tool_use_id: call.id, text: said }]
  }

  /** It was told with less: what it is given to do is told again, whole. */
  const moreInput = (call: Call, update: ToolFields): Events => {
    const args = quirks.input?.(update) ?? update.rawInput
    if (isEmpty(args) || isDeepStrictEqual(args, call.args)) return []
    call.args = args
    const text = call.fields.title ?? ""
    return [{ type: "tool_progress", tool_use_id: call.id, text, metadata: { args } }]
  }

  const update = (told: ToolFields, begins = false): Events => {
    const news = named(told, begins)
    const call = merge(news, begins)
    if (call.settled) {
      const { content: _content, rawInput: _input, rawOutput: _output, ...rest } = call.fields
      const diffs = tellDiffs(call, news)
      // It was announced when it was over.
      const input = begins && isEmpty(call.args) ? moreInput(call, news) : []
      call.fields = rest
      return [...input, ...diffs]
    }
    if (isOver(news.status)) return finish(call)
    const first = isKnown(call.fields, quirks.input?.(news) ?? news.rawInput, begins, quirks)
      ? tell(call)
      : []
    return call.told ? [...first, ...proceed(call, news, first.length > 0)] : []
  }

  return {
    update,
    named: (call) => named(call, false),
    announce: (fields) => {
      const call = merge(withoutReasons(fields), true)
      return call.settled ? [] : tell(call)
    },
    isWaiting: () => waiting.size > 0,
    release: () => [...waiting].flatMap(tell),
    fieldsOf: (id) => calls.get(id)?.fields,
    nameOf: (id) => calls.get(id)?.id ?? id,
    reject: (id, why) => {
      const call = calls.get(id)
      if (call === undefined) return []
      call.rejected = why
      return quirks.silentOnRejection === true ? settle(call, { status: "error", text: why }) : []
    },
    endTurn: (stopped) => {
      const all = [...[...older.values()].flat(), ...calls.values()]
      older.clear()
      return all.flatMap((call) => {
        call.isPast = true
        if (call.settled) return []
        const text = call.rejected ?? (stopped ? stoppedEarly : unfinished)
        return [...tell(call), ...settle(call, { status: "error", text })]
      })
    }
  }
}
