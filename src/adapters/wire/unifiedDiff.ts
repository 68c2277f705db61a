/**
 * unifiedDiff: builds `file_diff.diff` in one format, however an agent describes a change.
 */
import { structuredPatch } from "diff"
import { mostEdits } from "../../schema/mostEdits.js"

/** A hunk as used by `diff` libraries (and Claude): `lines` begin with a space, `-`, `+`, or `\`. */
export interface Hunk {
  readonly oldStart: number
  readonly oldLines: number
  readonly newStart: number
  readonly newLines: number
  readonly lines: ReadonlyArray<string>
}

const nothing = "/dev/null"
const noNewline = "\\ No newline at end of file"

/** A name that needs quoting in a header; as in `patch`, only ASCII whitespace is blank. */
const isOdd = (path: string) => /^ | $|["\\\u0000-\u001f\u007f]/.test(path)

const inQuotes = (path: string) => {
  const octal = (character: string) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`
  return `"${path.replace(/["\\]/g, "\\$&").replace(/[\u0000-\u001f\u007f]/g, octal)}"`
}

/** `patch` reads a name with spaces as a name and a date, unless a tab ends it. */
const name = (path: string) => isOdd(path) ? inQuotes(path) : path.includes(" ") ? `${path}\t` : path

const headers = (before: string | undefined, after: string | undefined) =>
  `--- ${before === undefined ? nothing : name(before)}\n+++ ${after === undefined ? nothing : name(after)}\n`

/** A text's lines, each with a sign. A missing last newline is marked as in `diff`. */
const signed = (sign: "+" | "-", text: string): ReadonlyArray<string> => {
  if (text === "") return []
  const lines = text.split("\n")
  const complete = lines.at(-1) === ""
  const marked = (complete ? lines.slice(0, -1) : lines).map((line) => sign + line)
  return complete ? marked : [...marked, noNewline]
}

const count = (lines: ReadonlyArray<string>) => lines.filter((line) => !line.startsWith("\\")).length

/** What `patch` can apply for an empty file that is added, deleted or only moved: there are no lines to show that. */
const extended = (before: string, after: string, ...lines: ReadonlyArray<string>) => {
  const [old, now] = [before, after].map((path) => isOdd(path) || path.includes(" ") ? inQuotes(path) : path)
  return [`diff --git ${old} ${now}`, ...lines, ""].join("\n")
}

/** Git's id for an empty file; without it neither `patch` nor git deletes one. */
const emptyFile = "e69de29"

const renamed = (before: string, after: string): ReadonlyArray<string> => {
  const [old, now] = [before, after].map((path) => isOdd(path) ? inQuotes(path) : path)
  return [`rename from ${old}`, `rename to ${now}`]
}

/** Whether the diff contains a change; one without changes is not reported. */
export const isChange = (diff: string): boolean => diff.startsWith("diff --git ") || diff.includes("\n@@ ")

