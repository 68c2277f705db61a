/**
 * rawRecordings: converts agents' recorded output, line by line, to the frames `toHistory` builds turns from:
 * `claude --output-format stream-json`, `codex exec --json` and `codex app-server`, `gemini --output-format
 * stream-json`, and the Agent Client Protocol, one side or both. Lines may be wrapped with their time and
 * direction, `{"t":ms,"dir":"in"|"out","data":…}`.
 *
 * Messages without content for people (settings, progress, client requests) are left out.
 */
import { field, type Fields, number, objects, secondsOf, text, toFields } from "../native/readLines.js"
import { readBlocks } from "../wire/lenient.js"
import { changedDiff } from "../wire/unifiedDiff.js"
import { textOfBlocks, wordsIn } from "../wire/words.js"

/** The program that printed it. */
export type RawKind = "claude" | "codex-exec" | "codex-app-server" | "gemini" | "acp"

export const rawNames: Readonly<Record<RawKind, string>> = {
  claude: "Claude Code (stream-json)",
  "codex-exec": "codex exec --json",
  "codex-app-server": "codex app-server",
  gemini: "Gemini CLI (stream-json)",
  acp: "an agent of the Agent Client Protocol"
}

export interface RawLine {
  readonly fields: Fields
  /** Seconds since 1970, if the line has a time. */
  readonly ts?: number
  /** Written by the client. */
  readonly isInput: boolean
}

/** A wrapper's content; undefined for a wrapper of anything else (stderr, the program's end). */
export const unwrap = (fields: Fields): RawLine | undefined => {
  const data = fields["data"]
  const dir = text(fields, "dir")
  if (dir === undefined || number(fields, "t") === undefined) {
    const ts = secondsOf(fields["timestamp"])
    const told = number(fields, "emittedAtMs")
    const at = ts ?? (told === undefined ? undefined : told / 1000)
    return { fields, isInput: false, ...(at !== undefined && { ts: at }) }
  }
  const inner = toFields(data)
  if (inner === undefined || !["in", "out"].includes(dir)) return undefined
  const bare = unwrap(inner)
  return bare === undefined ? undefined : { ...bare, isInput: dir === "in" }
}

const claudeTypes = new Set([
  "system",
  "assistant",
  "user",
  "result",
  "stream_event",
  "control_request",
  "control_response",
  "control_cancel_request",
  "keep_alive",
  "rate_limit_event",
  "tool_progress",
  "tool_use_summary",
  "auth_status",
  "prompt_suggestion"
])

/** `type` alone identifies none of them: each has another field that the others lack. */
export const rawKindOf = (fields: Fields): RawKind | undefined => {
  const type = text(fields, "type")
  const method = text(fields, "method")
  if (type !== undefined) {
    if (/^(?:thread|turn|item)\.[a-z]+$/.test(type)) return "codex-exec"
    if (
      text(fields, "timestamp") !== undefined && "uuid" in fields === false
      && ((type === "init" && "session_id" in fields) || (type === "message" && "role" in fields)
        || (type === "tool_use" && "tool_id" in fields) || (type === "tool_result" && "tool_id" in fields)
        || (type === "result" && "status" in fields) || (type === "error" && "severity" in fields))
    ) return "gemini"
    if (
      claudeTypes.has(type)
      && ("session_id" in fields || "message" in fields || "request" in fields || "response" in fields
        || "request_id" in fields || type === "keep_alive")
    ) return "claude"
    return undefined
  }
  if (fields["jsonrpc"] === "2.0") return "acp"
  if (
    method !== undefined &&
    /^(?:initialized?|thread|turn|item|account|model|config|remoteControl|error|warning)/.test(method)
  ) {
    return "codex-app-server"
  }
  return "id" in fields && ("result" in fields || "error" in fields) ? "codex-app-server" : undefined
}

/** The start of a recording, and its frames in the Python relay's format. */
export interface RawFrames {
  /** The agent's own id of the conversation; "" if no line has it. */
  readonly session_id: string
  readonly frames: ReadonlyArray<Fields>
}

const start = (metadata: Fields, ts: number): Fields => ({ type: "session_start", ts, metadata })
const nativeId = (native_session_id: string, ts: number): Fields => ({
  type: "session_attach",
  ts,
  metadata: { claude_session_id: native_session_id }
})

const defined = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

// --- Claude Code ---------------------------------------------------------------------------------------------------

const told = new Set(["system", "assistant", "user", "result"])

