/**
 * SearchResults: sessions whose messages contain the filter's words, below those whose name does.
 */
import { useEffect, useState } from "react"
import * as http from "../relay/http.js"
import { w } from "../words/words.js"
import { age, sessionName } from "./words.js"

interface Props {
  readonly query: string
  readonly onOpen: () => void
}

/** Wait until the person stops typing, in ms. */
const pauseMs = 200

/** One letter is found everywhere; one Chinese character may be a word. */
export const isSearched = (query: string): boolean => query.trim().length > 1 || /\p{Script=Han}/u.test(query)

/** Text with the searched words highlighted. */
const Marked = ({ query, text }: { readonly query: string; readonly text: string }) => {
  const words = query.split(/\s+/).filter((word) => word !== "")
    .map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  const parts = text.split(new RegExp(`(${words.join("|")})`, "gi"))
  return <>{parts.map((part, index) => index % 2 === 1 ? <mark key={index}>{part}</mark> : part)}</>
}

export const SearchResults = ({ onOpen, query }: Props) => {
  const [found, setFound] = useState<
    { readonly query: string; readonly results: ReadonlyArray<http.Found> }
  >()
  const wanted = query.trim()
  useEffect(() => {
    if (!isSearched(wanted)) return setFound(undefined)
    let isWanted = true
    const look = async () => {
      // A relay that saves no sessions finds nothing.
      const { results } = await http.search(wanted).catch(() => ({ results: [] }))
      if (isWanted) setFound({ query: wanted, results })
    }
    const timer = setTimeout(() => void look(), pauseMs)
    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }, [wanted])
  if (!isSearched(wanted) || found === undefined) return null
  return (
    <section aria-label={w.foundInside}>
      <h2 className="sidebar-title">{w.foundInside}</h2>
      {found.results.length === 0 && <p className="muted sidebar-empty">{w.nothingSaid}</p>}
      <ul className="session-list">
        {found.results.map(({ hits, session }) => (
          <li key={session.session_id} className="found">
            <a
              className="found-row"
              href={`#/s/${encodeURIComponent(session.session_id)}?at=${hits[0]?.seq ?? ""}`}
              onClick={onOpen}
              title={session.folder}
            >
              <span className="session-name">{sessionName(session.tool, session.folder, session.title)}</span>
              <span className="session-age">{age(session.last_active_at)}</span>
              {hits.slice(0, 2).map((hit) => (
                <span key={hit.seq} className="found-text">
                  <Marked query={found.query} text={hit.text} />
                </span>
              ))}
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