/** The diff of an edited file. */
export const editedDiff = (path: string, hunks: ReadonlyArray<Hunk>): string =>
  headers(path, path) +
  hunks.map(({ lines, newLines, newStart, oldLines, oldStart }) =>
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@\n${lines.join("\n")}\n`
  ).join("")

const modeLine = /^(?:old|new) mode \d+\s*$/
const headerLine =
  /^(?:diff --git |index |--- |\+\+\+ |(?:dis)?similarity index |(?:rename|copy) (?:from|to) |(?:new file|deleted file|old|new) mode |\s*$)/

interface Patch {
  /** Changes of the file's mode, in git's format. */
  readonly modes: ReadonlyArray<string>
  readonly hunks: string
}

/** Hunks as text, without the headers some agents put before them. */
const readPatch = (text: string): Patch => {
  const lines = text.split("\n")
  const found = lines.findIndex((line) => /^@@ .* @@/.test(line))
  const first = found === -1 ? lines.length : found
  const head = lines.slice(0, first)
  if (!head.every((line) => headerLine.test(line))) return { modes: [], hunks: text }
  // A file's own line ends are within its lines, not between them.
  const hunks = lines.slice(first).map((line) => /^(?:@@|\\)/.test(line) ? line.replace(/\r$/, "") : line)
  return {
    modes: head.filter((line) => modeLine.test(line)).map((line) => line.trim()),
    hunks: hunks.join("\n")
  }
}

/** The diff of a file whose hunks come as text; `after` is its new name if it moved. */
export const hunksDiff = (before: string, after: string, text: string): string => {
  const { hunks, modes } = readPatch(text)
  const body = hunks === "" || hunks.endsWith("\n") ? hunks : `${hunks}\n`
  const isMoved = before !== after
  if (modes.length === 0 && (body !== "" || !isMoved)) return headers(before, after) + body
  const moves = isMoved ? renamed(before, after) : []
  const similarity = isMoved && body === "" ? ["similarity index 100%"] : []
  return extended(before, after, ...modes, ...similarity, ...moves) +
    (body === "" ? "" : headers(before, after) + body)
}

/** The lines of a patch that only adds or only removes, as a text; undefined for any other text. */
const onlyLines = (text: string, sign: "+" | "-"): string | undefined => {
  const [begin = "", ...lines] = readPatch(text).hunks.split("\n")
  const range = sign === "+" ? /^@@ -0,0 \+1(?:,(\d+))? @@/ : /^@@ -1(?:,(\d+))? \+0,0 @@/
  const [found, told = "1"] = range.exec(begin) ?? []
  if (found === undefined) return undefined
  const said = lines.at(-1) === "" ? lines.slice(0, -1) : lines
  const isWhole = !said.some((line) => line.startsWith("\\"))
  const own = said.filter((line) => !line.startsWith("\\"))
  if (own.length !== Number(told) || !own.every((line) => line.startsWith(sign))) return undefined
  return own.map((line) => line.slice(1)).join("\n") + (isWhole ? "\n" : "")
}

/** The diff of a file created with this content. */
export const createdDiff = (path: string, content: string): string => {
  const lines = signed("+", content)
  return lines.length === 0
    ? extended(path, path, "new file mode 100644", `index 0000000..${emptyFile}`) + headers(undefined, path)
    : `${headers(undefined, path)}@@ -0,0 +1,${count(lines)} @@\n${lines.join("\n")}\n`
}

/** The diff of a deleted file; `content` is its former content, if the agent reported it. */
export const deletedDiff = (path: string, content: string): string => {
  const lines = signed("-", content)
  return lines.length === 0
    ? extended(path, path, "deleted file mode 100644", `index ${emptyFile}..0000000`) +
      headers(path, undefined)
    : `${headers(path, undefined)}@@ -1,${count(lines)} +0,0 @@\n${lines.join("\n")}\n`
}

/** The diff of a created or deleted file whose text the agent reports directly or as a patch. */
export const createdOrPatched = (path: string, text: string): string =>
  createdDiff(path, onlyLines(text, "+") ?? text)
export const deletedOrPatched = (path: string, text: string): string =>
  deletedDiff(path, onlyLines(text, "-") ?? text)

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

/** Where nothing is left or was before, a hunk names the preceding line. */
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

/** As much context before a change as after it: less on one side means that the file begins or ends there. */
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

/** The diff of a file whose whole text is known before and after; without `oldText` it is new. */
export const changedDiff = (path: string, oldText: string | undefined, newText: string): string =>
  oldText === undefined || (oldText === "" && newText !== "")
    ? createdDiff(path, newText)
    : editedDiff(path, hunksOf(oldText, newText))

/** An excerpt of a file, before and after. `line` is where it begins afterwards. */
export interface ChangedPart {
  readonly line: number
  readonly oldText: string
  readonly newText: string
}

/** An excerpt does not tell how its file ends, so it never lacks its last newline. */
const ended = (text: string): string => text === "" || text.endsWith("\n") ? text : `${text}\n`

/** The diff of a file of which only excerpts are known, in order. */
export const partsDiff = (path: string, parts: ReadonlyArray<ChangedPart>): string => {
  // Lines added by the earlier excerpts.
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
