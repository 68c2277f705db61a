/**
 * User: a user's identity, and the name of their folder, container and service.
 *
 * Two users never share a name, whatever they are called, and no name leads outside the folder it is put in.
 * A plain lower-case id is its own name; any other becomes its readable part, then `--` (which no plain id
 * contains), then its hash.
 */
import { createHash } from "node:crypto"

export interface User {
  /** From the token, claim or header. */
  readonly id: string
  readonly name: string
}

const plain = /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/
const longest = 32

const readable = (id: string): string =>
  id.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 20).replaceAll(/^-+|-+$/g, "")

const nameOf = (id: string): string => {
  if (plain.test(id) && id.length <= longest) return id
  const hash = createHash("sha256").update(id).digest("hex").slice(0, 24)
  return `${readable(id) || "user"}--${hash}`
}

export const make = (id: string): User => ({ id, name: nameOf(id) })
