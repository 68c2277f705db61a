/** useStickToEnd: keeps a scrolling box at its end while what is in it grows, until the user scrolls away. */
import { type RefObject, useCallback, useEffect, useRef, useState } from "react"

const near = 48

interface Stick {
  readonly atEnd: boolean
  readonly toEnd: () => void
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

  useEffect(() => {
    const box = scroller.current
    if (box === null || content.current === null) return
    let last = box.scrollTop
    const settle = (stick: boolean) => {
      sticks.current = stick
      setAtEnd(stick)
    }
    const onScroll = () => {
      const left = box.scrollHeight - box.scrollTop - box.clientHeight
      // Content that grows leaves the end further away, but only a person goes back.
      if (left < near) settle(true)
      else if (box.scrollTop < last - 1) settle(false)
      last = box.scrollTop
    }
    const observer = new ResizeObserver(() => {
      if (sticks.current) box.scrollTop = box.scrollHeight
    })
    observer.observe(content.current)
    observer.observe(box)
    box.addEventListener("scroll", onScroll, { passive: true })
    return () => {
      observer.disconnect()
      box.removeEventListener("scroll", onScroll)
    }
  }, [content, scroller])

  return { atEnd, toEnd }
}