const ofClaude = (lines: ReadonlyArray<Required<RawLine>>): RawFrames => {
  const first = lines.find(({ fields }) => text(fields, "session_id") !== undefined)
  const init = lines.find(({ fields }) => fields["type"] === "system" && fields["subtype"] === "init")?.fields
  // A prompt written to it is echoed if that was requested.
  const hasInput = lines.some(({ fields, isInput }) => isInput && fields["type"] === "user")
  const frames = lines.flatMap(({ fields, ts }): ReadonlyArray<Fields> => {
    const type = text(fields, "type") ?? ""
    return told.has(type) && !(hasInput && fields["isReplay"] === true) ? [{ type, ts, raw: fields }] : []
  })
  const ts = lines[0]?.ts ?? 0
  return {
    session_id: text(first?.fields, "session_id") ?? "",
    frames: [
      start(defined({ tool: "claude", folder: text(init, "cwd"), model: text(init, "model") }), ts),
      ...frames
    ]
  }
}

// --- Codex ---------------------------------------------------------------------------------------------------------

const camel = (name: string) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** An item of `codex exec` in the app-server's format. */
const camelItem = (item: Fields): Fields => ({
  ...Object.fromEntries(Object.entries(item).map(([name, value]) => [camel(name), value])),
  type: camel(text(item, "type") ?? ""),
  ...(text(item, "status") !== undefined && { status: camel(text(item, "status") ?? "") }),
  ...(item["type"] === "reasoning" && { summary: [text(item, "text") ?? ""], content: [] })
})

const ofExec = (lines: ReadonlyArray<Required<RawLine>>): RawFrames => {
  let session_id = ""
  const frames = lines.flatMap(({ fields, ts }): ReadonlyArray<Fields> => {
    const raw = (method: string, params: Fields) => [{ type: method, ts, raw: { method, params } }]
    const item = field(fields, "item")
    const failure = field(fields, "error")
    switch (fields["type"]) {
      case "thread.started": {
        session_id = session_id || (text(fields, "thread_id") ?? "")
        return session_id === "" ? [] : [nativeId(session_id, ts)]
      }
      case "item.started":
      case "item.completed":
        if (item === undefined || ["todo_list", "plan_update"].includes(text(item, "type") ?? "")) return []
        if (item["type"] === "error") {
          return [{ type: "status", ts, status: "warning", text: text(item, "message") ?? "" }]
        }
        return raw(fields["type"] === "item.started" ? "item/started" : "item/completed", {
          item: camelItem(item)
        })
      case "turn.completed":
        return raw("turn/completed", { turn: { status: "completed" } })
      case "turn.failed":
        return raw("turn/completed", {
          turn: { status: "failed", ...(failure !== undefined && { error: failure }) }
        })
      default:
        return []
    }
  })
  return { session_id, frames: [start({ tool: "codex" }, lines[0]?.ts ?? 0), ...frames] }
}

const ofAppServer = (lines: ReadonlyArray<Required<RawLine>>): RawFrames => {
  let thread: Fields | undefined
  let settings: Fields | undefined
  for (const { fields } of lines) {
    const answer = field(fields, "result")
    const begun = fields["method"] === "thread/started" ? field(fields, "params") : answer
    if (thread === undefined && text(field(begun, "thread"), "id") !== undefined) {
      thread = field(begun, "thread")
      settings = answer
    }
  }
  const id = text(thread, "id")
  const frames = lines.flatMap(({ fields, isInput, ts }): ReadonlyArray<Fields> => {
    const method = text(fields, "method")
    const params = field(fields, "params")
    // Subagents have threads of their own; client input is echoed as items.
    const own = text(params, "threadId")
    if (isInput || method === undefined || (own !== undefined && id !== undefined && own !== id)) return []
    if (method === "error") {
      if (params?.["willRetry"] === true) return []
      const words = wordsIn(params?.["error"]) ?? "The recording does not say what went wrong."
      return [{ type: "error", ts, text: words }]
    }
    return /^(?:item\/(?:started|completed)|turn\/completed)$/.test(method)
      ? [{ type: method, ts, raw: { method, params } }]
      : []
  })
  const ts = lines[0]?.ts ?? 0
  return {
    session_id: id ?? "",
    frames: [
      start(
        defined({
          tool: "codex",
          folder: text(settings, "cwd") ?? text(thread, "cwd"),
          model: text(settings, "model")
        }),
        ts
      ),
      ...(id === undefined ? [] : [nativeId(id, ts)]),
      ...frames
    ]
  }
}

// --- Gemini CLI ----------------------------------------------------------------------------------------------------

