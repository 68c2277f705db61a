/**
 * useStickToEnd: keeps a scrolling box at its end while its content grows, until the user scrolls away.
 */
import { type RefObject, useCallback, useEffect, useRef, useState } from "react"

const near = 48
/** Events of a person scrolling, and how long after one a movement still counts as theirs, in ms. */
const gestures = ["wheel", "touchmove", "keydown", "pointerdown"] as const
const gestureMs = 1000

interface Stick {
  readonly atEnd: boolean
  readonly toEnd: () => void
  /** Stay at the current position. */
  readonly leave: () => void
}

export const useStickToEnd = (
  scroller: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>
): Stick => {
  const [atEnd, setAtEnd] = useState(true)
  const sticks = useRef(true)

  const toEnd = useCallback(() => {
    sticks.current = true
    setAtEnd(true)
    const box = scroller.current
    if (box !== null) box.scrollTop = box.scrollHeight
  }, [scroller])

  const leave = useCallback(() => {
    sticks.current = false
    setAtEnd(false)
  }, [])

  useEffect(() => {
    const box = scroller.current
    if (box === null || content.current === null) return
    let last = box.scrollTop
    let gesture = -Infinity
    const onGesture = () => void (gesture = performance.now())
    const settle = (stick: boolean) => {
      sticks.current = stick
      setAtEnd(stick)
    }
    const onScroll = () => {
      const left = box.scrollHeight - box.scrollTop - box.clientHeight
      // Growing or remeasured content moves the end too; only a person leaves it.
      const byPerson = performance.now() - gesture < gestureMs
      if (left < near) settle(true)
      else if (box.scrollTop < last - 1 && byPerson) settle(false)
      last = box.scrollTop
    }
    const observer = new ResizeObserver(() => {
      if (sticks.current) box.scrollTop = box.scrollHeight
    })
    observer.observe(content.current)
    observer.observe(box)
    box.addEventListener("scroll", onScroll, { passive: true })
    for (const type of gestures) box.addEventListener(type, onGesture, { passive: true })
    return () => {
      observer.disconnect()
      box.removeEventListener("scroll", onScroll)
      for (const type of gestures) box.removeEventListener(type, onGesture)
    }
  }, [content, scroller])

  return { atEnd, leave, toEnd }
}
