/** unifiedDiff: the one form of `file_diff.diff`, whatever an agent tells about a change. */

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

/** A file that was edited. */
export const editedDiff = (path: string, hunks: ReadonlyArray<Hunk>): string =>
  headers(path, path) +
  hunks.map(({ lines, newLines, newStart, oldLines, oldStart }) =>
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@\n${lines.join("\n")}\n`
  ).join("")

/** A file that was created with this content. */
export const createdDiff = (path: string, content: string): string => {
  const lines = signed("+", content)
  return headers(undefined, path) +
    (lines.length === 0 ? "" : `@@ -0,0 +1,${count(lines)} @@\n${lines.join("\n")}\n`)
}

/** A file that was deleted; `content` is what it held, if the agent told. */
export const deletedDiff = (path: string, content: string): string => {
  const lines = signed("-", content)
  return headers(path, undefined) +
    (lines.length === 0 ? "" : `@@ -1,${count(lines)} +0,0 @@\n${lines.join("\n")}\n`)
}
