/**
 * pythonRelay: what the Python relay sent to its client while an agent said what is recorded: a frame per line, without
 * numbers and without turns, the native message again in each frame that was made of it.
 */
import { readFileSync } from "node:fs"

type Fields = Readonly<Record<string, unknown>>
type Frame = Readonly<Record<string, unknown>>

interface Line {
  readonly t: number
  readonly dir: string
  readonly data: Fields
}

const start = 1_777_777_777

const fields = (value: unknown): Fields =>
  (typeof value === "object" && value !== null ? value : {}) as Fields
const objects = (value: unknown): ReadonlyArray<Fields> =>
  Array.isArray(value) ? value.filter((entry) => typeof entry === "object" && entry !== null) : []

const ofClaude = (raw: Fields): ReadonlyArray<Frame> => {
  const { content } = fields(raw["message"])
  const blocks = objects(content)
  switch (raw["type"]) {
    case "assistant":
      return [
        { type: "assistant_message", content, raw },
        ...blocks.filter(({ type }) => type === "tool_use").map(({ id, input, name }) => ({
          type: "tool_call",
          tool: name,
          tool_use_id: id,
          args: input,
          raw
        }))
      ]
    case "user":
      return [
        { type: "user_message", content, raw },
        ...blocks.filter(({ type }) => type === "tool_result").map((block) => ({
          type: "tool_result",
          tool_use_id: block["tool_use_id"],
          content: block["content"],
          raw
        }))
      ]
    case "result":
      return [{ type: raw["subtype"] === "success" ? "response" : "error", text: raw["result"] ?? "", raw }]
    case "system":
      return raw["subtype"] === "init"
        ? [{ type: "session_attach", metadata: { claude_session_id: raw["session_id"] } }, {
          type: "status",
          raw
        }]
        : raw["subtype"] === "compact_boundary"
        ? [{ type: "context_compacted", text: "Conversation compacted", raw }]
        : [{ type: "status", status: raw["status"], raw }]
    case "stream_event":
      return [{ type: "stream_event", raw, metadata: { event: raw["event"] } }]
    case "control_request": {
      const request = fields(raw["request"])
      return [{
        type: "permission_request",
        request_id: raw["request_id"],
        tool: request["tool_name"],
        args: request["input"],
        raw
      }]
    }
    default:
      return [{ type: "stdout", raw }]
  }
}

const ofCodexItem = (item: Fields, method: string, raw: Fields): Frame => {
  const common = {
    tool_use_id: item["id"],
    status: item["status"] ?? method.slice("item/".length),
    metadata: { method, item_type: item["type"] },
    raw
  }
  switch (item["type"]) {
    case "agentMessage":
      return { type: "assistant_message", text: item["text"], ...common }
    case "reasoning":
      return { type: "reasoning", content: item, ...common }
    case "commandExecution":
      return method === "item/started"
        ? { type: "tool_call", tool: "commandExecution", args: { command: item["command"] }, ...common }
        : { type: "tool_result", text: item["aggregatedOutput"], exit_code: item["exitCode"], ...common }
    case "fileChange":
      return { type: "file_diff", content: item["changes"], ...common }
    default:
      return { type: "stream_event", content: item, ...common }
  }
}

const ofCodex = (raw: Fields): ReadonlyArray<Frame> => {
  const method = raw["method"]
  const params = fields(raw["params"])
  if (typeof method !== "string") return []
  const base = { raw, metadata: { method } }
  if ("id" in raw) {
    return [{
      type: "permission_request",
      request_id: String(raw["id"]),
      text: method,
      args: params,
      ...base
    }]
  }
  switch (method) {
    case "turn/started":
    case "turn/completed":
      return [{ type: "status", status: method.slice("turn/".length), ...base }]
    case "item/agentMessage/delta":
      return [{ type: "response", text: params["delta"], ...base }]
    case "item/reasoning/summaryTextDelta":
      return [{ type: "reasoning", text: params["delta"], ...base }]
    case "item/commandExecution/outputDelta":
      return [{ type: "tool_progress", tool_use_id: params["itemId"], text: params["delta"], ...base }]
    case "item/started":
    case "item/completed":
      return [ofCodexItem(fields(params["item"]), method, raw)]
    case "error":
      return [{ type: "error", text: JSON.stringify(params), ...base }]
    default:
      return method.startsWith("thread/")
        ? [{ type: "status", status: method, content: params, ...base }]
        : [{ type: "stream_event", content: params, ...base }]
  }
}

const promptIn = ({ message, method, params, type }: Fields): string | undefined => {
  if (type === "user") {
    const { content } = fields(message)
    return typeof content === "string" ? content : objects(content).map(({ text }) => text ?? "").join("")
  }
  return method === "turn/start"
    ? objects(fields(params)["input"]).map(({ text }) => text ?? "").join("")
    : undefined
}

/** The frames of a session in which the agent said what a fixture of the adapters' contract holds. */
export const pythonFrames = (tool: "claude" | "codex", path: string): ReadonlyArray<string> => {
  const lines = readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Line)
  const session = { session_id: "0b7c3c5e-4f6e-4f0e-9d37-5f0c6a1e2d4b" }
  const frame = (t: number, fields: Frame) => JSON.stringify({ ts: start + t / 1000, ...session, ...fields })
  const metadata = { tool, folder: "/workspace", model: null, cmd: [tool] }
  return [
    frame(0, { type: "session_start", metadata }),
    ...lines.flatMap(({ data, dir, t }) => {
      if (dir === "in") {
        const text = promptIn(data)
        if (text === undefined) return []
        const ack = frame(t, { type: "input_ack", text })
        // Codex' adapter acknowledged it, too.
        return tool === "codex" ? [ack, ack] : [ack]
      }
      if (dir !== "out") return []
      return (tool === "claude" ? ofClaude(data) : ofCodex(data)).map((fields) => frame(t, fields))
    }),
    frame(lines.at(-1)?.t ?? 0, { type: "session_end", exit_code: 0 })
  ]
}
