/**
 * http: the relay's plain HTTP API: agents, sessions, tokens.
 */
import { RelayError, type RelayEvent } from "../../client/browser.js"
import type { SessionChange, SessionLine } from "../model/sessions.js"
import { token } from "./address.js"
import { readClock } from "./clock.js"
import { problemOf } from "./problem.js"

export interface Agent {
  readonly tool: string
  readonly name: string
  readonly installed: boolean
  readonly version?: string
  readonly logged_in?: boolean
  /** How its version relates to the tested ones, in English. */
  readonly compatibility?: string
  readonly trouble?: ReadonlyArray<string>
  readonly advice?: string
}

/** The relay wants a token, or another one. */
export class TokenWanted extends Error {
  readonly code = "unauthorized"
}

type Method = "GET" | "POST" | "PATCH" | "DELETE"

const request = async (
  method: Method,
  path: string,
  body?: object,
  signal?: AbortSignal
): Promise<Response> => {
  const given = token()
  const answer = await fetch(path, {
    method,
    // A change outlives the page that is left at once.
    keepalive: method === "PATCH" || method === "DELETE",
    headers: {
      ...(given !== undefined && { authorization: `Bearer ${given}` }),
      ...(body !== undefined && {
        "content-type": body instanceof Blob ? "application/octet-stream" : "application/json"
      })
    },
    ...(body !== undefined && { body: body instanceof Blob ? body : JSON.stringify(body) }),
    ...(signal !== undefined && { signal })
  })
  readClock(answer)
  return answer
}

/** The relay refused; `code` is for programs. */
export class Refused extends Error {
  constructor(message: string, readonly code: string | undefined) {
    super(message)
  }
}

export const ask = async (method: Method, path: string, content?: object): Promise<unknown> =>
  await resultOf(await request(method, path, content))

/** Sends a file unchanged. */
export const send = async (path: string, file: Blob, signal?: AbortSignal): Promise<unknown> =>
  await resultOf(await request("POST", path, file, signal))

/** Gets a file from the relay unchanged. */
export const receive = async (path: string, signal?: AbortSignal): Promise<Blob> => {
  const answer = await request("GET", path, undefined, signal)
  if (!answer.ok) await resultOf(answer)
  return await answer.blob()
}

const resultOf = async (answer: Response): Promise<unknown> => {
  if (answer.status === 204) return undefined
  const body: unknown = await answer.json()
  const text = typeof body === "object" && body !== null && "text" in body
    ? String(body.text)
    : answer.statusText
  if (answer.status === 401) throw new TokenWanted(text)
  if (!answer.ok) {
    const code = typeof body === "object" && body !== null && "code" in body ? String(body.code) : undefined
    throw new Refused(text, code)
  }
  return body
}

// This page was served by the same relay, so its answers have the shape of this version.
export const agents = async () =>
  await ask("GET", "/agents") as { readonly agents: ReadonlyArray<Agent>; readonly folder?: string }

/** What a client may do at the relay. */
export type Scope = "view" | "prompt" | "approve" | "terminal" | "admin"

export interface Self {
  /** The token's name; absent for a page on the relay's machine that needs none. */
  readonly name?: string
  /** What this page may do; undefined: the relay does not report it. */
  readonly scopes?: ReadonlyArray<Scope>
  readonly sessions?: ReadonlyArray<string>
  readonly folders?: ReadonlyArray<string>
  readonly agents?: ReadonlyArray<string>
  readonly expires_at?: number
  readonly version?: string
  /** The name of the relay's machine. */
  readonly machine?: string
}
export const whoami = async () => await ask("GET", "/whoami") as Self

/** A notification subscription as listed by the relay. */
export interface Told {
  readonly id: string
  readonly expires_at: number
}
export const push = async () =>
  await ask("GET", "/push") as { readonly key: string; readonly subscriptions: ReadonlyArray<Told> }
export const subscribe = async (subscription: object) =>
  await ask("POST", "/push/subscriptions", subscription) as Told
export const unsubscribe = async (id: string): Promise<void> =>
  void await ask("DELETE", `/push/subscriptions/${encodeURIComponent(id)}`)

/** A named token; times are Unix seconds. */
export interface NamedToken {
  readonly name: string
  readonly scopes: ReadonlyArray<Scope>
  readonly sessions?: ReadonlyArray<string>
  readonly created_at: number
  readonly expires_at?: number
  /** The token it was made with; undefined: a program on the relay's machine. */
  readonly made_by?: string
}
/** A token for another device of the same person; `addresses` are addresses at which this relay may be reachable. */
export const pair = async (wanted: { readonly scopes: ReadonlyArray<Scope>; readonly expires_in: number }) =>
  await ask("POST", "/devices", wanted) as {
    readonly name: string
    readonly fragment: string
    readonly addresses: ReadonlyArray<string>
  }
