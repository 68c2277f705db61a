/**
 * files: the files beside a session, over HTTP: its folder, what git says of it, and files for the agent. A page that does not
 * import `filesOf` does not get any of it.
 */
import { messageOf } from "../schema/messageOf.js"
import type {
  Attachment,
  Changes,
  Commit,
  FileContent,
  FileDiff,
  FoundFiles,
  TreeListing
} from "../schema/WorkspaceAnswers.js"
import type { Ask } from "./Credentials.js"
import { RelayError, type RelayErrorCode } from "./RelayError.js"

/** Of a page: where it comes from. */
const page: {
  readonly WebSocket?: unknown
  readonly location?: { readonly protocol: string; readonly origin: string }
} = globalThis

export interface FilesOptions {
  readonly session_id: string
  /** As for `connect`; `ws:` is taken as `http:`. Default: where the page comes from; outside of a page `http://localhost:8765`. */
  readonly url?: string | URL
  /** Or a function that gives it, asked before each request. */
  readonly token?: string | null | Ask
  /** Default: the engine's own. */
  readonly fetch?: typeof fetch
}

interface Asked {
  readonly signal?: AbortSignal
}

/**
 * Files of one session, live or kept. Paths begin in its folder and have `/` between. What fails, fails with a `RelayError`; its
 * code is one of the protocol's, `not_found`, `conflict` or `unreachable`, and its message says what to do.
 */
export interface SessionFiles {
  /** What lies in a folder, one level; "" (the default) is the session's own. */
  readonly list: (path?: string, more?: Asked) => Promise<TreeListing>
  /** A part of a file as text; `offset` and `length` (at most 1 MiB) in bytes, `next_offset` says where to go on. */
  readonly read: (
    path: string,
    more?: Asked & { readonly offset?: number; readonly length?: number }
  ) => Promise<FileContent>
  /** A file's bytes, or those from `from` up to `to` (not included; default its end). */
  readonly raw: (
    path: string,
    more?: Asked & { readonly from?: number; readonly to?: number }
  ) => Promise<Blob>
  /** Files by words of their names, the best first; `limit` 1 to 100, default 20. */
  readonly find: (query: string, more?: Asked & { readonly limit?: number }) => Promise<FoundFiles>
  /** The folder as git sees it: from the last commit and the index, or from the commit `against`. */
  readonly changes: (more?: Asked & { readonly against?: string }) => Promise<Changes>
  /** How a file differs, unified; `against`: `unstaged` (default), `staged`, or a commit; `from`: its name before. */
  readonly diff: (
    path: string,
    more?: Asked & { readonly against?: string; readonly from?: string }
  ) => Promise<FileDiff>
  /** Stage files as they are on disk, or take them out again (`false`); gives the changes as they are then. */
  readonly stage: (files: ReadonlyArray<string>, staged?: boolean, more?: Asked) => Promise<Changes>
  /** Commit `files` as they are on disk, or what is staged; `hooks: false`: without the repository's programs. */
  readonly commit: (
    wanted: {
      readonly message: string
      readonly files?: ReadonlyArray<string>
      readonly hooks?: boolean
    },
    more?: Asked
  ) => Promise<Commit>
  /** Keep a file (at most 50 MiB) for the agent; `path` of the answer is what to tell it. `into: "folder"`: in the session's folder. */
  readonly attach: (
    name: string,
    content: Blob | Uint8Array<ArrayBuffer> | string,
    more?: Asked & { readonly into?: "state" | "folder" }
  ) => Promise<Attachment>
}

interface Wanted extends Asked {
  readonly method?: "GET" | "POST"
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly json?: object
  readonly bytes?: Blob | Uint8Array<ArrayBuffer> | string
  readonly range?: string
}

const bases = (url: string | URL | undefined): URL => {
  const { location } = page
  const base = new URL(
    url ?? (location?.protocol.startsWith("http") === true ? location.origin : "http://localhost:8765")
  )
  base.protocol = base.protocol.replace(/^ws/, "http")
  return base
}

/** The relay's own words for it, if it has said any. */
const refusalOf = async (answer: Response): Promise<RelayError> => {
  const said = await answer.json().catch(() => undefined) as {
    readonly text?: unknown
    readonly code?: unknown
  } | undefined
  const text = typeof said?.text === "string" ? said.text : `the relay answered ${answer.status}: see its log`
  const code = typeof said?.code === "string"
    ? said.code
    : answer.status === 401
    ? "unauthorized"
    : "internal"
  return new RelayError(code as RelayErrorCode, text)
}

export const filesOf = ({ session_id, token, url, ...options }: FilesOptions): SessionFiles => {
  const base = bases(url)
  const send = async (
    what: string,
    { bytes, json, method = "GET", query = {}, range, signal }: Wanted
  ): Promise<Response> => {
    const address = new URL(`/sessions/${encodeURIComponent(session_id)}/${what}`, base)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(name, String(value))
    }
    const shown = typeof token === "function" ? await token() : token
    const request: RequestInit = {
      method,
      headers: {
        ...(shown !== undefined && shown !== null && { authorization: `Bearer ${shown}` }),
        ...(json !== undefined && { "content-type": "application/json" }),
        ...(bytes !== undefined && { "content-type": "application/octet-stream" }),
        ...(range !== undefined && { range })
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(bytes !== undefined && { body: bytes }),
      ...(signal !== undefined && { signal })
    }
    const answer = await (options.fetch ?? fetch)(address, request).catch((error: unknown) => {
      if (signal?.aborted === true) throw error
      throw new RelayError(
        "unreachable",
        `cannot reach ${base.origin} (${
          messageOf(error)
        }): is the relay running, and is this page's origin in --allow-origin?`
      )
    })
    if (!answer.ok) throw await refusalOf(answer)
    return answer
  }
  // The relay's answers have the shape its routes are described with.
  const ask = async <A>(what: string, wanted: Wanted): Promise<A> =>
    await (await send(what, wanted)).json() as A

  return {
    list: (path = "", more = {}) => ask("files", { ...more, query: { path } }),
    read: (path, { length, offset, ...more } = {}) =>
      ask("file", { ...more, query: { path, offset, length } }),
    raw: async (path, { from, to, ...more } = {}) => {
      const isPart = from !== undefined || to !== undefined
      const range = `bytes=${from ?? 0}-${to === undefined ? "" : to - 1}`
      return await (await send("raw", { ...more, query: { path }, ...(isPart && { range }) })).blob()
    },
    find: (q, { limit, ...more } = {}) => ask("find", { ...more, query: { q, limit } }),
    changes: ({ against, ...more } = {}) => ask("changes", { ...more, query: { against } }),
    diff: (path, { against, from, ...more } = {}) => ask("diff", { ...more, query: { path, against, from } }),
    stage: (files, staged = true, more = {}) =>
      ask("stage", { ...more, method: "POST", json: { files, staged } }),
    commit: (wanted, more = {}) => ask("commit", { ...more, method: "POST", json: wanted }),
    attach: (name, bytes, { into, ...more } = {}) =>
      ask("attachments", { ...more, method: "POST", query: { name, into }, bytes })
  }
}
