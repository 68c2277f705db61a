/**
 * Folds: what the user has opened and closed. Rows are unmounted when out of sight; this state stays.
 */
import { createContext, type ReactNode, useContext, useRef, useState } from "react"

const Context = createContext(new Map<string, boolean>())

export const Folds = ({ children }: { readonly children: ReactNode }) => {
  const folds = useRef(new Map<string, boolean>())
  return <Context value={folds.current}>{children}</Context>
}

/** Whether it is open, and a setter. `open` is the default until the user changes it. */
export const useFold = (key: string, open: boolean): readonly [boolean, (open: boolean) => void] => {
  const folds = useContext(Context)
  const [said, setSaid] = useState(() => folds.get(key))
  const say = (open: boolean) => {
    folds.set(key, open)
    setSaid(open)
  }
  return [said ?? open, say]
}
