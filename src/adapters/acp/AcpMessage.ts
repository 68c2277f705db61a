/**
 * AcpMessage: what an agent of the Agent Client Protocol v1 says while it works.
 *
 * Only the fields the relay reads are named; everything else stays in `raw`. Lenient on purpose: a message that does
 * not fit is passed on as it is, never an error. A test holds these shapes against the protocol's own types.
 */
import { Predicate, Schema, SchemaGetter } from "effect"
import { NativeBlock } from "../../schema/ContentBlock.js"
import {
  Amount,
  amount,
  AnyObject,
  Blocks,
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

/** Extensions of the agent. */
const _meta = optional(AnyObject)

/** One block of whatever was put where one belongs. */
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
) as unknown as Schema.Codec<NativeBlock, typeof NativeBlock.Encoded> // It takes anything; the type says what it is for.

/** A piece of a message. Pieces with the same `messageId` belong to one message. */
const chunk = <const Kind extends string>(kind: Kind) =>
  Schema.Struct({ sessionUpdate: Schema.Literal(kind), content: Block, messageId: optional(id), _meta })

export const UserChunk = chunk("user_message_chunk")
export const AgentChunk = chunk("agent_message_chunk")
export const ThoughtChunk = chunk("agent_thought_chunk")
export type Chunk = typeof UserChunk.Type | typeof AgentChunk.Type | typeof ThoughtChunk.Type

/** `content`, `diff` or `terminal`, told apart where they are read; others stay as they are. */
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

/** Some agents leave the wrapper out, or the list, or put lists in it. */
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
  Schema.decodeTo(Schema.Array(Schema.toType(ToolContent)), {
    decode: SchemaGetter.transform((value: unknown) => readContents(toContents(value))),
    encode: SchemaGetter.transform((contents: unknown) => contents)
  })
) as unknown as Schema.Codec<ReadonlyArray<ToolContent>, ReadonlyArray<typeof ToolContent.Encoded>> // As above.

/** Ids are texts, which may be empty; a number is taken for one. */
const Id = Schema.Union([Schema.String, Schema.Finite]).pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform((id: string | number) => String(id)),
    encode: SchemaGetter.transform((id: string): string | number => id)
  })
)

/** What is known of a tool call. In an update all but the id may be left out, and what is given replaces. */
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
  /** Where sloppy agents say why it failed. */
  error: optional(Schema.Unknown),
  message: optional(Schema.Unknown),
  reason: optional(Schema.Unknown),
  _meta
}
export const ToolFields = Schema.Struct(toolFields)
export type ToolFields = typeof ToolFields.Type

/** One that has lost its id is still a call. */
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
/** A step; its words alone will do. */
const PlanEntry = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Struct({ content: words, priority: text, status: text }), {
    decode: SchemaGetter.transform(toEntry),
    encode: SchemaGetter.transform((entry: unknown) => entry)
  })
) as unknown as Schema.Codec<
  { readonly content: string; readonly priority?: string; readonly status?: string },
  { readonly content: string; readonly priority?: string | null; readonly status?: string | null }
> // It takes anything; the type says what it is for.

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

/** A value of a select, or a group of them. */
const ConfigValue = Schema.Struct({
  value: text,
  name: text,
  description: text,
  options: optional(items(Schema.Struct({ value: text, name: text, description: text })))
})
/** A setting of the session; `category` says what it decides: `mode`, `model`, … */
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

/** How full the context window is; `cost` is that of the whole session. */
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

/** A piece of the summary that replaces what was said. */
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

/** The params of `session/update`; `update` is decoded on its own, so that an odd one keeps its name. */
export const SessionNotification = Schema.Struct({
  /** Another than the conversation's own is of a subagent. */
  sessionId: optional(id),
  update: optional(Schema.StructWithRest(Schema.Struct({ sessionUpdate: text }), [AnyObject]))
})

/** The answer to `session/prompt`. Tokens stand in `usage`, or (Gemini) in `_meta.quota.token_count`. */
export const PromptResponse = Schema.Struct({
  stopReason: text,
  usage: optional(Schema.Struct({ inputTokens: amount, outputTokens: amount, cachedReadTokens: amount })),
  _meta: optional(Schema.Struct({
    quota: optional(Schema.Struct({
      token_count: optional(Schema.Struct({ input_tokens: amount, output_tokens: amount }))
    }))
  }))
})
export type PromptResponse = typeof PromptResponse.Type
