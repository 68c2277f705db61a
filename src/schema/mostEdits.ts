/**
 * mostEdits: the number of changed lines beyond which two texts are shown as entirely removed and added, because the time to
 * compare them grows with its square. The relay and the console use the same limit.
 */
export const mostEdits = 1000
