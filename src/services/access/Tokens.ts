/**
 * Tokens: named tokens for people other than the operator, each with scopes, limits and an expiry.
 *
 * They are in the state folder (`tokenFile.ts`), where `ai-relay token` changes them while the relay runs. It follows the file:
 * revoking or changing a token ends its connections within a second. Without a state folder tokens last as long as the relay.
 */
import { Clock, Effect, Schema, type Scope as Lifetime } from "effect"
import { type Scope, scopes as allScopes } from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
import { fileMark, followFile } from "./followFile.js"
import { everything, type Limits, type PrincipalFields } from "./Principal.js"
import * as TokenFile from "./tokenFile.js"
import type { TokenRecord, TokensUnusable } from "./tokenFile.js"

/** This token cannot be created. */
export class TokenRefused
  extends Schema.TaggedError<TokenRefused>()("TokenRefused", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

export interface Wanted extends Limits {
  readonly name: string
  readonly scopes: ReadonlyArray<Scope>
  /** Seconds from now. */
  readonly expires_in?: number
  readonly made_by?: string
}

export interface Made {
  /** Only available now. */
  readonly token: string
  readonly record: TokenRecord
}

export interface Tokens {
  /** The principal of a token; "expired" if it was valid once. */
  readonly find: (token: string, now: number) => PrincipalFields | "expired" | undefined
  /** The current holder of the token with this name, and the token's digest, which a later token of that name does not share. */
  readonly named: (
    name: string,
    now: number
  ) => { readonly principal: PrincipalFields; readonly hash: string } | undefined
  /** The token that this one goes back to: links and devices spend what their maker's may spend. */
  readonly originOf: (name: string) => string
  readonly make: (wanted: Wanted) => Effect.Effect<Made, TokenRefused | TokensUnusable>
  /** Revokes a token and those made with it; false if there is none with this name. */
  readonly revoke: (name: string) => Effect.Effect<boolean, TokensUnusable>
  /** Tokens that have not expired. */
  readonly list: Effect.Effect<ReadonlyArray<TokenRecord>, TokensUnusable>
}

/** The name of the token of `--token` or the file `token`. */
export const defaultName = "default"

/** Most tokens that have not expired. */
const most = 1000
/** How often to look for a change of the file, in ms. */
const lookMs = 500
/** Longest sleep: timers cannot be longer than some weeks. */
const longestSleepMs = 24 * 3600 * 1000

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._@ -]{0,63}$/

const isLive = (now: number) => ({ expires_at = Infinity }: TokenRecord) => expires_at * 1000 > now

const problemOf = (wanted: Wanted, live: ReadonlyArray<TokenRecord>): string | undefined => {
  const { name, scopes } = wanted
  if (!nameForm.test(name)) {
    return "a token's name must start with a letter or digit and have at most 64 letters, digits, spaces and . _ @ -"
  }
  if (name === defaultName) {
    return `"${defaultName}" is the name of the relay's own token: choose another name`
  }
  if (live.some((token) => token.name === name)) {
    return `there already is a token "${name}": choose another name, or revoke that one first`
  }
  if (scopes.length === 0) return `a token needs a scope: one or more of ${allScopes.join(", ")}`
  if (live.length >= most) return `there are already ${most} tokens: revoke some first`
  return undefined
}

/** Adds a token to the existing ones. */
const adding = (wanted: Wanted, now: number, hash: string) => (tokens: ReadonlyArray<TokenRecord>) => {
  const live = tokens.filter(isLive(now))
  const reason = problemOf(wanted, live)
  if (reason !== undefined) return new TokenRefused({ reason })
  const { agents, expires_in, folders, made_by, name, scopes, sessions } = wanted
  const record: TokenRecord = {
    name,
    hash,
    scopes: allScopes.filter((scope) => scopes.includes(scope)),
    ...(sessions !== undefined && { sessions }),
    ...(folders !== undefined && { folders }),
    ...(agents !== undefined && { agents }),
    created_at: Math.floor(now / 1000),
    ...(expires_in !== undefined && { expires_at: Math.ceil(now / 1000 + expires_in) }),
    ...(made_by !== undefined && { made_by })
  }
  return Effect.succeed([...live, record])
}

