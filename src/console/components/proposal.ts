/**
 * proposal: the change a tool asks to make to a file, as far as its arguments tell: a diff of excerpts
 * without line numbers.
 */
import { structuredPatch } from "diff"
import { list, open, text } from "../../messages/read.js"
import type { Diff } from "../../messages/View.js"
import { mostEdits } from "../../schema/mostEdits.js"

/** Total time for comparing, in ms. After it, an excerpt is shown as removed and added. */
const mostMs = 200
const mostPieces = 500
/** Larger changes are shown as plain arguments. */
const mostChars = 2_000_000

const linesOf = (sign: "+" | "-", text: string): ReadonlyArray<string> => {
  if (text === "") return []
  const lines = text.split("\n")
  return (lines.at(-1) === "" ? lines.slice(0, -1) : lines).map((line) => sign + line)
}

const hunk = (oldStart: number, newStart: number, lines: ReadonlyArray<string>): string => {
  const olds = lines.filter((line) => /^[- ]/.test(line)).length
  const news = lines.filter((line) => /^[+ ]/.test(line)).length
  return `@@ -${oldStart},${olds} +${newStart},${news} @@\n${lines.join("\n")}\n`
}

const replaced = (before: string, after: string): string => {
  const lines = [...linesOf("-", before), ...linesOf("+", after)]
  return lines.length === 0 ? "" : hunk(before === "" ? 0 : 1, after === "" ? 0 : 1, lines)
}

const compared = (before: string, after: string, timeout: number): string => {
  if (before === "" || after === "" || timeout <= 0) return replaced(before, after)
  const patch = structuredPatch("", "", before, after, "", "", {
    context: 3,
    maxEditLength: mostEdits,
    timeout
  })
  return patch === undefined
    ? replaced(before, after)
    : patch.hunks.map(({ lines, newStart, oldStart }) => hunk(oldStart, newStart, lines)).join("")
}

/** A diff header is one line, whatever a path contains. */
const oneLine = (path: string): string => path.replaceAll(/[\r\n]+/g, " ")

/** The text before and after, if an edit's arguments contain them. */
const changeOf = (edit: unknown): { readonly before: string; readonly after: string } | undefined => {
  const { content, new_string, old_string } = open(edit)
  const after = text(new_string) ?? text(content)
  return after === undefined ? undefined : { before: text(old_string) ?? "", after }
}

/** Undefined if the arguments do not say what would be written. */
export const proposedDiff = (args: unknown): Diff | undefined => {
  const { edits, file_path } = open(args)
  const path = text(file_path)
  if (path === undefined) return undefined
  const changes = (Array.isArray(edits) ? list(edits) : [args]).map(changeOf)
  const size = changes.reduce(
    (sum, change) => sum + (change?.before.length ?? 0) + (change?.after.length ?? 0),
    0
  )
  if (changes.length === 0 || changes.length > mostPieces || size > mostChars) return undefined
  const until = performance.now() + mostMs
  const hunks = changes.map((change) =>
    change && compared(change.before, change.after, Math.ceil(until - performance.now()))
  )
  return hunks.every((hunks) => hunks !== undefined)
    ? { file_path: path, diff: `--- ${oneLine(path)}\n+++ ${oneLine(path)}\n${hunks.join("")}` }
    : undefined
}
