/**
 * announce: what the relay prints once it listens: its address, and who needs the token.
 *
 * The token is part of the URL to open, in the fragment, which browsers never send. It is shown when it is new, and later
 * at a terminal if everybody needs it. It is never written to the system's journal, which many users can read.
 */
import { Console, Effect, Redacted } from "effect"
import { networkInterfaces } from "node:os"
import { RelayServer } from "../server/RelayServer.js"
import type { Found } from "../services/access/AccessToken.js"
import type { Access } from "./access.js"

/** An IPv4 address of this machine that others can reach, if there is one. */
const outward = () =>
  Object.values(networkInterfaces()).flat()
    .find((address) => address !== undefined && !address.internal && address.family === "IPv4")?.address

const isEverywhere = (host: string) => host === "0.0.0.0" || host === "::"

/** As a URL spells it. */
const placeOf = (host: string, port: number) => `${host.includes(":") ? `[${host}]` : host}:${port}`

/** Where the output goes. */
export interface Audience {
  readonly isTerminal: boolean
  /** Into the journal of systemd. */
  readonly isJournal: boolean
}

export const audience = (): Audience => ({
  isTerminal: process.stdout.isTTY,
  isJournal: process.env["JOURNAL_STREAM"] !== undefined && !process.stdout.isTTY
})

const keptIn = ({ file }: Found) => file === undefined ? [] : [`(the token is saved in ${file})`]

const onceShown = ({ file }: Found) =>
  file === undefined
    ? "(the token changes at each start: use --token-file to set one)"
    : `(the token is shown only now; it is saved in ${file})`

/** The lines for a relay whose own machine needs no token. */
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
    ? ", with the token you set"
    : `, with the token in ${found.file}`
  return [
    `Open ${here}${fragment} in a browser${where}`,
    ...there === here ? [] : [`From other machines: ${there}${fragment}`],
    ...isShown ? (found.isNew ? [onceShown(found)] : keptIn(found)) : [],
    `Every client needs the token, even on this machine${
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
  // Nobody could look up a token that is saved nowhere.
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
          ? ["--no-auth: anyone who can reach this port can run any program as this user"]
          : forOthers(found, there, isShown)
      ],
    ...access.warning === undefined ? [] : [`Warning: ${access.warning}`],
    ...!secure && isEverywhere(host) && access.auth !== "never"
      ? [
        "Without TLS the token is sent unencrypted: on a network you do not trust, use --tls-cert and --tls-key"
      ]
      : []
  ]
}

/** Orphans become children of process 1, which has to reap them; Node does not. */
export const asFirst = (pid: number): ReadonlyArray<string> =>
  pid === 1
    ? [
      "Warning: as process 1, the relay leaves zombies of agents' programs behind: start the container with --init"
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
