/**
 * tools: running tools; each is reported once as called and once as done, however often Codex repeats it.
 *
 * A command can outlive its turn: after some seconds Codex continues without waiting for it. Until then it is
 * in the foreground and must stop with its turn; Codex itself would let it run.
 */
import { Option, Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import type { BodyOf, EventBody } from "../../schema/index.js"
import { CallIds } from "../wire/CallIds.js"
import { firstText } from "../wire/words.js"
import { ToolItem } from "./CodexItem.js"
import { callOf, isComplete, resultsOf } from "./toolItems.js"

interface Running {
  item: ToolItem
  /** The id clients know it by: model servers may restart their numbering in every answer. */
  readonly name: string
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
  const ids = new CallIds()
  const running = new Map<string, Running>()
  /** Tools reported as stopped, though Codex may still report how they ended; the ids clients know them by. */
  const stopped = new Map<string, string>()
  const reasons = new Map<string, string>()
  /** The last completed call for each id in this turn, and whether Codex had announced its start. */
  const done = new Map<string, { readonly item: ToolItem; readonly name: string; readonly began: boolean }>()
  let unnamed = 0

  const keyOf = (id: string, thread: string | undefined) => `${thread ?? ""} ${id}`

  /** A running call; a message may have lost its thread. */
  const find = (id: string, thread: string | undefined): Running | undefined =>
    running.get(keyOf(id, thread)) ?? [...running.values()].find(({ item }) => item.id === id)

  const named = (name: string) => [...running.values()].find((entry) => entry.name === name)

  const toCall = (item: ToolItem, name: string): BodyOf<"tool_call"> => ({
    type: "tool_call",
    tool_use_id: name,
    ...callOf(item)
  })

  const forget = ({ item, name, thread }: Running) => {
    running.delete(keyOf(item.id, thread))
    reasons.delete(name)
    ids.settle(item.id, thread)
  }

  const started = (item: ToolItem, thread: string | undefined): Events => {
    // It cannot be matched to any of the completed calls.
    if (item.id === "") return [{ type: "status", status: "item/started", text: item.type }]
    const isTold = isComplete(item)
    const before = done.get(keyOf(item.id, thread))
    // It was already reported as a whole: this comes late.
    if (
      before !== undefined && !before.began && find(item.id, thread) === undefined
      && isDeepStrictEqual(callOf(item), callOf(before.item))
    ) {
      done.set(keyOf(item.id, thread), { ...before, began: true })
      return [{ type: "stream_event", tool_use_id: before.name }]
    }
    const name = ids.announce(item.id, thread)
    const isRepeated = running.get(keyOf(item.id, thread))?.isTold === true
    running.set(keyOf(item.id, thread), {
      item,
      name,
      thread,
      isTold: isTold || isRepeated,
      inForeground: true,
      isWaiting: false
    })
    return [isTold && !isRepeated ? toCall(item, name) : { type: "stream_event", tool_use_id: name }]
  }

  /** It already has a result. */
  const lateResults = (item: ToolItem, tool_use_id: string): Events => {
    return resultsOf(item, tool_use_id).map((event) =>
      event.type === "file_diff"
        ? event
        : firstText(event.text) === undefined
        ? { type: "status", status: "item/completed" }
        : { type: "tool_progress", tool_use_id, text: event.text ?? "" }
    )
  }

  /** A call without an id is the only running one of its kind, or a new one. */
  const identify = (item: ToolItem, thread: string | undefined): ToolItem => {
    if (item.id !== "") return item
    const alike = [...running.values()].filter((entry) =>
      entry.item.type === item.type && entry.thread === thread
    )
    return { ...item, id: alike.length === 1 && alike[0] ? alike[0].item.id : `unnamed-${++unnamed}` }
  }

  const completed = (told: ToolItem, thread: string | undefined): Events => {
    const item = identify(told, thread)
    const key = keyOf(item.id, thread)
    const late = stopped.get(key)
    if (late !== undefined) {
      stopped.delete(key)
      return lateResults(item, late)
    }
    const entry = find(item.id, thread)
    const before = entry === undefined ? done.get(key) : undefined
    if (before !== undefined && isDeepStrictEqual(before.item, item)) {
      return [{ type: "stream_event", tool_use_id: before.name }]
    }
    const name = entry?.name ?? ids.announce(item.id, thread)
    done.set(keyOf(item.id, thread), { item, name, began: entry !== undefined })
    const reason = reasons.get(name)
    if (entry === undefined) ids.settle(item.id, thread)
    else forget(entry)
    return [...entry?.isTold === true ? [] : [toCall(item, name)], ...resultsOf(item, name, reason)]
  }

  const tellStopped = (entry: Running): Events => {
    const { isTold, item, name, thread } = entry
    forget(entry)
    stopped.set(keyOf(item.id, thread), name)
    const text = "The turn was stopped before this was done."
    return isTold ? [{ type: "tool_result", tool_use_id: name, status: "error", text, content: text }] : []
  }

  const wait = (name: string, isWaiting: boolean): void => {
    const entry = named(name)
    if (entry !== undefined) entry.isWaiting = isWaiting
  }

  return {
    started,
    completed,
    read: (item: unknown): ToolItem | undefined => Option.getOrUndefined(readTool(item)),
    find: (id: string, thread: string | undefined): ToolItem | undefined => find(id, thread)?.item,
    /** The id clients know a call by. */
    nameOf: (id: string, thread: string | undefined): string => find(id, thread)?.name ?? ids.of(id, thread),
    /** The call an MCP server is running when it asks something. */
    findServerCall: (server: string | undefined, tool: string | undefined): string | undefined =>
      [...running.values()].find(({ item }) =>
        item.type === "mcpToolCall" && item.server === server && (tool === undefined || item.tool === tool)
      )?.name,
    /** A patch's changes are reported again while the model writes it. */
    patched: (id: string, thread: string | undefined, changes: unknown): void => {
      const entry = find(id, thread)
      if (entry?.item.type !== "fileChange") return
      entry.item = Option.getOrElse(readTool({ ...entry.item, changes }), () => entry.item)
    },
    /** A model call has ended: whatever still runs in its thread runs in the background. */
    yielded: (thread: string | undefined): void => {
      for (const entry of running.values()) if (entry.thread === thread) entry.inForeground = false
    },
    /** Commands that keep their turn waiting, by Codex's ids. */
    foregroundCommands: (thread: string | undefined): ReadonlyArray<string> =>
      [...running.values()].filter((entry) =>
        entry.thread === thread && entry.inForeground && !entry.isWaiting &&
        entry.item.type === "commandExecution"
      ).map(({ item }) => item.id),
    asked: (name: string): void => wait(name, true),
    allowed: (name: string): void => wait(name, false),
    /** Sets the reason reported with a declined tool. */
    declined: (name: string, reason: string): void => {
      if (named(name) !== undefined) reasons.set(name, reason)
    },
    /** The turn has stopped. Only a running command will still be reported as completed. */
    stop: (thread: string | undefined): Events =>
      [...running.values()].flatMap((entry) =>
        entry.thread === thread && (entry.isWaiting || entry.item.type !== "commandExecution")
          ? tellStopped(entry)
          : []
      ),
    /** From now on these ids refer to other calls. */
    endTurn: (): void => done.clear(),
    /** This command was stopped with its turn, without a message. */
    stopOne: (id: string, thread: string | undefined): Events => {
      const entry = find(id, thread)
      return entry === undefined ? [] : tellStopped(entry)
    }
  }
}
