/**
 * tokenFile: the file of named tokens and their rights, `tokens.json` in the state folder. It contains only digests of tokens,
 * which have 256 random bits each and cannot be guessed.
 *
 * Only its user can read it, it is replaced atomically, and relays and `ai-relay token` hold a lock while changing it.
 */
import { Clock, Effect, Result, Schedule, Schema } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { closeSync, openSync, rmSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { Scope } from "../../schema/index.js"
import { jsonReader } from "../../schema/jsonFile.js"
import { messageOf } from "../../schema/messageOf.js"
import { createFolder } from "../disk/createFolder.js"
import * as privateFile from "./privateFile.js"

/** The tokens cannot be read or written. */
export class TokensUnusable
  extends Schema.TaggedError<TokensUnusable>()("TokensUnusable", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

const Names = Schema.optionalKey(Schema.Array(Schema.String))

export const TokenRecord = Schema.Struct({
  name: Schema.String,
  /** SHA-256, in hexadecimal digits. */
  hash: Schema.String,
  scopes: Schema.Array(Scope),
  sessions: Names,
  folders: Names,
  agents: Names,
  /** Unix times in seconds. */
  created_at: Schema.Finite,
  expires_at: Schema.optionalKey(Schema.Finite),
  /** The token it was made with; it is revoked together with that one. */
  made_by: Schema.optionalKey(Schema.String)
})
export type TokenRecord = typeof TokenRecord.Type

const decode = jsonReader(Schema.Struct({ tokens: Schema.Array(TokenRecord) }), { onUnknown: "ignore" })

export const fileIn = (state_dir: string) => join(state_dir, "tokens.json")

export const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex")

/** A new token. Its prefix makes it recognizable where it should not be, such as in a log or a repository. */
export const newToken = (): string => `airelay_${randomBytes(32).toString("base64url")}`

const again = "delete it and create the tokens again"

/** All tokens in the file; throws an error text if the file is invalid. */
export const readNow = (file: string): ReadonlyArray<TokenRecord> => {
  const text = privateFile.read(file, again)
  if (text === undefined) return []
  const found = decode(text)
  if (Result.isFailure(found)) {
    throw new Error(
      `${file} is not a list of tokens, because ${found.failure}; correct it, or ${again}`
    )
  }
  return found.success.tokens
}

/** All tokens in the file, including expired ones. */
export const read = (file: string): Effect.Effect<ReadonlyArray<TokenRecord>, TokensUnusable> =>
  Effect.try({
    try: () => readNow(file),
    catch: (cause) => new TokensUnusable({ reason: messageOf(cause) })
  })

/** A program that holds the lock for longer than this, in ms, is considered dead. */
const longestLockMs = 10_000

const lockNow = (file: string, now: number) =>
  Effect.try({
    try: () => {
      createFolder(dirname(file))
      const held = statSync(`${file}.lock`, { throwIfNoEntry: false })
      if (held !== undefined && now - held.mtimeMs > longestLockMs) {
        rmSync(`${file}.lock`, { force: true })
      }
      closeSync(openSync(`${file}.lock`, "wx", 0o600))
    },
    catch: (cause) =>
      new TokensUnusable({
        reason: `the tokens cannot be changed (${messageOf(cause)}): check that ${
          dirname(file)
        } can be written`
      })
  })

/** Takes the lock, after waiting until it is free. */
const lock = (file: string) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => lockNow(file, now)).pipe(
    Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 150 })
  )

/** Replaces the tokens with the result of `next`, which may fail with a refusal. */
export const change = <E>(
  file: string,
  next: (tokens: ReadonlyArray<TokenRecord>) => Effect.Effect<ReadonlyArray<TokenRecord>, E>
): Effect.Effect<void, TokensUnusable | E> =>
  Effect.acquireUseRelease(
    lock(file),
    () =>
      Effect.flatMap(Effect.flatMap(read(file), next), (tokens) =>
        Effect.try({
          try: () => privateFile.replace(file, { tokens }),
          catch: (cause) =>
            new TokensUnusable({ reason: `the tokens cannot be written to ${file}: ${messageOf(cause)}` })
        })),
    () => Effect.sync(() => rmSync(`${file}.lock`, { force: true }))
  )
