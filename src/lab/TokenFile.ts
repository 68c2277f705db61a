/**
 * TokenFile: users by token, a line each: `USER TOKEN`, or `USER sha256:HEX` of the token. `#` begins a comment.
 *
 * The file is read again when it has changed, so that users come and go while the lab runs. A file that cannot be read
 * lets nobody in; a line that cannot, nobody but its user.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { readFileSync, statSync } from "node:fs"

const digest = (token: string) => createHash("sha256").update(token).digest("hex")

const hashed = /^sha256:([0-9a-f]{64})$/i

interface Tokens {
  /** Users by the digest of their token: looking one up tells nothing about the others by its time. */
  readonly users: ReadonlyMap<string, string>
  /** Lines without a user and a token, by number. */
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

export const make = (file: string) => {
  let tokens = parse("")
  let version = ""

  const look = Effect.fnUntraced(function*() {
    const { ino, mtimeMs, size } = yield* Effect.try(() => statSync(file))
    const now = `${ino} ${mtimeMs} ${size}`
    if (now === version) return tokens.users
    tokens = parse(yield* Effect.try(() => readFileSync(file, "utf8")))
    version = now
    if (tokens.bad.length > 0) {
      yield* Effect.logWarning(
        `the token file ${file} has no user and token in line ${tokens.bad.join(", ")}`
      )
    }
    return tokens.users
  })

  return (token: string): Effect.Effect<string | undefined> =>
    look().pipe(
      Effect.map((found) => found.get(digest(token))),
      Effect.catch(({ cause }) =>
        Effect.as(Effect.logError(`the token file ${file} cannot be read: ${String(cause)}`), undefined)
      )
    )
}
