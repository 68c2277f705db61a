/** lines: conversations of one prompt in the recordings' form, to put a few native messages into. */
import type { Native } from "../../support/transcriptSpawner.js"

interface Line {
  readonly dir: "in" | "out"
  readonly data: Native
}
export type Lines = ReadonlyArray<Line>

const out = (data: Native): Line => ({ dir: "out", data })
const into = (data: Native): Line => ({ dir: "in", data })

// --- Claude Code ---------------------------------------------------------------------------------------------------

export const claude = {
  conversation: (...messages: Lines): Lines => [
    into({ type: "control_request", request_id: "ai-relay-1", request: { subtype: "initialize" } }),
    out({
      type: "control_response",
      response: { subtype: "success", request_id: "ai-relay-1", response: { commands: [], models: [] } }
    }),
    into({ type: "user", message: { role: "user", content: "go" } }),
    ...messages,
    ...messages.some(({ data }) => data.type === "result") ? [] : [claude.result({})]
  ],
  says: (fields: object): Line => out(fields),
  assistant: (content: ReadonlyArray<object>, fields: object = {}): Line =>
    out({ type: "assistant", message: { role: "assistant", content }, parent_tool_use_id: null, ...fields }),
  calls: (id: string, name: string, fields: object = {}): Line =>
    claude.assistant([{ type: "tool_use", id, name, input: {} }], fields),
  /** A tool's result, and what is told beside it. */
  answers: (tool_use_id: string, tool_use_result?: unknown): Line =>
    out({
      type: "user",
      message: { role: "user", content: [{ type: "tool_result", tool_use_id, content: "ok" }] },
      parent_tool_use_id: null,
      tool_use_result
    }),
  asks: (request: object): Lines => [
    out({ type: "control_request", request_id: "q1", request }),
    into({ type: "control_response" })
  ],
  result: (fields: object): Line =>
    out({
      type: "result",
      subtype: "success",
      is_error: false,
      result: "done",
      total_cost_usd: 0.01,
      ...fields
    })
}

// --- Codex ---------------------------------------------------------------------------------------------------------

const threadId = "55555555-5555-7555-8555-555555555555"
const turnId = "66666666-6666-7666-8666-666666666666"

export const codex = {
  conversation: (...messages: Lines): Lines => [
    into({ id: 1, method: "initialize" }),
    out({ id: 1, result: {} }),
    into({ id: 2, method: "account/read" }),
    out({ id: 2, result: { account: { type: "apiKey" }, requiresOpenaiAuth: false } }),
    into({ id: 3, method: "thread/start" }),
    out({ id: 3, result: { thread: { id: threadId } } }),
    into({ id: 4, method: "model/list" }),
    out({ id: 4, result: { data: [], nextCursor: null } }),
    into({ id: 5, method: "turn/start" }),
    out({ id: 5, result: { turn: { id: turnId } } }),
    codex.tells("turn/started", { turn: { id: turnId } }),
    ...messages,
    codex.tells("turn/completed", { turn: { id: turnId, status: "completed" } })
  ],
  tells: (method: string, params: object): Line => out({ method, params: { threadId, turnId, ...params } }),
  completes: (...items: ReadonlyArray<object>): Lines =>
    items.map((item) => codex.tells("item/completed", { item })),
  asks: (method: string, params: object): Lines => [
    out({ id: 0, method, params: { threadId, turnId, ...params } }),
    into({ id: 0, result: {} })
  ]
}

// --- Agent Client Protocol -----------------------------------------------------------------------------------------

const rpc = (fields: object) => ({ jsonrpc: "2.0", ...fields })

export const acp = {
  conversation: (...messages: Lines): Lines => [
    into(rpc({ id: 1, method: "initialize" })),
    out(rpc({ id: 1, result: { protocolVersion: 1, agentCapabilities: {} } })),
    into(rpc({ id: 2, method: "session/new" })),
    out(rpc({ id: 2, result: { sessionId: "s1" } })),
    ...acp.turn(3, ...messages)
  ],
  /** A prompt and its answer, if none of the messages is one. */
  turn: (id: number, ...messages: Lines): Lines => [
    into(rpc({ id, method: "session/prompt" })),
    ...messages,
    ...messages.some(({ data }) => data.id === id)
      ? []
      : [out(rpc({ id, result: { stopReason: "end_turn" } }))]
  ],
  answers: (fields: object): Line => out(rpc(fields)),
  updates: (update: unknown, sessionId = "s1"): Line =>
    out(rpc({ method: "session/update", params: { sessionId, update } })),
  calls: (toolCallId: unknown, fields: object = {}): Line =>
    acp.updates({ sessionUpdate: "tool_call", toolCallId, title: "ls", kind: "execute", ...fields }),
  goesOn: (toolCallId: unknown, fields: object = {}): Line =>
    acp.updates({ sessionUpdate: "tool_call_update", toolCallId, ...fields }),
  asksFor: (params: object): Lines => [
    out(rpc({ id: "q1", method: "elicitation/create", params })),
    into(rpc({ id: "q1", result: {} }))
  ],
  asks: (toolCall: object): Lines => [
    out(rpc({
      id: "q1",
      method: "session/request_permission",
      params: {
        sessionId: "s1",
        toolCall,
        options: [
          { optionId: "y", name: "Yes", kind: "allow_once" },
          { optionId: "n", name: "No", kind: "reject_once" }
        ]
      }
    })),
    into(rpc({ id: "q1", result: {} }))
  ]
}
