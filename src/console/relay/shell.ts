/**
 * shell: the page as an app: its service worker, and making sure that the page is never older than its relay.
 * Browsers allow the worker only on https and localhost; elsewhere the page works without it.
 */
import { chosenLanguage } from "../words/speak.js"
import { goTo } from "./address.js"
import { isReloaded, rememberReload } from "./kept.js"

/** Whether a worker is available here. */
export const canHaveWorker = (): boolean => isSecureContext && "serviceWorker" in navigator

/** Its language is part of its URL. */
export const startWorker = () => {
  if (!canHaveWorker() || import.meta.env.DEV) return
  // Without it the page works as before.
  navigator.serviceWorker.register(`/sw.js?lang=${chosenLanguage()}`).catch(() => {})
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    // Sent only by our own worker when a notification was tapped.
    if (typeof data !== "object" || data === null || !("session_id" in data)) return
    if (typeof data.session_id !== "string") return
    goTo(data.session_id)
    // Nothing may cover the question.
    for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog[open]")) dialog.close()
    dispatchEvent(new Event(called))
  })
}

const called = "ai-relay-called"
/** Calls when a notification was tapped: its session is shown, with the question in sight. */
export const onCalled = (call: () => void) => {
  addEventListener(called, call)
  return () => removeEventListener(called, call)
}

const hasText = (element: Element | null): boolean =>
  (element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement) && element.value !== ""

/** An answer half given, a link that is shown once, or images: a reload would lose it. */
const holdsMore = (): boolean =>
  document.querySelector("dialog[open], .session-rename, .ask :checked") !== null
  || [...document.querySelectorAll(".ask input, .ask textarea, .dock textarea")].some((field) =>
    hasText(field) && field.closest(".composer") === null
  )
  // Some part of the page would ask before it is left.
  || !dispatchEvent(new Event("beforeunload", { cancelable: true }))

/** Whether nobody is writing, and nothing is lost. */
const isUndisturbing = (): boolean => !holdsMore() && (document.hidden || !hasText(document.activeElement))

/** Whether the relay has another page than this one: it was replaced by another version while this page was open. */
const isOlder = async (): Promise<boolean> => {
  const { pathname } = new URL(import.meta.url)
  const answer = await fetch("/index.html", { cache: "no-store" })
  // The page names only its main script, not the chunk that may contain this code.
  const own = document.querySelector<HTMLScriptElement>("script[type=module][src]")?.getAttribute("src") ??
    pathname
  return answer.ok && !(await answer.text()).includes(own)
}

/**
 * Call it at each connection, including the first: the relay may have been replaced since the page was
 * loaded, or the worker may have cached an old page. Unsent text is kept.
 */
export const reloadIfOlder = async (): Promise<void> => {
  // If something between relay and browser caches an old page, another reload does not help.
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
  // Somebody is writing: reload once they have sent it or look away.
  for (const event of ["blur", "focusout", "visibilitychange"]) addEventListener(event, reload)
}
