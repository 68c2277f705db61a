/**
 * AgentTokens: lets the agent of a session use the relay's tools (`/mcp`), and nothing else. What an agent started is no
 * client otherwise; with its token it is known whose it is, so it cannot answer what its own children ask.
 *
 * Each session has one at most, which ends with it. Only digests are kept.
 */
import { createHash, randomBytes } from "node:crypto"

export interface AgentTokens {
  /** A new one for this session; the one before works no longer. */
  readonly give: (session_id: string) => string
  readonly end: (session_id: string) => void
  /** Whose it is. */
  readonly find: (token: string) => string | undefined
}

const digest = (token: string) => createHash("sha256").update(token).digest("base64")

export const make = (): AgentTokens => {
  const owners = new Map<string, string>()
  const digests = new Map<string, string>()

  const end = (session_id: string) => {
    owners.delete(digests.get(session_id) ?? "")
    digests.delete(session_id)
  }

  return {
    give: (session_id) => {
      end(session_id)
      const token = `agent-${randomBytes(32).toString("base64url")}`
      owners.set(digest(token), session_id)
      digests.set(session_id, digest(token))
      return token
    },
    end,
    find: (token) => owners.get(digest(token))
  }
}
