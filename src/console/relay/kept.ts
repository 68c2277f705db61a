/**
 * kept: what the browser remembers: choices permanently, a session's handshake for this tab. None of it is
 * secret.
 */
import type { Content, Handshake, When } from "../../client/browser.js"
import { onStored } from "./onStored.js"

const read = (storage: Storage, key: string): unknown => {
  try {
    return JSON.parse(storage.getItem(key) ?? "null")
  } catch {
    return undefined
  }
}

/** False: storage is full or not allowed, and the value is lost. */
const write = (storage: Storage, key: string, value: unknown): boolean => {
  try {
    storage.setItem(key, JSON.stringify(value))
    return true
  } catch {
    return false
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
export type Language = "en" | "de" | "zh"
export type DiffStyle = "unified" | "split"

const oneOf = <Word extends string>(words: ReadonlyArray<Word>, value: unknown): Word | undefined =>
  words.find((word) => word === value)

export const theme = (): Theme =>
  oneOf(["light", "dark"] as const, read(localStorage, "ai-relay.theme")) ?? "system"
export const setTheme = (theme: Theme) => write(localStorage, "ai-relay.theme", theme)
/** Undefined: the browser's language. */
export const language = (): Language | undefined =>
  oneOf(["en", "de", "zh"] as const, read(localStorage, "ai-relay.language"))
export const setLanguage = (language: Language) => write(localStorage, "ai-relay.language", language)
export const diffStyle = (): DiffStyle =>
  oneOf(["split", "unified"] as const, read(localStorage, "ai-relay.diff")) ?? "unified"
export const setDiffStyle = (style: DiffStyle) => write(localStorage, "ai-relay.diff", style)
export const lastTool = (): string | undefined => {
  const tool = read(localStorage, "ai-relay.tool")
  return typeof tool === "string" ? tool : undefined
}
export const rememberTool = (tool: string) => write(localStorage, "ai-relay.tool", tool)

const reloadKey = "ai-relay.reloaded-at"
/** Whether this tab was reloaded for the relay's newer page less than a minute ago. */
export const isReloaded = (): boolean => Date.now() - Number(read(sessionStorage, reloadKey)) < 60_000
export const rememberReload = () => write(sessionStorage, reloadKey, Date.now())

/** Play a sound when a session is waiting. */
export const sound = (): boolean => read(localStorage, "ai-relay.sound") === true
export const setSound = (on: boolean) => write(localStorage, "ai-relay.sound", on)
/** Whether notifications were turned on in this browser. */
export const notify = (): boolean => read(localStorage, "ai-relay.notify") === true
export const setNotify = (on: boolean) => write(localStorage, "ai-relay.notify", on)

const startKey = "ai-relay.start"

/** The start page's form, for this tab. */
export const startForm = (): object => {
  const kept = read(sessionStorage, startKey)
  return typeof kept === "object" && kept !== null ? kept : {}
}
export const keepStartForm = (form: object) => write(sessionStorage, startKey, form)

const handshakeKey = (session_id: string) => `ai-relay.session.${session_id}`

/** The handshake a session of this tab was opened with, to open it the same way after a reload. */
export const handshakeOf = (session_id: string): Handshake | undefined => {
  const secret = secrets.get(session_id)
  if (secret !== undefined) return secret
  const kept = read(sessionStorage, handshakeKey(session_id))
  return typeof kept === "object" && kept !== null ? kept as Handshake : undefined
}
/** The page keeps secrets only in memory: after a reload the relay has the session. */
const secrets = new Map<string, Handshake>()

/** Sessions begun by this page: they need not be looked up. */
const begun = new Set<string>()
export const isBegun = (session_id: string): boolean => begun.has(session_id)

export const rememberHandshake = (session_id: string, handshake: Handshake) => {
  begun.add(session_id)
  const { snowflake, ...rest } = handshake
  if (snowflake?.token === undefined) {
    write(sessionStorage, handshakeKey(session_id), handshake)
    return
  }
  secrets.set(session_id, handshake)
  const { token: _token, ...account } = snowflake
  write(sessionStorage, handshakeKey(session_id), { ...rest, snowflake: account })
}

/** The relay has the session: from now on it is joined, and never begun again. */
export const rememberStarted = (session_id: string) => {
  const handshake = handshakeOf(session_id)
  if (handshake !== undefined && handshake.must_exist !== true) {
    rememberHandshake(session_id, { ...handshake, must_exist: true })
  }
}

// --- what was written ------------------------------------------------------------------------------------------------

const draftKey = (session_id: string) => `ai-relay.draft.${session_id}`
const promptsKey = "ai-relay.prompts"
const mostPrompts = 100
const mostChars = 20_000
/** Longer drafts would leave too little room for prompts that are not sent yet. */
const mostDraft = 500_000

/** The unsent draft in this browser. */
export const draftOf = (session_id: string): string => {
  const draft = read(localStorage, draftKey(session_id))
  return typeof draft === "string" ? draft : ""
}
/** False: it is too long, and a part of it is lost with the page. */
export const keepDraft = (session_id: string, text: string): boolean => {
  if (text === "") localStorage.removeItem(draftKey(session_id))
  else if (!write(localStorage, draftKey(session_id), text.slice(0, mostDraft))) return false
  return text.length <= mostDraft
}
/** Calls when another tab of this browser changes the draft. Gives what stops it. */
export const onDraft = (session_id: string, call: (text: string) => void) =>
  onStored(draftKey(session_id), () => call(draftOf(session_id)))

/** Prompts sent from this browser, the latest last. */
export const sentPrompts = (): ReadonlyArray<string> => {
  const kept = read(localStorage, promptsKey)
  return Array.isArray(kept) ? kept.filter((prompt) => typeof prompt === "string") : []
}
export const keepPrompt = (text: string) => {
  const prompt = text.trim()
  if (prompt === "" || prompt.length > mostChars) return
  write(
    localStorage,
    promptsKey,
    [...sentPrompts().filter((other) => other !== prompt), prompt].slice(-mostPrompts)
  )
}

// --- what was sent and not taken -------------------------------------------------------------------------------------

/** A prompt the relay has not accepted yet. */
export interface Unsent {
  readonly message_id: string
  readonly content: Content
  readonly when: When
}

interface KeptUnsent extends Unsent {
  readonly session_id: string
  /** When it was sent, in ms. */
  readonly at: number
}

const unsentKey = "ai-relay.unsent"
const mostUnsent = 50
/** After this long, in ms, it is no longer sent automatically. */
const unsentForMs = 3_600_000

const isUnsent = (value: unknown): value is KeptUnsent => {
  if (typeof value !== "object" || value === null) return false
  const { at, content, message_id, session_id, when } = value as Record<string, unknown>
  return typeof at === "number" && typeof message_id === "string" && typeof session_id === "string"
    && typeof when === "string" && (typeof content === "string" || Array.isArray(content))
}

/** Undefined in a frame without storage access. */
const storage = (): Storage | undefined => {
  try {
    return localStorage
  } catch {
    return undefined
  }
}

const allUnsent = (): ReadonlyArray<KeptUnsent> => {
  const kept = storage() === undefined ? undefined : read(localStorage, unsentKey)
  return Array.isArray(kept) ? kept.filter(isUnsent) : []
}

const writeUnsent = (prompts: ReadonlyArray<KeptUnsent>): boolean => {
  if (prompts.length > 0) {
    return storage() !== undefined && write(localStorage, unsentKey, prompts.slice(-mostUnsent))
  }
  storage()?.removeItem(unsentKey)
  return true
}

/** False if it would be lost with this page, because there is no room for its images. */
export const keepUnsent = (session_id: string, prompt: Unsent): boolean =>
  writeUnsent([...allUnsent(), { ...prompt, session_id, at: Date.now() }])

export const forgetUnsent = (message_id: string) => {
  const kept = allUnsent()
  const left = kept.filter((prompt) => prompt.message_id !== message_id)
  if (left.length < kept.length) writeUnsent(left)
}

/** A prompt without its images. */
export const wordsOf = (content: Content): string =>
  typeof content === "string"
    ? content
    : content.flatMap((block) => block.type === "text" ? [block.text] : []).join("\n")

/**
 * Prompts sent by an earlier page that the relay never accepted, oldest first. Those older than an hour are
 * not sent any more: their text is put before the draft.
 */
export const unsentOf = (session_id: string): ReadonlyArray<Unsent> => {
  const own = allUnsent().filter((prompt) => prompt.session_id === session_id)
  const isFresh = ({ at }: KeptUnsent) => Math.abs(Date.now() - at) <= unsentForMs
  const stale = own.filter((prompt) => !isFresh(prompt))
  if (stale.length > 0) {
    const words = [...stale.map(({ content }) => wordsOf(content)), draftOf(session_id)]
    keepDraft(session_id, words.filter((text) => text !== "").join("\n\n"))
    for (const { message_id } of stale) forgetUnsent(message_id)
  }
  return own.filter(isFresh).map(({ content, message_id, when }) => ({ content, message_id, when }))
}
