/**
 * Schedules: the session's scheduled prompts, and a form to add one.
 */
import { CalendarClock, Pause, Play, Trash2 } from "lucide-react"
import { useRef, useState } from "react"
import type { Command, Session } from "../../client/browser.js"
import type { ScheduleLine } from "../../messages/View.js"
import { problemOf } from "../relay/problem.js"
import { w } from "../words/words.js"

interface Props {
  readonly schedules: ReadonlyArray<ScheduleLine>
  readonly session: Session
  readonly disabled: boolean
}

const whenOf = ({ every, next_at, paused, time_zone }: ScheduleLine): string => {
  const next = next_at === undefined
    ? w.schedules.done
    : new Date(next_at * 1000).toLocaleString(w.locale, { dateStyle: "medium", timeStyle: "short" })
  const rule = every === undefined ? "" : ` · ${every}${time_zone === undefined ? "" : ` (${time_zone})`}`
  return `${paused ? w.schedules.paused : next}${rule}`
}

const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

export const Schedules = ({ disabled, schedules, session }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const [content, setContent] = useState("")
  const [kind, setKind] = useState<"at" | "every">("at")
  const [at, setAt] = useState("")
  const [every, setEvery] = useState("0 9 * * 1-5")
  const [problem, setProblem] = useState<string>()
  const give = (command: Command) =>
    session.send(command).then(
      () => {
        setProblem(undefined)
        return true
      },
      (error: unknown) => {
        setProblem(problemOf(error))
        return false
      }
    )
  const add = async () => {
    const time = Date.parse(at) / 1000
    const ok = await give({
      type: "schedule",
      content,
      ...(kind === "every" ? { every, time_zone: ownZone() } : Number.isFinite(time) ? { at: time } : {})
    })
    if (ok) setContent("")
  }
  return (
    <>
      <button
        type="button"
        className="icon-button"
        disabled={disabled}
        onClick={() => dialog.current?.showModal()}
        title={w.schedules.title}
      >
        <CalendarClock size={17} aria-hidden /> <span>{w.schedules.title}</span>
      </button>
      <dialog className="confirm schedules" ref={dialog} aria-labelledby="schedules-title">
        <h2 id="schedules-title">{w.schedules.title}</h2>
        {schedules.length === 0 && <p>{w.schedules.none}</p>}
        <ul>
          {schedules.map((line) => (
            <li key={line.schedule_id}>
              <span>
                <b>{line.text}</b>
                <small>
                  {whenOf(line)}
                  {line.missed > 0 && ` · ${w.schedules.missed(line.missed)}`}
                </small>
              </span>
              {line.next_at !== undefined && (
                <button
                  type="button"
                  className="icon-button"
                  aria-label={`${line.paused ? w.schedules.go : w.schedules.pause}: ${line.text}`}
                  onClick={() =>
                    void give({
                      type: "change_schedule",
                      schedule_id: line.schedule_id,
                      paused: !line.paused
                    })}
                >
                  {line.paused ? <Play size={15} aria-hidden /> : <Pause size={15} aria-hidden />}
                </button>
              )}
              <button
                type="button"
                className="icon-button"
                aria-label={`${w.remove}: ${line.text}`}
                onClick={() => void give({ type: "remove_schedule", schedule_id: line.schedule_id })}
              >
                <Trash2 size={15} aria-hidden />
              </button>
            </li>
          ))}
        </ul>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void add()
          }}
        >
          <textarea
            rows={2}
            required
            value={content}
            placeholder={w.schedules.prompt}
            aria-label={w.schedules.prompt}
            onChange={({ target }) => setContent(target.value)}
          />
          <div className="schedule-when">
            <select
              value={kind}
              aria-label={w.schedules.when}
              onChange={({ target }) => setKind(target.value === "every" ? "every" : "at")}
            >
              <option value="at">{w.schedules.once}</option>
              <option value="every">{w.schedules.again}</option>
            </select>
            {kind === "at"
              ? (
                <input
                  type="datetime-local"
                  required
                  value={at}
                  aria-label={w.schedules.once}
                  onChange={({ target }) => setAt(target.value)}
                />
              )
              : (
                <input
                  required
                  value={every}
                  aria-label={w.schedules.cron}
                  title={w.schedules.cron}
                  onChange={({ target }) => setEvery(target.value)}
                />
              )}
          </div>
          {problem !== undefined && <p role="alert" className="problem">{problem}</p>}
          <div className="ask-buttons">
            <button type="submit" className="button primary">{w.schedules.add}</button>
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              {w.close}
            </button>
          </div>
        </form>
      </dialog>
    </>
  )
}
