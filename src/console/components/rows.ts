/**
 * rows: the items of a conversation as rows. A subagent's calls are shown in the row of the call that started
 * it. Consecutive finished read-only steps share one row that expands, which keeps long turns readable.
 */
import type { Item, ToolItem } from "../../messages/View.js"
import { kindOfTool, type ToolKind } from "./toolWords.js"

export interface Row {
  readonly key: string
  readonly item: Item
  /** The calls it stands for, including the item. */
  readonly group?: ReadonlyArray<ToolItem>
  /** The calls of the item's subagent, in order. */
  readonly inner?: ReadonlyArray<ToolItem>
}

/** Fewer are shown one by one. */
const fewest = 3
const looking = new Set<ToolKind>(["read", "search", "fetch", "web"])

/** It is done, nobody was asked about it, and its result needs no attention. */
const isQuiet = (item: ToolItem, inner: ReadonlyMap<string, unknown>): boolean =>
  item.state === "ok" && item.decided === undefined && item.diffs.length === 0
  && looking.has(kindOfTool(item.tool)) && !inner.has(item.tool_use_id)

/** The top-level call above this one, also for calls of a subagent's subagent; undefined if there is none. */
const outermost = (calls: ReadonlyMap<string, ToolItem>, { parent }: ToolItem): ToolItem | undefined => {
  let found = parent === undefined ? undefined : calls.get(parent)
  // Guards against cycles.
  for (let steps = 0; found?.parent !== undefined && steps < 20; steps++) {
    const above = calls.get(found.parent)
    if (above === undefined) break
    found = above
  }
  return found
}

export const rowsOf = (items: ReadonlyArray<Item>): ReadonlyArray<Row> => {
  const calls = new Map<string, ToolItem>()
  const inner = new Map<string, Array<ToolItem>>()
  const within = new Set<Item>()
  for (const item of items) {
    if (item.kind !== "tool") continue
    calls.set(item.tool_use_id, item)
    const root = outermost(calls, item)
    if (root === undefined || root === item) continue
    within.add(item)
    const list = inner.get(root.tool_use_id)
    if (list === undefined) inner.set(root.tool_use_id, [item])
    else list.push(item)
  }
  const rows: Array<Row> = []
  let run: Array<ToolItem> = []
  const flush = () => {
    const [first] = run
    if (first !== undefined && run.length >= fewest) {
      rows.push({ key: `g${first.key}`, item: first, group: run })
    } else for (const item of run) rows.push({ key: item.key, item })
    run = []
  }
  for (const item of items) {
    if (within.has(item)) continue
    if (item.kind === "tool" && isQuiet(item, inner)) {
      run.push(item)
      continue
    }
    flush()
    const own = item.kind === "tool" ? inner.get(item.tool_use_id) : undefined
    rows.push({ key: item.key, item, ...(own !== undefined && { inner: own }) })
  }
  flush()
  return rows
}

/** The row of the item that an event began or continued; -1 if it is before all of them. */
export const rowAt = (rows: ReadonlyArray<Row>, seq: number): number => {
  let best = -1
  let at = -1
  for (const [index, { group, inner, item }] of rows.entries()) {
    for (const each of [item, ...group ?? [], ...inner ?? []]) {
      const began = seqOf(each)
      if (began > seq || began < at) continue
      at = began
      best = index
    }
  }
  return best
}

/** The event an item began with, taken from its key. */
export const seqOf = ({ key }: Item): number => Number(/\d+$/.exec(key)?.[0] ?? 0)
