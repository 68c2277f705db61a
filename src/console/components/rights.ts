/** rights: what the person at this page may do, as the relay tells it; the rest is not offered. */
import { createContext, useContext } from "react"
import type { Scope } from "../relay/http.js"

/** Undefined until it is known, and of a relay that does not tell: everything. */
export const Rights = createContext<ReadonlySet<Scope> | undefined>(undefined)

/** Another client drives the session that is shown: here it can only be watched. */
export const Watching = createContext(false)

/** The files beside a conversation may be looked at. */
export const Files = createContext(true)

/** What the one who drives does. */
const driving = new Set<Scope>(["prompt", "approve", "terminal"])

export const useMay = () => {
  const scopes = useContext(Rights)
  const watches = useContext(Watching)
  return (scope: Scope): boolean =>
    !(watches && driving.has(scope)) && (scopes === undefined || scopes.has("admin") || scopes.has(scope))
}
