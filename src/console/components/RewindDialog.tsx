/**
 * RewindDialog: rewinds to before a prompt. Each prompt has a button for it; the dialog first shows what
 * would change and whose work would be lost. The rewind is shown in the conversation, where it can be undone.
 */
import { History } from "lucide-react"
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react"
import type { Session } from "../../client/browser.js"
import type { View } from "../../messages/View.js"
import * as http from "../relay/http.js"
import { problemOf } from "../relay/problem.js"
import { w } from "../words/words.js"
import { inOneLine } from "./hiddenChars.js"

interface Rewind {
  readonly begin: (turn: number) => void
  readonly undo: (rewind_id: string) => void
  /** The rewind that can be undone. */
  readonly undoable: string | undefined
  readonly isBusy: boolean
}

const RewindContext = createContext<Rewind | undefined>(undefined)

type Restore = "both" | "files" | "conversation"
type Preview = Awaited<ReturnType<typeof http.previewRewind>>

interface Props {
  /** Undefined: rewinding is not possible here. */
  readonly session: Session | undefined
  readonly view: View
  readonly children: ReactNode
}

/** Wraps the content with the buttons. */
export const Rewinding = ({ children, session, view }: Props) => {
  const [turn, setTurn] = useState<number>()
  const { rewound: undoable } = view
  const isBusy = view.turn !== undefined
  const isOffered = session !== undefined && view.started && view.can.rewind
  const rewind = useMemo(
    () =>
      isOffered
        // A refusal is shown in the conversation.
        ? { begin: setTurn, undo: () => void session.undoRewind().catch(() => {}), undoable, isBusy }
        : undefined,
    [isBusy, isOffered, session, undoable]
  )
  return (
    <RewindContext value={rewind}>
      {children}
      {turn !== undefined && session !== undefined && (
        <RewindDialog
          key={turn}
          session={session}
          turn={turn}
          onClose={() => setTurn(undefined)}
        />
      )}
    </RewindContext>
  )
}

export const RewindButton = ({ turn }: { readonly turn: number }) => {
  const rewind = useContext(RewindContext)
  if (rewind === undefined) return null
  return (
    <button
      type="button"
      className="icon-button small rewind-button"
      disabled={rewind.isBusy}
      aria-label={w.rewind.button}
      title={w.rewind.button}
      onClick={() => rewind.begin(turn)}
    >
      <History size={13} aria-hidden />
    </button>
  )
}

export const UndoButton = ({ rewind_id }: { readonly rewind_id: string }) => {
  const rewind = useContext(RewindContext)
  if (rewind === undefined || rewind.undoable !== rewind_id) return null
  return (
    <button
      type="button"
      className="button small"
      disabled={rewind.isBusy}
      onClick={() => rewind.undo(rewind_id)}
    >
      {w.rewind.undo}
    </button>
  )
}

interface DialogProps {
  readonly session: Session
  readonly turn: number
  readonly onClose: () => void
}

const RewindDialog = ({ onClose, session, turn }: DialogProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const [preview, setPreview] = useState<Preview>()
  const [chosen, setRestore] = useState<Restore>("both")
  const [force, setForce] = useState(false)
  const [problem, setProblem] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const { session_id } = session

  useEffect(() => {
    dialog.current?.showModal()
    http.previewRewind(session_id, turn).then(
      setPreview,
      (error: unknown) => setProblem(problemOf(error))
    )
  }, [session_id, turn])

  const files = typeof preview?.files === "object" ? preview.files : undefined
  const choices = (["both", "files", "conversation"] as const).filter((choice) =>
    preview !== undefined && (choice === "files" || preview.conversation)
    && (choice === "conversation" || files !== undefined)
  )
  const restore = choices.includes(chosen) ? chosen : choices[0]
  const conflicts = restore === "conversation" ? [] : files?.conflicts ?? []

  const go = async () => {
    if (restore === undefined) return
    setBusy(true)
    setProblem(undefined)
    try {
      await session.rewind(turn, { restore, ...(conflicts.length > 0 && { force }) })
      dialog.current?.close()
    } catch (error) {
      setProblem(problemOf(error))
    }
    setBusy(false)
  }

  return (
    <dialog className="confirm rewind" ref={dialog} aria-labelledby="rewind-title" onClose={onClose}>
      <h2 id="rewind-title">{w.rewind.title}</h2>
      {preview === undefined && problem === undefined && <p role="status">{w.rewind.looking}</p>}
      {choices.length > 0 && (
        <fieldset className="share-kinds">
          <legend>{w.rewind.what}</legend>
          {choices.map((choice) => (
            <label key={choice}>
              <input
                type="radio"
                name="rewind-what"
                checked={restore === choice}
                onChange={() => setRestore(choice)}
              />{" "}
              {w.rewind.choices[choice]}
            </label>
          ))}
        </fieldset>
      )}
      {typeof preview?.files === "string" && (
        <p className="notice" data-level="warning">
          {preview.files.replace(/^[a-z]/, (letter) => letter.toUpperCase())}
        </p>
      )}
      {files !== undefined && restore !== "conversation" && (
        files.files_changed === 0 ? <p>{w.rewind.noFiles}</p> : (
          // So that it can be scrolled with the keyboard.
          <ul className="rewind-files" tabIndex={0} aria-label={w.rewind.changes}>
            {files.files.map(({ added, change, path, removed }) => (
              <li key={path} data-change={change}>
                <code>{inOneLine(path)}</code>
                <small>
                  {w.rewind.kinds[change]}
                  {added !== undefined && removed !== undefined && ` · +${added} −${removed}`}
                </small>
              </li>
            ))}
            {files.files_changed > files.files.length && (
              <li>
                <small>{w.rewind.more(files.files_changed - files.files.length)}</small>
              </li>
            )}
          </ul>
        )
      )}
      {files !== undefined && restore !== "conversation" && files.left_out.length > 0 && (
        <p>
          <small>
            {w.rewind.leftOut(files.left_out.slice(0, 10).map(({ path }) => inOneLine(path)).join(", "))}
          </small>
        </p>
      )}
      {conflicts.length > 0 && (
        <div className="notice" data-level="warning">
          <div>
            {w.rewind.conflicts} <code>{inOneLine(conflicts.slice(0, 20).join(", "))}</code>
            <label>
              <input type="checkbox" checked={force} onChange={({ target }) => setForce(target.checked)} />
              {" "}
              {w.rewind.force}
            </label>
          </div>
        </div>
      )}
      {problem !== undefined && <p className="notice" data-level="error" role="alert">{problem}</p>}
      <form method="dialog" className="ask-buttons">
        <button
          type="button"
          className="button primary"
          disabled={isBusy || restore === undefined || (conflicts.length > 0 && !force)}
          onClick={() => void go()}
        >
          {w.rewind.go}
        </button>
        <button type="submit" className="button">{w.cancel}</button>
      </form>
    </dialog>
  )
}