export const tokens = async () =>
  (await ask("GET", "/tokens") as { readonly tokens: ReadonlyArray<NamedToken> }).tokens
/** Clients that use it are disconnected at once. */
export const revokeToken = async (name: string): Promise<void> =>
  void await ask("DELETE", `/tokens/${encodeURIComponent(name)}`)

/** A link to a session for somebody else; `expires_in` in seconds. Append `fragment` to the page's URL. */
export const share = async (
  session_id: string,
  wanted: { readonly scopes: ReadonlyArray<Scope>; readonly expires_in: number }
) => await ask("POST", `${pathOf(session_id)}/share`, wanted) as { readonly fragment: string }

/** Currently valid links to this session, newest first. */
export const shareLinks = async (session_id: string): Promise<ReadonlyArray<NamedToken>> =>
  (await tokens())
    .filter(({ name, sessions = [] }) =>
      name.startsWith("share-") && sessions.length === 1 && sessions[0] === session_id
    )
    .toSorted((left, right) => right.created_at - left.created_at)

/** A session that contains the searched words. */
export interface Found {
  readonly session: SessionLine
  readonly hits: ReadonlyArray<{
    readonly seq: number
    readonly who: "user" | "agent" | "tool"
    readonly text: string
  }>
}
export const search = async (query: string, limit = 20) =>
  await ask("GET", `/search?limit=${limit}&q=${encodeURIComponent(query)}`) as {
    readonly results: ReadonlyArray<Found>
    readonly complete: boolean
  }

/** A conversation from a terminal. */
export interface NativeSession {
  readonly tool: string
  readonly native_session_id: string
  readonly folder: string
  readonly title?: string
  readonly first_prompt?: string
  readonly last_active_at: number
  readonly model?: string
  readonly branch?: string
  readonly messages?: number
  readonly tokens?: { readonly input: number; readonly output: number; readonly cached: number }
  readonly open?: { readonly by: string; readonly state?: string; readonly session_id?: string }
  readonly can?: { readonly join?: boolean }
}
export const nativeSessions = async (query: string) =>
  (await ask("GET", `/native-sessions?limit=50&q=${encodeURIComponent(query)}`) as {
    sessions: ReadonlyArray<NativeSession>
  }).sessions

/** Admits one connection instead of the token. Fails without the right token. */
const ticket = async () => {
  try {
    return (await ask("POST", "/ticket") as { ticket: string }).ticket
  } catch (error) {
    throw error instanceof TokenWanted ? new RelayError("unauthorized", error.message) : error
  }
}

/** Credentials for a connection, if the relay needs any. */
export const credentials = () => token() === undefined ? {} : { ticket }

export const pathOf = (session_id: string) => `/sessions/${encodeURIComponent(session_id)}`

export const changeSession = async (session_id: string, change: SessionChange): Promise<void> =>
  void await ask("PATCH", pathOf(session_id), change)

/** Deletes the session and all its messages permanently. */
export const removeSession = async (session_id: string): Promise<void> =>
  void await ask("DELETE", pathOf(session_id))

/** What a rewind to before a turn would do. */
export interface RewindPreview {
  readonly files: ReadonlyArray<{
    readonly path: string
    readonly change: "added" | "changed" | "deleted"
    readonly added?: number
    readonly removed?: number
  }>
  readonly files_changed: number
  /** Changed by somebody else since. */
  readonly conflicts: ReadonlyArray<string>
  readonly left_out: ReadonlyArray<{ readonly path: string; readonly why: string }>
}

/**
 * Whether the conversation can be rewound and, for a turn with saved files, what would change; otherwise the
 * reason.
 */
export const previewRewind = async (
  session_id: string,
  turn: number
): Promise<{ readonly conversation: boolean; readonly files: RewindPreview | string }> => {
  const path = `${pathOf(session_id)}/checkpoints`
  const { conversation, reason } = await ask("GET", path) as {
    readonly conversation: boolean
    readonly reason?: string
  }
  const files = reason ?? await ask("GET", `${path}/${turn}`).then(
    (preview) => preview as RewindPreview,
    (error: unknown) => problemOf(error)
  )
  return { conversation, files }
}

/** All events of a session, without its agent. */
export async function* eventsOf(session_id: string, signal: AbortSignal): AsyncGenerator<RelayEvent> {
  const answer = await request("GET", `${pathOf(session_id)}/events`, undefined, signal)
  if (!answer.ok || answer.body === null) return await resultOf(answer)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ""
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const frames = (rest + part.value).split("\n\n")
    rest = frames.pop() ?? ""
    for (const frame of frames) {
      const json = /^data: (.*)$/m.exec(frame)?.[1]
      // Whatever a relay sends here is an event.
      if (json !== undefined) yield JSON.parse(json) as RelayEvent
    }
  }
}
