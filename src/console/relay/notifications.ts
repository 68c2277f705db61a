/**
 * notifications: whether this browser notifies its person: by Web Push, which needs no open page, or, without
 * a push service, by the page itself while it is open.
 */
import { keepToken } from "./address.js"
import * as http from "./http.js"
import { notify, setNotify } from "./kept.js"
import { canHaveWorker } from "./shell.js"

/** `page`: only while the console is open. `insecure`: the page was loaded neither over https nor from localhost. */
export type Notifying = "off" | "push" | "page" | "denied" | "insecure" | "unsupported"

const registration = async (): Promise<ServiceWorkerRegistration | undefined> =>
  canHaveWorker() ? await navigator.serviceWorker.getRegistration() : undefined

export const stateOf = async (): Promise<Notifying> => {
  if (!("Notification" in globalThis) || !canHaveWorker()) return isSecureContext ? "unsupported" : "insecure"
  if (Notification.permission === "denied") return "denied"
  if (!notify() || Notification.permission !== "granted") return "off"
  const found = await registration()
  return await found?.pushManager?.getSubscription() === null ? "page" : "push"
}

const bytesOf = (base64url: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0))

const isFor = (subscription: PushSubscription, key: Uint8Array): boolean => {
  const own = subscription.options.applicationServerKey
  return own !== null && new Uint8Array(own).join() === key.join()
}

/** Subscribe, or renew the subscription; undefined: this browser has no working push service. */
const subscribe = async (): Promise<PushSubscription | undefined> => {
  const { pushManager } = await navigator.serviceWorker.ready
  if (pushManager === undefined) return undefined
  const key = bytesOf((await http.push()).key)
  const there = await pushManager.getSubscription()
  // It belongs to another relay that used this address, or to this one with other keys.
  if (there !== null && !isFor(there, key)) await there.unsubscribe()
  try {
    return await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
  } catch {
    return undefined
  }
}

const tell = async (subscription: PushSubscription) => {
  const { endpoint, keys } = subscription.toJSON()
  await http.subscribe({ endpoint, keys })
}

/** Call it from a click, because the browser asks for permission. Fails with the relay's message. */
export const turnOn = async (): Promise<Notifying> => {
  if (await Notification.requestPermission() !== "granted") return await stateOf()
  setNotify(true)
  // Notifications open it in a window of its own.
  keepToken(true)
  const subscription = await subscribe()
  if (subscription !== undefined) await tell(subscription)
  return await stateOf()
}

export const turnOff = async (): Promise<Notifying> => {
  setNotify(false)
  const there = await (await registration())?.pushManager?.getSubscription() ?? undefined
  if (there !== undefined) {
    await there.unsubscribe()
    const id = await idOf(there.endpoint)
    await http.unsubscribe(id).catch(() => {})
  }
  return await stateOf()
}

/** Derived as the relay does. */
const idOf = async (endpoint: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint))
  return btoa(String.fromCharCode(...new Uint8Array(digest))).replaceAll("+", "-").replaceAll("/", "_").slice(
    0,
    16
  )
}

/** Extends the subscription; if the browser has lost it, makes a new one. */
export const renew = async (): Promise<void> => {
  if (await stateOf() !== "push" && !(notify() && Notification.permission === "granted")) return
  const subscription = await subscribe()
  if (subscription !== undefined) await tell(subscription)
}
