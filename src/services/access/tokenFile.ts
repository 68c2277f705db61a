/**
 * tokenFile: named tokens on disk, `tokens.json` in the state folder: who has which rights. It holds no token, only
 * digests; they are of 256 random bits each, so nobody guesses them back.
 *
 * Only its user may read it, it is replaced as a whole, and a program that changes it holds a lock: relays and `ai-relay token` do.
 */
import { Clock, Effect, Option, Schedule, Schema } from "effect"
import { createHash, randomBytes } from "node:crypto"
import {
  closeSync,
  type FSWatcher,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  unwatchFile,
  watch,
  watchFile
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { Scope } from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
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
  /** The token that made it: revoked with that one. */
  made_by: Schema.optionalKey(Schema.String)
})
export type TokenRecord = typeof TokenRecord.Type

const decode = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ tokens: Schema.Array(TokenRecord) }))
)

export const fileIn = (state_dir: string) => join(state_dir, "tokens.json")

export const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex")

/** So that it is known for what it is where it should not be: in a log, a repository. */
export const newToken = (): string => `airelay_${randomBytes(32).toString("base64url")}`

/** All there are; throws a sentence when the file is not what it should be. */
export const readNow = (file: string): ReadonlyArray<TokenRecord> => {
  const isOpen = privateFile.isOpenToOthers(file)
  if (isOpen === undefined) return []
  if (isOpen) {
    throw new Error(`other users can read or write ${file}: look at what stands there, then \`chmod 600\` it`)
  }
  const found = decode(readFileSync(file, "utf8"))
  if (Option.isNone(found)) {
    throw new Error(`${file} is no list of tokens: correct or remove it, then make the tokens anew`)
  }
  return found.value.tokens
}

/** All there are, also those that are over. */
export const read = (file: string): Effect.Effect<ReadonlyArray<TokenRecord>, TokensUnusable> =>
  Effect.try({
    try: () => readNow(file),
    catch: (cause) => new TokensUnusable({ reason: `the tokens cannot be read: ${messageOf(cause)}` })
  })

/** ext, xfs, btrfs, tmpfs, overlay, zfs, f2fs: nobody else writes there, so Linux knows of every change (`man 2 statfs`). */
const localDisks = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010])

/** How often the file is looked at where the system does not tell of changes, in ms. */
const lookMs = 250

/** Until the scope closes: `onChange` when the file may have been made, changed, replaced or removed, within half a second. */
export const watched = (file: string, onChange: () => void) => {
  const poll = () => void watchFile(file, { interval: lookMs, persistent: false }, onChange)
  const folder = dirname(file)
  const start = (): FSWatcher | undefined => {
    try {
      if (process.platform !== "linux" || !localDisks.has(statfsSync(folder).type)) return poll()
      const watcher = watch(folder, { persistent: false })
      // Without its folder nothing is told any more.
      const lose = () => {
        watcher.close()
        poll()
        onChange()
      }
      watcher.on("error", lose).on("change", (_, name) => {
        if (name === basename(file)) onChange()
        else if (name === basename(folder)) lose()
      })
      return watcher
    } catch {
      return poll()
    }
  }
  return Effect.acquireRelease(Effect.sync(start), (watcher) =>
    Effect.sync(() => {
      watcher?.close()
      unwatchFile(file, onChange)
    }))
}

/** A program that has held the lock for longer than this, in ms, is dead. */
const longestLockMs = 10_000

const lockNow = (file: string, now: number) =>
  Effect.try({
    try: () => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
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

/** Waits until it is free. */
const lock = (file: string) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => lockNow(file, now)).pipe(
    Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 150 })
  )

/** Replace all tokens by what `next` makes of them; `next` may refuse with a sentence. */
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
