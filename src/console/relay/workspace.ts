/** workspace: what the relay tells of the files beside a conversation. Paths start in the session's folder. */
import { ask, pathOf, send } from "./http.js"

export interface TreeEntry {
  readonly name: string
  readonly kind: "folder" | "file" | "link" | "other"
  readonly leads_to?: "folder" | "file"
  readonly size?: number
  readonly hidden?: true
  readonly unnameable?: true
}
export interface TreeListing {
  readonly entries: ReadonlyArray<TreeEntry>
  readonly truncated?: true
}
export interface FileContent {
  readonly path: string
  readonly size: number
  readonly text?: string
  readonly binary?: true
  readonly next_offset?: number
}

export type ChangeKind = "added" | "changed" | "deleted" | "renamed" | "copied" | "type_changed"
export interface ChangedFile {
  readonly path: string
  readonly from?: string
  readonly staged?: ChangeKind
  readonly unstaged?: ChangeKind
  readonly untracked?: true
  readonly conflict?: true
}
export interface Changes {
  readonly repository: boolean
  readonly head?: string
  readonly branch?: string
  readonly under_way?: "merge" | "rebase" | "cherry-pick" | "revert"
  readonly branches: ReadonlyArray<string>
  readonly files: ReadonlyArray<ChangedFile>
  readonly truncated?: true
}
export interface FileDiff {
  readonly diff: string
  readonly binary?: true
  readonly too_large?: true
}
export interface Commit {
  readonly commit: string
  readonly branch?: string
  readonly files: number
  readonly ran: ReadonlyArray<string>
}
export interface FolderListing {
  readonly folder?: string
  readonly parent?: string
  readonly folders: ReadonlyArray<{
    readonly name: string
    readonly path: string
    readonly hidden?: true
    readonly repository?: true
  }>
  readonly truncated?: true
}
export interface Attachment {
  readonly name: string
  /** For the agent. */
  readonly path: string
  readonly size: number
}

const queryOf = (fields: Readonly<Record<string, string | number | undefined>>): string => {
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const]
  )
  return given.length === 0 ? "" : `?${new URLSearchParams(Object.fromEntries(given))}`
}

// The relay is the one that served this page: its answers have the shape its version has.
export const folders = async (path: string | undefined) =>
  await ask("GET", `/folders${queryOf({ path })}`) as FolderListing
export const files = async (session_id: string, path: string) =>
  await ask("GET", `${pathOf(session_id)}/files${queryOf({ path })}`) as TreeListing
export const file = async (session_id: string, path: string, offset?: number) =>
  await ask("GET", `${pathOf(session_id)}/file${queryOf({ path, offset })}`) as FileContent
export const find = async (session_id: string, q: string, limit = 20) =>
  (await ask("GET", `${pathOf(session_id)}/find${queryOf({ q, limit })}`) as {
    readonly files: ReadonlyArray<string>
  })
    .files
export const changes = async (session_id: string, against: string | undefined) =>
  await ask("GET", `${pathOf(session_id)}/changes${queryOf({ against })}`) as Changes
export const diff = async (session_id: string, path: string, against: string, from: string | undefined) =>
  await ask("GET", `${pathOf(session_id)}/diff${queryOf({ path, against, from })}`) as FileDiff
export const commit = async (
  session_id: string,
  wanted: { readonly message: string; readonly files?: ReadonlyArray<string>; readonly hooks?: boolean }
) => await ask("POST", `${pathOf(session_id)}/commit`, wanted) as Commit
export const attach = async (
  session_id: string,
  file: File,
  into: "state" | "folder",
  signal?: AbortSignal
) =>
  await send(
    `${pathOf(session_id)}/attachments${queryOf({ name: file.name || "file", into })}`,
    file,
    signal
  ) as Attachment

/** The relay's sentence, as a page shows it. */
export const sentence = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error)
  return text.replaceAll("`", "").replace(/^\p{Ll}/u, (letter) => letter.toUpperCase())
}

/** The folder a file is in; "" is the session's own. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")))
