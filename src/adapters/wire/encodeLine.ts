/**
 * encodeLine: encodes a message for an agent as one line of JSON.
 *
 * Half of a surrogate pair (text cut in the middle of an emoji) is not valid text: some agents cannot read
 * the line and never answer. It is sent as U+FFFD, the replacement character.
 */

/** JSON writes a lone half as an escape; `\\ud83d` in a text is an escaped backslash and stays. */
const loneHalf = /\\\\|\\ud[89a-f][0-9a-f]{2}/g

export const encodeLine = (message: unknown): string => {
  const json = JSON.stringify(message)
  return json.includes("\\ud")
    ? json.replaceAll(loneHalf, (found) => found === "\\\\" ? found : "\ufffd")
    : json
}
