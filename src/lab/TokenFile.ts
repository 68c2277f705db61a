/**
 * TokenFile: users by token, a line each: `USER TOKEN`, or `USER sha256:HEX` of the token. `#` begins a comment.
 *
 * The file is read again when it has changed, so that users come and go while the lab runs. A file that cannot be read
 * lets nobody in.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { readFileSync, statSync } from "node:fs"

const digest = (token: string) => createHash("sha256").update(token).digest("hex")

const hashed = /^sha256:([0-9a-f]{64})$/i

/** Users by the digest of their token: looking one up tells nothing about the others by its time. */
export const parse = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split("\n").flatMap((line) => {
      const [user = "", token, more] = line.replace(/(^|\s)#.*$/, "").trim().split(/\s+/)
      if (token === undefined || more !== undefined) return []
      return [[hashed.exec(token)?.[1]?.toLowerCase() ?? digest(token), user]]
    })
  )

export const make = (file: string) => {
  let users: ReadonlyMap<string, string> = new Map()
  let version = ""

  const look = () => {
    const { ino, mtimeMs, size } = statSync(file)
    const now = `${ino} ${mtimeMs} ${size}`
    if (now === version) return users
    users = parse(readFileSync(file, "utf8"))
    version = now
    return users
  }

  return (token: string): Effect.Effect<string | undefined> =>
    Effect.try(look).pipe(
      Effect.map((found) => found.get(digest(token))),
      Effect.catchAll(({ error }) =>
        Effect.as(Effect.logError(`the token file ${file} cannot be read: ${String(error)}`), undefined)
      )
    )
}
