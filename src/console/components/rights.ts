/** rights: what the person at this page may do, as the relay tells it; the rest is not offered. */
import { createContext, useContext } from "react"
import type { Scope } from "../relay/http.js"

/** Undefined until it is known, and of a relay that does not tell: everything. */
export const Rights = createContext<ReadonlySet<Scope> | undefined>(undefined)

export const useMay = () => {
  const scopes = useContext(Rights)
  return (scope: Scope): boolean => scopes === undefined || scopes.has("admin") || scopes.has(scope)
}
