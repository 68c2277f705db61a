/**
 * AccessToken: the token that clients from other machines must send: the one that was set, the one in a file, or one that the
 * relay generates on its first start and saves in its state folder, where only its user can read it.
 */
import { Effect, Redacted, Schema } from "effect"
import { randomBytes } from "node:crypto"
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { messageOf } from "../../schema/messageOf.js"
import { createFolder } from "../disk/createFolder.js"
import { readRegular } from "../disk/regularFile.js"

/** The token cannot be read, written or used. */
export class TokenUnusable extends Schema.TaggedError<TokenUnusable>()("TokenUnusable", {
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

export interface Options {
  readonly token?: Redacted.Redacted | undefined
  /** A file with the token, as containers get their secrets. */
  readonly token_file?: string | undefined
  /** Where a generated token is saved; without it, there is a new one at each start. */
  readonly state_dir?: string | undefined
}

export interface Found {
  readonly token: Redacted.Redacted
  /** Whether it was generated just now. */
  readonly isNew: boolean
  /** The file it is in. */
  readonly file?: string
}

/** Checks that a token is one word, since it is sent in a header. */
const checked = (text: string, where: string): Effect.Effect<Redacted.Redacted, TokenUnusable> =>
  /^\S+$/.test(text)
    ? Effect.succeed(Redacted.make(text))
    : new TokenUnusable({
      reason: `${where} must be one word, without spaces: make one with \`openssl rand -hex 32\``
    })

const unusable = (file: string, cause: unknown) =>
  new TokenUnusable({
    reason: `the access token in ${file} cannot be used (${
      messageOf(cause)
    }): correct that, or use another file with --token-file`
  })

const readToken = (file: string, read: (file: string) => string = (name) => readFileSync(name, "utf8")) =>
  Effect.try({ try: () => read(file).trim(), catch: (cause) => unusable(file, cause) }).pipe(
    Effect.flatMap((text) => checked(text, `the access token in ${file}`))
  )

/** Reads the relay's own token; fails if others can read it, since it is no secret then. */
const readOwn = (file: string) =>
  Effect.try({ try: () => statSync(file).mode & 0o077, catch: (cause) => unusable(file, cause) }).pipe(
    Effect.filterOrFail(
      (mode) => mode === 0,
      () =>
        new TokenUnusable({
          reason: `other users can read ${file}: delete it, and the relay will generate a new token`
        })
    ),
    Effect.andThen(readToken(file, readRegular))
  )

const newToken = () => randomBytes(32).toString("base64url")

const makeOwn = (file: string) =>
  Effect.try({
    try: () => {
      const token = newToken()
      createFolder(dirname(file))
      // Fails if another relay was faster.
      const open = openSync(file, "wx", 0o600)
      try {
        writeFileSync(open, token + "\n")
      } catch (cause) {
        // A full disk would leave an empty or a short token.
        rmSync(file, { force: true })
        throw cause
      } finally {
        closeSync(open)
      }
      return Redacted.make(token)
    },
    catch: (cause) =>
      new TokenUnusable({
        reason:
          `the state folder ${dirname(file)} cannot be used (${messageOf(cause)}): correct that, use another `
          + "with --state-dir, or start with --no-state"
      })
  })

export const find = ({ state_dir, token, token_file }: Options): Effect.Effect<Found, TokenUnusable> =>
  Effect.gen(function*() {
    if (token !== undefined && token_file !== undefined) {
      return yield* new TokenUnusable({
        reason: "set either --token or --token-file (or their variables), not both"
      })
    }
    if (token !== undefined) {
      return { token: yield* checked(Redacted.value(token), "the access token"), isNew: false }
    }
    if (token_file !== undefined) {
      return { token: yield* readToken(token_file), isNew: false, file: token_file }
    }
    if (state_dir === undefined) return { token: Redacted.make(newToken()), isNew: true }
    const file = join(state_dir, "token")
    return existsSync(file)
      ? { token: yield* readOwn(file), isNew: false, file }
      : { token: yield* makeOwn(file), isNew: true, file }
  })
