/**
 * address: what the page's address says, all of it in the fragment, which no server ever sees: `#/s/SESSION` is a session,
 * anything else the start page; `at=SEQ` is a place in it. `token=…` is an access token, taken out at once. A link may come from
 * anybody: it is used when the person at the page says so, and kept for this tab; with `keep` beside it, and where a person says so,
 * for this browser.
 */
const tokenKey = "ai-relay.token"

const keptToken = (): string | undefined => {
  try {
    return localStorage.getItem(tokenKey) ?? undefined
  } catch {
    return undefined
  }
}

export const token = (): string | undefined => sessionStorage.getItem(tokenKey) ?? keptToken()

/** The token is still here when the browser is opened again. */
export const isTokenKept = (): boolean => keptToken() !== undefined

/** Keep this tab's token for the browser, or no longer. */
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

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What a link brings: a token, and whether it is for the browser rather than for the tab. */
export interface OfferedToken {
  readonly token: string
  readonly keep: boolean
}

/** Take the token out of the address; gives it, unless this tab uses it already. */
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

/** The session the address names. */
export const sessionInAddress = (): string | undefined => {
  const id = /^#\/s\/([^&?]+)/.exec(location.hash)?.[1]
  return id === undefined ? undefined : decodeURIComponent(id)
}

/** The place in it the address names, by its `seq`. */
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
