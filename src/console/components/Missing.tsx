/**
 * Missing: shown while a session is looked up, or if there is none of this name.
 */
import { Menu } from "lucide-react"
import { w } from "../words/words.js"
import { TokenForm } from "./TokenForm.js"
import type { Relay } from "./useRelay.js"

interface Props {
  readonly session_id: string
  readonly looking: boolean
  readonly relay: Relay
  readonly onMenu: () => void
}

export const Missing = ({ looking, onMenu, relay, session_id }: Props) => (
  <main className="page start" aria-busy={looking}>
    <header className="bar only-phone">
      <button type="button" className="icon-button" onClick={onMenu} aria-label={w.menu}>
        <Menu size={18} aria-hidden />
      </button>
    </header>
    <div className="start-scroll">
      {relay.wantsToken
        ? <TokenForm problem={relay.problem} onToken={relay.enterToken} />
        : !looking && (
          <div className="start-form">
            <h1>{w.sessionNotFound}</h1>
            <p className="lead">{w.sessionNotFoundHelp(session_id)}</p>
            <a className="button primary large" href="#/">{w.newSession}</a>
          </div>
        )}
    </div>
  </main>
)
