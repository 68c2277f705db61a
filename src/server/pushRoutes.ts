/** pushRoutes: subscriptions of browsers to notifications, and answers given in a notification. */
import { Effect } from "effect"
import { PushAnswer, PushSubscription } from "../schema/PushSubscription.js"
import { Auth } from "../services/access/Auth.js"
import { Push, type PushRefused } from "../services/push/Push.js"
import type { PushUnusable } from "../services/push/pushFile.js"
import { Sender } from "../services/session/Sender.js"
import { type Answer, readBody, Refused, sendJson, sendNothing } from "./Call.js"
import { visitorOf } from "./visitor.js"

const failed = ({ _tag, message }: PushRefused | PushUnusable) =>
  new Refused({ status: _tag === "PushRefused" ? 400 : 500, code: "bad_command", reason: message })

export const getPush: Answer = Effect.fnUntraced(function*({ response }) {
  const push = yield* Push
  const { key, subscriptions } = yield* Effect.mapError(
    Effect.all({ key: push.key, subscriptions: push.list }),
    failed
  )
  yield* sendJson(response, 200, { key, subscriptions })
})

export const subscribePush: Answer = Effect.fnUntraced(function*({ request, response }) {
  const wanted = yield* readBody(
    request,
    PushSubscription,
    "send JSON with `endpoint` and `keys` (`p256dh`, `auth`), as a browser's PushSubscription has them"
  )
  yield* sendJson(response, 201, yield* Effect.mapError((yield* Push).subscribe(wanted), failed))
})

export const unsubscribePush: Answer<"/push/subscriptions/{subscription_id}"> = Effect.fnUntraced(
  function*({ params: { subscription_id }, response }) {
    if (yield* Effect.mapError((yield* Push).unsubscribe(subscription_id), failed)) {
      return yield* sendNothing(response)
    }
    yield* new Refused({
      status: 404,
      code: "bad_command",
      reason: `there is no subscription "${subscription_id}" of yours: GET /push lists them`
    })
  }
)

/** The ticket is the authentication. Pages of other origins are refused all the same. */
export const answerPush: Answer = Effect.fnUntraced(function*({ request, response }) {
  const auth = yield* Auth
  const visitor = visitorOf(request, auth.proxies)
  yield* auth.checkOrigin(visitor)
  const { behavior, ticket } = yield* readBody(
    request,
    PushAnswer,
    "send JSON with `ticket`, from the notification, and `behavior`: allow or deny"
  )
  yield* (yield* Push).answer(ticket, behavior).pipe(
    Effect.catchTag(
      "PushTicketOver",
      ({ message }) => new Refused({ status: 410, code: "bad_command", reason: message })
    ),
    Effect.provideService(Sender, { address: visitor.address })
  )
  yield* sendNothing(response)
})