/** All tokens except this one and those made with it, directly or not. */
const without = (name: string, now: number) => (tokens: ReadonlyArray<TokenRecord>) => {
  const gone = new Set([name])
  for (let size = 0; size < gone.size;) {
    size = gone.size
    for (const { made_by, name } of tokens) if (made_by !== undefined && gone.has(made_by)) gone.add(name)
  }
  return tokens.filter(isLive(now)).filter((token) => !gone.has(token.name))
}

interface Shelf {
  readonly read: Effect.Effect<ReadonlyArray<TokenRecord>, TokensUnusable>
  readonly change: <E>(
    next: (tokens: ReadonlyArray<TokenRecord>) => Effect.Effect<ReadonlyArray<TokenRecord>, E>
  ) => Effect.Effect<void, TokensUnusable | E>
}

const shelfOf = (state_dir: string | undefined): Shelf => {
  if (state_dir !== undefined) {
    const file = TokenFile.fileIn(state_dir)
    return { read: TokenFile.read(file), change: (next) => TokenFile.change(file, next) }
  }
  let tokens: ReadonlyArray<TokenRecord> = []
  return {
    read: Effect.sync(() => tokens),
    change: (next) => Effect.map(Effect.suspend(() => next(tokens)), (changed) => void (tokens = changed))
  }
}

/** Creates, lists and revokes tokens, for `ai-relay token`. */
export const onShelf = (state_dir: string | undefined): Omit<Tokens, "find" | "named" | "originOf"> => {
  const shelf = shelfOf(state_dir)
  return {
    make: Effect.fnUntraced(function*(wanted) {
      const token = TokenFile.newToken()
      const hash = TokenFile.hashOf(token)
      let record: TokenRecord | undefined
      yield* shelf.change((tokens) =>
        Effect.flatMap(
          Clock.currentTimeMillis,
          (now) =>
            Effect.tap(adding(wanted, now, hash)(tokens), (changed) =>
              Effect.sync(() => void (record = changed.at(-1))))
        )
      )
      if (record === undefined) return yield* Effect.die("a token was created but cannot be found")
      return { token, record }
    }),
    revoke: Effect.fnUntraced(function*(name) {
      let wasThere = false
      yield* shelf.change((tokens) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          wasThere = tokens.some((token) => token.name === name)
          return without(name, now)(tokens)
        })
      )
      return wasThere
    }),
    list: Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => Effect.map(shelf.read, (tokens) => tokens.filter(isLive(now)))
    )
  }
}