const ofGemini = (lines: ReadonlyArray<Required<RawLine>>): RawFrames => {
  const init = lines.find(({ fields }) => fields["type"] === "init")?.fields
  const session_id = text(init, "session_id") ?? ""
  const ts = lines[0]?.ts ?? 0
  const frames = lines.flatMap(({ fields, ts }): ReadonlyArray<Fields> => {
    const failure = wordsIn(fields["error"])
    switch (fields["type"]) {
      case "message":
        return [
          fields["role"] === "user"
            ? { type: "user_message", ts, text: text(fields, "content") ?? "" }
            : {
              type: "assistant_message",
              ts,
              text: text(fields, "content") ?? "",
              ...(fields["delta"] === true && { raw: { delta: true } })
            }
        ]
      case "tool_use":
        return [{
          type: "tool_call",
          ts,
          tool: text(fields, "tool_name"),
          tool_use_id: text(fields, "tool_id"),
          args: toFields(fields["parameters"]) ?? {}
        }]
      case "tool_result":
        return [{
          type: "tool_result",
          ts,
          tool_use_id: text(fields, "tool_id"),
          status: fields["status"] === "success" ? "ok" : "error",
          text: text(fields, "output") ?? failure ?? ""
        }]
      case "error":
        return [
          fields["severity"] === "warning"
            ? { type: "status", ts, status: "warning", text: text(fields, "message") ?? "" }
            : { type: "error", ts, text: text(fields, "message") ?? failure }
        ]
      case "result":
        return fields["status"] === "success" ? [{ type: "turn_end", ts, stop_reason: "end_turn" }] : [
          ...failure === undefined ? [] : [{ type: "error", ts, text: failure }],
          { type: "turn_end", ts, stop_reason: "error" }
        ]
      default:
        return []
    }
  })
  return {
    session_id,
    frames: [
      start(defined({ tool: "gemini", model: text(init, "model") }), ts),
      ...(session_id === "" ? [] : [nativeId(session_id, ts)]),
      ...frames
    ]
  }
}

// --- Agent Client Protocol -----------------------------------------------------------------------------------------

/** An agent's own name in `initialize`, with the relay's tool for it. */
const acpTools: ReadonlyArray<readonly [RegExp, string]> = [
  [/claude/i, "claude-agent-acp"],
  [/codex/i, "codex-acp"],
  [/gemini/i, "gemini"],
  [/opencode/i, "opencode"],
  [/qwen/i, "qwen"],
  [/kimi/i, "kimi"],
  [/copilot/i, "copilot"],
  [/^pi\b/i, "pi"]
]

const stops: Readonly<Record<string, string>> = {
  end_turn: "end_turn",
  max_tokens: "max_tokens",
  max_turn_requests: "max_turn_requests",
  refusal: "refusal",
  cancelled: "cancelled"
}

/** The text in a tool call's content; a command's output is a block within a block. */
const acpWords = (content: ReadonlyArray<Fields>): string =>
  content.map((entry) => textOfBlocks(readBlocks(entry["content"]))).filter((said) => said !== "").join("\n")

const acpDiffs = (content: ReadonlyArray<Fields>, tool_use_id: string, ts: number): ReadonlyArray<Fields> =>
  content.flatMap((entry) => {
    const path = text(entry, "path")
    const after = text(entry, "newText")
    if (entry["type"] !== "diff" || path === undefined || after === undefined) return []
    return [{
      type: "file_diff",
      ts,
      file_path: path,
      diff: changedDiff(path, text(entry, "oldText") || undefined, after),
      tool_use_id
    }]
  })

