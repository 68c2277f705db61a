/**
 * shell: the page as an app: its service worker, and that it is never older than the relay it talks to. Browsers allow the worker
 * on https and on localhost alone; elsewhere the page does without it.
 */
import { chosenLanguage } from "../words/speak.js"
import { goTo } from "./address.js"
import { isReloaded, rememberReload } from "./kept.js"

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

/**
 * To be called at each connection: the relay may be another than the one the page came from, at the first one too, where the worker
 * had kept the page or the relay was replaced in between. What was written is kept.
 */
export const reloadIfOlder = async (): Promise<void> => {
  // Where something between the relay and the browser keeps an old page, another reload brings the same.
  if (import.meta.env.DEV || isReloaded()) return
  try {
    if (!(await isOlder())) return
  } catch {
    return
  }
  const reload = () => {
    if (!isUndisturbing()) return
    rememberReload()
    location.reload()
  }
  reload()
  // Somebody writes: as soon as they have sent it, or look elsewhere.
  for (const event of ["blur", "focusout", "visibilitychange"]) addEventListener(event, reload)
}
