/**
 * NativeList: conversations with agents in a terminal; a click continues one.
 */
import { Search, SquareTerminal } from "lucide-react"
import { useEffect, useState } from "react"
import { goTo } from "../relay/address.js"
import * as http from "../relay/http.js"
import { w } from "../words/words.js"
import { age, agentName, count, sessionName } from "./words.js"

const atFirst = 5
const typingMs = 200
/** Counts are ready a moment after the first request; in ms. */
const countedMs = 1500

const detailsOf = ({ branch, folder, messages, model, tokens, tool }: http.NativeSession): string =>
  [
    sessionName(tool, folder),
    branch,
    model,
    messages === undefined ? undefined : w.native.messages(messages),
    tokens === undefined ? undefined : w.native.tokens(count(tokens.input + tokens.output + tokens.cached))
  ].filter((part) => part !== undefined && part !== "").join(" · ")

interface Props {
  readonly onContinue: (session: http.NativeSession) => void
}

export const NativeList = ({ onContinue }: Props) => {
  const [query, setQuery] = useState("")
  const [sessions, setSessions] = useState<ReadonlyArray<http.NativeSession>>()
  const [isWhole, setWhole] = useState(false)

  useEffect(() => {
    let isCurrent = true
    // The page works without it: it may be turned off at the relay.
    const look = () =>
      http.nativeSessions(query).then(
        (found) => {
          if (isCurrent) setSessions(found)
          return found
        },
        () => []
      )
    const first = setTimeout(() => void look(), query === "" ? 0 : typingMs)
    const second = setTimeout(() => void look(), countedMs)
    return () => {
      isCurrent = false
      clearTimeout(first)
      clearTimeout(second)
    }
  }, [query])

  if (sessions === undefined || (sessions.length === 0 && query === "")) return null
  const shown = isWhole || query !== "" ? sessions : sessions.slice(0, atFirst)
  return (
    <section className="native" aria-labelledby="native-title">
      <header>
        <h2 id="native-title">{w.native.heading}</h2>
        <label className="native-search">
          <Search size={14} aria-hidden />
          <input
            type="search"
            value={query}
            onChange={({ target }) => setQuery(target.value)}
            placeholder={w.native.search}
            aria-label={w.native.search}
            spellCheck={false}
          />
        </label>
      </header>
      <ul>
        {shown.map((session) => (
          <li key={`${session.tool} ${session.native_session_id}`}>
            <button
              type="button"
              onClick={() => {
                const { open } = session
                if (open?.session_id === undefined) onContinue(session)
                else goTo(open.session_id)
              }}
            >
              <span className="native-title">{session.title ?? session.first_prompt ?? w.session}</span>
              <span className="native-time">{age(session.last_active_at)}</span>
              <span className="native-details">
                {agentName(session.tool)} · {detailsOf(session)}
              </span>
              {session.open !== undefined && (
                <span className="native-open" data-state={session.open.state}>
                  <SquareTerminal size={13} aria-hidden />
                  {session.open.by === "relay"
                    ? w.native.openHere
                    : session.open.state === "waiting"
                    ? w.native.waits
                    : w.native.openThere}
                </span>
              )}
            </button>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="hint">{w.native.nothing}</p>}
      {shown.length < sessions.length && (
        <button
          type="button"
          className="link"
          onClick={() => setWhole(true)}
        >
          {w.native.all(sessions.length)}
        </button>
      )}
    </section>
  )
}
