/** http: what the relay tells over plain HTTP: agents, sessions. */
import { token } from "./address.js"

export interface Agent {
  readonly tool: string
  readonly name: string
  readonly installed: boolean
  readonly version?: string
  readonly logged_in?: boolean
  /** How its version relates to those that were tested, in English. */
  readonly compatibility?: string
  readonly trouble?: ReadonlyArray<string>
  readonly advice?: string
}

export interface SessionLine {
  readonly session_id: string
  readonly tool: string
  readonly folder: string
  readonly last_active_at: number
  readonly turns: number
  readonly cost_usd: number
  readonly pending: ReadonlyArray<string>
  readonly state: "running" | "idle" | "closed"
}

/** The relay wants a token, or another one. */
export class TokenWanted extends Error {}

const ask = async (method: "GET" | "POST", path: string): Promise<unknown> => {
  const given = token()
  const answer = await fetch(path, {
    method,
    headers: given === undefined ? {} : { authorization: `Bearer ${given}` }
  })
  const body: unknown = await answer.json()
  const text = typeof body === "object" && body !== null && "text" in body
    ? String(body.text)
    : answer.statusText
  if (answer.status === 401) throw new TokenWanted(text)
  if (!answer.ok) throw new Error(text)
  return body
}

// The relay is the one that served this page: its answers have the shape its version has.
export const agents = async () =>
  await ask("GET", "/agents") as { readonly agents: ReadonlyArray<Agent>; readonly folder?: string }
export const sessions = async () =>
  (await ask("GET", "/sessions") as { sessions: ReadonlyArray<SessionLine> }).sessions

/** Lets one connection in, instead of the token. */
export const ticket = async () => (await ask("POST", "/ticket") as { ticket: string }).ticket
