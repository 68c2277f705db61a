/**
 * LinkBanner: says that the connection is lost or the session over. Prompts written in the meantime are sent
 * later.
 */
import type { ConnectionState } from "../../client/browser.js"
import type { View } from "../../messages/View.js"
import { setToken, token } from "../relay/address.js"
import { problemOf } from "../relay/problem.js"
import { w } from "../words/words.js"
import { TokenForm } from "./TokenForm.js"
import { agentName } from "./words.js"

interface Props {
  readonly link: ConnectionState
  readonly view: View
  /** It was deleted. */
  readonly gone: boolean
  readonly onReopen: () => void
  /** Open it to follow what a terminal writes. */
  readonly onFollow: () => void
}

export const LinkBanner = ({ gone, link, onFollow, onReopen, view }: Props) => {
  if (link.status === "waiting") {
    return (
      <p className="banner" role="status" data-level="warning">
        {w.connectionLost}
      </p>
    )
  }
  if (link.status !== "closed" || link.error.code === "closed") return null
  if (link.error.code === "unauthorized") {
    const enter = (token: string) => {
      setToken(token)
      location.reload()
    }
    const problem = view.started ? w.tokenEnded : token() === undefined ? undefined : w.tokenWrong
    return (
      <div className="overlay">
        <TokenForm problem={problem} onToken={enter} />
      </div>
    )
  }
  const isGone = gone || link.error.code === "session_not_found"
  const isEnd = link.error.code === "session_ended" && !isGone
  const failed = isEnd && view.failure !== undefined
  const level = failed || !isEnd ? "error" : "info"
  return (
    <div className="banner" role={isEnd ? "status" : "alert"} data-level={level}>
      <span>
        {failed
          ? w.sessionStopped(agentName(view.tool), view.failure ?? "")
          : isEnd
          ? w.sessionEnded
          : isGone
          ? w.sessionGone
          : problemOf(link.error)}
      </span>
      {link.error.code === "in_use" && (
        <button type="button" className="button small" onClick={onFollow}>{w.native.follow}</button>
      )}
      {!isGone && (
        <button type="button" className="button small" onClick={onReopen}>
          {isEnd ? w.resume : w.tryAgain}
        </button>
      )}
      <a className="button small" href="#/">{w.newSession}</a>
    </div>
  )
}
