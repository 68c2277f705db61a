/**
 * ShareDialog: creates a link to this session for somebody else, with rights and an expiry. Existing links
 * are listed below with their creators; revoking one disconnects its users at once.
 */
import { type RefObject, useCallback, useEffect, useState } from "react"
import * as http from "../relay/http.js"
import { problemOf } from "../relay/problem.js"
import { w } from "../words/words.js"
import { CopyButton } from "./CopyButton.js"
import { inOneLine } from "./hiddenChars.js"

interface Props {
  readonly session_id: string
  readonly isTerminal: boolean
  readonly dialog: RefObject<HTMLDialogElement | null>
  /** How often the dialog was opened: the links are loaded again each time. */
  readonly opened: number
}

const hour = 3600
const ends = [hour, 24 * hour, 7 * 24 * hour, 30 * 24 * hour] as const

type Kind = "view" | "prompt" | "approve"

const scopesOf = (kind: Kind, isTerminal: boolean): ReadonlyArray<http.Scope> => {
  if (kind === "view") return ["view"]
  // In a terminal, prompting means typing.
  const acting: ReadonlyArray<http.Scope> = isTerminal ? ["view", "prompt", "terminal"] : ["view", "prompt"]
  return kind === "prompt" ? acting : [...acting, "approve"]
}

const kindOf = (scopes: ReadonlyArray<http.Scope>): Kind =>
  scopes.includes("approve") ? "approve" : scopes.includes("prompt") ? "prompt" : "view"

export const ShareDialog = ({ dialog, isTerminal, opened, session_id }: Props) => {
  const [kind, setKind] = useState<Kind>("view")
  const [seconds, setSeconds] = useState<number>(24 * hour)
  const [link, setLink] = useState<string>()
  const [problem, setProblem] = useState<string>()
  const [isBusy, setBusy] = useState(false)

  const [links, setLinks] = useState<ReadonlyArray<http.NamedToken>>([])
  const look = useCallback(
    // With a token for some sessions only, the relay does not list other sessions' links.
    () => http.shareLinks(session_id).then(setLinks, () => setLinks([])),
    [session_id]
  )
  useEffect(() => {
    if (opened > 0) void look()
  }, [look, opened])
  const revoke = async (name: string) => {
    setProblem(undefined)
    try {
      await http.revokeToken(name)
    } catch (error) {
      setProblem(problemOf(error))
    }
    await look()
  }

  const make = async () => {
    setBusy(true)
    setProblem(undefined)
    try {
      const { fragment } = await http.share(session_id, {
        scopes: scopesOf(kind, isTerminal),
        expires_in: seconds
      })
      setLink(location.origin + location.pathname + fragment)
      await look()
    } catch (error) {
      setProblem(problemOf(error))
    }
    setBusy(false)
  }
  const close = () => {
    setLink(undefined)
    setProblem(undefined)
  }

  return (
    <dialog className="confirm share" ref={dialog} aria-labelledby="share-title" onClose={close}>
      <h2 id="share-title">{w.share.title}</h2>
      {link === undefined
        ? (
          <>
            <fieldset className="share-kinds">
              <legend>{w.share.may}</legend>
              {(["view", "prompt", "approve"] as const).map((value) => (
                <label key={value}>
                  <input
                    type="radio"
                    name="share-kind"
                    checked={kind === value}
                    onChange={() => setKind(value)}
                  />{" "}
                  {w.share.kinds[value]}
                </label>
              ))}
            </fieldset>
            <label className="field">
              <span>{w.share.until}</span>
              <select value={seconds} onChange={({ target }) => setSeconds(Number(target.value))}>
                {ends.map((value, index) => <option key={value} value={value}>{w.share.ends[index]}</option>)}
              </select>
            </label>
            {kind !== "view" && <p className="notice" data-level="warning">{w.share.warning}</p>}
            {problem !== undefined && <p className="notice" data-level="error" role="alert">{problem}</p>}
            <form method="dialog" className="ask-buttons">
              <button type="button" className="button primary" disabled={isBusy} onClick={() => void make()}>
                {w.share.make}
              </button>
              <button type="submit" className="button">{w.cancel}</button>
            </form>
          </>
        )
        : (
          <>
            <p>{w.share.once}</p>
            <div className="share-link">
              <input
                readOnly
                value={link}
                aria-label={w.share.link}
                onFocus={({ currentTarget }) => currentTarget.select()}
              />
              <CopyButton text={link} />
            </div>
            {/* The QR code belongs here. */}
            <form method="dialog" className="ask-buttons">
              <button type="submit" className="button primary">{w.share.done}</button>
            </form>
          </>
        )}
      {links.length > 0 && (
        <section className="share-links" aria-label={w.share.links}>
          <h3>{w.share.links}</h3>
          <ul>
            {links.map(({ expires_at, made_by, name, scopes }) => (
              <li key={name}>
                <span>
                  {w.share.kinds[kindOf(scopes)]}
                  <small>
                    {w.share.madeBy(made_by === undefined ? w.share.thisMachine : inOneLine(made_by))}
                    {expires_at !== undefined && ` · ${
                      w.share.worksUntil(
                        new Date(expires_at * 1000).toLocaleString(w.locale, {
                          dateStyle: "medium",
                          timeStyle: "short"
                        })
                      )
                    }`}
                  </small>
                </span>
                <button type="button" className="button small" onClick={() => void revoke(name)}>
                  {w.share.revoke}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </dialog>
  )
}
