/** kept: what the browser remembers: choices for good, a session's handshake for this tab. Nothing of it is secret. */
import type { Handshake } from "../../client/browser.js"

const read = (storage: Storage, key: string): unknown => {
  try {
    return JSON.parse(storage.getItem(key) ?? "null")
  } catch {
    return undefined
  }
}

const write = (storage: Storage, key: string, value: unknown) => {
  try {
    storage.setItem(key, JSON.stringify(value))
  } catch {
    // Full, or not allowed: then it is forgotten.
  }
}

const foldersKey = "ai-relay.folders"
const mostFolders = 8

export const recentFolders = (): ReadonlyArray<string> => {
  const kept = read(localStorage, foldersKey)
  return Array.isArray(kept) ? kept.filter((folder) => typeof folder === "string") : []
}

export const rememberFolder = (folder: string) =>
  write(
    localStorage,
    foldersKey,
    [folder, ...recentFolders().filter((other) => other !== folder)].slice(0, mostFolders)
  )

export type Theme = "system" | "light" | "dark"
export type DiffStyle = "unified" | "split"

const oneOf = <Word extends string>(words: ReadonlyArray<Word>, value: unknown): Word | undefined =>
  words.find((word) => word === value)

export const theme = (): Theme =>
  oneOf(["light", "dark"] as const, read(localStorage, "ai-relay.theme")) ?? "system"
export const setTheme = (theme: Theme) => write(localStorage, "ai-relay.theme", theme)
export const diffStyle = (): DiffStyle =>
  oneOf(["split", "unified"] as const, read(localStorage, "ai-relay.diff")) ?? "unified"
export const setDiffStyle = (style: DiffStyle) => write(localStorage, "ai-relay.diff", style)
export const lastTool = (): string | undefined => {
  const tool = read(localStorage, "ai-relay.tool")
  return typeof tool === "string" ? tool : undefined
}
export const rememberTool = (tool: string) => write(localStorage, "ai-relay.tool", tool)

const handshakeKey = (session_id: string) => `ai-relay.session.${session_id}`

/** What a session of this tab was opened with: after a reload it is opened the same way. */
export const handshakeOf = (session_id: string): Handshake | undefined => {
  const kept = read(sessionStorage, handshakeKey(session_id))
  return typeof kept === "object" && kept !== null ? kept as Handshake : undefined
}
export const rememberHandshake = (session_id: string, handshake: Handshake) =>
  write(sessionStorage, handshakeKey(session_id), handshake)
