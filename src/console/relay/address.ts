/**
 * address: what the page's address says, all of it in the fragment, which no server ever sees: `#/s/SESSION` is a session,
 * anything else the start page; `token=…` in it is the access token, taken out at once and kept for this tab.
 */
const tokenKey = "ai-relay.token"

export const token = (): string | undefined => sessionStorage.getItem(tokenKey) ?? undefined

export const setToken = (value: string) => {
  if (value === "") sessionStorage.removeItem(tokenKey)
  else sessionStorage.setItem(tokenKey, value)
}

/** Take the token out of the address. */
export const takeToken = () => {
  const found = /[#?&]token=([^&]*)/.exec(location.hash)
  if (found === null) return
  setToken(decodeURIComponent(found[1] ?? ""))
  const rest = location.hash.replace(found[0], "")
  history.replaceState(
    null,
    "",
    location.pathname + (rest === "" || rest.startsWith("#") ? rest : `#${rest}`)
  )
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
