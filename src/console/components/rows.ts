/**
 * rows: the items of a conversation as the rows it is shown in. What a subagent does is told in the row of the call that started it.
 * Steps that only look, one after the other and all done, are one row that opens; a long turn is no wall then.
 */
import type { Item, ToolItem } from "../../messages/View.js"
import { kindOfTool, type ToolKind } from "./toolWords.js"

export interface Row {
  readonly key: string
  readonly item: Item
  /** It stands for these, the item among them. */
  readonly group?: ReadonlyArray<ToolItem>
  /** What the item's subagent has done, in order. */
  readonly inner?: ReadonlyArray<ToolItem>
}

/** Fewer are no wall. */
const fewest = 3
const looking = new Set<ToolKind>(["read", "search", "fetch", "web"])

/** It is done, nobody was asked about it, and nothing came of it that one must see. */
const isQuiet = (item: ToolItem, inner: ReadonlyMap<string, unknown>): boolean =>
  item.state === "ok" && item.decided === undefined && item.diffs.length === 0
  && looking.has(kindOfTool(item.tool)) && !inner.has(item.tool_use_id)

/** The calls a conversation's own agent made, by name: also the one a call within a subagent's subagent began with. */
const outermost = (calls: ReadonlyMap<string, ToolItem>, { parent }: ToolItem): ToolItem | undefined => {
  let found = parent === undefined ? undefined : calls.get(parent)
  // What leads in a circle ends there.
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

/** The row that shows the item which an event began or went on with; -1 if it is before all of them. */
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

/** The event an item began with: it is in its key. */
export const seqOf = ({ key }: Item): number => Number(/\d+$/.exec(key)?.[0] ?? 0)
