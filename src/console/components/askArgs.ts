/** askArgs: what a person must see before a tool runs: nothing of its arguments is left out. */
import { list, open, text } from "../../messages/read.js"
import type { Diff } from "../../messages/View.js"
import { proposedDiff } from "./proposal.js"
import { commandOf, kindOfTool } from "./toolWords.js"

export interface Shown {
  readonly kind: "run" | "edit" | "other"
  /** The whole command, if it is a command that runs. */
  readonly command: string | undefined
  /** The whole path, and where it leads if that is another one. */
  readonly path: string | undefined
  readonly leadsTo: string | undefined
  readonly proposal: Diff | undefined
  /** Every argument that is not shown above. */
  readonly rest: ReadonlyArray<readonly [name: string, value: unknown]>
}

/** A path without `.`, `..` and empty parts. */
export const normalised = (path: string): string => {
  const parts: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop()
    else if (part !== ".." || !path.startsWith("/")) parts.push(part)
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/")
}

/** What a diff made of these shows of an edit. */
const inDiff = new Set(["old_string", "new_string", "content"])

/** Of several edits, what a diff of them does not show. */
const beyondDiff = (edits: unknown): ReadonlyArray<readonly [string, unknown]> =>
  list(edits).flatMap((edit, index) =>
    Object.entries(edit).filter(([name]) => !inDiff.has(name))
      .map(([name, value]) => [`edits[${index}].${name}`, value] as const)
  )

const without = (args: unknown, names: ReadonlyArray<string>) =>
  typeof args === "object" && args !== null && !Array.isArray(args)
    ? Object.entries(args).filter(([name]) => !names.includes(name))
    : args === undefined || args === null
    ? []
    : [["", args] as const]

/** `onDisk` is how a file that is there would change, if the relay has looked. */
export const shownOf = (tool: string, args: unknown, onDisk?: string): Shown => {
  const given = open(args)
  const kind = kindOfTool(tool)
  const path = text(given["file_path"])
  const leads = path === undefined ? undefined : normalised(path)
  const common = {
    path,
    leadsTo: leads === path ? undefined : leads
  }
  const command = kind === "shell" ? commandOf(args) : undefined
  if (command !== undefined) {
    const name = given["command"] === undefined ? "cmd" : "command"
    return { ...common, kind: "run", command, proposal: undefined, rest: without(args, [name, "file_path"]) }
  }
  const told = text(given["diff"])
  const proposal = kind !== "edit" || path === undefined
    ? undefined
    : onDisk !== undefined
    ? { file_path: path, diff: onDisk }
    : told === undefined
    ? proposedDiff(args)
    : { file_path: path, diff: told }
  if (proposal !== undefined) {
    const names = told === undefined
      ? Array.isArray(given["edits"]) ? ["file_path", "edits"] : ["file_path", ...inDiff]
      : ["file_path", "diff"]
    const rest = [...without(args, names), ...(told === undefined ? beyondDiff(given["edits"]) : [])]
    return { ...common, kind: "edit", command: undefined, proposal, rest }
  }
  return {
    ...common,
    kind: "other",
    command: undefined,
    proposal: undefined,
    rest: without(args, path === undefined ? [] : ["file_path"])
  }
}
