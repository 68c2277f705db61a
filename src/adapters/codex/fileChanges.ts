/**
 * fileChanges: converts Codex file changes to `file_diff`s: unified diffs with headers, whatever Codex left
 * out.
 */
import type { BodyOf } from "../../schema/index.js"
import { createdOrPatched, deletedOrPatched, hunksDiff, isChange } from "../wire/unifiedDiff.js"
import type { FileUpdate } from "./CodexItem.js"

/** Codex appends this to the hunks of a moved file. */
const withoutMove = (diff: string, to: string) => {
  const note = `\n\nMoved to: ${to}`
  return diff.endsWith(note) ? diff.slice(0, -note.length) : diff
}

const diffOf = ({ diff, kind, path }: FileUpdate): string => {
  const { move_path: to = path, type } = kind
  return type === "add"
    ? createdOrPatched(path, diff)
    : type === "delete"
    ? deletedOrPatched(path, diff)
    : hunksDiff(path, to, withoutMove(diff, to))
}

/** One per file; a moved file goes by its new name. */
export const toFileDiffs = (
  changes: ReadonlyArray<FileUpdate>,
  tool_use_id: string
): ReadonlyArray<BodyOf<"file_diff">> =>
  changes.flatMap((change) => {
    const diff = diffOf(change)
    const file_path = change.kind.move_path ?? change.path
    return isChange(diff) ? [{ type: "file_diff", file_path, diff, tool_use_id } as const] : []
  })
