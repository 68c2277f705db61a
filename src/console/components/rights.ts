/**
 * rights: what the person at this page may do, as reported by the relay; everything else is not offered.
 */
import { createContext, useContext } from "react"
import type { Scope } from "../relay/http.js"

/** Undefined until it is known, and if the relay does not report it: everything is allowed. */
export const Rights = createContext<ReadonlySet<Scope> | undefined>(undefined)

/** Another client drives the current session: it can only be watched here. */
export const Watching = createContext(false)

/** Whether the files next to a conversation may be viewed. */
export const Files = createContext(true)

/** Rights that only the driver uses. */
const driving = new Set<Scope>(["prompt", "approve", "terminal"])

export const useMay = () => {
  const scopes = useContext(Rights)
  const watches = useContext(Watching)
  return (scope: Scope): boolean =>
    !(watches && driving.has(scope)) && (scopes === undefined || scopes.has("admin") || scopes.has(scope))
}
