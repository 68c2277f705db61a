/**
 * useBeside: opens and closes the pane next to a conversation, from its header and from the palette.
 */
import {
  lazy,
  type ReactNode,
  type RefObject,
  Suspense,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState
} from "react"
import type { View } from "../../../messages/View.js"
import { w } from "../../words/words.js"
import { type Command, useCommands } from "../commands.js"
import { Files } from "../rights.js"
import type { Tab } from "./Beside.js"

const Beside = lazy(() => import("./Beside.js").then(({ Beside }) => ({ default: Beside })))

/** Agents that do not work on files. */
const without = new Set(["demo", "replay", "cortex"])

interface Opening {
  /** Undefined: there is no pane for this session. */
  readonly toggle: (() => void) | undefined
  readonly isOpen: boolean
  readonly beside: ReactNode
}

export const useBeside = (
  session_id: string,
  view: View,
  mention?: RefObject<((path: string) => void) | undefined>
): Opening => {
  const isOffered = useContext(Files) && view.folder !== "" && !without.has(view.tool)
  const [tab, setTab] = useState<Tab>()
  const commands = useMemo((): ReadonlyArray<Command> =>
    isOffered
      ? [
        { id: "changes", name: w.beside.showChanges, run: () => setTab("changes") },
        { id: "files", name: w.beside.showFiles, run: () => setTab("files") }
      ]
      : [], [isOffered])
  useCommands(commands)
  const isOpen = isOffered && tab !== undefined
  // Closing returns the focus of a person who opened it with the keyboard.
  const before = useRef<Element>(null)
  useEffect(() => {
    if (isOpen) before.current = document.activeElement
    else if (document.activeElement === document.body && before.current instanceof HTMLElement) {
      before.current.focus()
    }
  }, [isOpen])
  return {
    toggle: isOffered ? () => setTab(isOpen ? undefined : "changes") : undefined,
    isOpen,
    beside: isOpen && (
      <Suspense fallback={<aside className="beside" aria-busy="true" />}>
        <Beside
          session_id={session_id}
          view={view}
          tab={tab}
          onTab={setTab}
          onMention={mention === undefined ? undefined : (path) => mention.current?.(path)}
          onClose={() => setTab(undefined)}
        />
      </Suspense>
    )
  }
}
