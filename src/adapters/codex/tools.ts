/**
 * tools: the tools at work: each is told once as called and once as done, whatever Codex says of it.
 *
 * A command can outlive its turn: after some seconds Codex goes on without it. One that has not come so far is in the
 * foreground, and is to stop with its turn; Codex itself would let it run.
 */
import { Option, Schema } from "effect"
import type { BodyOf, EventBody } from "../../schema/index.js"
import { ToolItem } from "./CodexItem.js"
import { callOf, isComplete, resultsOf } from "./toolItems.js"

interface Running {
  item: ToolItem
  readonly thread: string | undefined
  isTold: boolean
  inForeground: boolean
  /** A person has not allowed it yet. */
  isWaiting: boolean
}

type Events = ReadonlyArray<EventBody>

const readTool = Schema.decodeUnknownOption(ToolItem)

export type Tools = ReturnType<typeof makeTools>

export const makeTools = () => {
  const running = new Map<string, Running>()
  /** Tools told as stopped, though Codex may still say how they ended. */
  const stopped = new Set<string>()
  const reasons = new Map<string, string>()

  const toCall = (item: ToolItem): BodyOf<"tool_call"> => ({
    type: "tool_call",
    tool_use_id: item.id,
    ...callOf(item)
  })

  const started = (item: ToolItem, thread: string | undefined): Events => {
    const isTold = isComplete(item)
    running.set(item.id, { item, thread, isTold, inForeground: true, isWaiting: false })
    return [isTold ? toCall(item) : { type: "stream_event", tool_use_id: item.id }]
  }

  const completed = (item: ToolItem): Events => {
    if (stopped.delete(item.id)) return [{ type: "status", status: "item/completed" }]
    const isTold = running.get(item.id)?.isTold === true
    const reason = reasons.get(item.id)
    running.delete(item.id)
    reasons.delete(item.id)
    return [...isTold ? [] : [toCall(item)], ...resultsOf(item, reason)]
  }

  const tellStopped = ({ isTold, item }: Running): Events => {
    running.delete(item.id)
    stopped.add(item.id)
    const text = "The turn was stopped before this was done."
    return isTold ? [{ type: "tool_result", tool_use_id: item.id, status: "error", text, content: text }] : []
  }

  const wait = (id: string, isWaiting: boolean): void => {
    const entry = running.get(id)
    if (entry !== undefined) entry.isWaiting = isWaiting
  }

  return {
    started,
    completed,
    read: (item: unknown): ToolItem | undefined => Option.getOrUndefined(readTool(item)),
    find: (id: string): ToolItem | undefined => running.get(id)?.item,
    /** The call an MCP server is in when it asks something. */
    findServerCall: (server: string, tool: string | undefined): string | undefined =>
      [...running.values()].find(({ item }) =>
        item.type === "mcpToolCall" && item.server === server && (tool === undefined || item.tool === tool)
      )?.item.id,
    /** The changes of a patch are told anew while the model writes it. */
    patched: (id: string, changes: unknown): void => {
      const entry = running.get(id)
      if (entry?.item.type !== "fileChange") return
      entry.item = Option.getOrElse(readTool({ ...entry.item, changes }), () => entry.item)
    },
    /** A model call has ended: what still runs in its thread runs in the background. */
    yielded: (thread: string | undefined): void => {
      for (const entry of running.values()) if (entry.thread === thread) entry.inForeground = false
    },
    /** Commands that keep their turn waiting. */
    foregroundCommands: (thread: string | undefined): ReadonlyArray<string> =>
      [...running.values()].filter((entry) =>
        entry.thread === thread && entry.inForeground && !entry.isWaiting &&
        entry.item.type === "commandExecution"
      ).map(({ item }) => item.id),
    asked: (id: string): void => wait(id, true),
    allowed: (id: string): void => wait(id, false),
    /** Why a tool will be told as declined. */
    declined: (id: string, reason: string): void => {
      if (running.has(id)) reasons.set(id, reason)
    },
    /** The turn has stopped. Only a command that runs will still be told as completed. */
    stop: (thread: string | undefined): Events =>
      [...running.values()].flatMap((entry) =>
        entry.thread === thread && (entry.isWaiting || entry.item.type !== "commandExecution")
          ? tellStopped(entry)
          : []
      ),
    /** This command was stopped with its turn, without a word. */
    stopOne: (id: string): Events => {
      const entry = running.get(id)
      return entry === undefined ? [] : tellStopped(entry)
    }
  }
}
