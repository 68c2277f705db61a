/** Folds: what the user has opened and closed. Rows leave the page when they are out of sight; this stays. */
import { createContext, type ReactNode, useContext, useRef, useState } from "react"

const Context = createContext(new Map<string, boolean>())

export const Folds = ({ children }: { readonly children: ReactNode }) => {
  const folds = useRef(new Map<string, boolean>())
  return <Context value={folds.current}>{children}</Context>
}

/** Is it open, and a way to say so. `open` is what it is unless the user has said otherwise. */
export const useFold = (key: string, open: boolean): readonly [boolean, (open: boolean) => void] => {
  const folds = useContext(Context)
  const [said, setSaid] = useState(() => folds.get(key))
  const say = (open: boolean) => {
    folds.set(key, open)
    setSaid(open)
  }
  return [said ?? open, say]
}
