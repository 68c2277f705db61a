/**
 * Portion: the first of many things, and a button for more: no page can draw thousands of cards at once.
 */
import { type ReactNode, useState } from "react"
import { w } from "../words/words.js"

interface Props<Thing> {
  readonly all: ReadonlyArray<Thing>
  /** Shown at first, and per press of the button. */
  readonly most?: number
  readonly children: (thing: Thing, index: number) => ReactNode
}

export const Portion = <Thing extends object>({ all, children, most = 100 }: Props<Thing>) => {
  const [count, setCount] = useState(most)
  return (
    <>
      {all.slice(0, count).map(children)}
      {all.length > count && (
        <button
          type="button"
          className="button small more"
          onClick={() => setCount(count + most)}
        >
          {w.more(all.length - count)}
        </button>
      )}
    </>
  )
}
