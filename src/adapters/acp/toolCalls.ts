/**
 * toolCalls: follows every tool call through its updates and reports each fact once.
 *
 * An agent may announce a call before its input is known, request permission for it, repeat itself, and add
 * changes after reporting the call done. Clients see one `tool_call`, then progress, one `tool_result`, and
 * one `file_diff` per file.
 */
import { isDeepStrictEqual } from "node:util"
import type { EventBody } from "../../schema/index.js"
import { CallIds } from "../wire/CallIds.js"
import type { AcpQuirks } from "./AcpAgent.js"
import type { ToolFields } from "./AcpMessage.js"
import { argsOf, outputOf, printedAfter, toFileDiffs, toolNameOf } from "./toolFields.js"

type Events = ReadonlyArray<EventBody>

interface Call {
  /** The id clients know it by. */
  readonly id: string
  /** The agent announced it, not just updated it. */
  begun: boolean
  /** Everything known about it; updates replace earlier values. */
  fields: ToolFields
  /** Its `tool_call` was emitted. */
  told: boolean
  /** Its `tool_result` was emitted. */
  settled: boolean
  /** Its input, as emitted. */
  args: unknown
  /** Files whose change was emitted. */
  readonly changed: Set<string>
  /** The proposed change, as last reported: some agents leave it out of the final update. */
  proposal: Partial<ToolFields> | undefined
  /** Output emitted as progress so far. */
  progress: string
  /** Terminal output received in chunks, and the last chunk. */
  printed: string
  piece: string
  /** Set if it was rejected: why it has no output. */
  rejected: string | undefined
  /** Its turn is over. */
  isPast: boolean
}

export interface ToolCalls {
  /** Handles a `tool_call` (`begins`) or an update to one; no events if nothing is new. */
  readonly update: (update: ToolFields, begins?: boolean) => Events
  /** The call with an id, generated if it has lost its own. */
  readonly named: <A extends ToolFields>(call: A) => A
  /** It is known well enough to ask permission for it. */
  readonly announce: (call: ToolFields) => Events
  readonly fieldsOf: (id: string) => ToolFields | undefined
  /** The id clients know the call by. */
  readonly nameOf: (id: string) => string
  /** The call may not run, whether or not the agent reports that itself. */
  readonly reject: (id: string, why: string) => Events
  /** Whether a call is waiting for the rest of its input and not emitted yet. */
  readonly isWaiting: () => boolean
  /** Emit these calls with what is known so far. */
  readonly release: () => Events
  /** The turn is over, or was `stopped`. Calls without a result get one. */
  readonly endTurn: (stopped: boolean) => Events
}

const unnamedId = "unnamed-"

const stoppedEarly = "The turn was stopped before this tool had finished."
const unfinished = "The turn ended without a result from this tool."

const good = new Set(["completed", "complete", "success", "succeeded", "done"])
const bad = new Set(["failed", "failure", "error", "errored", "cancelled", "canceled", "rejected"])
const isOver = (status: string | undefined) => status !== undefined && (good.has(status) || bad.has(status))

const isEmpty = (input: unknown) =>
  input === undefined || (typeof input === "object" && input !== null && Object.keys(input).length === 0)

/**
 * A pending call (the default status) may lack part of its input; an update then brings all of it. A running
 * call has all of it, unless it says `{}`.
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

/** Whether it says more than was told; a request may also repeat a part of the input. */
const addsTo = (told: unknown, input: unknown): boolean =>
  typeof input === "object" && input !== null
  && Object.entries(input).some(([name, value]) =>
    !isDeepStrictEqual(value, (told as Readonly<Record<string, unknown>> | undefined)?.[name]) // Any value.
  )

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

/** A permission request's content explains the request, not the outcome. */
const withoutReasons = ({ content, ...fields }: ToolFields): ToolFields => {
  const diffs = content?.filter(({ type }) => type === "diff") ?? []
  return diffs.length > 0 ? { ...fields, content: diffs } : fields
}

/** Both what it is and its input differ. */
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

/** `thread`: a subagent's session. */
export const makeToolCalls = (quirks: AcpQuirks, ids = new CallIds(), thread?: string): ToolCalls => {
  const calls = new Map<string, Call>()
  /** Calls whose `tool_call` was not emitted. */
  const waiting = new Set<Call>()
  /** Calls still running although their id was reused: a result for that id ends the first of them. */
  const older = new Map<string, Array<Call>>()
  let unnamed = 0

  /** A call without an id counts as a new one; an update without one belongs to the only running call. */
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

  /** Whether an id is reused after its call ended. */
  const isAnother = (call: Call, { status, ...fields }: ToolFields, begins: boolean) =>
    !call.settled ? begins && call.begun && call.told && isOther(call.fields, fields) : (begins
      ? call.isPast || !isOver(status) || !isSame(call.fields, fields)
      : call.isPast
        && (status === "pending" || status === "in_progress"
          || (fields.title !== undefined && fields.rawInput !== undefined && !isSame(call.fields, fields))))

  /** The call an update belongs to. */
  const callOf = (update: ToolFields, begins: boolean): Call => {
    const { status, toolCallId } = update
    const known = calls.get(toolCallId)
    // An update followed by its announcement is the same call.
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
    // Each update lists all changes so far; only those to further files are new.
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
    // It may be a large file; later updates bring their own content.
    const { content: _content, rawInput: _input, rawOutput: _output, ...rest } = fields
    call.fields = rest
    return told
  }

  /** Output so far replaces earlier output; only the new part of a running tool's output is progress. */
  const proceed = (call: Call, update: ToolFields, isFirst: boolean): Events => {
    if (call.piece !== "") return [{ type: "tool_progress", tool_use_id: call.id, text: call.piece }]
    const more = isFirst ? [] : moreInput(call, update)
    if (more.length > 0) return more
    // Its content repeats the input.
    const input = update.rawInput === undefined ? quirks.input?.(update) : undefined
    if (input !== undefined && isDeepStrictEqual(input, call.args)) return []
    const { text = "" } = update.content === undefined ? {} : outputOf(update)
    const news = text.startsWith(call.progress) ? text.slice(call.progress.length) : text
    if (text !== "") call.progress = text
    const said = news === "" || isFirst || call.fields.status !== "in_progress"
      ? quirks.toolProgress?.(update)
      : news
    return said === undefined ? [] : [{ type: "tool_progress", tool_use_id: call.id, text: said }]
  }

  /** The turn ended before the tool did, so the call has a result already: its output is still told. */
  const late = (call: Call, { status, ...fields }: ToolFields): Events => {
    const { text } = call.isPast && isOver(status) ? outputOf(fields, call.piece) : {}
    return text === undefined ? [] : [{ type: "tool_progress", tool_use_id: call.id, text }]
  }

  /** Emitted earlier with less input: emit the full input again. */
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
      // It was announced only when it was already over.
      const input = begins && isEmpty(call.args) ? moreInput(call, news) : []
      call.fields = rest
      return [...input, ...late(call, news), ...diffs]
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
      if (call.settled) return []
      return !call.told ? tell(call) : addsTo(call.args, fields.rawInput) ? moreInput(call, fields) : []
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
