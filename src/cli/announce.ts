/**
 * announce: what the relay says when it listens: where, and how others get in. Its own token is shown once, when it is
 * new, in a URL to open; it stands in the fragment, which browsers send to nobody.
 */
import { Console, Effect, Redacted } from "effect"
import { networkInterfaces } from "node:os"
import { RelayServer } from "../server/RelayServer.js"
import type { Found } from "../services/access/AccessToken.js"
import type { AuthOptions } from "../services/access/Auth.js"

/** An address others reach this machine by. */
const outward = () =>
  Object.values(networkInterfaces()).flat()
    .find((address) => address !== undefined && !address.internal && address.family === "IPv4")?.address

const isEverywhere = (host: string) => host === "0.0.0.0" || host === "::"

/** As a URL spells it. */
const placeOf = (host: string, port: number) => `${host.includes(":") ? `[${host}]` : host}:${port}`

const aboutToken = ({ file, isNew, token }: Found, origin: string): ReadonlyArray<string> => {
  if (!isNew) return file === undefined ? [] : [`Other machines need the token in ${file}`]
  return [
    `Other machines need a token: open ${origin}/#token=${Redacted.value(token)}`,
    file === undefined
      ? "(it is another one at each start: choose one with --token or --token-file)"
      : `(it is shown this once, and kept in ${file})`
  ]
}

export const announce = (version: string, found: Found, auth: NonNullable<AuthOptions["auth"]>) =>
  Effect.flatMap(RelayServer, ({ address: { host, port, secure } }) => {
    const s = secure ? "s" : ""
    const here = placeOf(isEverywhere(host) ? "localhost" : host, port)
    const there = placeOf(isEverywhere(host) ? outward() ?? "localhost" : host, port)
    const lines = [
      `ai-relay ${version} listens on ws${s}://${here} (Ctrl-C ends it)`,
      `Open http${s}://${here} in a browser`,
      ...auth === "never"
        ? ["--no-auth: whoever reaches this port can run any program as this user"]
        : aboutToken(found, `http${s}://${there}`)
    ]
    return Effect.forEach(lines, (line) => Console.log(line), { discard: true })
  })
