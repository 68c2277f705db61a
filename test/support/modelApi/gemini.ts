/**
 * gemini: the Gemini API as Gemini CLI calls it.
 */

import { type Entry, fromUserText } from "./Conversation.js"
import { type Dialect, type Frame, type ModelCall, newId } from "./Dialect.js"
import { geminiFailure } from "./failures.js"
import { type Json, record, records, sampleOf, string } from "./json.js"
import { chunksOf, type Reply, type Tool, toolsOf, usageOf } from "./script.js"

/** Gemini never joins a prompt to a running tool loop, so each one starts afresh (a cancelled tool leaves a result). */
const toEntries = ({ parts, role }: Json): ReadonlyArray<Entry> => {
  if (role === "model") return [{ kind: "model" }]
  const results = records(parts).filter((part) => part.functionResponse !== undefined)
  if (results.length > 0) return [{ kind: "result" }]
  const own = records(parts).flatMap(({ text }) => fromUserText(string(text)))
  return own.length > 0 ? [{ kind: "boundary" }, ...own] : []
}

const read = (path: string, body: Json): ModelCall | undefined => {
  const [, model, method] = /^\/v1(?:alpha|beta)?\/models\/([^/:]+):(\w+)$/.exec(path) ?? []
  if (model === undefined || (method !== "generateContent" && method !== "streamGenerateContent")) {
    return undefined
  }
  const offered = records(body.tools).flatMap((tool) => records(tool.functionDeclarations))
  const { responseJsonSchema, responseSchema } = record(body.generationConfig)
  const schema = responseJsonSchema ?? responseSchema
  return {
    model,
    stream: method === "streamGenerateContent",
    offered: new Map(
      offered.map(({ name, parameters, parametersJsonSchema }) => [
        string(name),
        record(parametersJsonSchema ?? parameters)
      ])
    ),
    entries: records(body.contents).flatMap(toEntries),
    // The router before each prompt asks for JSON.
    ...(schema !== undefined && offered.length === 0 ? { side: JSON.stringify(sampleOf(schema)) } : {})
  }
}

const toNativeTool = (tool: Tool): { readonly name: string; readonly args: object } => {
  if ("name" in tool) return { name: tool.name, args: tool.input }
  switch (tool.kind) {
    case "shell":
      return { name: "run_shell_command", args: { command: tool.command, description: "Run a command" } }
    case "read":
      return { name: "read_file", args: { file_path: tool.path } }
    case "write":
      return { name: "write_file", args: { file_path: tool.path, content: tool.content } }
    case "edit":
      return {
        name: "replace",
        args: {
          file_path: tool.path,
          old_string: tool.old,
          new_string: tool.new,
          instruction: "Replace the text."
        }
      }
  }
}

const usage = (reply: Reply) => {
  const { input, output } = usageOf(reply)
  return { promptTokenCount: input, candidatesTokenCount: output, totalTokenCount: input + output }
}

const thoughts = ({ thinking }: Reply): ReadonlyArray<Json> =>
  thinking === undefined ? [] : [{ text: thinking, thought: true }]

const calls = (reply: Reply): ReadonlyArray<Json> =>
  toolsOf(reply).map((tool) => ({
    functionCall: { id: newId("call"), ...toNativeTool(tool) },
    thoughtSignature: "c2NyaXB0ZWQ="
  }))

const finishReason = ({ stop }: Reply) =>
  ({ end_turn: "STOP", max_tokens: "MAX_TOKENS", refusal: "SAFETY" })[stop ?? "end_turn"]

const candidate = (call: ModelCall, parts: ReadonlyArray<Json>, rest: Json = {}, last: Json = {}): Json => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...rest }],
  modelVersion: call.model,
  responseId: "scripted",
  ...last
})

const frames = (reply: Reply, call: ModelCall) => {
  const frame = (part: Json): Frame => ({ data: candidate(call, [part]) })
  const last = candidate(call, [{ text: "" }], { finishReason: finishReason(reply) }, {
    usageMetadata: usage(reply)
  })
  return {
    opening: [],
    content: [
      ...thoughts(reply).map(frame),
      ...chunksOf(reply).map((text): Frame => ({ ...frame({ text }), chunk: true })),
      ...calls(reply).map(frame)
    ],
    closing: [{ data: last }]
  }
}

export const gemini: Dialect = {
  api: "gemini",
  read,
  frames,
  whole: (reply, call) =>
    candidate(
      call,
      [...thoughts(reply), ...chunksOf(reply).map((text) => ({ text })), ...calls(reply)],
      { finishReason: finishReason(reply) },
      { usageMetadata: usage(reply) }
    ),
  failure: geminiFailure,
  other: (_, path) => path.endsWith(":countTokens") ? { totalTokens: 10 } : undefined
}
