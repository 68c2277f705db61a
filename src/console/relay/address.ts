/**
 * address: the page's URL. Everything is in the fragment, which no server ever sees: `#/s/SESSION` is a
 * session, anything else the start page; `at=SEQ` is a position in it. `token=…` is an access token, which is
 * removed from the URL at once. A link may come from anybody, so its token is used only after the person at
 * the page agrees, and stored for this tab; with `keep` next to it, and the person's consent, for this
 * browser.
 */
import { onStored } from "./onStored.js"

const tokenKey = "ai-relay.token"

const keptToken = (): string | undefined => {
  try {
    return localStorage.getItem(tokenKey) ?? undefined
  } catch {
    return undefined
  }
}

export const token = (): string | undefined => sessionStorage.getItem(tokenKey) ?? keptToken()

/** Whether the token is stored beyond this browser session. */
export const isTokenKept = (): boolean => keptToken() !== undefined

/** Store this tab's token for the browser, or stop doing so. */
export const keepToken = (keep: boolean) => {
  const value = token()
  try {
    if (keep && value !== undefined) localStorage.setItem(tokenKey, value)
    else localStorage.removeItem(tokenKey)
  } catch {
    // Storage is not allowed: then it is for this tab.
  }
}

export const setToken = (value: string) => {
  if (value === "") sessionStorage.removeItem(tokenKey)
  else sessionStorage.setItem(tokenKey, value)
  if (isTokenKept()) keepToken(value !== "")
}

/** Calls with the token that another tab stores for this browser. Gives what stops it. */
export const onKeptToken = (call: (token: string) => void) =>
  onStored(tokenKey, (value) => {
    if (value !== null) call(value)
  })

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The contents of a link: a token, and whether to store it for the browser rather than the tab. */
export interface OfferedToken {
  readonly token: string
  readonly keep: boolean
}

/** Removes the token from the URL and gives it, unless this tab already uses it. */
export const takeToken = (): OfferedToken | undefined => {
  const found = /[#?&]token=([^&]*)(&keep)?/.exec(location.hash)
  if (found === null) return undefined
  const rest = location.hash.replace(found[0], "")
  history.replaceState(
    null,
    "",
    location.pathname + (rest === "" || rest.startsWith("#") ? rest : `#${rest}`)
  )
  const offered = decoded(found[1] ?? "")
  return offered === "" || offered === token() ? undefined : { token: offered, keep: found[2] !== undefined }
}

/** The session in the URL. */
export const sessionInAddress = (): string | undefined => {
  const id = /^#\/s\/([^&?]+)/.exec(location.hash)?.[1]
  return id === undefined ? undefined : decoded(id)
}

/** The position in the session given by the URL, as a `seq`. */
export const placeInAddress = (): number | undefined => {
  const seq = /^#\/s\/[^?]*\?(?:.*&)?at=(\d+)/.exec(location.hash)?.[1]
  return seq === undefined ? undefined : Number(seq)
}

export const goTo = (session_id: string | undefined) => {
  location.hash = session_id === undefined ? "#/" : `#/s/${encodeURIComponent(session_id)}`
}

export const onAddress = (listener: () => void) => {
  addEventListener("hashchange", listener)
  return () => removeEventListener("hashchange", listener)
}
