/**
 * useKeys: page-wide keyboard shortcuts. In a terminal keys belong to the program, and while somebody is
 * writing, a letter is a letter.
 */
import { useEffect, useRef } from "react"

export interface Keys {
  readonly palette: () => void
  readonly help: () => void
  readonly newSession: () => void
  readonly nextWaiting: () => void
}

export const isWriting = (target: EventTarget | null): target is HTMLElement =>
  target instanceof HTMLElement
  && (target.isContentEditable ||
    target.matches("input:not([type=radio], [type=checkbox]), textarea, select"))

const nameOf = ({ altKey, code, ctrlKey, key, metaKey, target }: KeyboardEvent): keyof Keys | undefined => {
  if (target instanceof Element && target.closest(".terminal") !== null) return undefined
  if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === "k") return "palette"
  if (ctrlKey || metaKey) return undefined
  if (altKey) return code === "KeyN" ? "newSession" : code === "KeyW" ? "nextWaiting" : undefined
  return key === "?" && !isWriting(target) ? "help" : undefined
}

export const useKeys = (keys: Keys) => {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const name = event.defaultPrevented || event.repeat ? undefined : nameOf(event)
      // An open dialog gets the keys.
      if (name === undefined || document.querySelector("dialog[open]") !== null) return
      event.preventDefault()
      latest.current[name]()
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [])
}
