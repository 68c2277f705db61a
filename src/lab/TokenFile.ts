/**
 * TokenFile: users by token, one per line: `USER TOKEN`, or `USER sha256:HEX` with the token's hash. `#`
 * begins a comment.
 *
 * The file is read again when it changes, so that users can be added and removed while the lab runs: a user
 * whose line is removed is disconnected within a second. An unreadable file lets nobody in; an unreadable
 * line affects only its own user.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { messageOf } from "../schema/messageOf.js"
import { fileMark, followFile } from "../services/access/followFile.js"
import type { Source } from "./SignedTokens.js"

const digest = (token: string) => createHash("sha256").update(token).digest("hex")

const hashed = /^sha256:([0-9a-f]{64})$/i

interface Tokens {
  /** Users by the digest of their token: the time of a lookup reveals nothing about the others. */
  readonly users: ReadonlyMap<string, string>
  /** Numbers of lines without a user and a token. */
  readonly bad: ReadonlyArray<number>
}

export const parse = (text: string): Tokens => {
  const users = new Map<string, string>()
  const bad: Array<number> = []
  for (const [index, written] of text.split("\n").entries()) {
    const line = written.replace(/(^|\s)#.*$/, "").trim()
    const [, user, token] = /^(.+?)\s+(\S+)$/.exec(line) ?? []
    if (user !== undefined && token !== undefined) {
      users.set(hashed.exec(token)?.[1]?.toLowerCase() ?? digest(token), user)
    } else if (line !== "") bad.push(index + 1)
  }
  return { users, bad }
}

/** How often the file is checked without other activity, in ms. */
const lookMs = 250

export const make = Effect.fnUntraced(function*(file: string) {
  let tokens = parse("")
  /** The mark of the file that was read; empty if it could not be. */
  let seen = ""

  const look = Effect.fnUntraced(function*() {
    const mark = fileMark(file)
    if (mark === seen && mark !== "") return tokens.users
    // What cannot be read is tried again.
    seen = ""
    tokens = parse(yield* Effect.try(() => readFileSync(file, "utf8")))
    seen = mark
    if (tokens.bad.length > 0) {
      yield* Effect.logWarning(
        `the token file ${file} has no user and token in line ${tokens.bad.join(", ")}`
      )
    }
    return tokens.users
  })

  const find = (token: string): Effect.Effect<string | undefined> =>
    look().pipe(
      Effect.map((found) => found.get(digest(token))),
      Effect.catch(({ cause }) =>
        Effect.as(Effect.logError(`the token file ${file} cannot be read: ${messageOf(cause)}`), undefined)
      )
    )

  // The lab starts without it, since the file may come later; but its operator should know.
  yield* look().pipe(
    Effect.flatMap((users) =>
      users.size > 0 ? Effect.void : Effect.logWarning(
        `the token file ${file} lists no users, so nobody can log in: write a line such as "ada TOKEN" for each`
      )
    ),
    Effect.catch(({ cause }) =>
      Effect.logWarning(
        `the token file ${file} cannot be read, so nobody can log in until it can: ${messageOf(cause)}`
      )
    )
  )

  /** Called when the file may have changed. */
  const listeners = new Set<() => void>()
  const onChange = () => {
    for (const listener of [...listeners]) listener()
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => followFile(file, lookMs, () => seen, onChange)),
    (stop) => Effect.sync(stop)
  )
  const changed = Effect.callback<void>((resume) => {
    const listener = () => resume(Effect.void)
    listeners.add(listener)
    return Effect.sync(() => void listeners.delete(listener))
  })

  /** Completes when the token is no longer this user's. */
  const gone = (token: string, user: string): Effect.Effect<string> =>
    Effect.flatMap(find(token), (now) =>
      now === user
        ? Effect.flatMap(changed, () => gone(token, user))
        : Effect.succeed("this access token was revoked: ask the operator for a new one"))

  const source: Source = (token) =>
    Effect.map(
      find(token),
      (user) => user === undefined ? undefined : { user, ended: gone(token, user) }
    )
  return source
})
