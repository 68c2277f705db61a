/**
 * agentEvents: converts a Cortex agent's events.
 *
 * The stream ends with `response`, which repeats the whole answer: it becomes the `assistant_message`,
 * without the parts reported by their own events (thoughts, tool calls).
 */
import { Option, Predicate, Schema } from "effect"
import { CallIds } from "../wire/CallIds.js"
import { firstText, wordsBeside, wordsIn } from "../wire/words.js"
import { toUsage } from "./agentUsage.js"
import {
  AgentResponse,
  AgentStatus,
  AgentText,
  AgentWarning,
  AnalystToolDelta,
  type Fields,
  Figure,
  SuggestedQueries,
  ToolOutcome,
  ToolStatus,
  ToolUse
} from "./CortexMessage.js"
import {
  type Answer,
  type Events,
  extend,
  nothingNew,
  paragraphs,
  pendingThoughts,
  type Reader,
  status
} from "./Dialect.js"
import { turnFailed } from "./RequestFailed.js"

/** Read a message of this shape; a mismatch gives no events. */
const as = <A, I>(schema: Schema.Codec<A, I>, meaning: (message: A, fields: Fields) => Events) => {
  const read = Schema.decodeUnknownOption(schema)
  return (fields: Fields): Events =>
    Option.match(read(fields), { onNone: () => [], onSome: (message) => meaning(message, fields) })
}

const isTrue = (flag: boolean | string | undefined): boolean => flag === true || flag === "true"

const resultText = (content: ReadonlyArray<Fields>): string =>
  content.map((item) => item["type"] === "text" ? String(item["text"]) : JSON.stringify(item["json"] ?? item))
    .join("\n")

const failed = /error|fail|den(y|ied)|cancel|timed?.?out/i

/** The part of a tool's work shown by a delta. */
const progressText = ({ delta }: AnalystToolDelta): string =>
  [
    delta.think,
    delta.text,
    delta.sql,
    delta.sql_explanation,
    delta.suggestions?.delta,
    delta.query_id === undefined ? undefined : `Query ${delta.query_id}`
  ].filter((text) => text !== undefined).join("\n")

const timedOut =
  "Snowflake stopped the agent at its time limit. What it said is kept: send a prompt to continue."

/** Reported by events of their own. */
const toldApart = new Set(["thinking", "tool_use", "tool_result"])

/** A tool call of the session. */
interface Call {
  /** The id clients know it by. */
  readonly tool_use_id: string
  readonly tool: string
  /** The answer that reported it. */
  readonly answer: Answer
  /** It will be refused before the next request. */
  isRefused: boolean
  hasResult: boolean
}

/** The session's tool calls, by the id each service used last. */
export interface Calls {
  readonly ids: CallIds
  readonly last: Map<string, Call>
}

export const makeCalls = (): Calls => ({ ids: new CallIds(), last: new Map() })

