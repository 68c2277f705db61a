/**
 * LimitBanner: the agent is out of quota until a certain time. Shows a countdown, and whether the prompt is
 * sent again automatically.
 */
import { Hourglass } from "lucide-react"
import type { Session } from "../../client/browser.js"
import { countdown } from "../../messages/limit.js"
import type { View } from "../../messages/View.js"
import { w } from "../words/words.js"
import { useNow } from "./useNow.js"

interface Props {
  readonly view: Pick<View, "limit" | "resumes">
  /** Undefined: read-only. */
  readonly session: Session | undefined
}

const day = 24 * 3600

export const LimitBanner = ({ session, view: { limit, resumes } }: Props) => {
  const now = useNow(limit !== undefined)
  if (limit === undefined || session === undefined) return null
  const { resets_at, resume_at } = limit
  if (resume_at === undefined && resets_at <= now) return null
  const far = resets_at - now > day
  const when = new Date(resets_at * 1000).toLocaleString(w.locale, {
    ...(far && { weekday: "short", day: "numeric", month: "short" }),
    hour: "numeric",
    minute: "2-digit"
  })
  const onSwitch = (on: boolean) =>
    void session.send({ type: "set_on_limit", on_limit: on ? "resume" : "stop" }).catch(() => {})
  return (
    <div className="banner limit" data-level="warning">
      <Hourglass size={16} aria-hidden />
      <span>
        {w.limit.usedUp(when)} {resume_at === undefined
          ? w.limit.nothing
          : (
            <>
              {w.limit.resumesIn} <time role="timer" aria-live="off">{countdown(resume_at - now)}</time>
            </>
          )}
      </span>
      <label>
        <input
          type="checkbox"
          role="switch"
          checked={resumes}
          onChange={({ target }) => onSwitch(target.checked)}
        />{" "}
        {w.limit.resume}
      </label>
    </div>
  )
}
