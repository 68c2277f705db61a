/**
 * announce: what the relay says when it listens: where, and who needs the token.
 *
 * The token is shown in a URL to open; it stands in the fragment, which browsers send to nobody. It is shown when it is
 * new, and later at a terminal where everybody needs it. Never to the journal of a system, which many may read.
 */
import { Console, Effect, Redacted } from "effect"
import { networkInterfaces } from "node:os"
import { RelayServer } from "../server/RelayServer.js"
import type { Found } from "../services/access/AccessToken.js"
import type { Access } from "./access.js"

/** An address others reach this machine by. */
const outward = () =>
  Object.values(networkInterfaces()).flat()
    .find((address) => address !== undefined && !address.internal && address.family === "IPv4")?.address

const isEverywhere = (host: string) => host === "0.0.0.0" || host === "::"

/** As a URL spells it. */
const placeOf = (host: string, port: number) => `${host.includes(":") ? `[${host}]` : host}:${port}`

/** Who reads what is printed. */
export interface Audience {
  readonly isTerminal: boolean
  /** Systemd keeps it. */
  readonly isJournal: boolean
}

export const audience = (): Audience => ({
  isTerminal: process.stdout.isTTY,
  isJournal: process.env["JOURNAL_STREAM"] !== undefined && !process.stdout.isTTY
})

const keptIn = ({ file }: Found) => file === undefined ? [] : [`(the token is kept in ${file})`]

const onceShown = ({ file }: Found) =>
  file === undefined
    ? "(the token is another one at each start: choose one with --token-file)"
    : `(the token is shown this once, and kept in ${file})`

/** Where programs of this machine need no token. */
const forOthers = (found: Found, there: string, isShown: boolean): ReadonlyArray<string> =>
  found.isNew && isShown
    ? [`Other machines need a token: open ${there}/#token=${Redacted.value(found.token)}`, onceShown(found)]
    : found.file === undefined
    ? []
    : [`Other machines need the token in ${found.file}`]

const forEverybody = (found: Found, { because }: Access, here: string, there: string, isShown: boolean) => {
  const fragment = isShown ? `/#token=${Redacted.value(found.token)}` : ""
  const where = isShown
    ? ""
    : found.file === undefined
    ? ", with the token you chose"
    : `, with the token in ${found.file}`
  return [
    `Open ${here}${fragment} in a browser${where}`,
    ...there === here ? [] : [`From other machines: ${there}${fragment}`],
    ...isShown ? (found.isNew ? [onceShown(found)] : keptIn(found)) : [],
    `Everybody needs the token, programs on this machine too${
      because === undefined ? "" : `, because ${because}`
    }. `
    + "They send it as `Authorization: Bearer …`, or as `token` in the handshake."
  ]
}

/** The lines to print. `host` is where it listens, `port` the real one. */
export const linesOf = (
  version: string,
  { host, port, secure }: { readonly host: string; readonly port: number; readonly secure: boolean },
  found: Found,
  access: Access,
  { isJournal, isTerminal }: Audience
): ReadonlyArray<string> => {
  const s = secure ? "s" : ""
  const place = placeOf(isEverywhere(host) ? "localhost" : host, port)
  const here = `http${s}://${place}`
  const there = `http${s}://${placeOf(isEverywhere(host) ? outward() ?? "localhost" : host, port)}`
  // Nobody could know one that is kept nowhere.
  const isShown = found.isNew
    ? !isJournal || found.file === undefined
    : isTerminal && found.file !== undefined && access.auth === "always"
  return [
    `ai-relay ${version} listens on ws${s}://${place} (press Ctrl-C to stop)`,
    ...access.auth === "always"
      ? forEverybody(found, access, here, there, isShown)
      : [
        `Open ${here} in a browser`,
        ...access.auth === "never"
          ? ["--no-auth: whoever reaches this port can run any program as this user"]
          : forOthers(found, there, isShown)
      ],
    ...access.warning === undefined ? [] : [`Warning: ${access.warning}`],
    ...!secure && isEverywhere(host) && access.auth !== "never"
      ? ["Without TLS the token travels in clear: on a network you do not trust use --tls-cert and --tls-key"]
      : []
  ]
}

/** Whose parent is gone becomes a child of process 1, which has to look after it; Node does not. */
export const asFirst = (pid: number): ReadonlyArray<string> =>
  pid === 1
    ? [
      "Warning: as process 1 the relay leaves ended programs of agents behind (zombies): start the container with --init"
    ]
    : []

/** `warnings` are sentences for the operator. */
export const announce = (
  version: string,
  found: Found,
  access: Access,
  warnings: ReadonlyArray<string> = []
) =>
  Effect.flatMap(
    RelayServer,
    ({ address }) =>
      Effect.forEach(
        [
          ...linesOf(version, address, found, access, audience()),
          ...warnings.map((sentence) => `Warning: ${sentence}`),
          ...asFirst(process.pid)
        ],
        (line) => Console.log(line),
        { discard: true }
      )
  )
