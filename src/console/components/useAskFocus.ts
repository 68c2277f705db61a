/**
 * useAskFocus: a new question takes the keyboard focus if nobody is using it: no text is being written and
 * nothing else is open. The card gets it rather than a button, so that a key already on its way answers
 * nothing; letters go to the prompt box. After an answer by keyboard, the next question or the prompt box
 * gets the focus.
 */
import { type KeyboardEvent, type RefObject, useLayoutEffect, useRef } from "react"

const boxIn = (): HTMLTextAreaElement | null => document.querySelector(".composer textarea:enabled")

const isIdle = (active: Element | null): boolean =>
  active === null || active === document.body || active.matches(".scroller")
  || (active.matches(".composer textarea") && "value" in active && active.value === "")

/** Frames to wait for the card to become visible: before that, nothing can focus it. */
const mostFrames = 60

/** Gives a function that cancels it. */
const take = (card: Element | null | undefined): () => void => {
  let frame = 0
  const attempt = (left: number) => {
    const isBusy = document.querySelector("dialog[open], .sidebar[data-open=true]") !== null
    if (!(card instanceof HTMLElement) || isBusy || !isIdle(document.activeElement)) return
    card.tabIndex = -1
    card.focus({ preventScroll: true })
    if (document.activeElement !== card && left > 0) frame = requestAnimationFrame(() => attempt(left - 1))
  }
  attempt(mostFrames)
  return () => cancelAnimationFrame(frame)
}

interface AskFocus {
  readonly place: RefObject<HTMLDivElement | null>
  readonly onKeyDown: (event: KeyboardEvent) => void
}

export const useAskFocus = (): AskFocus => {
  const place = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const card = place.current
    const letBe = take(card?.querySelector(".ask"))
    return () => {
      letBe()
      if (card?.contains(document.activeElement) !== true) return
      // Once it is gone.
      setTimeout(() => {
        if (!isIdle(document.activeElement)) return
        const next = document.querySelector(".ask")
        if (next !== null) take(next)
        else if (matchMedia("(hover: hover)").matches) boxIn()?.focus()
      })
    }
  }, [])
  const onKeyDown = ({ altKey, ctrlKey, key, metaKey, target }: KeyboardEvent) => {
    const isLetter = key.length === 1 && key !== "?" && !altKey && !ctrlKey && !metaKey
    // The letter is typed there: the box gets the focus first.
    if (isLetter && target instanceof Element && target.matches(".ask")) boxIn()?.focus()
  }
  return { place, onKeyDown }
}
