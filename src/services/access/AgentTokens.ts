/**
 * AgentTokens: tokens with which a session's agent may use the relay's tools (`/mcp`), and nothing else. Programs started by
 * an agent are otherwise no clients. The token tells whose agent it is, so that it cannot answer what its own children ask.
 *
 * Each session has at most one, which ends with the session. Only digests are stored.
 */
import { createHash, randomBytes } from "node:crypto"

export interface AgentTokens {
  /** A new token for this session; its previous one stops working. */
  readonly give: (session_id: string) => string
  readonly end: (session_id: string) => void
  /** The session that a token belongs to. */
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