/** Tokens of a running relay, checked until the scope closes. */
export const make = Effect.fnUntraced(function*(
  state_dir: string | undefined
): Effect.fn.Return<Tokens, never, Lifetime.Scope> {
  const run = Effect.runSyncWith(yield* Effect.context<never>())
  const shelf = onShelf(state_dir)
  const file = state_dir === undefined ? undefined : TokenFile.fileIn(state_dir)
  let byHash = new Map<string, TokenRecord>()
  /** Callbacks for when a token, as it was then, is gone. */
  const waiting = new Map<TokenRecord, Set<(reason: string) => void>>()
  let seen = ""
  let problem: string | undefined

  let stopFollowing: (() => void) | undefined
  /** The file is followed while a token has something open. */
  const follow = () => {
    if (file === undefined || (waiting.size > 0) === (stopFollowing !== undefined)) return
    stopFollowing?.()
    stopFollowing = waiting.size > 0
      ? followFile(file, lookMs, () => seen, () => run(lookAndTell))
      : undefined
  }
  yield* Effect.addFinalizer(() => Effect.sync(() => stopFollowing?.()))

  const take = (tokens: ReadonlyArray<TokenRecord>) => {
    // An unchanged token stays the same object.
    byHash = new Map(tokens.map((token) => {
      const known = byHash.get(token.hash)
      return [token.hash, known !== undefined && isSame(known, token) ? known : token]
    }))
    for (const [record, listeners] of [...waiting]) {
      if (byHash.get(record.hash) === record) continue
      waiting.delete(record)
      const reason = byHash.has(record.hash)
        ? `the rights of the token "${record.name}" have changed: connect again`
        : goneText(record)
      for (const tell of listeners) tell(reason)
    }
    follow()
  }

  /** Reads the file again if it has changed. An unreadable file grants access to nobody. */
  const look = () => {
    if (file === undefined) return
    const mark = fileMark(file)
    if (mark === seen) return
    seen = mark
    try {
      problem = undefined
      take(TokenFile.readNow(file))
    } catch (cause) {
      problem = messageOf(cause)
      // It may become readable without a change, such as when other files are closed.
      seen = ""
      take([])
    }
  }
  let told: string | undefined
  const lookAndTell = Effect.suspend(() => {
    look()
    if (problem === told) return Effect.void
    told = problem
    return problem === undefined ? Effect.void : Effect.logWarning(problem)
  })
  yield* lookAndTell

  /** Applies a change made here at once. */
  const refresh = file === undefined
    ? Effect.flatMap(Effect.orElseSucceed(shelf.list, () => []), (tokens) => Effect.sync(() => take(tokens)))
    : lookAndTell

  const revoked = (record: TokenRecord) =>
    Effect.callback<string>((resume) => {
      if (byHash.get(record.hash) !== record) return resume(Effect.succeed(goneText(record)))
      const tell = (reason: string) => resume(Effect.succeed(reason))
      const listeners = waiting.get(record) ?? new Set()
      waiting.set(record, listeners.add(tell))
      follow()
      return Effect.sync(() => {
        listeners.delete(tell)
        if (listeners.size === 0 && waiting.get(record) === listeners) waiting.delete(record)
        follow()
      })
    })

  const expired = ({ expires_at, name }: Pick<TokenRecord, "expires_at" | "name">): Effect.Effect<string> =>
    expires_at === undefined ? Effect.never : Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const left = expires_at * 1000 - now
      return left <= 0 ? Effect.succeed(expiredText(name)) : Effect.flatMap(
        Effect.sleep(Math.min(left, longestSleepMs)),
        () => expired({ expires_at, name })
      )
    })

  const toPrincipal = (record: TokenRecord): PrincipalFields => {
    const { agents, expires_at, folders, name, scopes, sessions } = record
    const limits: Limits = {
      ...(sessions !== undefined && { sessions }),
      ...(folders !== undefined && { folders }),
      ...(agents !== undefined && { agents })
    }
    return {
      name,
      scopes: new Set(scopes),
      ...(Object.keys(limits).length > 0 && { limits }),
      ...(expires_at !== undefined && { expires_at }),
      ended: Effect.raceFirst(revoked(record), expired(record))
    }
  }

  return {
    find: (token, now) => {
      run(lookAndTell)
      const record = byHash.get(TokenFile.hashOf(token))
      return record === undefined ? undefined : isLive(now)(record) ? toPrincipal(record) : "expired"
    },
    named: (name, now) => {
      run(lookAndTell)
      const record = [...byHash.values()].find((record) => record.name === name)
      return record === undefined || !isLive(now)(record)
        ? undefined
        : { principal: toPrincipal(record), hash: record.hash }
    },
    originOf: (name) => {
      const records = [...byHash.values()]
      const makerOf = (name: string) => records.find((record) => record.name === name)?.made_by
      const line = new Set([name])
      for (const next of line) line.add(makerOf(next) ?? next)
      return [...line].at(-1) ?? name
    },
    make: (wanted) => Effect.tap(shelf.make(wanted), refresh),
    revoke: (name) => Effect.tap(shelf.revoke(name), refresh),
    list: shelf.list
  }
})

const isSame = (left: TokenRecord, right: TokenRecord) => JSON.stringify(left) === JSON.stringify(right)
const goneText = ({ name }: TokenRecord) => `the token "${name}" was revoked: ask the operator for a new one`

export const expiredText = (name: string) => `the token "${name}" has expired: ask the operator for a new one`

/** The principal of the operator's own token. */
export const ofOperator: PrincipalFields = { ...everything, name: defaultName }
