/**
 * Working: shows that a turn is running, and for how long.
 */
import type { Running } from "../../messages/View.js"
import { w } from "../words/words.js"
import { useNow } from "./useNow.js"
import { duration } from "./words.js"

export const Working = ({ turn }: { readonly turn: Running }) => {
  const now = useNow(true)
  return (
    <p className="working">
      <span className="pulse" aria-hidden />
      {w.working(duration(Math.max(0, Math.floor(now - turn.since))))}
    </p>
  )
}
