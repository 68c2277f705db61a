/**
 * openaiChat: the Chat Completions API, which most agents speak with a model of the user's own choice.
 */

import { type Entry, fromUserText } from "./Conversation.js"
import { type Dialect, type Frame, type ModelCall, newId } from "./Dialect.js"
import { openaiChatFailure } from "./failures.js"
import { type Json, record, records, sampleOf, string } from "./json.js"
import { namedCall } from "./namedCall.js"
import { chunksOf, type Reply, toolsOf, usageOf } from "./script.js"

const toEntries = (message: Json): ReadonlyArray<Entry> => {
  if (message.role === "tool") return [{ kind: "result" }]
  if (message.role === "assistant") return [{ kind: "model" }]
  if (message.role !== "user") return []
  if (typeof message.content === "string") return fromUserText(message.content)
  return records(message.content).flatMap(({ text }) => fromUserText(string(text)))
}

/** A call without tools is no part of the conversation: a title, a summary, a suggestion. */
const sideReply = (body: Json): string | undefined => {
  if (records(body.tools).length > 0) return undefined
  const { schema } = record(record(body.response_format).json_schema)
  return schema === undefined ? "A scripted title" : JSON.stringify(sampleOf(schema))
}

const read = (path: string, body: Json): ModelCall | undefined => {
  if (path !== "/v1/chat/completions") return undefined
  const side = sideReply(body)
  const tools = records(body.tools).map((tool) => record(tool.function))
  return {
    model: string(body.model),
    stream: body.stream === true,
    offered: new Map(tools.map(({ name, parameters }) => [string(name), record(parameters)])),
    entries: records(body.messages).flatMap(toEntries),
    ...(side === undefined ? {} : { side })
  }
}

const toCalls = (reply: Reply, { offered }: ModelCall): ReadonlyArray<Json> =>
  toolsOf(reply).map((tool) => {
    const { input, name } = namedCall(tool, offered)
    return { id: newId("call"), type: "function", function: { name, arguments: JSON.stringify(input) } }
  })

const finishReason = (reply: Reply) =>
  toolsOf(reply).length > 0
    ? "tool_calls"
    : ({ end_turn: "stop", max_tokens: "length", refusal: "content_filter" })[reply.stop ?? "end_turn"]

const usage = (reply: Reply) => {
  const { input, output } = usageOf(reply)
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}

const frames = (reply: Reply, call: ModelCall) => {
  const about = { id: newId("chatcmpl"), object: "chat.completion.chunk", created: 1, model: call.model }
  const frame = (delta: Json, finish_reason: string | null = null, rest: Json = {}): Frame => ({
    data: { ...about, choices: [{ index: 0, delta, finish_reason }], ...rest }
  })
  return {
    opening: [frame({ role: "assistant", content: "" })],
    content: [
      ...(reply.thinking === undefined ? [] : [frame({ reasoning_content: reply.thinking })]),
      ...chunksOf(reply).map((content): Frame => ({ ...frame({ content }), chunk: true })),
      ...toCalls(reply, call).map((tool, index) => frame({ tool_calls: [{ index, ...tool }] }))
    ],
    closing: [
      frame({}, finishReason(reply), { usage: usage(reply) }),
      { data: { ...about, choices: [], usage: usage(reply) } },
      { data: "[DONE]" }
    ]
  }
}

export const openaiChat: Dialect = {
  api: "openai-chat",
  read,
  frames,
  whole: (reply, call) => {
    const tool_calls = toCalls(reply, call)
    const message = {
      role: "assistant",
      content: chunksOf(reply).join(""),
      ...(reply.thinking !== undefined && { reasoning_content: reply.thinking }),
      ...(tool_calls.length > 0 && { tool_calls })
    }
    return {
      id: newId("chatcmpl"),
      object: "chat.completion",
      created: 1,
      model: call.model,
      choices: [{ index: 0, message, finish_reason: finishReason(reply) }],
      usage: usage(reply)
    }
  },
  failure: openaiChatFailure,
  // Lists of models are the Responses API's.
  other: () => undefined
}
