/**
 * AcpMessage: the messages of an agent that speaks the Agent Client Protocol v1.
 *
 * Only fields the relay reads are declared; everything else stays in `raw`. Decoding is lenient: a message
 * that does not match is passed on unchanged and is never an error. A test checks these shapes against the
 * protocol's own types.
 */
import { Predicate, Schema, SchemaGetter } from "effect"
import { NativeBlock } from "../../schema/ContentBlock.js"
import {
  Amount,
  amount,
  AnyObject,
  Blocks,
  decoded,
  id,
  items,
  number,
  optional,
  readBlocks,
  text,
  withFallback,
  words
} from "../wire/lenient.js"
import { textOfBlocks } from "../wire/words.js"

/** Agent-specific extensions. */
const _meta = optional(AnyObject)

/** Turns any value found in place of a block into a block. */
const toBlock = (value: unknown): NativeBlock => {
  const [first, ...others] = readBlocks(value)
  if (first === undefined) return { type: "unknown" }
  return others.length === 0 ? first : { type: "text", text: textOfBlocks([first, ...others]) }
}

const Block = Schema.Unknown.pipe(
  Schema.decodeTo(NativeBlock, {
    decode: SchemaGetter.transform(toBlock),
    encode: SchemaGetter.transform((block: unknown) => block)
  })
) as unknown as Schema.Codec<NativeBlock, typeof NativeBlock.Encoded> // Accepts any value; the type says what for.

/** A message chunk. Chunks with the same `messageId` belong to one message. */
const chunk = <const Kind extends string>(kind: Kind) =>
  Schema.Struct({ sessionUpdate: Schema.Literal(kind), content: Block, messageId: optional(id), _meta })

export const UserChunk = chunk("user_message_chunk")
export const AgentChunk = chunk("agent_message_chunk")
export const ThoughtChunk = chunk("agent_thought_chunk")
export type Chunk = typeof UserChunk.Type | typeof AgentChunk.Type | typeof ThoughtChunk.Type

/** `content`, `diff` or `terminal`, told apart where they are read; other kinds are kept as they are. */
export const ToolContent = Schema.StructWithRest(
  Schema.Struct({
    type: withFallback(Schema.String, "content"),
    content: optional(Block),
    path: text,
    oldText: text,
    newText: text,
    terminalId: text
  }),
  [AnyObject]
)
export type ToolContent = typeof ToolContent.Type

/** Some agents leave out the wrapper or the list, or nest lists. */
const toContents = (value: unknown): ReadonlyArray<unknown> => {
  const list: ReadonlyArray<unknown> = Array.isArray(value) ? value.flat(8) : [value]
  return list.map((part) => {
    const [block] = readBlocks(part)
    const isWrapped = block !== undefined &&
      ("content" in block || block.type === "diff" || block.type === "terminal")
    return isWrapped || block === undefined ? part : { type: "content", content: block }
  })
}

const readContents = Schema.decodeUnknownSync(items(ToolContent))
const Contents = Schema.Unknown.pipe(
  Schema.decodeTo(decoded(Schema.Array(ToolContent)), {
    decode: SchemaGetter.transform((value: unknown) => readContents(toContents(value))),
    encode: SchemaGetter.transform((contents: unknown) => contents)
  })
) as unknown as Schema.Codec<ReadonlyArray<ToolContent>, ReadonlyArray<typeof ToolContent.Encoded>> // As above.

/** Ids are strings, possibly empty; numbers are accepted. */
const Id = Schema.Union([Schema.String, Schema.Finite]).pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform((id: string | number) => String(id)),
    encode: SchemaGetter.transform((id: string): string | number => id)
  })
)

/**
 * Known fields of a tool call. In an update every field but the id is optional, and given values replace
 * earlier ones.
 */
export const toolFields = {
  toolCallId: Id,
  title: text,
  name: text,
  kind: text,
  status: text,
  content: optional(Contents),
  locations: optional(items(Schema.Struct({ path: Schema.String, line: number }))),
  rawInput: optional(Schema.Unknown),
  rawOutput: optional(Schema.Unknown),
  /** Where less strict agents put the reason for a failure. */
  error: optional(Schema.Unknown),
  message: optional(Schema.Unknown),
  reason: optional(Schema.Unknown),
  _meta
}
export const ToolFields = Schema.Struct(toolFields)
export type ToolFields = typeof ToolFields.Type

/** A call that has lost its id is still a call. */
const toolCallId = withFallback(Id, "")

