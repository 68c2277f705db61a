/**
 * tools: a tool's card, from the first delta of its input to its result and the files it changed.
 */
import type { EventOf, RelayEvent } from "../client/browser.js"
import { add, change, type Draft, findLast } from "./Draft.js"
import { list, open, planSteps, text as textIn } from "./read.js"
import * as tasks from "./tasks.js"
import type { ToolItem } from "./View.js"

type Envelope = Pick<RelayEvent, "seq" | "ts">

const find = (draft: Draft, tool_use_id: string) =>
  findLast(draft, "tool", (item) => item.tool_use_id === tool_use_id)

/** Index of the card; added if there is none yet. */
const cardOf = (draft: Draft, tool_use_id: string, { seq, ts }: Envelope): number => {
  const index = find(draft, tool_use_id)
  if (index >= 0) return index
  return add(draft, {
    kind: "tool",
    key: `e${seq}`,
    ts,
    tool_use_id,
    tool: "",
    args: undefined,
    input: "",
    output: "",
    progress: "",
    state: "preparing",
    diffs: []
  })
}

const update = (
  draft: Draft,
  tool_use_id: string,
  event: Envelope,
  fields: (card: ToolItem) => Partial<ToolItem>
) => {
  const index = cardOf(draft, tool_use_id, event)
  const card = draft.items[index]
  if (card?.kind === "tool") change(draft, index, "tool", fields(card))
}

export const inputPiece = (draft: Draft, tool_use_id: string, text: string, event: Envelope) =>
  update(draft, tool_use_id, event, ({ input }) => ({ input: input + text }))

export const outputPiece = (draft: Draft, tool_use_id: string, text: string, event: Envelope) =>
  update(draft, tool_use_id, event, ({ output }) => ({ output: output + text }))

export const call = (
  draft: Draft,
  { args, metadata, tool, tool_use_id }: EventOf<"tool_call">,
  event: Envelope
) => {
  const parent = textIn(metadata?.["parent_tool_use_id"])
  update(draft, tool_use_id, event, () => ({
    tool,
    args,
    state: "running",
    ...(parent !== undefined && { parent })
  }))
  tasks.called(draft, tool, tool_use_id, args)
  const todos = list(open(args)["todos"])
  if (todos.length > 0) draft.plan = planSteps(todos)
}

export const progress = (draft: Draft, { text, tool_use_id }: EventOf<"tool_progress">) => {
  const index = tool_use_id === undefined
    ? findLast(draft, "tool", ({ state }) => state === "running")
    : find(draft, tool_use_id)
  change(draft, index, "tool", { progress: text })
}

export const result = (draft: Draft, event: EventOf<"tool_result">) => {
  const { exit_code, status, text, tool, tool_use_id, ts } = event
  tasks.resulted(draft, tool_use_id, status === "ok", text ?? "")
  update(draft, tool_use_id, event, (card) => ({
    state: status,
    ended_at: ts,
    ...(card.tool === "" && tool !== undefined && { tool }),
    ...(text !== undefined && text !== "" && { output: text }),
    ...(exit_code !== undefined && { exit_code })
  }))
}

/** A changed file belongs to its tool's card; without one it stands alone. */
export const diff = (draft: Draft, event: EventOf<"file_diff">) => {
  const { diff, file_path, seq, tool_use_id, ts } = event
  const index = tool_use_id === undefined ? -1 : find(draft, tool_use_id)
  const card = draft.items[index]
  if (card?.kind !== "tool") return add(draft, { kind: "diff", key: `e${seq}`, ts, file_path, diff })
  change(draft, index, "tool", { diffs: [...card.diffs, { file_path, diff }] })
  return index
}

/** The turn is over: unfinished tools will never finish. */
export const stopAll = (draft: Draft) => {
  for (let index = draft.turn?.from ?? draft.items.length; index < draft.items.length; index++) {
    const item = draft.items[index]
    if (item?.kind === "tool" && (item.state === "running" || item.state === "preparing")) {
      change(draft, index, "tool", { state: "stopped" })
    }
  }
}
