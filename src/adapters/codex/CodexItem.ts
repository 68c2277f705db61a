/**
 * CodexItem: the items of a turn: messages, thoughts and tool calls, each started and completed.
 *
 * Only fields the relay reads are declared; an unknown or mismatched kind is reported as a `status`.
 */
import { Predicate, Schema, SchemaGetter } from "effect"
import {
  AnyObject,
  Blocks,
  flag,
  id,
  items,
  number,
  optional,
  text,
  withFallback,
  words
} from "../wire/lenient.js"
import { wordsIn } from "../wire/words.js"

const item = <const Type extends string, Fields extends Schema.Struct.Fields>(type: Type, fields: Fields) =>
  Schema.Struct({ type: Schema.Literal(type), id: withFallback(id, ""), ...fields })

const name = withFallback(Schema.String, "")
const threadName = withFallback(id, "")
const ids = withFallback(items(id), [])

/** A list of texts, or a single one. */
const texts = withFallback(
  Schema.Unknown.pipe(
    Schema.decodeTo(Schema.Array(Schema.String), {
      decode: SchemaGetter.transform((value: unknown): ReadonlyArray<string> =>
        (Array.isArray(value) ? value : [value]).flatMap((entry) => wordsIn(entry) ?? [])
      ),
      encode: SchemaGetter.transform((value: ReadonlyArray<string>): unknown => value)
    })
  ),
  []
)

/** A value in place of an object; a bare string becomes the object's `field`. */
const objectOr = (field: string) => (value: unknown): object =>
  Predicate.isObject(value) && !Array.isArray(value)
    ? value
    : typeof value === "string"
    ? { [field]: value }
    : {}

/** Older releases give only the kind. */
const ChangeKind = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Struct({ type: withFallback(Schema.String, "update"), move_path: text }), {
    decode: SchemaGetter.transform(objectOr("type")),
    encode: SchemaGetter.transform((kind: unknown) => kind)
  })
)

/** `diff`: the whole text of an added or deleted file, or header-less hunks of an updated one. */
export const FileUpdate = Schema.Struct({
  path: Schema.String,
  kind: withFallback(ChangeKind, { type: "update" }),
  diff: withFallback(Schema.String, "")
})
export type FileUpdate = typeof FileUpdate.Type
const changes = withFallback(items(FileUpdate), [])

const UserMessage = item("userMessage", { clientId: text, content: withFallback(Blocks, []) })
/** A message may ask its reader something. */
const AgentMessage = item("agentMessage", {
  text: words,
  phase: text,
  questions: optional(items(Schema.Struct({ title: words, options: texts })))
})
const Reasoning = item("reasoning", { summary: texts, content: texts })
const Plan = item("plan", { text: words })
const Compaction = item("contextCompaction", {})
const SubAgentActivity = item("subAgentActivity", {
  kind: name,
  agentThreadId: threadName,
  agentPath: text,
  model: text
})
const Review = item("exitedReviewMode", { review: words })
const ReviewBegun = item("enteredReviewMode", { review: words })
const HookPrompt = item("hookPrompt", { fragments: texts })

const CommandExecution = item("commandExecution", {
  command: words,
  cwd: text,
  status: text,
  aggregatedOutput: optional(words),
  exitCode: number
})
const FileChange = item("fileChange", { changes, status: text })
const anything = optional(Schema.Unknown)
/** A server's answer; a bare string is all of it. */
const McpResult = Schema.Unknown.pipe(
  Schema.decodeTo(
    Schema.Struct({ content: withFallback(Blocks, []), structuredContent: anything, isError: flag }),
    {
      // A value of another shape is its own content.
      decode: SchemaGetter.transform((value: unknown): object =>
        Predicate.isObject(value) && ("content" in value || "structuredContent" in value)
          ? value
          : { ...(Predicate.isObject(value) && value), content: value }
      ),
      encode: SchemaGetter.transform((result: unknown) => result)
    }
  )
)
const McpToolCall = item("mcpToolCall", {
  server: name,
  tool: name,
  status: text,
  arguments: anything,
  result: optional(McpResult),
  error: anything
})
const DynamicToolCall = item("dynamicToolCall", {
  namespace: text,
  tool: name,
  arguments: anything,
  status: text,
  contentItems: optional(Blocks),
  success: flag
})
const CollabAgentToolCall = item("collabAgentToolCall", {
  tool: name,
  status: text,
  prompt: text,
  model: text,
  receiverThreadIds: ids,
  agentsStates: optional(AnyObject)
})
const WebSearch = item("webSearch", {
  query: words,
  action: anything,
  results: optional(Schema.Array(Schema.Unknown))
})
const ImageView = item("imageView", { path: words })
const ImageGeneration = item("imageGeneration", {
  status: text,
  revisedPrompt: text,
  savedPath: text,
  /** The image in base64. */
  result: text,
  failure: anything
})
/** A tool call known only by its output. */
const FunctionCallOutput = item("functionCallOutput", { name: text, namespace: text, output: anything })
const Sleep = item("sleep", { durationMs: number })

/** A running tool: it becomes a `tool_call` and a `tool_result`. */
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

/** Messages, thoughts and changes to the conversation itself. */
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
