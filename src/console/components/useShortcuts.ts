/**
 * useShortcuts: Alt plus a key, identified by its position, whatever character Alt produces on this keyboard.
 */
import { useEffect, useRef } from "react"

export const useShortcuts = (keys: Readonly<Record<string, () => void>>) => {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const run = event.altKey && !event.ctrlKey && !event.metaKey ? latest.current[event.code] : undefined
      if (run === undefined || event.defaultPrevented) return
      event.preventDefault()
      run()
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [])
}
