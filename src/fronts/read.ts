/** read: takes what it can use out of open objects (`metadata`, `args`); what has another shape is as if it were absent. */
import type { Choice, PlanEntry, SlashCommand } from "./Op.js"

export type Open = Readonly<Record<string, unknown>>

export const open = (value: unknown): Open =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as Open : {}
export const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined
export const number = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined
export const list = (value: unknown): ReadonlyArray<Open> => Array.isArray(value) ? value.map(open) : []
export const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : []

const stepStates = new Set(["pending", "in_progress", "completed"])
const priorities = new Set(["high", "medium", "low"])

/** A plan's entries, or Claude's to-do list. Clients drop an entry that lacks one of the three. */
export const planEntries = (value: unknown): ReadonlyArray<PlanEntry> =>
  list(value).flatMap((entry) => {
    const content = text(entry["content"])
    const status = text(entry["status"]) ?? ""
    const priority = text(entry["priority"]) ?? ""
    return content === undefined ? [] : [{
      content,
      status: stepStates.has(status) ? status as PlanEntry["status"] : "pending",
      priority: priorities.has(priority) ? priority as PlanEntry["priority"] : "medium"
    }]
  })

export const slashCommands = (value: unknown): ReadonlyArray<SlashCommand> =>
  list(value).flatMap((command) => {
    const name = text(command["name"])
    return name === undefined ? [] : [{
      name: name.replace(/^\//, ""),
      description: text(command["description"]) ?? "",
      hint: text(command["argumentHint"]) ?? text(open(command["input"])["hint"]) ?? ""
    }]
  })

/** Models, in the spellings agents use. */
export const choices = (value: unknown): ReadonlyArray<Choice> =>
  list(value).flatMap((choice) => {
    const id = text(choice["value"]) ?? text(choice["id"]) ?? text(choice["model"])
    const name = text(choice["displayName"]) ?? text(choice["name"]) ?? id
    return id === undefined || name === undefined
      ? []
      : [{ id, name, description: text(choice["description"]) ?? "" }]
  })

export interface Question {
  /** What an answer names it by. */
  readonly id: string
  readonly question: string
  readonly header: string
  readonly multiSelect: boolean
  readonly options: ReadonlyArray<{ readonly label: string; readonly description: string }>
}

/** The questions in an ask's `args`. */
export const questions = (args: unknown): ReadonlyArray<Question> =>
  list(open(args)["questions"]).map((asked) => {
    const question = text(asked["question"]) ?? text(asked["header"]) ?? ""
    return {
      id: text(asked["id"]) ?? question,
      question,
      header: text(asked["header"]) ?? "",
      multiSelect: asked["multiSelect"] === true,
      options: list(asked["options"]).flatMap((option) => {
        const label = text(option["label"])
        return label === undefined ? [] : [{ label, description: text(option["description"]) ?? "" }]
      })
    }
  })

/** The call whose sub-agent says this, if one does. */
export const parentOf = (metadata: Open | undefined) => text(metadata?.["parent_tool_use_id"])
export const ofParent = (parent: string | undefined) => parent === undefined ? {} : { parent }
