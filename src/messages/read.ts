/**
 * read: reads known fields from open objects (`metadata`, `args`); a value of another shape counts as absent.
 */
import type { AskOption, Choice, Grant, PlanStep, Question, SlashCommand } from "./View.js"

export type Open = Readonly<Record<string, unknown>>

export const open = (value: unknown): Open =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as Open : {}
export const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined
export const number = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined
export const list = (value: unknown): ReadonlyArray<Open> => Array.isArray(value) ? value.map(open) : []
export const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : []

/** Models and modes, in the formats agents use. */
export const choices = (value: unknown): ReadonlyArray<Choice> =>
  list(value).flatMap((model) => {
    const id = text(model["value"]) ?? text(model["id"]) ?? text(model["model"])
    const name = text(model["displayName"]) ?? text(model["name"]) ?? id
    return id === undefined || name === undefined
      ? []
      : [{ value: id, name, description: text(model["description"]) ?? "" }]
  })

export const slashCommands = (value: unknown): ReadonlyArray<SlashCommand> =>
  list(value).flatMap((command) => {
    const name = text(command["name"])
    return name === undefined ? [] : [{
      name: name.replace(/^\//, ""),
      description: text(command["description"]) ?? "",
      argumentHint: text(command["argumentHint"]) ?? text(open(command["input"])["hint"]) ?? ""
    }]
  })

const stepStates = new Set(["pending", "in_progress", "completed"])
const priorities = new Set(["high", "medium", "low"])

/** A plan's entries, or Claude's to-do list. */
export const planSteps = (value: unknown): ReadonlyArray<PlanStep> =>
  list(value).flatMap((entry) => {
    const content = text(entry["content"])
    const active = text(entry["activeForm"])
    const status = text(entry["status"]) ?? ""
    const priority = text(entry["priority"]) ?? ""
    return content === undefined
      ? []
      : [{
        content,
        ...(active !== undefined && { active }),
        status: stepStates.has(status) ? status as PlanStep["status"] : "pending",
        ...(priorities.has(priority) && { priority: priority as NonNullable<PlanStep["priority"]> })
      }]
  })

/** Rules, modes and folders Claude suggests for the session. */
export const grants = (value: unknown): ReadonlyArray<Grant> =>
  list(value).flatMap((suggestion): ReadonlyArray<Grant> => {
    const { behavior, directories, mode, rules } = suggestion
    if (behavior !== undefined && behavior !== "allow") return []
    const named = text(mode)
    return [
      ...list(rules).flatMap((rule): ReadonlyArray<Grant> => {
        const tool = text(rule["toolName"])
        const content = text(rule["ruleContent"])
        return tool === undefined
          ? []
          : [{ grants: "rule", rule: content === undefined ? tool : `${tool}(${content})` }]
      }),
      ...(named === undefined ? [] : [{ grants: "mode", mode: named } as const]),
      ...(Array.isArray(directories)
        ? directories.filter((folder) => typeof folder === "string").map((
          folder
        ) => ({ grants: "folder", folder } as const))
        : [])
    ]
  })

/** Answers to questions, as text. */
export const answersOf = (value: unknown): Readonly<Record<string, string>> | undefined => {
  const entries = Object.entries(open(value)).flatMap(([question, answer]) =>
    typeof answer === "string"
      ? [[question, answer] as const]
      : Array.isArray(answer)
      ? [[question, answer.filter((part) => typeof part === "string").join(", ")] as const]
      : []
  )
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

const optionKinds = new Set(["allow_once", "allow_always", "reject_once", "reject_always"])

export const askOptions = (value: unknown): ReadonlyArray<AskOption> =>
  list(value).flatMap((option) => {
    const option_id = text(option["option_id"])
    const kind = text(option["kind"]) ?? ""
    return option_id === undefined || !optionKinds.has(kind)
      ? []
      : [{ option_id, name: text(option["name"]) ?? option_id, kind: kind as AskOption["kind"] }]
  })

/** The questions in a request's `args`. */
export const questions = (args: unknown): ReadonlyArray<Question> =>
  list(open(args)["questions"]).map((asked) => {
    const question = text(asked["question"]) ?? text(asked["header"]) ?? ""
    const {
      custom,
      description: _,
      header: _header,
      id: _id,
      multiSelect: _multi,
      options: given,
      question: _question,
      required,
      ...field
    } = asked
    const isField = text(asked["type"]) !== undefined
    return {
      id: text(asked["id"]) ?? question,
      question,
      header: text(asked["header"]) ?? "",
      multiSelect: asked["multiSelect"] === true,
      options: list(asked["options"]).flatMap((option) => {
        const label = text(option["label"])
        return label === undefined ? [] : [{ label, description: text(option["description"]) ?? "" }]
      }),
      ...(isField && { field }),
      ...(isField && required !== true && { optional: true }),
      ...(isField && list(given).length > 0 && custom !== true && { closed: true })
    }
  })
