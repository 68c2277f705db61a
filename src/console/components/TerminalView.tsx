/**
 * TerminalView: a terminal for programs that have one. Earlier output is printed again when the page opens.
 */
import { FitAddon } from "@xterm/addon-fit"
import { Terminal } from "@xterm/xterm"
import "@xterm/xterm/css/xterm.css"
import { useEffect, useRef } from "react"
import type { RelayEvent } from "../../client/browser.js"
import type { PastStore } from "../relay/PastStore.js"
import type { SessionStore } from "../relay/SessionStore.js"
import { w } from "../words/words.js"
import { useMay } from "./rights.js"
import { terminalFeed } from "./terminalFeed.js"
import { onTheme, themeAt } from "./theme.js"

const colours = () =>
  themeAt(document.documentElement) === "dark"
    ? {
      background: "#151517",
      foreground: "#e8e6e3",
      cursor: "#a5a4f3",
      selectionBackground: "#3f3f6b",
      red: "#f2938c",
      brightRed: "#f7aaa4",
      blue: "#93b8f5",
      magenta: "#d7a1e6"
    }
    : {
      background: "#fbfaf8",
      foreground: "#26241f",
      cursor: "#5b5bd6",
      selectionBackground: "#cfcff5",
      yellow: "#8a6100",
      brightYellow: "#8a6100",
      green: "#1a7f4b",
      brightGreen: "#1a7f4b",
      white: "#57534a",
      brightWhite: "#26241f"
    }

const font = "\"JetBrains Mono Variable\""
const fallback = "monospace"

/** Keys missing from a phone's keyboard. */
const keys: ReadonlyArray<readonly [name: string, data: string]> = [
  ["Esc", "\x1b"],
  ["Tab", "\t"],
  ["Ctrl-C", "\x03"],
  ["Ctrl-D", "\x04"],
  ["←", "\x1b[D"],
  ["↓", "\x1b[B"],
  ["↑", "\x1b[A"],
  ["→", "\x1b[C"]
]

export const TerminalView = ({ store }: { readonly store: SessionStore | PastStore }) => {
  /** Undefined: a past session; nothing can be typed. */
  const session = "session" in store ? store.session : undefined
  const place = useRef<HTMLDivElement>(null)
  const mayType = useMay()("terminal")
  useEffect(() => {
    if (place.current === null) return
    const terminal = new Terminal({
      fontFamily: `${font}, ${fallback}`,
      fontSize: 13,
      lineHeight: 1.25,
      cursorBlink: true,
      scrollback: 10_000,
      screenReaderMode: true,
      // Programs choose colours without knowing the background.
      minimumContrastRatio: 4.5,
      theme: colours()
    })
    const fit = new FitAddon()
    terminal.loadAddon(fit)
    terminal.open(place.current)

    const feed = terminalFeed((text, done) => terminal.write(text, done))
    const write = (event: RelayEvent) => {
      const text = event.type === "stdout" || event.type === "stderr"
        ? event.text
        : event.type === "session_end"
        ? `\r\n\x1b[2m${w.terminalEnded}\x1b[0m\r\n`
        : undefined
      if (text !== undefined) feed.write(text, event.seq <= store.pastSeq())
      if (event.seq >= store.pastSeq()) feed.isWhole()
    }
    for (const event of store.events) write(event)
    const stopWriting = "onEvent" in store && store.onEvent(write)
    const typed = terminal.onData((data) => {
      // Earlier output contains terminal queries that were answered back then; of several tabs, the focused
      // one answers a program's new queries.
      if (mayType && !feed.isOld() && document.hasFocus()) void session?.send({ type: "stdin", data })
    })
    const resized = terminal.onResize(({ cols, rows }) => {
      if (mayType) void session?.send({ type: "resize", cols, rows })
    })

    let here = true
    const measure = () => here && fit.fit()
    // A size measured with another font is off by some rows.
    void document.fonts.load(`13px ${font}`).then(() => {
      if (!here) return
      terminal.options.fontFamily = fallback
      terminal.options.fontFamily = `${font}, ${fallback}`
      measure()
    }, () => {})
    measure()
    terminal.focus()

    const observer = new ResizeObserver(measure)
    observer.observe(place.current)
    const stopRecolouring = onTheme(() => {
      terminal.options.theme = colours()
    })
    return () => {
      here = false
      typed.dispose()
      resized.dispose()
      stopRecolouring()
      observer.disconnect()
      if (stopWriting !== false) stopWriting()
      terminal.dispose()
    }
  }, [mayType, session, store])
  return (
    <>
      <div className="terminal" ref={place} />
      {session !== undefined && mayType && (
        <div className="terminal-keys only-touch" role="group" aria-label={w.keys}>
          {keys.map(([name, data]) => (
            <button
              key={name}
              type="button"
              className="button small"
              // The terminal keeps the keyboard focus.
              onPointerDown={(event) => event.preventDefault()}
              onClick={() =>
                void session?.send({ type: "stdin", data })}
            >
              {name}
            </button>
          ))}
        </div>
      )}
    </>
  )
}
