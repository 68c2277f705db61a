/** messageOf: what was thrown, as words for a sentence or a field that people read. */

/** The message of an Error without its class's name; of anything else its text. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
