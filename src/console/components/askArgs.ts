/**
 * askArgs: what a person must see before a tool runs: all of its arguments.
 */
import { list, open, text } from "../../messages/read.js"
import type { Diff } from "../../messages/View.js"
import { proposedDiff } from "./proposal.js"
import { commandOf, kindOfTool } from "./toolWords.js"

export interface Shown {
  readonly kind: "run" | "edit" | "other"
  /** The whole command, if the tool runs one. */
  readonly command: string | undefined
  /** The whole path, and its target if that is another one. */
  readonly path: string | undefined
  readonly leadsTo: string | undefined
  readonly proposal: Diff | undefined
  /** Every argument not shown above. */
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

/** Arguments of an edit that its diff shows: one text before and one after, whatever else is there. */
const inDiff = ({ new_string, old_string }: Readonly<Record<string, unknown>>): ReadonlyArray<string> => [
  typeof new_string === "string" ? "new_string" : "content",
  ...(typeof old_string === "string" ? ["old_string"] : [])
]

/** The parts of several edits that their diff does not show. */
const beyondDiff = (edits: unknown): ReadonlyArray<readonly [string, unknown]> =>
  list(edits).flatMap((edit, index) =>
    Object.entries(edit).filter(([name]) => !inDiff(edit).includes(name))
      .map(([name, value]) => [`edits[${index}].${name}`, value] as const)
  )

const without = (args: unknown, names: ReadonlyArray<string>) =>
  typeof args === "object" && args !== null && !Array.isArray(args)
    ? Object.entries(args).filter(([name]) => !names.includes(name))
    : args === undefined || args === null
    ? []
    : [["", args] as const]

/** `onDisk`: how an existing file would change, if the relay has checked. */
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
    const shows = onDisk !== undefined
      // The relay compares what is there with all of what would be.
      ? ["content"]
      : told !== undefined
      ? ["diff"]
      : Array.isArray(given["edits"])
      ? ["edits"]
      : inDiff(given)
    const rest = [
      ...without(args, ["file_path", ...shows]),
      ...(shows.includes("edits") ? beyondDiff(given["edits"]) : [])
    ]
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
