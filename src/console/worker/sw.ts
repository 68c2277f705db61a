/**
 * sw: the console's service worker. It shows what the relay sends by Web Push, takes the answer that is given there, and keeps the
 * console's own files, and nothing else, so that the page opens when the relay is out of reach.
 *
 * The page itself is asked of the relay first, always: what is kept is shown only when the relay does not answer, so no page
 * is older than its relay. The files it is made of have their hash in their name and never change. Data is never kept: what
 * is not one of these files passes as if this were not here. Each build is another worker (`__BUILD__`) with a store of its own.
 */
import { agentCalled } from "../../messages/agents.js"
import { pushWords } from "../words/pushWords.js"
import { type Message, noticeOf, tagOf } from "./notice.js"

declare const __BUILD__: string
/** Paths of the files the page begins with. */
declare const __SHELL__: ReadonlyArray<string>

// TypeScript knows a page's world or a worker's, not both; this much of a worker's is used here.
interface Waiting extends Event {
  readonly waitUntil: (promise: Promise<unknown>) => void
}
interface PushEvent extends Waiting {
  readonly data: { readonly json: () => unknown } | null
}
interface ClickEvent extends Waiting {
  readonly notification: Notification
  readonly action: string
}
interface FetchEvent extends Event {
  readonly request: Request
  readonly respondWith: (response: Promise<Response>) => void
}
interface Page {
  readonly visibilityState: string
  readonly focused: boolean
  readonly url: string
  readonly focus: () => Promise<unknown>
  readonly postMessage: (message: unknown) => void
}
interface Worker {
  readonly registration: ServiceWorkerRegistration
  readonly location: Location
  readonly navigator: Navigator
  readonly skipWaiting: () => Promise<void>
  readonly clients: {
    readonly claim: () => Promise<void>
    readonly matchAll: (options: object) => Promise<ReadonlyArray<Page>>
    readonly openWindow: (url: string) => Promise<unknown>
  }
  readonly addEventListener: <E>(type: string, listener: (event: E) => void) => void
}
const nameOf = (tool: string): string => agentCalled(tool)?.label ?? tool

const worker = self as unknown as Worker

const store = `ai-relay-shell-${__BUILD__}`
const page = "/index.html"

const language = new URLSearchParams(worker.location.search).get("lang") ?? ""
const words = Object.hasOwn(pushWords, language)
  ? pushWords[language as keyof typeof pushWords]
  : pushWords.en

// --- the shell ---------------------------------------------------------------------------------------------------------

const keepShell = async () => {
  const cache = await caches.open(store)
  await cache.addAll(__SHELL__.map((path) => new Request(path, { cache: "reload" })))
  await worker.skipWaiting()
}

const dropOthers = async () => {
  const names = await caches.keys()
  await Promise.all(
    names.filter((name) => name.startsWith("ai-relay-shell-") && name !== store).map((name) =>
      caches.delete(name)
    )
  )
  await worker.clients.claim()
}

/** The relay's page; what is kept of it, only if the relay cannot be reached. */
const openPage = async (request: Request): Promise<Response> => {
  try {
    return await fetch(request)
  } catch (error) {
    const kept = await (await caches.open(store)).match(page)
    if (kept === undefined) throw error
    return kept
  }
}

const file = async (request: Request): Promise<Response> => {
  const cache = await caches.open(store)
  const { pathname } = new URL(request.url)
  const kept = await cache.match(pathname)
  if (kept !== undefined) return kept
  const answer = await fetch(request)
  if (answer.status === 200) await cache.put(pathname, answer.clone())
  return answer
}

worker.addEventListener<Waiting>("install", (event) => event.waitUntil(keepShell()))
worker.addEventListener<Waiting>("activate", (event) => event.waitUntil(dropOthers()))
worker.addEventListener<FetchEvent>("fetch", (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== "GET" || origin !== worker.location.origin) return
  if (request.mode === "navigate" && (pathname === "/" || pathname === page)) {
    event.respondWith(openPage(request))
  } else if (pathname.startsWith("/assets/")) event.respondWith(file(request))
})

