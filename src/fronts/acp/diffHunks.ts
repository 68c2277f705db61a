/**
 * diffHunks: splits a unified diff into old and new text, one pair per hunk, as editors show changes.
 */

export interface Hunk {
  /** Undefined: the file is new. */
  readonly oldText: string | undefined
  readonly newText: string
  /** First line in the new file, counted from 1. */
  readonly line: number
}

const header = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/

export const hunksOf = (diff: string): ReadonlyArray<Hunk> => {
  const lines = diff.split("\n")
  const isNew = lines.some((line) => /^--- (?:\/dev\/null|a\/dev\/null)\s*$/.test(line)) ||
    /^@@ -0,0 /m.test(diff)
  const hunks: Array<Hunk> = []
  let index = 0
  while (index < lines.length) {
    const found = header.exec(lines[index] ?? "")
    index += 1
    if (found === null) continue
    const before: Array<string> = []
    const after: Array<string> = []
    let oldLeft = Number(found[2] ?? 1)
    let newLeft = Number(found[4] ?? 1)
    let cutOld = false
    let cutNew = false
    let last = ""
    // Read as many lines as the header says: a removed line may look like the next file's header.
    while (index < lines.length && (oldLeft > 0 || newLeft > 0 || (lines[index] ?? "").startsWith("\\"))) {
      const line = lines[index] ?? ""
      const mark = line.slice(0, 1)
      const rest = line.slice(1)
      index += 1
      if (mark === "\\") {
        if (last !== "+") cutOld = true
        if (last !== "-") cutNew = true
        continue
      }
      last = mark
      if (mark === "-" || mark === " " || mark === "") {
        before.push(rest)
        oldLeft -= 1
      }
      if (mark === "+" || mark === " " || mark === "") {
        after.push(rest)
        newLeft -= 1
      }
    }
    const join = (side: ReadonlyArray<string>, isCut: boolean) =>
      side.length === 0 ? "" : side.join("\n") + (isCut ? "" : "\n")
    hunks.push({
      oldText: isNew && before.length === 0 ? undefined : join(before, cutOld),
      newText: join(after, cutNew),
      line: Math.max(1, Number(found[3]))
    })
  }
  return hunks
}
