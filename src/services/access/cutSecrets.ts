/**
 * cutSecrets: removes secrets from an agent's answer to a native request before it is journaled and sent.
 *
 * In addition to `redact` it removes the values of fields whose name suggests a secret and of all variables and headers, and
 * Base64 text that contains a secret when decoded. A value without secrets is returned unchanged.
 */
import { relayEnvironment } from "../process/AgentEnvironment.js"
import { cleanText as redactText } from "./redact.js"

const placeholder = "[REDACTED]"

/** `authToken`, `OPENAI_API_KEY`, `Authorization`. A count of tokens is a number and stays. */
const secretName =
  /(?:token|secret|passwor[dt]|passwd|passphrase|credentials?|api[-_]?key|access[-_]?key|private[-_]?key|authorization|cookie|bearer|_pat)$/i
/** Objects whose values may all be secrets, whatever their names. */
const holdsValues = /^(?:env|environment|headers|http_?headers)$/i

const base64 = /^[A-Za-z0-9+/_-]{24,}={0,2}$/

/** Plain text without its secrets. */
type Redact = (text: string) => string

const namesSecret = /"[^"]*(?:token|secret|password|api_?key)\\?"\s*[:=]/i

const hidesSecret = (text: string, redact: Redact): boolean => {
  if (!base64.test(text)) return false
  const decoded = Buffer.from(text, "base64").toString("utf8")
  return redact(decoded) !== decoded || namesSecret.test(JSON.stringify(decoded))
}

const cleanText = (text: string, redact: Redact): string =>
  hidesSecret(text, redact) ? placeholder : redact(text)

const clean = (value: unknown, redact: Redact, isSecret: boolean): unknown => {
  if (typeof value === "string") {
    return value !== "" && isSecret ? placeholder : cleanText(value, redact)
  }
  if (typeof value !== "object" || value === null) return value
  let isSame = true
  const cleaned = Object.entries(value).map(([name, inner]): [string, unknown] => {
    const isHidden = isSecret || secretName.test(name)
    const now = holdsValues.test(name) && typeof inner === "object"
      ? clean(inner, redact, true)
      : clean(inner, redact, isHidden && (typeof inner === "string" || isSecret))
    if (now !== inner) isSame = false
    return [name, now]
  })
  if (isSame) return value
  return Array.isArray(value) ? cleaned.map(([, inner]) => inner) : Object.fromEntries(cleaned)
}

let known: Redact | undefined

/** The value without secrets; the same object if it has none. `redact` knows the relay's own secrets. */
export const cutSecrets = <A>(value: A, redact: Redact = known ??= redactText(relayEnvironment())): A =>
  clean(value, redact, false) as A
