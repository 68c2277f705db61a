/**
 * fileDiff: how a file changed, from what Claude reports with a tool's result.
 *
 * Claude's own patch is made for display: lines lose their `\r`, and each leading tab becomes two spaces. So
 * the texts before and after are compared if both are known; otherwise the original lines are restored as far
 * as possible.
 */
import { changedDiff, createdDiff, editedDiff, type Hunk, isChange } from "../wire/unifiedDiff.js"
import type { FileChange } from "./ClaudeMessage.js"

interface Edit {
  readonly from: string
  readonly to: string
  readonly all: boolean
}

const editsOf = ({ edits = [], newString, oldString, replaceAll }: FileChange): ReadonlyArray<Edit> =>
  [{ oldString, newString, replaceAll }, ...edits].flatMap((edit) => {
    const from = edit.oldString ?? ("old_string" in edit ? edit.old_string : undefined)
    const to = edit.newString ?? ("new_string" in edit ? edit.new_string : undefined)
    const all = edit.replaceAll ?? ("replace_all" in edit ? edit.replace_all : undefined)
    return from === undefined || to === undefined || from === "" ? [] : [{ from, to, all: all === true }]
  })

const toCrlf = (text: string) => text.replace(/\r?\n/g, "\r\n")

/** Claude handles files with any line endings, but reports them with `\n` only. */
const fitting = (text: string, { all, from, to }: Edit): Edit | undefined => {
  if (text.includes(from)) return { all, from, to }
  const windows = { all, from: toCrlf(from), to: toCrlf(to) }
  return text.includes(windows.from) ? windows : undefined
}

const hasCrlf = (text: string) => /^[^\n]*\r\n/.test(text)

/** The file's text after these edits in order; undefined if they do not match it. */
const edited = (before: string, edits: ReadonlyArray<Edit>): string | undefined => {
  if (edits.length === 0) return undefined
  return edits.reduce<string | undefined>((text, edit) => {
    const fit = text === undefined ? undefined : fitting(text, edit)
    if (text === undefined || fit === undefined) return undefined
    const to = hasCrlf(before) ? toCrlf(fit.to) : fit.to
    return fit.all ? text.replaceAll(fit.from, () => to) : text.replace(fit.from, () => to)
  }, before)
}

// --- Claude's own patch ------------------------------------------------------------------------------------------

/** A line as it appears in Claude's patch. */
const shown = (line: string) => line.replace(/\r$/, "").replace(/^\t+/, (tabs) => "  ".repeat(tabs.length))

const linesOf = (texts: ReadonlyArray<string>): ReadonlyMap<string, string> => {
  const lines = texts.flatMap((text) => text.split("\n")).map((line) => line.replace(/\r$/, ""))
  return new Map(lines.toReversed().map((line) => [shown(line), line]))
}

const isMark = (line: string) => line.startsWith("\\")

/** The hunk with the file's original lines; undefined if it does not belong to this file. */
const restored = (hunk: Hunk, before: string, added: ReadonlyMap<string, string>): Hunk | undefined => {
  const own = before.split("\n")
  const end = hasCrlf(before) ? "\r" : ""
  let at = hunk.oldStart - 1
  const lines: Array<string> = []
  for (const line of hunk.lines) {
    const [sign, text] = [line.slice(0, 1), line.slice(1)]
    if (isMark(line)) lines.push(line)
    else if (sign === "+") lines.push(`+${(added.get(text) ?? text).replace(/\r$/, "")}${end}`)
    else {
      const was = own[at++]
      if (was === undefined || shown(was) !== shown(text)) return undefined
      lines.push(sign + was)
    }
  }
  return { ...hunk, lines }
}

/** Only the changed lines: the original context is unknown. */
const bare = ({ lines, newStart, oldStart }: Hunk): ReadonlyArray<Hunk> => {
  const hunks: Array<{ lines: Array<string>; old: number; new: number }> = []
  let [old, now, goesOn] = [oldStart, newStart, false]
  for (const line of lines) {
    const isContext = line.startsWith(" ")
    if (!isContext && !goesOn) hunks.push({ lines: [], old, new: now })
    if (!isContext) hunks.at(-1)?.lines.push(line)
    goesOn = !isContext
    if (!line.startsWith("+") && !isMark(line)) old += 1
    if (!line.startsWith("-") && !isMark(line)) now += 1
  }
  return hunks.map((hunk) => {
    const [oldLines, newLines] = ["-", "+"].map((sign) =>
      hunk.lines.filter((line) => line.startsWith(sign)).length
    ) as [number, number] // Two signs make two counts.
    return {
      lines: hunk.lines,
      oldLines,
      newLines,
      // Where nothing is left or was before, a hunk names the preceding line.
      oldStart: hunk.old - (oldLines === 0 ? 1 : 0),
      newStart: hunk.new - (newLines === 0 ? 1 : 0)
    }
  })
}

/** For an unknown file: the edit's own lines without context, whose spelling may differ. */
const guessed = (hunk: Hunk, edits: ReadonlyArray<Edit>): ReadonlyArray<Hunk> => {
  const [removed, added] = [linesOf(edits.map(({ from }) => from)), linesOf(edits.map(({ to }) => to))]
  const lines = hunk.lines.map((line) => {
    const text = line.slice(1)
    if (line.startsWith("-")) return `-${removed.get(text) ?? text}`
    return line.startsWith("+") ? `+${added.get(text) ?? text}` : line
  })
  const isCertain = lines.every((line, index) =>
    line === hunk.lines[index] && !(line.startsWith("   ") && edits.length > 0)
  )
  return isCertain ? [hunk] : bare({ ...hunk, lines })
}

const patched = (hunks: ReadonlyArray<Hunk>, before: string | undefined, edits: ReadonlyArray<Edit>) => {
  const added = linesOf([...edits.map(({ to }) => to), before ?? ""])
  return hunks.flatMap((hunk) => {
    const own = before === undefined ? undefined : restored(hunk, before, added)
    return own === undefined ? guessed(hunk, edits) : [own]
  })
}

/** Undefined: nothing changed, or the change is not reported. */
export const diffOf = (path: string, change: FileChange): string | undefined => {
  const { content, staged, structuredPatch = [], type, updated_file } = change
  if (staged === true) return undefined
  const before = change.originalFile ?? change.original_file ?? change.originalFileContents
  if (type === "create") return createdDiff(path, content ?? "")
  const edits = editsOf(change)
  const after = updated_file ?? content ?? (before === undefined ? undefined : edited(before, edits))
  const diff = before !== undefined && after !== undefined
    ? changedDiff(path, before, after)
    : structuredPatch.length > 0
    ? editedDiff(path, patched(structuredPatch, before, edits))
    : content === undefined
    ? ""
    : createdDiff(path, content)
  return isChange(diff) ? diff : undefined
}
