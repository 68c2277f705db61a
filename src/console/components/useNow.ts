/**
 * useNow: the relay's time in seconds since 1970, updated every second while in use.
 */
import { useEffect, useState } from "react"
import { relayNow } from "../relay/clock.js"

export const useNow = (isNeeded: boolean) => {
  const [now, setNow] = useState(relayNow)
  useEffect(() => {
    if (!isNeeded) return
    setNow(relayNow())
    const timer = setInterval(() => setNow(relayNow()), 1000)
    return () => clearInterval(timer)
  }, [isNeeded])
  return now
}
