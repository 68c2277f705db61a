/**
 * anthropic: the Messages API as Claude Code (and every agent built on it) calls it.
 */

import { type Entry, fromUserText } from "./Conversation.js"
import { type Dialect, type Frame, type ModelCall, newId, typedFrame } from "./Dialect.js"
import { anthropicFailure } from "./failures.js"
import { type Json, record, records, sampleOf, string } from "./json.js"
import { chunksOf, type Reply, type Tool, toolsOf, usageOf } from "./script.js"

const toEntries = (message: Json): ReadonlyArray<Entry> => {
  if (message.role === "assistant") return [{ kind: "model" }]
  if (message.role !== "user") return []
  if (typeof message.content === "string") return fromUserText(message.content)
  return records(message.content).flatMap((block): ReadonlyArray<Entry> =>
    block.type === "tool_result"
      ? [{ kind: "result" }]
      : block.type === "text"
      ? fromUserText(string(block.text))
      : []
  )
}

/** Claude Code asks for titles with a JSON schema and no tools, and probes the quota with one token. */
const sideReply = (body: Json): string | undefined => {
  if (body.max_tokens === 1) return "H"
  const { schema } = record(record(body.output_config).format)
  return schema !== undefined && records(body.tools).length === 0
    ? JSON.stringify(sampleOf(schema))
    : undefined
}

const read = (path: string, body: Json): ModelCall | undefined => {
  if (path !== "/v1/messages") return undefined
  const side = sideReply(body)
  return {
    model: string(body.model),
    stream: body.stream === true,
    offered: new Map(
      records(body.tools).map(({ input_schema, name }) => [string(name), record(input_schema)])
    ),
    entries: records(body.messages).flatMap(toEntries),
    ...(side === undefined ? {} : { side })
  }
}

const toNativeTool = (tool: Tool): { readonly name: string; readonly input: object } => {
  if ("name" in tool) return tool
  switch (tool.kind) {
    case "shell":
      return { name: "Bash", input: { command: tool.command, description: "Run a command" } }
    case "read":
      return { name: "Read", input: { file_path: tool.path } }
    case "write":
      return { name: "Write", input: { file_path: tool.path, content: tool.content } }
    case "edit":
      return { name: "Edit", input: { file_path: tool.path, old_string: tool.old, new_string: tool.new } }
  }
}

const toBlocks = (reply: Reply): ReadonlyArray<Json> => [
  ...(reply.thinking === undefined
    ? []
    : [{ type: "thinking", thinking: reply.thinking, signature: "c2NyaXB0ZWQ=" }]),
  ...(chunksOf(reply).length === 0 ? [] : [{ type: "text", text: chunksOf(reply).join("") }]),
  ...toolsOf(reply).map((tool) => ({ type: "tool_use", id: newId("toolu"), ...toNativeTool(tool) }))
]

const stopReason = (reply: Reply) => reply.stop ?? (toolsOf(reply).length > 0 ? "tool_use" : "end_turn")

const toMessage = ({ model }: ModelCall, reply: Reply, rest: Json) => ({
  id: newId("msg"),
  type: "message",
  role: "assistant",
  model,
  stop_sequence: null,
  ...rest,
  usage: {
    input_tokens: usageOf(reply).input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: rest.stop_reason === null ? 1 : usageOf(reply).output
  }
})

const delta = (index: number, delta: Json, chunk = false) =>
  typedFrame("content_block_delta", { index, delta }, chunk)

const blockFrames = (reply: Reply) => (block: Json, index: number): ReadonlyArray<Frame> => {
  const around = (content_block: Json, deltas: ReadonlyArray<Frame>) => [
    typedFrame("content_block_start", { index, content_block }),
    ...deltas,
    typedFrame("content_block_stop", { index })
  ]
  const { input, signature, thinking, type } = block
  if (type === "thinking") {
    return around({ ...block, thinking: "", signature: "" }, [
      delta(index, { type: "thinking_delta", thinking }),
      delta(index, { type: "signature_delta", signature })
    ])
  }
  if (type === "text") {
    const chunks = chunksOf(reply).map((text) => delta(index, { type: "text_delta", text }, true))
    return around({ type, text: "" }, chunks)
  }
  return around({ ...block, input: {} }, [
    delta(index, { type: "input_json_delta", partial_json: JSON.stringify(input) })
  ])
}

const frames = (reply: Reply, call: ModelCall) => {
  const message = toMessage(call, reply, { content: [], stop_reason: null })
  const end = { stop_reason: stopReason(reply), stop_sequence: null }
  return {
    opening: [typedFrame("message_start", { message })],
    content: toBlocks(reply).flatMap(blockFrames(reply)),
    closing: [
      typedFrame("message_delta", { delta: end, usage: { output_tokens: usageOf(reply).output } }),
      typedFrame("message_stop", {})
    ]
  }
}

export const anthropic: Dialect = {
  api: "anthropic",
  read,
  frames,
  whole: (reply, call) =>
    toMessage(call, reply, { content: toBlocks(reply), stop_reason: stopReason(reply) }),
  failure: anthropicFailure,
  other: (method, path) =>
    path === "/v1/messages/count_tokens"
      ? { input_tokens: 10 }
      // Claude Code warms its connection up.
      : method === "HEAD" && path === "/"
      ? {}
      : undefined
}
