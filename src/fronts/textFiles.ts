/**
 * textFiles: text that a client attaches as a file, whatever its platform calls the type. Agents get it as text. Runs in pages, too.
 */
const textTypes =
  /^(text\/.+|application\/(json|jsonl|x-ndjson|xml|yaml|x-yaml|toml|javascript|x-javascript|typescript|x-sh|x-httpd-php|sql|graphql)|.+\+(json|xml|yaml))$/

/** What browsers say of files they do not know, and of TypeScript. */
const vagueTypes = new Set(["", "application/octet-stream", "video/mp2t"])

const bytesOf = (base64: string): Uint8Array => {
  const chars = atob(base64.replaceAll("-", "+").replaceAll("_", "/"))
  const bytes = new Uint8Array(chars.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = chars.charCodeAt(at)
  return bytes
}

const strictly = (bytes: Uint8Array): string | undefined => {
  try {
    return bytes.includes(0) ? undefined : new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The text; undefined if it is none. `mediaType`: bare and in lower case. Throws if the base64 is invalid. */
export const textOfFile = (mediaType: string, base64: string): string | undefined => {
  if (vagueTypes.has(mediaType)) return strictly(bytesOf(base64))
  return textTypes.test(mediaType) ? new TextDecoder().decode(bytesOf(base64)) : undefined
}

/** As a block of Markdown; the fence is longer than any run of backticks in it. */
export const fenced = (words: string): string => {
  const longest = Math.max(2, ...Array.from(words.matchAll(/`+/g), ([run]) => run.length))
  const fence = "`".repeat(longest + 1)
  return `${fence}\n${words.replace(/\n$/, "")}\n${fence}`
}

/** The file as part of a prompt. */
export const textBlock = (name: string, words: string) => ({
  type: "text" as const,
  text: `${name}:\n${fenced(words)}`
})
