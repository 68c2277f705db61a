/**
 * redact: takes secrets out of JSON that is kept.
 *
 * Two nets: the values of variables whose name says secret, and whatever has the shape of a well-known key. Only the
 * strings of the JSON are looked at, as the texts they stand for: however a secret is escaped it is found, and JSON
 * stays JSON, also where a secret looks like a number or like a piece of syntax.
 */

const secretName = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|_PAT)$/i
/** Shorter values would match by chance. */
const shortestSecret = 8

/** Not in the middle of a word. In JSON within a string the letter of an escape (`\n`) is not part of the word. */
const wordStart = String.raw`(?:(?<![A-Za-z0-9_])|(?<=\\[bfnrt]|\\u[0-9A-Fa-f]{4}))`

const shapes = [
  "sk-[A-Za-z0-9_-]{16,}", // Anthropic, OpenAI
  "AIza[A-Za-z0-9_-]{30,}", // Google
  String.raw`ya29\.[A-Za-z0-9_-]{20,}`,
  "gh[pousr]_[A-Za-z0-9]{20,}", // GitHub
  "github_pat_[A-Za-z0-9_]{20,}",
  "glpat-[A-Za-z0-9_-]{16,}",
  "xox[abprs]-[A-Za-z0-9-]{10,}", // Slack
  String.raw`(?:AKIA|ASIA)[A-Z0-9]{16}\b`, // AWS
  String.raw`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`, // JWT
  "(?<=Bearer )[A-Za-z0-9._~+/=-]{16,}"
].map((shape) => new RegExp(wordStart + shape, "g"))

const placeholder = "[REDACTED]"

const escaped = (text: string) => JSON.stringify(text).slice(1, -1)

/** Where the string that begins at `open` has its closing quote. */
const closingQuote = (json: string, open: number): number => {
  for (let at = json.indexOf("\"", open + 1); at !== -1; at = json.indexOf("\"", at + 1)) {
    let slashes = 0
    while (json[at - 1 - slashes] === "\\") slashes += 1
    if (slashes % 2 === 0) return at
  }
  return json.length
}

/** Every string of a JSON text is written anew if `clean` changes what it stands for. */
const mapStrings = (json: string, clean: (text: string) => string): string => {
  let mapped = ""
  let done = 0
  for (let open = json.indexOf("\""); open !== -1; open = json.indexOf("\"", done)) {
    const close = closingQuote(json, open)
    const literal = json.slice(open, close + 1)
    const text = literal.includes("\\") ? String(JSON.parse(literal)) : literal.slice(1, -1)
    const cleaned = clean(text)
    mapped += json.slice(done, open) + (cleaned === text ? literal : JSON.stringify(cleaned))
    done = close + 1
  }
  return mapped + json.slice(done)
}

/** A function that replaces secrets in JSON (or lines of it), knowing the values of these variables. */
export const makeRedact = (env: Readonly<Record<string, string | undefined>>): (json: string) => string => {
  const values = Object.entries(env)
    .flatMap(([name, value]) =>
      secretName.test(name) && value !== undefined && value.length >= shortestSecret
        // As it is, and as it stands in JSON within a string.
        ? [...new Set([value, escaped(value)])]
        : []
    )
    .toSorted((left, right) => right.length - left.length)
  const clean = (text: string) => {
    const known = values.reduce((clean, value) => clean.replaceAll(value, placeholder), text)
    return shapes.reduce((clean, shape) => clean.replace(shape, placeholder), known)
  }
  return (json) => mapStrings(json, clean)
}
