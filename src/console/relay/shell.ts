/**
 * shell: the page as an app: its service worker, and that it is never older than the relay it talks to. Browsers allow the worker
 * on https and on localhost alone; elsewhere the page does without it.
 */
import { chosenLanguage } from "../words/speak.js"
import { goTo } from "./address.js"

/** A worker can be had here. */
export const canHaveWorker = (): boolean => isSecureContext && "serviceWorker" in navigator

/** It knows its language by its address. */
export const startWorker = () => {
  if (!canHaveWorker() || import.meta.env.DEV) return
  // Without it the page works as before.
  navigator.serviceWorker.register(`/sw.js?lang=${chosenLanguage()}`).catch(() => {})
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    // From our own worker alone, when a notification was tapped.
    if (typeof data !== "object" || data === null || !("session_id" in data)) return
    if (typeof data.session_id === "string") goTo(data.session_id)
  })
}

/** Nothing is written, and no window asks for something. */
const isUndisturbing = (): boolean => {
  const { activeElement } = document
  const isWriting =
    (activeElement instanceof HTMLTextAreaElement || activeElement instanceof HTMLInputElement)
    && activeElement.value !== ""
  return document.hidden || (!isWriting && document.querySelector("dialog[open]") === null)
}

/** The relay has another page than this: it was replaced by another version while this one was open. */
const isOlder = async (): Promise<boolean> => {
  const { pathname } = new URL(import.meta.url)
  const answer = await fetch("/index.html", { cache: "no-store" })
  // Of a file that is a part of the page's own script, the page tells nothing.
  const own = document.querySelector<HTMLScriptElement>("script[type=module][src]")?.getAttribute("src") ??
    pathname
  return answer.ok && !(await answer.text()).includes(own)
}

let connections = 0

/** To be called at each connection: at every one but the first the relay may be another. What was written is kept. */
export const reloadIfOlder = async (): Promise<void> => {
  connections += 1
  if (connections === 1 || import.meta.env.DEV) return
  try {
    if (!(await isOlder())) return
  } catch {
    return
  }
  const reload = () => isUndisturbing() && location.reload()
  reload()
  // Somebody writes: as soon as they have sent it, or look elsewhere.
  for (const event of ["blur", "focusout", "visibilitychange"]) addEventListener(event, reload)
}