// --- notifications -----------------------------------------------------------------------------------------------------

const pages = () => worker.clients.matchAll({ type: "window", includeUncontrolled: true })

const setBadge = async (count: number) => {
  try {
    await (count > 0 ? worker.navigator.setAppBadge(count) : worker.navigator.clearAppBadge())
  } catch {
    // There is none here.
  }
}

/** Safari takes the right to notify away from those who do not show what they are sent. */
const mustShow = /AppleWebKit/.test(worker.navigator.userAgent)
  && !/Chrom(e|ium)/.test(worker.navigator.userAgent)

const show = async (message: Message) => {
  await setBadge(message.waiting)
  const isLookedAt = (await pages()).some(({ focused, visibilityState }) =>
    focused && visibilityState === "visible"
  )
  if (isLookedAt && !mustShow) return
  const { title, ...notice } = noticeOf(message, nameOf(message.tool), words)
  await worker.registration.showNotification(title, {
    ...notice,
    actions: [...notice.actions],
    data: message,
    icon: "/icon-192.png",
    badge: "/badge.png",
    lang: language,
    requireInteraction: message.kind === "question",
    renotify: true
  } as NotificationOptions)
}

/** The tab to show a session in: one that shows it already, otherwise the one that was looked at last. */
const tabFor = async (address: string) => {
  const rank = ({ focused, url, visibilityState }: Page) => {
    const { hash } = new URL(url)
    return hash === address || hash.startsWith(`${address}?`)
      ? 3
      : focused
      ? 2
      : visibilityState === "visible"
      ? 1
      : 0
  }
  const tabs = (await pages()).filter(({ url }) => ["/", page].includes(new URL(url).pathname))
  return tabs.toSorted((left, right) => rank(right) - rank(left))[0]
}

const open = async (session_id: string) => {
  const address = `#/s/${encodeURIComponent(session_id)}`
  const found = await tabFor(address)
  if (found === undefined) return worker.clients.openWindow(`/${address}`)
  found.postMessage({ type: "open", session_id })
  await found.focus()
}

/** How many sessions the notifications on show are waiting for. */
const countAsking = async () => {
  const shown = (await worker.registration.getNotifications()).map(({ data }): unknown => data)
  const asking = shown.filter(isMessage).filter(({ kind }) => kind === "question")
  return new Set(asking.map(({ session_id }) => session_id)).size
}

/** Only a button answers: a tap on the notification opens the session. */
const answer = async (message: Message, behavior: string) => {
  const again = (body: string, kind: Message["kind"]) =>
    worker.registration.showNotification(words.waits(nameOf(message.tool)), {
      body,
      tag: tagOf(message),
      data: { ...message, kind, ticket: undefined },
      icon: "/icon-192.png"
    })
  try {
    const { status } = await fetch("/push/answer", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ticket: message.ticket, behavior })
    })
    if (status === 410) await again(words.over, "done")
    else if (status === 204) await setBadge(await countAsking())
    else await again(words.failed, "question")
  } catch {
    await again(words.failed, "question")
  }
}

const isMessage = (value: unknown): value is Message =>
  typeof value === "object" && value !== null && "session_id" in value && "kind" in value

worker.addEventListener<PushEvent>("push", (event) => {
  const message = event.data?.json()
  // It was encrypted by the relay this worker came from.
  if (isMessage(message)) event.waitUntil(show(message))
})
worker.addEventListener<ClickEvent>("notificationclick", (event) => {
  const { action, notification } = event
  const message: unknown = notification.data
  notification.close()
  if (!isMessage(message)) return
  event.waitUntil(
    message.ticket !== undefined && (action === "allow" || action === "deny")
      ? answer(message, action)
      : open(message.session_id)
  )
})
