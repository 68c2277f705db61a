/**
 * pushFile: files for notifications in the state folder: the relay's keys (`push-keys.json`), by which push services know it, and
 * subscriptions (`push.json`). Only its user can read them; they are replaced atomically.
 */
import { Effect, Result, Schema } from "effect"
import { generateKeyPairSync } from "node:crypto"
import { statSync } from "node:fs"
import { join } from "node:path"
import { jsonReader } from "../../schema/jsonFile.js"
import { messageOf } from "../../schema/messageOf.js"
import * as privateFile from "../access/privateFile.js"
import { createFolder } from "../disk/createFolder.js"

/** These files cannot be read or written. */
export class PushUnusable
  extends Schema.TaggedError<PushUnusable>()("PushUnusable", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** A P-256 key pair in base64url: the public point has 65 bytes, the private number 32. */
export const Keys = Schema.Struct({ public_key: Schema.String, private_key: Schema.String })
export type Keys = typeof Keys.Type

/** A subscribed browser. */
export const Subscription = Schema.Struct({
  /** Derived from the endpoint, which is secret. */
  id: Schema.String,
  endpoint: Schema.String,
  p256dh: Schema.String,
  auth: Schema.String,
  /** Its owner, as the mark of `Auth.markOf`. */
  mark: Schema.String,
  /** Unix times in seconds. */
  created_at: Schema.Finite,
  expires_at: Schema.Finite
})
export type Subscription = typeof Subscription.Type

const decodeKeys = jsonReader(Keys, { onUnknown: "ignore" })
const decodeList = jsonReader(Schema.Struct({ subscriptions: Schema.Array(Subscription) }), {
  onUnknown: "ignore"
})

const keysFile = (state_dir: string) => join(state_dir, "push-keys.json")
const listFile = (state_dir: string) => join(state_dir, "push.json")

const again = "delete it and turn notifications on again in your browsers"

const write = (state_dir: string, file: string, content: object) => {
  createFolder(state_dir)
  privateFile.replace(file, content)
}

const attempt = <A>(what: string, run: () => A): Effect.Effect<A, PushUnusable> =>
  Effect.try({
    try: run,
    catch: (cause) => new PushUnusable({ reason: `${what}: ${messageOf(cause)}` })
  })

const newKeys = (): Keys => {
  const { d = "", x = "", y = "" } = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    format: "jwk"
  })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")])
  return { public_key: point.toString("base64url"), private_key: d }
}

/** The relay's keys, generated when first needed. Without a state folder they last as long as the relay. */
export const keysIn = (state_dir: string | undefined): Effect.Effect<Keys, PushUnusable> =>
  state_dir === undefined
    ? Effect.sync(newKeys)
    : attempt("the keys for notifications cannot be read or created", () => {
      const file = keysFile(state_dir)
      const kept = privateFile.read(file, again)
      if (kept !== undefined) {
        const found = decodeKeys(kept)
        if (Result.isSuccess(found)) return found.success
        throw new Error(
          `${file} contains no valid keys, because ${found.failure}; correct it, or ${again}`
        )
      }
      const made = newKeys()
      write(state_dir, file, made)
      return made
    })

/** Whether there ever were subscriptions. */
export const isThere = (state_dir: string | undefined): boolean =>
  state_dir !== undefined && statSync(listFile(state_dir), { throwIfNoEntry: false }) !== undefined

export const readList = (
  state_dir: string | undefined
): Effect.Effect<ReadonlyArray<Subscription>, PushUnusable> =>
  state_dir === undefined ? Effect.succeed([]) : attempt("notifications cannot be sent", () => {
    const file = listFile(state_dir)
    const kept = privateFile.read(file, again)
    if (kept === undefined) return []
    const found = decodeList(kept)
    if (Result.isSuccess(found)) return found.success.subscriptions
    throw new Error(
      `${file} is not a list of subscriptions, because ${found.failure}; correct it, or ${again}`
    )
  })

export const writeList = (
  state_dir: string | undefined,
  subscriptions: ReadonlyArray<Subscription>
): Effect.Effect<void, PushUnusable> =>
  state_dir === undefined
    ? Effect.void
    : attempt("the subscription cannot be saved", () =>
      write(state_dir, listFile(state_dir), { subscriptions }))
