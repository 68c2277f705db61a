/**
 * Maths: a formula. It is shown as text until its renderer is loaded (`drawMaths.ts`), and if it cannot be
 * rendered.
 */
import { memo, useLayoutEffect, useRef, useState } from "react"
import { w } from "../words/words.js"
import { CopyButton } from "./CopyButton.js"
import type { drawMaths } from "./drawMaths.js"
import type { Formula } from "./formulas.js"

let draw: typeof drawMaths | undefined
let loading: Promise<void> | undefined

/** If loading fails, formulas stay text; the next one tries again. */
const load = (): Promise<void> =>
  loading ??= import("./drawMaths.js").then(
    ({ drawMaths }) => {
      draw = drawMaths
    },
    () => {
      loading = undefined
    }
  )

export const Maths = memo(({ display, source, tex }: Formula) => {
  const place = useRef<HTMLSpanElement>(null)
  const [isLoaded, setLoaded] = useState(draw !== undefined)
  const [isText, setText] = useState(false)
  useLayoutEffect(() => {
    if (draw !== undefined) {
      const drawn = draw(tex, display)
      setText(drawn === undefined)
      if (drawn !== undefined) place.current?.replaceChildren(...drawn.childNodes)
      return
    }
    let isOver = false
    void load().then(() => !isOver && setLoaded(draw !== undefined))
    return () => {
      isOver = true
    }
  }, [display, isLoaded, tex])
  if (!isLoaded || isText) return <code className="maths-source">{source}</code>
  return display
    ? (
      <span className="maths" data-display>
        <span className="maths-box" tabIndex={0} role="group" aria-label={w.formula} ref={place} />
        <CopyButton text={tex} />
      </span>
    )
    : <span className="maths" title={source} ref={place} />
})
