/** attempt: looks at something that may be missing or unreadable. */

/** Undefined if it throws. */
export const attempt = <A>(look: () => A): A | undefined => {
  try {
    return look()
  } catch {
    return undefined
  }
}
