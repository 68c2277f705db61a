/**
 * openai: the Responses API as Codex calls it (always streaming).
 */

import { type Entry, fromUserText } from "./Conversation.js"
import { type Dialect, type Frame, type ModelCall, newId, typedFrame } from "./Dialect.js"
import { openaiFailure } from "./failures.js"
import { type Json, record, records, sampleOf, string } from "./json.js"
import { toNativeCall } from "./openaiTools.js"
import { chunksOf, type Reply, toolsOf, usageOf } from "./script.js"

const toEntries = (item: Json): ReadonlyArray<Entry> => {
  const type = string(item.type)
  if (type.endsWith("_output")) return [{ kind: "result" }]
  if (type !== "message" && item.role === undefined) return [{ kind: "model" }]
  if (item.role === "assistant") return [{ kind: "model" }]
  if (item.role !== "user") return []
  if (typeof item.content === "string") return fromUserText(item.content)
  return records(item.content).flatMap(({ text }) => fromUserText(string(text)))
}

const read = (path: string, body: Json): ModelCall | undefined => {
  if (path !== "/v1/responses") return undefined
  const tools = records(body.tools)
  const { schema } = record(record(body.text).format)
  const side = schema !== undefined && tools.length === 0
  return {
    model: string(body.model),
    stream: body.stream === true,
    offered: new Map(
      tools.map(({ name, parameters, type }) => [string(name) || string(type), record(parameters)])
    ),
    entries: records(body.input).flatMap(toEntries),
    ...(side ? { side: JSON.stringify(sampleOf(schema)) } : {})
  }
}

const toItems = (reply: Reply, call: ModelCall): ReadonlyArray<Json> => [
  ...(reply.thinking === undefined ? [] : [{
    type: "reasoning",
    id: newId("rs"),
    summary: [{ type: "summary_text", text: reply.thinking }],
    encrypted_content: "c2NyaXB0ZWQ="
  }]),
  ...(chunksOf(reply).length === 0 ? [] : [{
    type: "message",
    id: newId("msg"),
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: chunksOf(reply).join(""), annotations: [] }]
  }]),
  ...toolsOf(reply).map((tool) => ({
    id: newId("fc"),
    call_id: newId("call"),
    status: "completed",
    ...toNativeCall(tool, call.offered)
  }))
]

const itemFrames = (reply: Reply) => (item: Json, output_index: number): ReadonlyArray<Frame> => {
  const at = { item_id: item.id, output_index }
  const around = (started: Json, deltas: ReadonlyArray<Frame>) => [
    typedFrame("response.output_item.added", {
      output_index,
      item: { ...item, status: "in_progress", ...started }
    }),
    ...deltas,
    typedFrame("response.output_item.done", { output_index, item })
  ]
  if (item.type === "reasoning") {
    const part = { ...at, summary_index: 0 }
    const text = reply.thinking ?? ""
    return around({ summary: [] }, [
      typedFrame("response.reasoning_summary_part.added", {
        ...part,
        part: { type: "summary_text", text: "" }
      }),
      typedFrame("response.reasoning_summary_text.delta", { ...part, delta: text }),
      typedFrame("response.reasoning_summary_text.done", { ...part, text }),
      typedFrame("response.reasoning_summary_part.done", { ...part, part: { type: "summary_text", text } })
    ])
  }
  if (item.type === "message") {
    const part = { ...at, content_index: 0 }
    const text = chunksOf(reply).join("")
    return around({ content: [] }, [
      typedFrame("response.content_part.added", {
        ...part,
        part: { type: "output_text", text: "", annotations: [] }
      }),
      ...chunksOf(reply).map((delta) => typedFrame("response.output_text.delta", { ...part, delta }, true)),
      typedFrame("response.output_text.done", { ...part, text }),
      typedFrame("response.content_part.done", {
        ...part,
        part: { type: "output_text", text, annotations: [] }
      })
    ])
  }
  return item.type === "function_call"
    ? around({ arguments: "" }, [
      typedFrame("response.function_call_arguments.delta", { ...at, delta: item.arguments })
    ])
    : around({ input: "" }, [
      typedFrame("response.custom_tool_call_input.delta", { ...at, delta: item.input })
    ])
}

const finished = (reply: Reply, call: ModelCall, id: string, output: ReadonlyArray<Json>) => {
  const { input, output: out } = usageOf(reply)
  const reason = { max_tokens: "max_output_tokens", refusal: "content_filter", end_turn: undefined }
  const incomplete = reason[reply.stop ?? "end_turn"]
  return {
    id,
    object: "response",
    model: call.model,
    status: incomplete === undefined ? "completed" : "incomplete",
    incomplete_details: incomplete === undefined ? null : { reason: incomplete },
    output,
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: out,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + out
    }
  }
}

const frames = (reply: Reply, call: ModelCall) => {
  const id = newId("resp")
  const items = toItems(reply, call)
  const response = finished(reply, call, id, items)
  const opened = { id, object: "response", model: call.model, status: "in_progress", output: [] }
  return {
    opening: [typedFrame("response.created", { response: opened })],
    content: items.flatMap(itemFrames(reply)),
    closing: [typedFrame(`response.${response.status}`, { response })]
  }
}

export const openai: Dialect = {
  api: "openai",
  read,
  frames,
  whole: (reply, call) => finished(reply, call, newId("resp"), toItems(reply, call)),
  failure: openaiFailure,
  other: (method, path) =>
    method === "GET" && path === "/v1/models" ? { object: "list", data: [], has_more: false } : undefined
}
