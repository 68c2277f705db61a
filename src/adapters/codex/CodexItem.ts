/**
 * CodexItem: what a turn is made of: messages, thoughts, and the calls of tools, each started and completed.
 *
 * Only the fields the relay reads are named; a kind that is not here, or does not fit, is told as a `status`.
 */
import { Option, Schema, SchemaGetter } from "effect"
import { NativeBlock } from "../../schema/ContentBlock.js"
import { optional } from "../../schema/fields.js"
import { number, open, text } from "./CodexMessage.js"

const item = <const Type extends string, Fields extends Schema.Struct.Fields>(type: Type, fields: Fields) =>
  Schema.Struct({ type: Schema.Literal(type), id: Schema.String, ...fields })

const texts = Schema.optionalKey(Schema.NullishOr(Schema.Array(Schema.String))).pipe(
  Schema.decodeTo(Schema.Array(Schema.String), {
    decode: SchemaGetter.transformOptional<ReadonlyArray<string>, ReadonlyArray<string> | null | undefined>((
      value
    ) => Option.some(Option.getOrElse(value, () => undefined) ?? [])),
    encode: SchemaGetter.transformOptional<ReadonlyArray<string> | null | undefined, ReadonlyArray<string>>((
      value
    ) => value)
  })
)

/** `diff`: the whole text of a file that is added or deleted, hunks without headers of one that is updated. */
export const FileUpdate = Schema.Struct({
  path: Schema.String,
  kind: Schema.Struct({ type: Schema.String, move_path: text }),
  diff: Schema.String
})
export type FileUpdate = typeof FileUpdate.Type

const UserMessage = item("userMessage", { clientId: text, content: Schema.Array(NativeBlock) })
const AgentMessage = item("agentMessage", { text: Schema.String, phase: text })
const Reasoning = item("reasoning", { summary: texts, content: texts })
const Plan = item("plan", { text: Schema.String })
const Compaction = item("contextCompaction", {})
const SubAgentActivity = item("subAgentActivity", {
  kind: Schema.String,
  agentThreadId: Schema.String,
  agentPath: text,
  model: text
})
const Review = item("exitedReviewMode", { review: Schema.String })
const ReviewBegun = item("enteredReviewMode", { review: Schema.String })
const HookPrompt = item("hookPrompt", { fragments: Schema.Array(Schema.Struct({ text: Schema.String })) })

const CommandExecution = item("commandExecution", {
  command: Schema.String,
  cwd: text,
  status: text,
  aggregatedOutput: text,
  exitCode: number
})
const FileChange = item("fileChange", { changes: Schema.Array(FileUpdate), status: text })
const McpToolCall = item("mcpToolCall", {
  server: Schema.String,
  tool: Schema.String,
  status: text,
  arguments: optional(Schema.Unknown),
  result: optional(
    Schema.Struct({ content: Schema.Array(Schema.Unknown), structuredContent: optional(Schema.Unknown) })
  ),
  error: optional(Schema.Struct({ message: Schema.String }))
})
const DynamicToolCall = item("dynamicToolCall", {
  namespace: text,
  tool: Schema.String,
  arguments: optional(Schema.Unknown),
  status: text,
  contentItems: optional(Schema.Array(open)),
  success: optional(Schema.Boolean)
})
const CollabAgentToolCall = item("collabAgentToolCall", {
  tool: Schema.String,
  status: text,
  prompt: text,
  model: text,
  receiverThreadIds: texts,
  agentsStates: optional(open)
})
const WebSearch = item("webSearch", {
  query: Schema.String,
  action: optional(Schema.Unknown),
  results: optional(Schema.Array(Schema.Unknown))
})
const ImageView = item("imageView", { path: Schema.String })
const ImageGeneration = item("imageGeneration", {
  status: text,
  revisedPrompt: text,
  savedPath: text,
  failure: optional(Schema.Unknown)
})
/** A call of a tool that only its output is told of. */
const FunctionCallOutput = item("functionCallOutput", {
  name: text,
  namespace: text,
  output: optional(Schema.Unknown)
})
const Sleep = item("sleep", { durationMs: number })

/** A tool at work: it becomes a `tool_call` and a `tool_result`. */
export const ToolItem = Schema.Union([
  CommandExecution,
  FileChange,
  McpToolCall,
  DynamicToolCall,
  CollabAgentToolCall,
  WebSearch,
  ImageView,
  ImageGeneration,
  FunctionCallOutput,
  Sleep
])
export type ToolItem = typeof ToolItem.Type

/** What is said or thought, and what happens to the conversation. */
export const SpokenItem = Schema.Union([
  UserMessage,
  AgentMessage,
  Reasoning,
  Plan,
  Compaction,
  SubAgentActivity,
  Review,
  ReviewBegun,
  HookPrompt
])
export type SpokenItem = typeof SpokenItem.Type
