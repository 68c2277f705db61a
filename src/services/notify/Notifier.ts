/**
 * Notifier: sends notifications (`--notify`) when a session waits for an answer or a long turn has ended and nobody is watching
 * (`calls.ts` decides when). Failed deliveries are retried a few times, then logged; sessions never wait for them.
 */
import { Effect, Layer, Queue, Schedule } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { cleanText } from "../access/redact.js"
import type { SessionListing } from "../log/SessionListing.js"
import { relayEnvironment } from "../process/AgentEnvironment.js"
import { RelayConfig } from "../RelayConfig.js"
import * as calls from "./calls.js"
import { letterTo, type Notice, type Target, targetOf } from "./messages.js"

/** Most undelivered notices; the oldest are dropped. */
const mostWaiting = 100
const patience = "10 seconds"
const again = Schedule.max([Schedule.exponential("1 second", 4), Schedule.recurs(3)])

export const layer = Layer.effectDiscard(Effect.suspend(() => make))

const make = Effect.gen(function*() {
  const { notify, notify_link } = yield* RelayConfig
  const targets = notify.flatMap((entry) => targetOf(entry) ?? [])
  if (targets.length === 0) return
  const client = yield* HttpClient.HttpClient
  const clean = cleanText(relayEnvironment())
  const outgoing = yield* Queue.sliding<Notice>(mostWaiting)

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
      // The path is left out: it may be the target's only secret.
      Effect.catch(({ message }) =>
        Effect.logWarning(
          `a notification could not be sent to ${new URL(url).host} (${message}): check --notify`
        )
      )
    )
  }

  yield* calls.watch(({ kind, line }) => void Queue.offerUnsafe(outgoing, noticeOf(kind, line)))
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
