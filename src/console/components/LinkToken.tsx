/**
 * LinkToken: asks about an access token that came with a link. Any page can open such a link, so the token is
 * sent to the relay only after the person agrees.
 */
import { type ReactNode, useState } from "react"
import { keepToken, type OfferedToken, setToken } from "../relay/address.js"
import { w } from "../words/words.js"

interface Props {
  /** Undefined: the URL has no token, or the one already in use. */
  readonly offered: OfferedToken | undefined
  readonly children: ReactNode
}

export const LinkToken = ({ children, offered }: Props) => {
  const [isDecided, setDecided] = useState(offered === undefined)
  if (isDecided || offered === undefined) return children
  const decide = (uses: boolean) => {
    if (uses) setToken(offered.token)
    if (uses && offered.keep) keepToken(true)
    setDecided(true)
  }
  return (
    <main className="overlay">
      <section className="start-form token-form" aria-labelledby="link-token">
        <h1 id="link-token">{w.linkToken.title}</h1>
        <p className="lead">{w.linkToken.lead(location.host)}</p>
        <p className="ask-buttons">
          <button type="button" className="button primary large" onClick={() => decide(true)}>
            {w.linkToken.use}
          </button>
          <button type="button" className="button large" onClick={() => decide(false)}>
            {w.linkToken.ignore}
          </button>
        </p>
      </section>
    </main>
  )
}
