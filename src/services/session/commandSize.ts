/** commandSize: roughly how many bytes of memory a waiting command takes. */

/** The sum of all texts in it. The rest is small in comparison, because the number of values in a frame is limited. */
export const sizeOf = (value: unknown): number => {
  if (typeof value === "string") return value.length
  if (typeof value !== "object" || value === null) return 8
  let size = 16
  for (const inner of Object.values(value)) size += sizeOf(inner)
  return size
}
