/** unifiedDiff: the one form of `file_diff.diff`, whatever an agent tells about a change. */
import { structuredPatch } from "diff"
import { mostEdits } from "../../schema/mostEdits.js"

/** A hunk as `diff` libraries (and Claude) have it: `lines` begin with a space, `-`, `+`, or `\`. */
export interface Hunk {
  readonly oldStart: number
  readonly oldLines: number
  readonly newStart: number
  readonly newLines: number
  readonly lines: ReadonlyArray<string>
}

const nothing = "/dev/null"
const noNewline = "\\ No newline at end of file"

const headers = (before: string | undefined, after: string | undefined) =>
  `--- ${before ?? nothing}\n+++ ${after ?? nothing}\n`

/** The lines of a text, each with a sign. A missing last newline is marked as `diff` does. */
const signed = (sign: "+" | "-", text: string): ReadonlyArray<string> => {
  if (text === "") return []
  const lines = text.split("\n")
  const complete = lines.at(-1) === ""
  const marked = (complete ? lines.slice(0, -1) : lines).map((line) => sign + line)
  return complete ? marked : [...marked, noNewline]
}

const count = (lines: ReadonlyArray<string>) => lines.filter((line) => !line.startsWith("\\")).length

/** What `patch` can make of an empty file that comes, goes or only moves: there are no lines to tell it by. */
const extended = (before: string, after: string, ...lines: ReadonlyArray<string>) =>
  [`diff --git ${before} ${after}`, ...lines, ""].join("\n")

/** It says that something has changed; where nothing has, there is nothing to tell. */
export const isChange = (diff: string): boolean => diff.startsWith("diff --git ") || diff.includes("\n@@ ")

/** A file that was edited. */
export const editedDiff = (path: string, hunks: ReadonlyArray<Hunk>): string =>
  headers(path, path) +
  hunks.map(({ lines, newLines, newStart, oldLines, oldStart }) =>
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@\n${lines.join("\n")}\n`
  ).join("")

/** A file whose hunks come as text, without headers; `after` is another name if it moved. */
export const hunksDiff = (before: string, after: string, hunks: string): string =>
  hunks === "" && before !== after
    ? extended(before, after, "similarity index 100%", `rename from ${before}`, `rename to ${after}`)
    : headers(before, after) + (hunks === "" || hunks.endsWith("\n") ? hunks : `${hunks}\n`)

/** A file that was created with this content. */
export const createdDiff = (path: string, content: string): string => {
  const lines = signed("+", content)
  return lines.length === 0
    ? extended(path, path, "new file mode 100644") + headers(undefined, path)
    : `${headers(undefined, path)}@@ -0,0 +1,${count(lines)} @@\n${lines.join("\n")}\n`
}

/** A file that was deleted; `content` is what it held, if the agent told. */
export const deletedDiff = (path: string, content: string): string => {
  const lines = signed("-", content)
  return lines.length === 0
    ? extended(path, path, "deleted file mode 100644") + headers(path, undefined)
    : `${headers(path, undefined)}@@ -1,${count(lines)} +0,0 @@\n${lines.join("\n")}\n`
}

const replaced = (oldText: string, newText: string): Hunk => {
  const removed = signed("-", oldText)
  const added = signed("+", newText)
  return {
    oldStart: 1,
    oldLines: count(removed),
    newStart: 1,
    newLines: count(added),
    lines: [...removed, ...added]
  }
}

/** Where nothing is left or was before, a hunk names the line before it. */
const anchored = (hunk: Hunk): Hunk => ({
  ...hunk,
  oldStart: hunk.oldStart - (hunk.oldLines === 0 ? 1 : 0),
  newStart: hunk.newStart - (hunk.newLines === 0 ? 1 : 0)
})

const plainHunks = (oldText: string, newText: string): ReadonlyArray<Hunk> =>
  structuredPatch("", "", oldText, newText, "", "", { context: 3, maxEditLength: mostEdits })?.hunks
    ?? [replaced(oldText, newText)]

const hunksOf = (oldText: string, newText: string): ReadonlyArray<Hunk> =>
  plainHunks(oldText, newText).map(anchored)

const isContext = (line: string) => line.startsWith(" ")

/** As much context before the change as behind it: less on one side says that the file begins, or ends, there. */
const evenly = (hunk: Hunk): Hunk => {
  const { lines } = hunk
  const first = lines.findIndex((line) => !isContext(line))
  const last = lines.findLastIndex((line) => !isContext(line))
  if (first === -1) return hunk
  const kept = Math.min(first, lines.length - 1 - last)
  const [before, after] = [first - kept, lines.length - 1 - last - kept]
  return {
    oldStart: hunk.oldStart + before,
    oldLines: hunk.oldLines - before - after,
    newStart: hunk.newStart + before,
    newLines: hunk.newLines - before - after,
    lines: lines.slice(before, lines.length - after)
  }
}

/** A file whose whole text is known before and after; without `oldText` it is new. */
export const changedDiff = (path: string, oldText: string | undefined, newText: string): string =>
  oldText === undefined || (oldText === "" && newText !== "")
    ? createdDiff(path, newText)
    : editedDiff(path, hunksOf(oldText, newText))

/** A piece of a file, before and after. `line` is where it begins afterwards. */
export interface ChangedPart {
  readonly line: number
  readonly oldText: string
  readonly newText: string
}

/** A part says nothing of the end of its file, so it never lacks its last newline. */
const ended = (text: string): string => text === "" || text.endsWith("\n") ? text : `${text}\n`

/** A file of which only pieces are known, in order. */
export const partsDiff = (path: string, parts: ReadonlyArray<ChangedPart>): string => {
  // How many lines the parts before have added.
  let grown = 0
  const hunks = parts.flatMap(({ line, newText, oldText }) => {
    const found = plainHunks(ended(oldText), ended(newText)).map(evenly).map(anchored).map((hunk) => ({
      ...hunk,
      oldStart: hunk.oldStart + line - 1 - grown,
      newStart: hunk.newStart + line - 1
    }))
    grown += found.reduce((sum, { newLines, oldLines }) => sum + newLines - oldLines, 0)
    return found
  })
  return editedDiff(path, hunks)
}
