/**
 * Notifier: calls people who are not looking (`--notify`): when a session waits for an answer, and when a long turn has ended.
 *
 * Nobody is connected: at once. Somebody is: only if the question is still open after a while; and of an ended turn nothing.
 * What cannot be delivered is tried again a few times, then the log says so; sessions never wait for it.
 */
import { Clock, Duration, Effect, FiberMap, Layer, Queue, Schedule } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import type { SessionId } from "../../schema/index.js"
import { makeRedact } from "../access/redact.js"
import { relayEnvironment } from "../process/AgentEnvironment.js"
import { RelayConfig } from "../RelayConfig.js"
import type { SessionListing } from "../session/SessionListing.js"
import { SessionRegistry } from "../session/SessionRegistry.js"
import { letterTo, type Notice, type Target, targetOf } from "./messages.js"

/** Who is connected has so long to answer before others are called. */
const whileLookedAt = Duration.seconds(30)
/** A turn that took less, in seconds, is no news. */
const longTurn = 60
/** Notices that may wait to be delivered; the oldest go first. */
const mostWaiting = 100
const patience = "10 seconds"
const again = Schedule.max([Schedule.exponential("1 second", 4), Schedule.recurs(3)])

interface Seen {
  readonly asked: ReadonlySet<string>
  /** When the running turn was first seen, in Unix seconds. */
  readonly since: number | undefined
}
const unseen: Seen = { asked: new Set(), since: undefined }

export const layer = Layer.effectDiscard(Effect.suspend(() => make))

const make = Effect.gen(function*() {
  const { notify, notify_link } = yield* RelayConfig
  const targets = notify.flatMap((entry) => targetOf(entry) ?? [])
  if (targets.length === 0) return
  const registry = yield* SessionRegistry
  const client = yield* HttpClient.HttpClient
  const redact = makeRedact(relayEnvironment())
  const seen = new Map<SessionId, Seen>()
  const changed = yield* Queue.sliding<SessionId>(1000)
  const outgoing = yield* Queue.sliding<Notice>(mostWaiting)
  const waiting = yield* FiberMap.make<string>()

  const clean = (text: string): string => {
    // It takes JSON, and gives JSON.
    const told: unknown = JSON.parse(redact(JSON.stringify(text)))
    return typeof told === "string" ? told : ""
  }

  const noticeOf = (kind: Notice["kind"], { folder, session_id, title, tool }: SessionListing): Notice => ({
    kind,
    session_id,
    tool,
    folder,
    ...(title !== undefined && { title: clean(title) }),
    ...(notify_link !== undefined && {
      link: `${notify_link.replace(/\/$/, "")}/#/s/${encodeURIComponent(session_id)}`
    })
  })

  /** Tell of the question, if it is still open when it is time. */
  const call = Effect.fnUntraced(function*(session_id: SessionId, request_id: string) {
    const before = yield* registry.listing(session_id)
    if ((before?.clients ?? 0) > 0) yield* Effect.sleep(whileLookedAt)
    const line = yield* registry.listing(session_id)
    if (line?.pending.includes(request_id) !== true) return
    yield* Queue.offer(outgoing, noticeOf("question", line))
  })

  const look = Effect.fnUntraced(function*(session_id: SessionId) {
    const line = yield* registry.listing(session_id)
    const { asked, since } = seen.get(session_id) ?? unseen
    if (line === undefined || line.state === "closed") return void seen.delete(session_id)
    const now = (yield* Clock.currentTimeMillis) / 1000
    const isRunning = line.state === "running"
    seen.set(session_id, { asked: new Set(line.pending), since: isRunning ? since ?? now : undefined })
    for (const request_id of line.pending) {
      if (asked.has(request_id)) continue
      yield* FiberMap.run(waiting, `${session_id} ${request_id}`, call(session_id, request_id))
    }
    for (const request_id of asked) {
      if (!line.pending.includes(request_id)) yield* FiberMap.remove(waiting, `${session_id} ${request_id}`)
    }
    const isOver = !isRunning && since !== undefined && now - since >= longTurn
    if (isOver && line.clients === 0) yield* Queue.offer(outgoing, noticeOf("done", line))
  })

  const deliver = (target: Target, notice: Notice) => {
    const { body, url } = letterTo(target, notice)
    const request = HttpClientRequest.post(url).pipe(
      HttpClientRequest.bodyText(JSON.stringify(body), "application/json")
    )
    return Effect.scoped(client.execute(request)).pipe(
      Effect.timeout(patience),
      Effect.flatMap(({ status }) =>
        status < 300 ? Effect.void : Effect.fail(new Error(`it answered ${status}`))
      ),
      Effect.retry(again),
      // Its path may be the only secret it has.
      Effect.catch(({ message }) =>
        Effect.logWarning(
          `a notification could not be sent to ${new URL(url).host} (${message}): check --notify`
        )
      )
    )
  }

  const stop = registry.watch((session_id) => {
    if (session_id !== undefined) Queue.offerUnsafe(changed, session_id)
  })
  yield* Effect.addFinalizer(() => Effect.sync(stop))
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(changed), look)))
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.flatMap(
        Queue.take(outgoing),
        (notice) =>
          Effect.forEach(targets, (target) => deliver(target, notice), {
            concurrency: "unbounded",
            discard: true
          })
      )
    )
  )
})
