/** table: rows in aligned columns, and times such as "5 min ago". */

export const ago = (seconds: number): string =>
  seconds < 60
    ? "now"
    : seconds < 3600
    ? `${Math.floor(seconds / 60)} min ago`
    : seconds < 48 * 3600
    ? `${Math.floor(seconds / 3600)} h ago`
    : `${Math.floor(seconds / 86_400)} days ago`

export const toTable = (
  titles: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): string => {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  )
  return [titles, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
    .join("\n")
}
