/** commandSize: about how many bytes of memory a command takes while it waits. */

/** All texts in it; what holds them is small beside them, because frames have a bound on their values. */
export const sizeOf = (value: unknown): number => {
  if (typeof value === "string") return value.length
  if (typeof value !== "object" || value === null) return 8
  let size = 16
  for (const inner of Object.values(value)) size += sizeOf(inner)
  return size
}
