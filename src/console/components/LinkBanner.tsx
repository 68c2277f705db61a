/** LinkBanner: says when the connection is lost, or over. What is written in the meantime is sent later. */
import type { ConnectionState } from "../../client/browser.js"
import { setToken } from "../relay/address.js"
import { TokenForm } from "./TokenForm.js"

interface Props {
  readonly link: ConnectionState
}

export const LinkBanner = ({ link }: Props) => {
  if (link.status === "waiting") {
    return (
      <p className="banner" role="status" data-level="warning">
        Connection lost. Trying again; nothing is lost.
      </p>
    )
  }
  if (link.status !== "closed" || link.error.code === "closed") return null
  if (link.error.code === "unauthorized") {
    const enter = (token: string) => {
      setToken(token)
      location.reload()
    }
    return (
      <div className="overlay">
        <TokenForm problem={link.error.message} onToken={enter} />
      </div>
    )
  }
  const isEnd = link.error.code === "session_ended"
  return (
    <div className="banner" role={isEnd ? "status" : "alert"} data-level={isEnd ? "info" : "error"}>
      <span>{isEnd ? "The session has ended." : link.error.message}</span>
      <button type="button" className="button small" onClick={() => location.reload()}>
        {isEnd ? "Resume" : "Try again"}
      </button>
      <a className="button small" href="#/">New session</a>
    </div>
  )
}
