/**
 * diffLines: a unified diff as rows, in one column or two.
 */
import { parsePatch } from "diff"

export interface Line {
  readonly kind: "same" | "added" | "removed"
  readonly text: string
  readonly old?: number
  readonly new?: number
}
export interface Hunk {
  readonly title: string
  readonly lines: ReadonlyArray<Line>
}

const kinds = { "+": "added", "-": "removed", " ": "same" } as const

const toHunk = (
  { lines, newLines, newStart, oldLines, oldStart }: {
    lines: ReadonlyArray<string>
    newLines: number
    newStart: number
    oldLines: number
    oldStart: number
  }
): Hunk => {
  let old = oldStart
  let fresh = newStart
  const rows = lines.flatMap((line): Array<Line> => {
    const kind = kinds[line.charAt(0) as keyof typeof kinds]
    // "\ No newline at end of file"
    if (kind === undefined) return []
    const text = line.slice(1)
    if (kind === "added") return [{ kind, text, new: fresh++ }]
    if (kind === "removed") return [{ kind, text, old: old++ }]
    return [{ kind, text, old: old++, new: fresh++ }]
  })
  return { title: `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`, lines: rows }
}

/** Undefined if it is not a unified diff. */
export const hunksOf = (diff: string): ReadonlyArray<Hunk> | undefined => {
  try {
    return parsePatch(diff).flatMap(({ hunks }) => hunks.map(toHunk))
  } catch {
    return undefined
  }
}

export const countOf = (hunks: ReadonlyArray<Hunk>, kind: Line["kind"]): number =>
  hunks.reduce((sum, { lines }) => sum + lines.filter((line) => line.kind === kind).length, 0)

export interface Pair {
  readonly left?: Line
  readonly right?: Line
}

/** Pairs removed lines with the lines added in their place. */
export const pairsOf = (lines: ReadonlyArray<Line>): ReadonlyArray<Pair> => {
  const pairs: Array<{ left?: Line; right?: Line }> = []
  let removed: Array<Line> = []
  let added: Array<Line> = []
  const flush = () => {
    for (let index = 0; index < Math.max(removed.length, added.length); index++) {
      const left = removed[index]
      const right = added[index]
      pairs.push({ ...(left && { left }), ...(right && { right }) })
    }
    removed = []
    added = []
  }
  for (const line of lines) {
    if (line.kind === "removed") {
      if (added.length > 0) flush()
      removed.push(line)
    } else if (line.kind === "added") added.push(line)
    else {
      flush()
      pairs.push({ left: line, right: line })
    }
  }
  flush()
  return pairs
}
