/**
 * subagents: agents started by Codex. Each has its own thread on the same connection; the call that started
 * it is reported as a tool call, its last message as the result.
 */
import type { EventBody } from "../../schema/index.js"
import type { SpokenItem } from "./CodexItem.js"

type Activity = Extract<SpokenItem, { type: "subAgentActivity" }>
type Events = ReadonlyArray<EventBody>

export const makeSubagents = () => {
  const byThread = new Map<string, { readonly call: string; said: string; isDone: boolean }>()

  const know = (thread: string, call: string, isDone: boolean): void => {
    if (!byThread.has(thread)) byThread.set(thread, { call, said: "", isDone })
  }

  return {
    callOf: (thread: string): string | undefined => byThread.get(thread)?.call,
    /** A tool call of another kind started it and has its own result. */
    know: (thread: string, call: string): void => know(thread, call, true),
    said: (thread: string, text: string): void => {
      const agent = byThread.get(thread)
      if (agent !== undefined) agent.said = text
    },
    started: ({ agentPath, agentThreadId, id, kind, model }: Activity): Events => {
      if (kind !== "started") return [{ type: "stream_event" }]
      know(agentThreadId, id, false)
      const args = { agent: agentPath, model, thread_id: agentThreadId }
      return [{ type: "tool_call", tool: "subAgent", tool_use_id: id, args }]
    },
    completed: ({ agentThreadId, kind }: Activity): Events => {
      const agent = byThread.get(agentThreadId)
      const isOver = kind === "completed" || kind === "interrupted"
      if (agent === undefined || agent.isDone || !isOver) {
        return [{ type: "status", status: "subAgentActivity", text: kind }]
      }
      agent.isDone = true
      const { call, said } = agent
      const status = kind === "completed" ? "ok" : "error"
      return [{ type: "tool_result", tool_use_id: call, status, text: said, content: said }]
    }
  }
}
