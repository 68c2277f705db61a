/**
 * Working: shows that a turn is running, and for how long.
 */
import { useEffect, useState } from "react"
import type { Running } from "../../messages/View.js"
import { w } from "../words/words.js"
import { duration } from "./words.js"

export const Working = ({ turn }: { readonly turn: Running }) => {
  const [now, setNow] = useState(() => Date.now() / 1000)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000)
    return () => clearInterval(timer)
  }, [])
  return (
    <p className="working">
      <span className="pulse" aria-hidden />
      {w.working(duration(Math.max(0, Math.floor(now - turn.since))))}
    </p>
  )
}
