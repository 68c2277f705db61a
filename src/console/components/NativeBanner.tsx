/**
 * NativeBanner: says that the conversation is open in a terminal, or how to continue it there and get it
 * back.
 */
import type { Session } from "../../client/browser.js"
import type { View } from "../../messages/View.js"
import { w } from "../words/words.js"
import { CopyButton } from "./CopyButton.js"
import { start } from "./start.js"
import { agentName } from "./words.js"

interface Props {
  readonly view: View
  readonly session: Session
}

const Action = ({ children, onClick }: { readonly children: string; readonly onClick: () => void }) => (
  <button type="button" className="button small" onClick={onClick}>{children}</button>
)

/** Forks the conversation into a session of its own and leaves the terminal's as it is. */
const fork = ({ folder, native_session_id, tool }: View) => {
  if (native_session_id === undefined) return
  start({ tool, folder, native_session_id, history: true, fork: true, raw: false })
}

export const NativeBanner = ({ session, view }: Props) => {
  const { native, native_session_id, tool } = view
  if (native === undefined) return null
  const { drive, forks, onward, open } = native
  const name = agentName(tool)
  if (drive === "joined") {
    return (
      <div className="banner native-banner" role="status">
        <span>{w.native.shared(name)}</span>
      </div>
    )
  }
  if (open === undefined) {
    if (drive === "own" || onward === undefined) return null
    return (
      <div className="banner native-banner" role="status">
        <span>
          {w.native.goOnThere} <code>{onward.shell}</code>
          {onward.warning !== undefined && <small>{onward.warning}</small>}
        </span>
        <CopyButton text={onward.shell} />
        <Action onClick={() => void session.send({ type: "take_over" })}>{w.native.goOnHere}</Action>
      </div>
    )
  }
  return (
    <div className="banner native-banner" role="status" data-level="warning">
      <span>
        {drive === "own" ? w.native.inUse(name) : w.native.following(name)}
        {open.waiting_for !== undefined && ` ${w.native.waitsThere(open.waiting_for)}`}
      </span>
      {open.joins === true && (
        <Action onClick={() => void session.send({ type: "take_over" })}>{w.native.goOnHere}</Action>
      )}
      {drive === "own" && (
        <Action onClick={() => void session.send({ type: "hand_over" })}>{w.native.follow}</Action>
      )}
      {forks && native_session_id !== undefined && <Action onClick={() => fork(view)}>{w.native.fork}
      </Action>}
    </div>
  )
}
