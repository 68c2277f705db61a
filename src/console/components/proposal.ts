/** proposal: the change a tool asks to make to a file, as far as its arguments tell it: a diff of pieces without line numbers. */
import { createPatch } from "diff"
import { list, open, text } from "../model/read.js"
import type { Diff } from "../model/View.js"

const piece = (file_path: string, edit: unknown): string | undefined => {
  const { content, new_string, old_string } = open(edit)
  const after = text(new_string) ?? text(content)
  if (after === undefined) return undefined
  return createPatch(file_path, text(old_string) ?? "", after, undefined, undefined, { context: 3 })
}

/** Undefined when it does not say what would be written. */
export const proposedDiff = (args: unknown): Diff | undefined => {
  const { edits, file_path } = open(args)
  const path = text(file_path)
  if (path === undefined) return undefined
  const pieces = (Array.isArray(edits) ? list(edits) : [args]).map((edit) => piece(path, edit))
  return pieces.length > 0 && pieces.every((piece) => piece !== undefined)
    ? { file_path: path, diff: pieces.join("") }
    : undefined
}
