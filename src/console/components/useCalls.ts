/**
 * useCalls: alerts the person: the number of waiting sessions is on the app's icon and in the title. A new
 * question plays a sound, if enabled, and shows a notification of the page's own where there is no push,
 * unless somebody is looking at the page. Of several tabs, one calls.
 */
import { useEffect, useRef } from "react"
import type { SessionLine } from "../model/sessions.js"
import { notify, sound } from "../relay/kept.js"
import { renew, stateOf } from "../relay/notifications.js"
import { canHaveWorker } from "../relay/shell.js"
import { w } from "../words/words.js"
import { noticeOf, tagOf } from "../worker/notice.js"
import { playSound } from "./playSound.js"
import { needsYou } from "./sessionGroups.js"
import { agentName } from "./words.js"

const asksOf = (sessions: ReadonlyArray<SessionLine>): ReadonlyMap<string, SessionLine> =>
  new Map(
    sessions.filter(needsYou).flatMap((line) =>
      line.pending.map((request_id) => [tagOf({ session_id: line.session_id, request_id }), line] as const)
    )
  )

const setBadge = async (count: number) => {
  try {
    await (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge())
  } catch {
    // There is none here.
  }
}

const callFromPage = async ({ session_id, tool }: SessionLine, request_id: string, waiting: number) => {
  if (await stateOf() !== "page") return
  const message = { kind: "question", session_id, tool, request_id, waiting } as const
  const { title, tag } = noticeOf(message, agentName(tool), w.push)
  await (await navigator.serviceWorker.ready).showNotification(title, {
    tag,
    data: message,
    icon: "/icon-192.png"
  })
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
/** The tab that is looked at comes first; how long the others leave it to the one that calls, in ms. */
const courtesyMs = 150
const heldMs = 5000

/** In one tab of this browser only, and in the one that is looked at, if any. */
const inOneTab = async (tag: string, isLookedAt: boolean, call: () => void) => {
  // Browsers have no locks where the page was loaded without encryption.
  if (!isSecureContext) return call()
  if (!isLookedAt) await pause(courtesyMs)
  await navigator.locks.request(`ai-relay.call ${tag}`, { ifAvailable: true }, async (lock) => {
    if (lock === null) return
    call()
    await pause(heldMs)
  })
}

/** Withdraws notifications of questions that are no longer open. */
const withdraw = async (open: ReadonlyMap<string, SessionLine>) => {
  if (!canHaveWorker()) return
  const found = await (await navigator.serviceWorker.getRegistration())?.getNotifications() ?? []
  for (const notification of found) {
    const { kind } = (notification.data ?? {}) as { readonly kind?: string }
    if (kind === "question" && !open.has(notification.tag)) notification.close()
  }
}

export const useCalls = (sessions: ReadonlyArray<SessionLine> | undefined, current: string | undefined) => {
  const known = useRef<ReadonlyMap<string, SessionLine>>(undefined)
  useEffect(() => void renew().catch(() => {}), [])

  const waiting = sessions?.filter(needsYou).length
  useEffect(() => {
    if (waiting === undefined) return
    void setBadge(waiting)
    // A session has a title of its own.
    if (current === undefined) document.title = waiting > 0 ? `(${waiting}) ai-relay` : "ai-relay"
  }, [current, waiting])

  useEffect(() => {
    if (sessions === undefined) return
    const open = asksOf(sessions)
    const before = known.current
    known.current = open
    void withdraw(open)
    // Questions from before the page was opened are in sight.
    if (before === undefined) return
    for (const [tag, line] of open) {
      if (before.has(tag)) continue
      const isLookedAt = document.visibilityState === "visible" && document.hasFocus()
      void inOneTab(tag, isLookedAt, () => {
        if (isLookedAt && line.session_id === current) return
        if (sound()) playSound()
        const request_id = tag.slice(line.session_id.length + 1)
        if (document.visibilityState !== "visible" && notify()) void callFromPage(line, request_id, open.size)
      })
    }
  }, [current, sessions])
}
