/**
 * address: what the page's address says, all of it in the fragment, which no server ever sees: `#/s/SESSION` is a session,
 * anything else the start page; `token=…` in it is an access token, taken out at once. A link may come from anybody: it is used,
 * and kept for this tab, when the person at the page says so.
 */
const tokenKey = "ai-relay.token"

export const token = (): string | undefined => sessionStorage.getItem(tokenKey) ?? undefined

export const setToken = (value: string) => {
  if (value === "") sessionStorage.removeItem(tokenKey)
  else sessionStorage.setItem(tokenKey, value)
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Take the token out of the address; gives it, unless this tab uses it already. */
export const takeToken = (): string | undefined => {
  const found = /[#?&]token=([^&]*)/.exec(location.hash)
  if (found === null) return undefined
  const rest = location.hash.replace(found[0], "")
  history.replaceState(
    null,
    "",
    location.pathname + (rest === "" || rest.startsWith("#") ? rest : `#${rest}`)
  )
  const offered = decoded(found[1] ?? "")
  return offered === "" || offered === token() ? undefined : offered
}

/** The session the address names. */
export const sessionInAddress = (): string | undefined => {
  const id = /^#\/s\/([^&?]+)/.exec(location.hash)?.[1]
  return id === undefined ? undefined : decodeURIComponent(id)
}

export const goTo = (session_id: string | undefined) => {
  location.hash = session_id === undefined ? "#/" : `#/s/${encodeURIComponent(session_id)}`
}

export const onAddress = (listener: () => void) => {
  addEventListener("hashchange", listener)
  return () => removeEventListener("hashchange", listener)
}
