/** TerminalView: a terminal for programs that have one. What it printed before is printed again when the page opens. */
import { FitAddon } from "@xterm/addon-fit"
import { Terminal } from "@xterm/xterm"
import "@xterm/xterm/css/xterm.css"
import { useEffect, useRef } from "react"
import type { RelayEvent } from "../../client/browser.js"
import type { SessionStore } from "../relay/SessionStore.js"

const isDark = () => {
  const { theme } = document.documentElement.dataset
  return theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark"
}

const colours = () =>
  isDark()
    ? { background: "#151517", foreground: "#e8e6e3", cursor: "#a5a4f3", selectionBackground: "#3f3f6b" }
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

export const TerminalView = ({ store }: { readonly store: SessionStore }) => {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (place.current === null) return
    const terminal = new Terminal({
      fontFamily: "\"JetBrains Mono Variable\", monospace",
      fontSize: 13,
      lineHeight: 1.25,
      cursorBlink: true,
      scrollback: 10_000,
      screenReaderMode: true,
      theme: colours()
    })
    const fit = new FitAddon()
    terminal.loadAddon(fit)
    terminal.open(place.current)

    const write = (event: RelayEvent) => {
      if (event.type === "stdout" || event.type === "stderr") terminal.write(event.text)
      if (event.type === "session_end") terminal.write("\r\n\x1b[2m[the program has ended]\x1b[0m\r\n")
    }
    for (const event of store.events) write(event)
    const stopWriting = store.onEvent(write)
    terminal.onData((data) => void store.session.send({ type: "stdin", data }))
    terminal.onResize(({ cols, rows }) => void store.session.send({ type: "resize", cols, rows }))
    fit.fit()
    terminal.focus()

    const observer = new ResizeObserver(() => fit.fit())
    observer.observe(place.current)
    const recolour = () => {
      terminal.options.theme = colours()
    }
    const themes = new MutationObserver(recolour)
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] })
    const scheme = matchMedia("(prefers-color-scheme: dark)")
    scheme.addEventListener("change", recolour)
    return () => {
      scheme.removeEventListener("change", recolour)
      themes.disconnect()
      observer.disconnect()
      stopWriting()
      terminal.dispose()
    }
  }, [store])
  return <div className="terminal" ref={place} />
}
