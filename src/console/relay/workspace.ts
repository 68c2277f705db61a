/**
 * workspace: the relay's API for the files next to a conversation. Paths are relative to the session's
 * folder.
 */
import type {
  Attachment,
  Changes,
  Commit,
  FileContent,
  FileDiff,
  FolderListing,
  FoundFiles,
  TreeListing
} from "../../schema/WorkspaceAnswers.js"
import { ask, pathOf, receive, send } from "./http.js"

const queryOf = (fields: Readonly<Record<string, string | number | undefined>>): string => {
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const]
  )
  return given.length === 0 ? "" : `?${new URLSearchParams(Object.fromEntries(given))}`
}

// This page was served by the same relay, so its answers have the shape of this version.
export const folders = async (path: string | undefined) =>
  await ask("GET", `/folders${queryOf({ path })}`) as FolderListing
export const files = async (session_id: string, path: string) =>
  await ask("GET", `${pathOf(session_id)}/files${queryOf({ path })}`) as TreeListing
export const file = async (session_id: string, path: string, offset?: number) =>
  await ask("GET", `${pathOf(session_id)}/file${queryOf({ path, offset })}`) as FileContent
export const raw = (session_id: string, path: string, signal?: AbortSignal) =>
  receive(`${pathOf(session_id)}/raw${queryOf({ path })}`, signal)
export const find = async (session_id: string, q: string, limit = 20) =>
  (await ask("GET", `${pathOf(session_id)}/find${queryOf({ q, limit })}`) as FoundFiles).files
export const changes = async (session_id: string, against: string | undefined) =>
  await ask("GET", `${pathOf(session_id)}/changes${queryOf({ against })}`) as Changes
export const diff = async (session_id: string, path: string, against: string, from: string | undefined) =>
  await ask("GET", `${pathOf(session_id)}/diff${queryOf({ path, against, from })}`) as FileDiff
export const stage = async (session_id: string, files: ReadonlyArray<string>, staged: boolean) =>
  await ask("POST", `${pathOf(session_id)}/stage`, { files, staged }) as Changes
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

/** The folder a file is in; "" is the session's own. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")))
