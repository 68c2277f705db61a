/**
 * tasks: Claude Code's checklist, updated one task at a time (TaskCreate, TaskUpdate), where others send a
 * whole plan. A task's id is in the result of its creation; until then the call's own id stands for it.
 */
import type { Draft } from "./Draft.js"
import { open, text } from "./read.js"
import type { PlanStep } from "./View.js"

const states = new Set(["pending", "in_progress", "completed"])

const show = (draft: Draft) => {
  draft.plan = [...draft.tasks.values()]
}

const stepOf = (args: unknown, before: PlanStep | undefined): PlanStep | undefined => {
  const { activeForm, status, subject } = open(args)
  const content = text(subject) ?? before?.content
  const active = text(activeForm) ?? before?.active
  const told = text(status) ?? ""
  return content === undefined ? undefined : {
    content,
    ...(active !== undefined && { active }),
    status: states.has(told) ? told as PlanStep["status"] : before?.status ?? "pending"
  }
}

const idOf = (args: unknown): string => {
  const { task_id, taskId } = open(args)
  return text(taskId) ?? text(task_id) ?? String(taskId ?? task_id ?? "")
}

/** Matches the tool's name, whatever prefix it has. */
const isTaskTool = (tool: string, name: string) => tool.toLowerCase() === name

export const called = (draft: Draft, tool: string, tool_use_id: string, args: unknown): void => {
  if (isTaskTool(tool, "taskcreate")) {
    const step = stepOf(args, undefined)
    if (step === undefined) return
    draft.tasks.set(`call ${tool_use_id}`, step)
  } else if (isTaskTool(tool, "taskupdate")) {
    const id = idOf(args)
    if (open(args)["status"] === "deleted") draft.tasks.delete(id)
    else {
      const step = stepOf(args, draft.tasks.get(id))
      if (step !== undefined) draft.tasks.set(id, step)
    }
  } else return
  show(draft)
}

/** The key keeps its position in the list. */
const rename = (tasks: Map<string, PlanStep>, from: string, to: string) => {
  const entries = [...tasks].filter(([key]) => key !== to).map(([key, step]) =>
    [key === from ? to : key, step] as const
  )
  tasks.clear()
  for (const [key, step] of entries) tasks.set(key, step)
}

export const resulted = (draft: Draft, tool_use_id: string, ok: boolean, output: string): void => {
  const made = `call ${tool_use_id}`
  if (!draft.tasks.has(made)) return
  const id = /#(\d+)/.exec(output)?.[1]
  if (!ok) draft.tasks.delete(made)
  else if (id !== undefined) rename(draft.tasks, made, id)
  show(draft)
}

/** Another turn begins: a completed checklist is cleared. */
export const anotherTurn = (draft: Draft): void => {
  if ([...draft.tasks.values()].every(({ status }) => status === "completed")) draft.tasks.clear()
  show(draft)
}
