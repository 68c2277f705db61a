/**
 * chat: Cortex's chat completions, the subset of OpenAI's protocol that Snowflake supports.
 *
 * Claude models send no `finish_reason`; an answer as long as the limit counts as cut off. A request may
 * carry 20 images in 20 MiB, so only the last images of a long conversation are sent.
 */
import { Match, Option, Schema } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { EventBody, StopReason, Usage } from "../../schema/index.js"
import { wordsIn } from "../wire/words.js"
import { ChatChunk, type ChatUsage, type ToolCallPiece } from "./CortexMessage.js"
import {
  alternating,
  type Answer,
  type Dialect,
  extend,
  inOrder,
  type Message,
  nothingNew,
  paragraphs,
  pendingThoughts,
  type Reader,
  status
} from "./Dialect.js"

// --- requests ----------------------------------------------------------------------------------------------------

const maxImages = 20
/** Of 20 MiB, with room for text. */
const maxImageBytes = 16 * 1024 * 1024

const readImage = Schema.decodeUnknownOption(Schema.Struct({
  type: Schema.Literal("image"),
  source: Schema.Union([
    Schema.Struct({ type: Schema.Literal("base64"), media_type: Schema.String, data: Schema.String }),
    Schema.Struct({ type: Schema.Literal("url"), url: Schema.String })
  ])
}))

const urlOf = (block: NativeBlock): string | undefined =>
  Option.getOrUndefined(Option.map(
    readImage(block),
    ({ source }) => source.type === "url" ? source.url : `data:${source.media_type};base64,${source.data}`
  ))

type Part = { readonly type: "text"; readonly text: string } | {
  readonly type: "image_url"
  readonly image_url: { readonly url: string }
}

const leftOut: Part = { type: "text", text: "[an earlier image, not sent again]" }

/** The parts of all messages; images from the last one backwards, as many as a request may carry. */
const toParts = (messages: ReadonlyArray<Message>): ReadonlyArray<ReadonlyArray<Part>> => {
  let count = 0
  let bytes = 0
  const toPart = (block: NativeBlock): Part => {
    const url = urlOf(block)
    if (url === undefined) return { type: "text", text: String(block["text"] ?? "") }
    count += 1
    bytes += url.length
    return count > maxImages || bytes > maxImageBytes ? leftOut : { type: "image_url", image_url: { url } }
  }
  return messages.toReversed()
    .map(({ content }) => content.toReversed().map(toPart).toReversed())
    .toReversed()
}

const toContent = (parts: ReadonlyArray<Part>) =>
  parts.every((part) => part.type === "text") ? parts.map(({ text }) => text).join("\n\n") : parts

const toMessages = (messages: ReadonlyArray<Message>) => {
  const turns = alternating(messages)
  return toParts(turns).map((parts, index) => ({ role: turns[index]?.role, content: toContent(parts) }))
}

// --- answers -----------------------------------------------------------------------------------------------------

/** The maximum length of an answer, since we set no other. */
const maxCompletionTokens = 4096

const isDefined = <A>(entry: readonly [string, A | undefined]): entry is readonly [string, A] =>
  entry[1] !== undefined

/** As with other agents, cached tokens are counted separately. */
const uncached = ({ prompt_tokens: all, prompt_tokens_details: details }: ChatUsage): number | undefined =>
  all === undefined ? undefined : Math.max(0, all - (details?.cached_tokens ?? 0))

const toUsage = (usage: ChatUsage): Usage =>
  Object.fromEntries(([
    ["input_tokens", uncached(usage)],
    ["output_tokens", usage.completion_tokens],
    ["cached_input_tokens", usage.prompt_tokens_details?.cached_tokens],
    ["context_tokens", usage.total_tokens]
  ] as const).filter(isDefined))

const toStopReason = Match.type<string>().pipe(
  Match.withReturnType<Exclude<StopReason, "error">>(),
  Match.when("length", () => "max_tokens"),
  Match.when("content_filter", () => "refusal"),
  Match.orElse(() => "end_turn")
)

interface Call {
  id: string
  tool: string
  args: string
}

const readJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))
const readChunk = Schema.decodeUnknownOption(ChatChunk)

const reader = (answer: Answer): Reader => {
  const calls = new Map<number, Call>()
  let finish: string | undefined
  let refused = false

  const callPiece = ({ function: named, id, index = 0 }: ToolCallPiece): EventBody => {
    const call = calls.get(index) ?? { id: id ?? `${answer.id}:${index}`, tool: named?.name ?? "", args: "" }
    calls.set(index, { ...call, args: call.args + (named?.arguments ?? "") })
    return {
      type: "stream_event",
      delta: "tool_input",
      text: named?.arguments ?? "",
      tool_use_id: call.id
    }
  }

  const readKnown = ({ choices: [choice] = [], usage }: ChatChunk): ReadonlyArray<EventBody> => {
    const { reasoning_details: details = [], refusal = "", tool_calls = [], ...delta } = choice?.delta ?? {}
    // Some models send the same thought twice, whole and in parts.
    const reasoning = delta.reasoning ?? details.map(({ summary = "", text = summary }) => text).join("")
    // A refusal is the answer, in the model's own words.
    const content = (delta.content ?? "") + refusal
    refused ||= refusal !== ""
    finish = choice?.finish_reason ?? finish
    if (usage !== undefined) answer.usage = toUsage(usage)
    const events: Array<EventBody> = []
    if (reasoning !== "") {
      answer.thoughts.set(0, (answer.thoughts.get(0) ?? "") + reasoning)
      events.push({ type: "stream_event", delta: "reasoning", text: reasoning })
    }
    if (content !== "") {
      extend(answer, 0, "text", "text", content)
      events.push(...pendingThoughts(answer), { type: "stream_event", delta: "text", text: content })
    }
    events.push(...tool_calls.map(callPiece))
    return events.length === 0 ? [nothingNew] : events
  }

  return {
    read: (event, message) => {
      const chunk = Option.getOrUndefined(readChunk(message))
      return chunk === undefined || (chunk.choices === undefined && chunk.usage === undefined)
        ? [status(event, wordsIn(message))]
        : readKnown(chunk)
    },
    settle: () => {
      const full = (answer.usage.output_tokens ?? 0) >= maxCompletionTokens
      answer.stop_reason = refused ? "refusal" : toStopReason(finish ?? (full ? "length" : "stop"))
      return [...calls.values()].map(({ args, id, tool }) => ({
        type: "tool_call",
        tool,
        tool_use_id: id,
        args: Option.getOrElse(readJson(args), () => args)
      }))
    }
  }
}

export const chat: Dialect = {
  path: "/api/v2/cortex/v1/chat/completions",
  toBody: (messages, model) => ({
    model,
    messages: toMessages(messages),
    stream: true,
    stream_options: { include_usage: true }
  }),
  reader,
  toHistory: inOrder,
  toText: paragraphs
}
