/**
 * toolCalls: follows every tool call through its updates and tells each fact once.
 *
 * An agent may announce a call before it knows its input, ask leave for it, repeat itself, and add what changed after
 * it has said that the call is done. Clients see one `tool_call`, then progress, one `tool_result`, and one
 * `file_diff` per file.
 */
import type { EventBody } from "../../schema/index.js"
import type { AcpQuirks } from "./AcpAgent.js"
import type { ToolFields } from "./AcpMessage.js"
import { argsOf, outputOf, toFileDiffs, toolNameOf } from "./toolFields.js"

type Events = ReadonlyArray<EventBody>

interface Call {
  /** All that is known of it; what an update gives replaces what was there. */
  fields: ToolFields
  /** Its `tool_call` was told. */
  told: boolean
  /** Its `tool_result` was told. */
  settled: boolean
  diffsTold: boolean
  /** What it is going to change, as last told: some agents leave it out of what they say in the end. */
  proposal: Partial<ToolFields> | undefined
  /** Output told as progress so far. */
  progress: string
  /** Nobody allowed it: why it has no output. */
  rejected: string | undefined
}

export interface ToolCalls {
  /** A `tool_call` or an update of one; no event if it says nothing new. */
  readonly update: (update: ToolFields) => Events
  /** It is known well enough to ask leave for it. */
  readonly announce: (call: ToolFields) => Events
  readonly fieldsOf: (id: string) => ToolFields | undefined
  /** It may not run; the agent will or will not say so itself. */
  readonly reject: (id: string, why: string) => Events
  /** The turn is over. What was rejected, or `stopped`, has its result now. */
  readonly endTurn: (stopped: boolean) => Events
}

const stoppedEarly = "The turn was stopped before this tool had finished."

const isOver = (status: string | undefined) => status === "completed" || status === "failed"

const isEmpty = (input: unknown) =>
  input === undefined || (typeof input === "object" && input !== null && Object.keys(input).length === 0)

/** Pending and without input it is an announcement: more will come. */
const isKnown = ({ rawInput, status = "pending" }: ToolFields, { announcesInParts = false }: AcpQuirks) =>
  status !== "pending" || (!isEmpty(rawInput) && !announcesInParts)

const toCall = (fields: ToolFields): Call => ({
  fields,
  told: false,
  settled: false,
  diffsTold: false,
  proposal: undefined,
  progress: "",
  rejected: undefined
})

const hasDiff = ({ content = [] }: ToolFields) => content.some(({ type }) => type === "diff")

const proposalOf = ({ content, locations }: ToolFields): Partial<ToolFields> => ({
  ...(content !== undefined && { content }),
  ...(locations !== undefined && { locations })
})

export const makeToolCalls = (quirks: AcpQuirks): ToolCalls => {
  const calls = new Map<string, Call>()

  const merge = (update: ToolFields): Call => {
    const call = calls.get(update.toolCallId) ?? toCall(update)
    const rawInput = quirks.input?.(update)
    call.fields = { ...call.fields, ...update, ...(rawInput !== undefined && { rawInput }) }
    if (hasDiff(update)) call.proposal = proposalOf(call.fields)
    calls.set(update.toolCallId, call)
    return call
  }

  const tell = (call: Call): Events => {
    if (call.told) return []
    call.told = true
    const { fields } = call
    const { kind, title } = fields
    const metadata = { ...(title !== undefined && { title }), ...(kind !== undefined && { kind }) }
    return [{
      type: "tool_call",
      tool: toolNameOf(fields, quirks),
      tool_use_id: fields.toolCallId,
      args: argsOf(fields, quirks),
      ...(Object.keys(metadata).length > 0 && { metadata })
    }]
  }

  const settle = (call: Call, result: { status: "ok" | "error"; text: string }): Events => {
    if (call.settled) return []
    call.settled = true
    return [{ type: "tool_result", tool_use_id: call.fields.toolCallId, ...result }]
  }

  const tellDiffs = (call: Call, update: ToolFields): Events => {
    if (call.diffsTold || call.fields.status !== "completed") return []
    const fields = { ...call.fields, ...update }
    const diffs = toFileDiffs(hasDiff(fields) ? fields : { ...fields, ...call.proposal })
    call.diffsTold ||= diffs.length > 0
    return diffs
  }

  const finish = (call: Call): Events => {
    const { fields } = call
    call.settled = true
    const told: Events = [
      ...tell(call),
      {
        type: "tool_result",
        tool_use_id: fields.toolCallId,
        status: fields.status === "completed" ? "ok" : "error",
        ...outputOf(fields)
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
    const { text = "" } = update.content === undefined ? {} : outputOf(update)
    const news = text.startsWith(call.progress) ? text.slice(call.progress.length) : text
    if (text !== "") call.progress = text
    const said = news === "" || isFirst || call.fields.status !== "in_progress"
      ? quirks.toolProgress?.(update)
      : news
    return said === undefined ? [] : [{ type: "tool_progress", tool_use_id: update.toolCallId, text: said }]
  }

  const update = (news: ToolFields): Events => {
    const call = merge(news)
    if (call.settled) {
      const { content: _content, rawInput: _input, rawOutput: _output, ...rest } = call.fields
      const diffs = tellDiffs(call, news)
      call.fields = rest
      return diffs
    }
    if (isOver(news.status)) return finish(call)
    const told = isKnown(call.fields, quirks) ? tell(call) : []
    return call.told ? [...told, ...proceed(call, news, told.length > 0)] : []
  }

  return {
    update,
    announce: (fields) => {
      const call = merge(fields)
      return call.settled ? [] : tell(call)
    },
    fieldsOf: (id) => calls.get(id)?.fields,
    reject: (id, why) => {
      const call = calls.get(id)
      if (call === undefined) return []
      call.rejected = why
      return quirks.silentOnRejection === true ? settle(call, { status: "error", text: why }) : []
    },
    endTurn: (stopped) =>
      [...calls.values()].flatMap((call) => {
        const why = call.rejected ?? (stopped ? stoppedEarly : undefined)
        return call.told && why !== undefined ? settle(call, { status: "error", text: why }) : []
      })
  }
}
