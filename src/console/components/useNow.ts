/**
 * useNow: seconds since 1970, updated every second while in use.
 */
import { useEffect, useState } from "react"

export const useNow = (isNeeded: boolean) => {
  const [now, setNow] = useState(() => Date.now() / 1000)
  useEffect(() => {
    if (!isNeeded) return
    setNow(Date.now() / 1000)
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000)
    return () => clearInterval(timer)
  }, [isNeeded])
  return now
}