const ofAcp = (lines: ReadonlyArray<Required<RawLine>>): RawFrames => {
  const answers = lines.map(({ fields }) => field(fields, "result"))
  const agent = answers.map((answer) => field(answer, "agentInfo")).find((info) => info !== undefined)
  const name = text(agent, "name") ?? text(agent, "title") ?? ""
  const tool = acpTools.find(([called]) => called.test(name))?.[1] ?? "acp"
  const opening = lines.map(({ fields }) => field(fields, "params")).find((params) =>
    text(params, "cwd") !== undefined
  )
  const session_id = answers.map((answer) => text(answer, "sessionId")).find((id) => id !== undefined)
    ?? lines.map(({ fields }) => text(field(fields, "params"), "sessionId")).find((id) => id !== undefined) ??
    ""
  const prompts = new Set(
    lines.flatMap(({ fields }) => fields["method"] === "session/prompt" ? [JSON.stringify(fields["id"])] : [])
  )
  let thoughts = ""
  /** In a replayed history, a person's text comes in chunks. */
  let words = ""
  const open = new Map<string, Fields>()
  const flush = (ts: number): ReadonlyArray<Fields> => {
    const frames = [
      ...words === "" ? [] : [{ type: "turn_end", ts }, { type: "user_message", ts, text: words }],
      ...thoughts === "" ? [] : [{ type: "reasoning", ts, text: thoughts }]
    ]
    words = ""
    thoughts = ""
    return frames
  }
  const settled = (call: Fields, ts: number): ReadonlyArray<Fields> => {
    const tool_use_id = text(call, "toolCallId") ?? ""
    const content = objects(call, "content")
    open.delete(tool_use_id)
    return [
      {
        type: "tool_result",
        ts,
        tool_use_id,
        status: call["status"] === "failed" ? "error" : "ok",
        text: acpWords(content) || (typeof call["rawOutput"] === "string" ? call["rawOutput"] : "")
      },
      ...call["status"] === "failed" ? [] : acpDiffs(content, tool_use_id, ts)
    ]
  }
  const isSettled = (call: Fields) => ["completed", "failed"].includes(text(call, "status") ?? "")

  const ofUpdate = (update: Fields, ts: number): ReadonlyArray<Fields> => {
    const said = textOfBlocks(readBlocks(update["content"]))
    const tool_use_id = text(update, "toolCallId") ?? ""
    switch (update["sessionUpdate"]) {
      case "user_message_chunk": {
        const before = thoughts === "" ? [] : flush(ts)
        words += said
        return before
      }
      case "agent_thought_chunk": {
        const before = words === "" ? [] : flush(ts)
        thoughts += said
        return before
      }
      case "agent_message_chunk":
        return [...flush(ts), { type: "assistant_message", ts, text: said, raw: { delta: true } }]
      case "tool_call":
      case "tool_call_update": {
        const known = open.get(tool_use_id)
        const call = { ...known, ...defined(update) }
        open.set(tool_use_id, call)
        return [
          ...flush(ts),
          ...known !== undefined ? [] : [{
            type: "tool_call",
            ts,
            tool: text(call, "title") ?? text(call, "kind") ?? "tool",
            tool_use_id,
            args: toFields(call["rawInput"]) ?? {}
          }],
          ...isSettled(call) ? settled(call, ts) : []
        ]
      }
      default:
        return []
    }
  }

  const frames = lines.flatMap(({ fields, ts }): ReadonlyArray<Fields> => {
    const params = field(fields, "params")
    const own = text(params, "sessionId")
    if (own !== undefined && session_id !== "" && own.trim() !== session_id.trim()) return []
    switch (fields["method"]) {
      case "session/prompt": {
        const said = textOfBlocks(readBlocks(params?.["prompt"]))
        return [
          ...flush(ts),
          { type: "turn_end", ts },
          { type: "user_message", ts, text: said, content: readBlocks(params?.["prompt"]) }
        ]
      }
      case "session/update": {
        const update = field(params, "update")
        return update === undefined ? [] : ofUpdate(update, ts)
      }
      case undefined: {
        const reason = text(field(fields, "result"), "stopReason")
        // If only the agent's side was recorded, it is unknown what it answers.
        const isOfPrompt = prompts.size === 0 || prompts.has(JSON.stringify(fields["id"]))
        const failure = isOfPrompt ? wordsIn(fields["error"]) : undefined
        if (failure !== undefined) {
          return [...flush(ts), { type: "error", ts, text: failure }, {
            type: "turn_end",
            ts,
            stop_reason: "error"
          }]
        }
        return reason === undefined
          ? []
          : [...flush(ts), { type: "turn_end", ts, stop_reason: stops[reason] ?? "end_turn" }]
      }
      default:
        return []
    }
  })
  const ts = lines[0]?.ts ?? 0
  return {
    session_id: session_id.trim(),
    frames: [
      start(defined({ tool, folder: text(opening, "cwd") }), ts),
      ...(session_id === "" ? [] : [nativeId(session_id.trim(), ts)]),
      ...frames,
      ...flush(lines.at(-1)?.ts ?? 0)
    ]
  }
}

const readers: Readonly<Record<RawKind, (lines: ReadonlyArray<Required<RawLine>>) => RawFrames>> = {
  claude: ofClaude,
  "codex-exec": ofExec,
  "codex-app-server": ofAppServer,
  gemini: ofGemini,
  acp: ofAcp
}

/** `at`: recording time in seconds since 1970, for lines without a time; the last of them happened then. */
export const toFrames = (kind: RawKind, lines: ReadonlyArray<RawLine>, at: number): RawFrames => {
  const told = lines.map(({ ts }) => ts).filter((ts) => ts !== undefined)
  let now = told[0] ?? at
  return readers[kind](lines.map((line) => {
    // Clocks may be set back; events keep their order in the file.
    now = Math.max(now, line.ts ?? now)
    return { ...line, ts: now }
  }))
}
