/**
 * AcpMessage: what an agent of the Agent Client Protocol v1 says while it works.
 *
 * Only the fields the relay reads are named; everything else stays in `raw`. Lenient on purpose: a message that does
 * not fit is passed on as it is, never an error. A test holds these shapes against the protocol's own types.
 */
import { Schema } from "effect"
import { NativeBlock } from "../../schema/ContentBlock.js"
import { optional } from "../../schema/fields.js"

const text = optional(Schema.String)
const number = optional(Schema.Number)
const AnyObject = Schema.Record(Schema.String, Schema.Unknown)
/** Extensions of the agent. */
const _meta = optional(AnyObject)

/** A piece of a message. Pieces with the same `messageId` belong to one message. */
const chunk = <const Kind extends string>(kind: Kind) =>
  Schema.Struct({ sessionUpdate: Schema.Literal(kind), content: NativeBlock, messageId: text, _meta })

export const UserChunk = chunk("user_message_chunk")
export const AgentChunk = chunk("agent_message_chunk")
export const ThoughtChunk = chunk("agent_thought_chunk")
export type Chunk = typeof UserChunk.Type | typeof AgentChunk.Type | typeof ThoughtChunk.Type

/** `content`, `diff` or `terminal`, told apart where they are read. */
export const ToolContent = Schema.Struct({
  type: Schema.String,
  content: optional(NativeBlock),
  path: text,
  oldText: text,
  newText: text,
  terminalId: text
})
export type ToolContent = typeof ToolContent.Type

/** What is known of a tool call. In an update all but the id may be left out, and what is given replaces. */
export const toolFields = {
  toolCallId: Schema.String,
  title: text,
  name: text,
  kind: text,
  status: text,
  content: optional(Schema.Array(ToolContent)),
  locations: optional(Schema.Array(Schema.Struct({ path: Schema.String, line: number }))),
  rawInput: optional(Schema.Unknown),
  rawOutput: optional(Schema.Unknown),
  _meta
}
export const ToolFields = Schema.Struct(toolFields)
export type ToolFields = typeof ToolFields.Type

export const ToolCall = Schema.Struct({ sessionUpdate: Schema.Literal("tool_call"), ...toolFields })
export const ToolCallUpdate = Schema.Struct({
  sessionUpdate: Schema.Literal("tool_call_update"),
  ...toolFields
})

export const Plan = Schema.Struct({
  sessionUpdate: Schema.Literal("plan"),
  entries: Schema.Array(Schema.Struct({ content: Schema.String, priority: text, status: text }))
})

export const AvailableCommands = Schema.Struct({
  sessionUpdate: Schema.Literal("available_commands_update"),
  availableCommands: Schema.Array(Schema.Struct({
    name: Schema.String,
    description: text,
    input: optional(Schema.Struct({ hint: text }))
  }))
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
  options: optional(Schema.Array(Schema.Struct({ value: text, name: text, description: text })))
})
/** A setting of the session; `category` says what it decides: `mode`, `model`, … */
export const ConfigOption = Schema.Struct({
  id: Schema.String,
  name: text,
  category: text,
  type: text,
  currentValue: optional(Schema.Unknown),
  options: optional(Schema.Array(ConfigValue))
})
export type ConfigOption = typeof ConfigOption.Type

export const ConfigUpdate = Schema.Struct({
  sessionUpdate: Schema.Literal("config_option_update"),
  configOptions: Schema.Array(ConfigOption)
})

export const SessionUpdated = Schema.Struct({
  sessionUpdate: Schema.Literal("session_info_update"),
  title: text,
  updatedAt: text
})

/** How full the context window is; `cost` is that of the whole session. */
export const UsageUpdate = Schema.Struct({
  sessionUpdate: Schema.Literal("usage_update"),
  used: Schema.Number,
  size: Schema.Number,
  cost: optional(Schema.Struct({ amount: Schema.Number, currency: text })),
  _meta
})

export const Notice = Schema.Struct({
  sessionUpdate: Schema.Literal("notice"),
  severity: text,
  title: Schema.String,
  description: text
})

export const Compaction = Schema.Struct({
  sessionUpdate: Schema.Literal("compaction_update"),
  compactionId: text,
  status: Schema.String,
  summary: optional(Schema.Array(NativeBlock)),
  error: text
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
  Compaction
])
export type SessionUpdate = typeof SessionUpdate.Type

/** The params of `session/update`; `update` is decoded on its own, so that an odd one keeps its name. */
export const SessionNotification = Schema.Struct({
  update: Schema.StructWithRest(Schema.Struct({ sessionUpdate: Schema.String }), [
    Schema.Record(Schema.String, Schema.Unknown)
  ])
})

/** The answer to `session/prompt`. Tokens stand in `usage`, or (Gemini) in `_meta.quota.token_count`. */
export const PromptResponse = Schema.Struct({
  stopReason: Schema.String,
  usage: optional(Schema.Struct({ inputTokens: number, outputTokens: number, cachedReadTokens: number })),
  _meta: optional(Schema.Struct({
    quota: optional(Schema.Struct({
      token_count: optional(Schema.Struct({ input_tokens: number, output_tokens: number }))
    }))
  }))
})
export type PromptResponse = typeof PromptResponse.Type
