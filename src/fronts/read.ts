/**
 * read: reads open objects (`metadata`, `args`) like `messages/read.ts`, in the terms of the operations.
 */
import * as read from "../messages/read.js"
import type { Choice, PlanEntry, SlashCommand } from "./Op.js"

export { list, number, type Open, open, questions, text, texts } from "../messages/read.js"
export type { Question } from "../messages/View.js"

/** A plan's entries, or Claude's to-do list. Clients drop an entry that lacks one of the three. */
export const planEntries = (value: unknown): ReadonlyArray<PlanEntry> =>
  read.planSteps(value).map(({ content, priority = "medium", status }) => ({ content, status, priority }))

export const slashCommands = (value: unknown): ReadonlyArray<SlashCommand> =>
  read.slashCommands(value).map(({ argumentHint: hint, ...command }) => ({ ...command, hint }))

export const choices = (value: unknown): ReadonlyArray<Choice> =>
  read.choices(value).map(({ value: id, ...choice }) => ({ id, ...choice }))

/** The call that runs the subagent, if a subagent sent this. */
export const parentOf = (metadata: read.Open | undefined) => read.text(metadata?.["parent_tool_use_id"])
export const ofParent = (parent: string | undefined) => parent === undefined ? {} : { parent }
