/** noSession: says that there is no such session in a front's own words: advice about the relay's own protocol does not help there. */

/** What the client of a front can do instead. */
export const noSession = (reason: string, instead: string): string =>
  reason.replace(/: GET \/sessions .*/, `: ${instead}`)

/** In a chat or a thread, which begins with its first message. */
export const newChat = "send a message to begin a new conversation"
