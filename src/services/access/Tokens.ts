/**
 * Tokens: who else than the operator may come, and what they may do: named tokens, each with scopes, limits and an end.
 *
 * They lie in the state folder (`tokenFile.ts`), where `ai-relay token` changes them under a running relay, which hears of it:
 * a token that is gone or changed ends its connections within a second. Without a state folder they last as long as the relay.
 */
import { Clock, Effect, Schema, type Scope as Lifetime } from "effect"
import { statSync } from "node:fs"
import { type Scope, scopes as allScopes } from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
import { everything, type Limits, type PrincipalFields } from "./Principal.js"
import * as TokenFile from "./tokenFile.js"
import type { TokenRecord, TokensUnusable } from "./tokenFile.js"

/** Such a token cannot be made. */
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
  /** Shown now and never again. */
  readonly token: string
  readonly record: TokenRecord
}

export interface Tokens {
  /** Whose token it is; "expired" if it was one. */
  readonly find: (token: string, now: number) => PrincipalFields | "expired" | undefined
  /** The holder of the token of that name now, with a digest that another token of the name does not have. */
  readonly named: (
    name: string,
    now: number
  ) => { readonly principal: PrincipalFields; readonly hash: string } | undefined
  readonly make: (wanted: Wanted) => Effect.Effect<Made, TokenRefused | TokensUnusable>
  /** Revoke it, and those made with it; false if there is none of that name. */
  readonly revoke: (name: string) => Effect.Effect<boolean, TokensUnusable>
  /** Those that are not over. */
  readonly list: Effect.Effect<ReadonlyArray<TokenRecord>, TokensUnusable>
}

/** The token of `--token`, and of the file `token`. */
export const defaultName = "default"

/** Live tokens there may be. */
const most = 1000
/** Timers are not longer than some weeks. */
const longestSleepMs = 24 * 3600 * 1000

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._@ -]{0,63}$/

const isLive = (now: number) => ({ expires_at = Infinity }: TokenRecord) => expires_at * 1000 > now

const problemOf = (wanted: Wanted, live: ReadonlyArray<TokenRecord>): string | undefined => {
  const { name, scopes } = wanted
  if (!nameForm.test(name)) {
    return "a token's name begins with a letter or digit and has at most 64 letters, digits, spaces and . _ @ -"
  }
  if (name === defaultName) return `"${defaultName}" is the relay's own token: choose another name`
  if (live.some((token) => token.name === name)) {
    return `there is a token "${name}" already: choose another name, or revoke that one first`
  }
  if (scopes.length === 0) return `a token needs a scope: one or more of ${allScopes.join(", ")}`
  if (live.length >= most) return `there are ${most} tokens already: revoke some first`
  return undefined
}

/** A new token beside those there are. */
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

/** All but this one, and those that were made with it, by whatever way. */
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

/** What `ai-relay token` needs: it makes, lists and revokes. */
export const onShelf = (state_dir: string | undefined): Omit<Tokens, "find" | "named"> => {
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
      if (record === undefined) return yield* Effect.die("a token was made and is not there")
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

/** For a relay. Its scope ends the looking. */
export const make = Effect.fnUntraced(function*(
  state_dir: string | undefined
): Effect.fn.Return<Tokens, never, Lifetime.Scope> {
  const shelf = onShelf(state_dir)
  const file = state_dir === undefined ? undefined : TokenFile.fileIn(state_dir)
  let byHash = new Map<string, TokenRecord>()
  /** Who wants to know that a token, as it was then, is gone. */
  const waiting = new Map<TokenRecord, Set<(reason: string) => void>>()
  let seen = ""
  let problem: string | undefined

  const take = (tokens: ReadonlyArray<TokenRecord>) => {
    // A token that has not changed stays the same object.
    byHash = new Map(tokens.map((token) => {
      const known = byHash.get(token.hash)
      return [token.hash, known !== undefined && isSame(known, token) ? known : token]
    }))
    for (const [record, listeners] of [...waiting]) {
      if (byHash.get(record.hash) === record) continue
      waiting.delete(record)
      const reason = byHash.has(record.hash)
        ? `the token "${record.name}" may do other things now: connect again`
        : goneText(record)
      for (const tell of listeners) tell(reason)
    }
  }

  /** What the file is now, unless it is as it was. What cannot be read lets nobody in. */
  const look = () => {
    if (file === undefined) return
    const stat = statSync(file, { throwIfNoEntry: false })
    const mark = stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.mode}`
    if (mark === seen) return
    seen = mark
    try {
      problem = undefined
      take(TokenFile.readNow(file))
    } catch (cause) {
      problem = messageOf(cause)
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
  const run = Effect.runSyncWith(yield* Effect.context<never>())
  if (file !== undefined) yield* TokenFile.watched(file, () => run(lookAndTell))
  yield* lookAndTell

  /** What was just changed here counts from now on. */
  const refresh = file === undefined
    ? Effect.flatMap(Effect.orElseSucceed(shelf.list, () => []), (tokens) => Effect.sync(() => take(tokens)))
    : lookAndTell

  const revoked = (record: TokenRecord) =>
    Effect.callback<string>((resume) => {
      if (byHash.get(record.hash) !== record) return resume(Effect.succeed(goneText(record)))
      const tell = (reason: string) => resume(Effect.succeed(reason))
      const listeners = waiting.get(record) ?? new Set()
      waiting.set(record, listeners.add(tell))
      return Effect.sync(() => {
        listeners.delete(tell)
        if (listeners.size === 0 && waiting.get(record) === listeners) waiting.delete(record)
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
      look()
      const record = byHash.get(TokenFile.hashOf(token))
      return record === undefined ? undefined : isLive(now)(record) ? toPrincipal(record) : "expired"
    },
    named: (name, now) => {
      look()
      const record = [...byHash.values()].find((record) => record.name === name)
      return record === undefined || !isLive(now)(record)
        ? undefined
        : { principal: toPrincipal(record), hash: record.hash }
    },
    make: (wanted) => Effect.tap(shelf.make(wanted), refresh),
    revoke: (name) => Effect.tap(shelf.revoke(name), refresh),
    list: shelf.list
  }
})

const isSame = (left: TokenRecord, right: TokenRecord) => JSON.stringify(left) === JSON.stringify(right)
const goneText = ({ name }: TokenRecord) =>
  `the token "${name}" was revoked: ask the operator for another one`

export const expiredText = (name: string) =>
  `the time of the token "${name}" is over: ask the operator for another one`

/** The operator's own. */
export const ofOperator: PrincipalFields = { ...everything, name: defaultName }
