/** messageOf: the text of a thrown value, for messages that people read. */

/** The message of an Error without its class name; for anything else its text. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
