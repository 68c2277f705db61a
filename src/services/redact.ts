/**
 * redact: takes secrets out of text that is kept.
 *
 * Two nets: the values of variables whose name says secret, and whatever has the shape of a well-known key. A
 * replacement holds no quote or backslash, so JSON stays JSON.
 */

const secretName = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|_PAT)$/i
/** Shorter values would match by chance. */
const shortestSecret = 8

const shapes = [
  /\bsk-[A-Za-z0-9_-]{16,}/g, // Anthropic, OpenAI
  /\bAIza[A-Za-z0-9_-]{30,}/g, // Google
  /\bya29\.[A-Za-z0-9_-]{20,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g, // GitHub
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/g, // Slack
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, // AWS
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g, // JWT
  /(?<=\bBearer )[A-Za-z0-9._~+/=-]{16,}/g
]

const placeholder = "[REDACTED]"

/** A function that replaces secrets, knowing the values of these variables. */
export const makeRedact = (env: Readonly<Record<string, string | undefined>>): (text: string) => string => {
  const values = Object.entries(env)
    .flatMap(([name, value]) =>
      secretName.test(name) && value !== undefined && value.length >= shortestSecret ? [value] : []
    )
    // As it stands inside a JSON string.
    .map((value) => JSON.stringify(value).slice(1, -1))
  return (text) => {
    const known = values.reduce((clean, value) => clean.replaceAll(value, placeholder), text)
    return shapes.reduce((clean, shape) => clean.replace(shape, placeholder), known)
  }
}