export const readAgentEvents = (answer: Answer, { ids, last }: Calls): Reader => {
  /** A later answer may reuse an id once its call is over; the end of a turn ends all calls. */
  const isAgain = ({ answer: first, hasResult, isRefused }: Call, isCall: boolean): boolean =>
    first !== answer && (hasResult || (isCall && (isRefused || first.turn !== answer.turn)))

  const call = (
    { name, tool_use_id: native, type }: Omit<ToolOutcome, "content">,
    args?: unknown,
    isCall = false
  ): Events => {
    const before = last.get(native)
    if (before !== undefined && !isAgain(before, isCall)) return []
    ids.settle(native)
    const tool_use_id = ids.announce(native)
    const tool = name ?? type ?? "tool"
    last.set(native, { tool_use_id, tool, answer, isRefused: false, hasResult: false })
    return [{
      type: "tool_call",
      tool,
      tool_use_id,
      ...(args !== undefined && { args }),
      ...(type !== undefined && { metadata: { tool_type: type } })
    }]
  }

  const toolUse = (use: ToolUse): Events => {
    const told = call(use, use.input, true)
    const { client_side_execute, input: args, permission, tool_use_id: native, type } = use
    const begun = last.get(native)
    const options = permission?.options ?? []
    if (begun !== undefined && told.length > 0 && (options.length > 0 || isTrue(client_side_execute))) {
      const { tool, tool_use_id } = begun
      begun.isRefused = options.length === 0
      answer.asks.push({ tool_use_id, native, tool, type, args, options })
    }
    return told
  }

  const toolResult = ({ content = [], ...result }: ToolOutcome, fields: Fields): Events => {
    const told = call(result)
    const done = last.get(result.tool_use_id)
    if (done !== undefined) done.hasResult = true
    return [
      ...told,
      {
        type: "tool_result",
        tool: done?.tool ?? "tool",
        tool_use_id: done?.tool_use_id ?? result.tool_use_id,
        status: failed.test(result.status ?? "") ? "error" : "ok",
        content,
        text: resultText(content) || (wordsBeside(fields) ?? "")
      }
    ]
  }

  /** The id clients know a call by. */
  const nameOf = (native: string | undefined): string | undefined =>
    native === undefined ? undefined : last.get(native)?.tool_use_id ?? native

  const progress = (native: string | undefined, text: string): Events => {
    const tool_use_id = nameOf(native)
    const tool = last.get(native ?? "")?.tool
    return [{
      type: "tool_progress",
      text,
      ...(tool_use_id !== undefined && { tool_use_id }),
      ...(tool !== undefined && { tool })
    }]
  }

  /** A non-text block of the answer, shown whole in the `assistant_message`. */
  const figure = (type: "table" | "chart") =>
    as(Figure, ({ content_index = 0, query_id, title, tool_use_id }, { content_index: _, ...fields }) => {
      answer.blocks.set(content_index, { type, [type]: fields })
      return [status(type, title, { tool_use_id: nameOf(tool_use_id), query_id })]
    })

  const response = ({ content, metadata, status: outcome }: AgentResponse): Events => {
    answer.progress = "complete"
    // If it cannot be read, the streamed text is the answer.
    if (content === undefined) return [status("response", outcome)]
    answer.final = content
    answer.told = true
    answer.usage = toUsage(
      metadata?.usage?.tokens_consumed ?? [],
      content.some(({ type }) => type === "tool_use")
    )
    if (outcome === "cancelled") answer.stop_reason = "cancelled"
    if (outcome === "timed_out") answer.failure = turnFailed(timedOut)
    const shown = content.filter(({ type }) => !toldApart.has(type))
    const text = paragraphs(shown)
    return [
      ...pendingThoughts(answer),
      shown.length === 0
        ? status("response", outcome)
        : { type: "assistant_message", content: shown, ...(text !== "" && { text }) }
    ]
  }

  const readers: Record<string, (fields: Fields) => Events> = {
    "response.status": as(AgentStatus, ({ message, status: name }) => [status(name, message)]),
    "response.warning": as(AgentWarning, ({ code, message }) => [
      status("warning", message, code === undefined ? undefined : { code })
    ]),
    "response.text.delta": as(AgentText, ({ content_index = 0, text }) => {
      extend(answer, content_index, "text", "text", text)
      return [{ type: "stream_event", delta: "text", text }]
    }),
    "response.text": as(AgentText, ({ content_index = 0, text }) => {
      answer.blocks.set(content_index, { type: "text", text })
      return [nothingNew]
    }),
    "response.text.annotation": () => [nothingNew],
    "response.thinking.delta": as(AgentText, ({ content_index = 0, text }) => {
      answer.thoughts.set(content_index, (answer.thoughts.get(content_index) ?? "") + text)
      return [{ type: "stream_event", delta: "reasoning", text }]
    }),
    "response.thinking": as(AgentText, ({ content_index = 0, text }) => {
      answer.thoughts.delete(content_index)
      // A model may withhold its thoughts.
      return [firstText(text) === undefined ? nothingNew : { type: "reasoning", text }]
    }),
    "response.tool_use": as(ToolUse, toolUse),
    "response.tool_result": as(ToolOutcome, toolResult),
    "response.tool_result.status": as(
      ToolStatus,
      ({ message, status: name, tool_use_id }) => progress(tool_use_id, message ?? name ?? "")
    ),
    "response.tool_result.analyst.delta": as(
      AnalystToolDelta,
      (message) => progress(message.tool_use_id, progressText(message))
    ),
    "response.table": figure("table"),
    "response.chart": figure("chart"),
    "response.suggested_queries": as(SuggestedQueries, ({ suggested_queries }) => {
      const suggestions = suggested_queries.flatMap((one) =>
        (Predicate.hasProperty(one, "query") ? firstText(one.query) : undefined) ?? wordsIn(one) ?? []
      )
      return suggestions.length === 0
        ? []
        : [status("response.suggested_queries", suggestions.join("\n"), { suggestions })]
    }),
    // The reference wraps it, the guide to threads does not.
    metadata: (fields) => {
      const wrapped = fields["metadata"]
      const metadata = typeof wrapped === "object" && wrapped !== null ? { ...wrapped } : fields
      return [status("metadata", undefined, metadata)]
    },
    // For machines: kept, and not searched for text.
    execution_trace: (data) => [status("execution_trace", undefined, { data })],
    response: as(AgentResponse, response),
    done: () => {
      answer.progress = "closed"
      return [status("done")]
    }
  }

  const read = (event: string, message: Fields): Events => {
    const events = Object.hasOwn(readers, event) ? readers[event]?.(message) ?? [] : []
    return events.length > 0 ? events : [status(event, wordsIn(message))]
  }

  return { read, settle: () => [] }
}
