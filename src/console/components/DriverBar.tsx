/**
 * DriverBar: who drives a session that one client at a time may drive, the way to take over, and requests to
 * the driver. Suggested prompts are shown in full, with hidden characters by name, because what is shown is
 * what will be sent.
 */
import { Eye, ShipWheel } from "lucide-react"
import type { Session } from "../../client/browser.js"
import { whoDrives } from "../../messages/driving.js"
import { countdown } from "../../messages/limit.js"
import type { Person, View } from "../../messages/View.js"
import { w } from "../words/words.js"
import { Exact } from "./Exact.js"
import { inOneLine } from "./hiddenChars.js"
import { useNow } from "./useNow.js"

interface Props {
  readonly view: Pick<View, "driving">
  readonly session: Session
  readonly mayDrive: boolean
}

const nameOf = ({ front, name }: Person): string =>
  inOneLine([name === "" ? w.driving.somebody : name, ...front === undefined ? [] : [`(${front})`]].join(" "))

export const DriverBar = ({ mayDrive, session, view }: Props) => {
  const { driving } = view
  const now = useNow((driving?.requests.length ?? 0) > 0)
  if (driving === undefined) return null
  const { driver, own, requests, suggestions } = driving
  const who = whoDrives(view)
  const isMine = who === "me"
  const asked = requests.find(({ by }) => own !== undefined && by.connection === own)
  const left = (expires_at: number) => <time role="timer" aria-live="off">{countdown(expires_at - now)}</time>
  return (
    <section className="driving" aria-label={w.driving.title}>
      <div className="banner" role="status">
        {isMine ? <ShipWheel size={16} aria-hidden /> : <Eye size={16} aria-hidden />}
        <span>
          {isMine
            ? w.driving.you
            : who === "nobody"
            ? w.driving.nobody
            : w.driving.other(nameOf(driver ?? { name: "" }))}{" "}
          {asked !== undefined && <>{w.driving.asked} {left(asked.expires_at)}</>}
        </span>
        {!isMine && asked === undefined && mayDrive && (
          <button
            type="button"
            className="button small"
            onClick={() => void session.drive()}
          >
            {who === "nobody" ? w.driving.drive : w.driving.takeOver}
          </button>
        )}
      </div>
      {isMine &&
        requests.map(({ by, expires_at, request_id }) => (
          <div
            key={request_id}
            className="banner"
            role="alertdialog"
            aria-label={w.driving.title}
            data-level="warning"
          >
            <span>{w.driving.asks(nameOf(by))} {left(expires_at)}</span>
            <button
              type="button"
              className="button small primary"
              onClick={() => void session.answerDrive(request_id, true)}
            >
              {w.driving.allow}
            </button>
            <button
              type="button"
              className="button small"
              onClick={() => void session.answerDrive(request_id, false)}
            >
              {w.driving.refuse}
            </button>
          </div>
        ))}
      {suggestions.map(({ by, suggestion_id, text }) => (
        <div key={suggestion_id} className="banner suggestion">
          <span>
            {w.driving.suggests(nameOf(by))}
            <Exact text={text} />
          </span>
          {isMine && (
            <>
              <button
                type="button"
                className="button small primary"
                onClick={() => void session.answerSuggestion(suggestion_id, true)}
              >
                {w.send}
              </button>
              <button
                type="button"
                className="button small"
                onClick={() =>
                  void session.answerSuggestion(suggestion_id, false)}
              >
                {w.driving.drop}
              </button>
            </>
          )}
        </div>
      ))}
    </section>
  )
}
