/** PushSubscription: a browser's subscription to notifications, from its `PushManager`; and an answer given in a notification. */
import { Schema } from "effect"

const KeyText = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{16,128}={0,2}$/))

export const PushSubscription = Schema.Struct({
  /** The URL of the push service for this browser. */
  endpoint: Schema.String.check(Schema.isMaxLength(2048)),
  /** Base64url: its public key (P-256, 65 bytes) and its secret (16 bytes). */
  keys: Schema.Struct({ p256dh: KeyText, auth: KeyText })
})
export type PushSubscription = typeof PushSubscription.Type

export const PushAnswer = Schema.Struct({
  /** What the notification carried. */
  ticket: Schema.String.check(Schema.isMaxLength(128)),
  behavior: Schema.Literals(["allow", "deny"])
})
export type PushAnswer = typeof PushAnswer.Type