export const ToolCall = Schema.Struct({
  sessionUpdate: Schema.Literal("tool_call"),
  ...toolFields,
  toolCallId
})
export const ToolCallUpdate = Schema.Struct({
  sessionUpdate: Schema.Literal("tool_call_update"),
  ...toolFields,
  toolCallId
})

const toEntry = (entry: unknown): object =>
  Predicate.isObject(entry) && !Array.isArray(entry) ? entry : { content: entry }
/** A plan step; plain text is accepted. */
const PlanEntry = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Struct({ content: words, priority: text, status: text }), {
    decode: SchemaGetter.transform(toEntry),
    encode: SchemaGetter.transform((entry: unknown) => entry)
  })
) as unknown as Schema.Codec<
  { readonly content: string; readonly priority?: string; readonly status?: string },
  { readonly content: string; readonly priority?: string | null; readonly status?: string | null }
> // Accepts any value; the type says what for.

export const Plan = Schema.Struct({
  sessionUpdate: Schema.Literal("plan"),
  entries: withFallback(
    items(PlanEntry),
    []
  )
})

export const AvailableCommands = Schema.Struct({
  sessionUpdate: Schema.Literal("available_commands_update"),
  availableCommands: withFallback(
    items(Schema.Struct({
      name: Schema.String,
      description: text,
      input: optional(Schema.Struct({ hint: text }))
    })),
    []
  )
})

export const CurrentMode = Schema.Struct({
  sessionUpdate: Schema.Literal("current_mode_update"),
  currentModeId: Schema.String
})

/** A select's value or a group of values. */
const ConfigValue = Schema.Struct({
  value: text,
  name: text,
  description: text,
  options: optional(items(Schema.Struct({ value: text, name: text, description: text })))
})
/** A session setting; `category` says what it controls: `mode`, `model`, … */
export const ConfigOption = Schema.Struct({
  id: Schema.String,
  name: text,
  category: text,
  type: text,
  currentValue: optional(Schema.Unknown),
  options: optional(items(ConfigValue))
})
export type ConfigOption = typeof ConfigOption.Type

export const ConfigUpdate = Schema.Struct({
  sessionUpdate: Schema.Literal("config_option_update"),
  configOptions: withFallback(items(ConfigOption), [])
})

export const SessionUpdated = Schema.Struct({
  sessionUpdate: Schema.Literal("session_info_update"),
  title: text,
  updatedAt: text
})

/** How full the context window is; `cost` covers the whole session. */
export const UsageUpdate = Schema.Struct({
  sessionUpdate: Schema.Literal("usage_update"),
  used: amount,
  size: amount,
  cost: optional(Schema.Struct({ amount: Amount, currency: text })),
  _meta
})

export const Notice = Schema.Struct({
  sessionUpdate: Schema.Literal("notice"),
  severity: text,
  title: optional(words),
  description: optional(words)
})

export const Compaction = Schema.Struct({
  sessionUpdate: Schema.Literal("compaction_update"),
  compactionId: text,
  status: text,
  summary: optional(Blocks),
  error: optional(Schema.Unknown)
})

/** A chunk of the summary that replaces the earlier conversation. */
export const SummaryChunk = Schema.Struct({
  sessionUpdate: Schema.Literal("compaction_summary_chunk"),
  compactionId: text,
  content: Block
})

export const SessionUpdate = Schema.Union([
  UserChunk,
  AgentChunk,
  ThoughtChunk,
  ToolCall,
  ToolCallUpdate,
  Plan,
  AvailableCommands,
  CurrentMode,
  ConfigUpdate,
  SessionUpdated,
  UsageUpdate,
  Notice,
  Compaction,
  SummaryChunk
])
export type SessionUpdate = typeof SessionUpdate.Type

/** The params of `session/update`; `update` is decoded separately, so that a malformed one keeps its name. */
export const SessionNotification = Schema.Struct({
  /** An id other than the conversation's belongs to a subagent. */
  sessionId: optional(id),
  update: optional(Schema.StructWithRest(Schema.Struct({ sessionUpdate: text }), [AnyObject]))
})

/** The answer to `session/prompt`. Tokens are in `usage` or (Gemini) in `_meta.quota.token_count`. */
export const PromptResponse = Schema.Struct({
  stopReason: text,
  usage: optional(
    Schema.Struct({
      inputTokens: amount,
      outputTokens: amount,
      cachedReadTokens: amount,
      cachedWriteTokens: amount
    })
  ),
  _meta: optional(Schema.Struct({
    quota: optional(Schema.Struct({
      token_count: optional(Schema.Struct({ input_tokens: amount, output_tokens: amount }))
    }))
  }))
})
export type PromptResponse = typeof PromptResponse.Type
