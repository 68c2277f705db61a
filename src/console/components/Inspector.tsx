/**
 * Inspector: every event as received, searchable and downloadable as a transcript.
 */
import { Download, X } from "lucide-react"
import { useEffect, useMemo, useRef, useState } from "react"
import { VList } from "virtua"
import type { RelayEvent } from "../../client/browser.js"
import { w } from "../words/words.js"
import { LongText } from "./LongText.js"
import { jsonLine, toJson } from "./plain.js"

interface Props {
  readonly events: ReadonlyArray<RelayEvent>
  readonly session_id: string
  readonly count: number
  readonly raw: boolean
  readonly onRaw: ((raw: boolean) => void) | undefined
  readonly onClose: () => void
}

const timeOf = ({ ts }: RelayEvent) => new Date(ts * 1000).toISOString().slice(11, 23)

/** An event's text first, then its other fields. */
const shortOf = (
  { raw: _raw, seq: _seq, session_id: _id, ts: _ts, turn: _turn, type: _type, ...rest }: RelayEvent
) => {
  const { delta, status, text, tool, ...more }: Readonly<Record<string, unknown>> = rest
  const words = [delta, status, tool, typeof text === "string" ? JSON.stringify(text.slice(0, 160)) : text]
  const fields = Object.keys(more).length === 0
    ? ""
    : toJson(more, 400).replaceAll(/\n\s*/g, "").replaceAll("\": ", "\":")
  return [...words.filter((word) => word !== undefined), fields].join(" ").slice(0, 160)
}

/** One event per line, as recorded by the relay: it can be replayed. */
const download = (events: ReadonlyArray<RelayEvent>, name: string) => {
  const lines = events.filter(({ seq, session_id }) => seq > 0 && session_id !== undefined)
  const url = URL.createObjectURL(
    new Blob([lines.map(jsonLine).join("\n") + "\n"], {
      type: "application/x-ndjson"
    })
  )
  const link = document.createElement("a")
  link.href = url
  link.download = `${name}.ndjson`
  link.click()
  URL.revokeObjectURL(url)
}

const Row = ({ event }: { readonly event: RelayEvent }) => {
  const [open, setOpen] = useState(false)
  return (
    <div className="event">
      <button type="button" className="event-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="event-seq">{event.seq}</span>
        <span className="event-time">{timeOf(event)}</span>
        <span className="event-type">{event.type}</span>
        <span className="event-short">{shortOf(event)}</span>
      </button>
      {open && <pre tabIndex={0}><LongText text={toJson(event)} /></pre>}
    </div>
  )
}

export const Inspector = ({ count, events, onClose, onRaw, raw, session_id }: Props) => {
  const [filter, setFilter] = useState("")
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])

  const shown = useMemo(() => {
    const wanted = filter.trim().toLowerCase()
    const all = events.slice(0, count)
    return wanted === ""
      ? all
      : all.filter((event) => jsonLine(event).toLowerCase().includes(wanted))
  }, [count, events, filter])

  return (
    <dialog className="inspector" ref={dialog} onClose={onClose} aria-labelledby="inspector-title">
      <header>
        <h2 id="inspector-title">{w.events}</h2>
        <span className="muted">{shown.length === count ? count : w.countOf(shown.length, count)}</span>
        <span className="spacer" />
        <button
          type="button"
          className="button small"
          onClick={() => download(events, session_id)}
        >
          <Download size={14} aria-hidden /> {w.transcript}
        </button>
        <button
          type="button"
          className="icon-button"
          onClick={() => dialog.current?.close()}
          aria-label={w.close}
        >
          <X size={18} aria-hidden />
        </button>
      </header>
      <div className="inspector-tools">
        <input
          type="search"
          value={filter}
          onChange={({ target }) => setFilter(target.value)}
          placeholder={w.filterEvents}
          aria-label={w.filter}
          spellCheck={false}
        />
        {onRaw !== undefined && (
          <label className="check">
            <input type="checkbox" checked={raw} onChange={({ target }) => onRaw(target.checked)} />
            {w.nativeMessages}
          </label>
        )}
      </div>
      <div className="inspector-list" tabIndex={0} role="region" aria-label={w.eventList}>
        <VList data={shown} itemSize={30}>
          {(event, index) => <Row key={`${event.seq}-${index}`} event={event} />}
        </VList>
      </div>
    </dialog>
  )
}
