/**
 * token: `ai-relay token create|list|revoke` manages access tokens with limited rights. They are stored in the state folder; a
 * running relay notices changes within a second.
 */
import { Console, Effect, Schema } from "effect"
import { Argument, CliError, Command, Flag } from "effect/cli"
import { realpathSync, statSync } from "node:fs"
import { userInfo } from "node:os"
import { Scope, scopes } from "../schema/index.js"
import * as Audit from "../services/access/Audit.js"
import type { TokenRecord } from "../services/access/tokenFile.js"
import * as Tokens from "../services/access/Tokens.js"
import { CommandError } from "./clientOptions.js"
import { relayOptions } from "./options.js"
import { safeJson, visibleLine } from "./printable.js"

const where = {
  state_dir: relayOptions.state_dir,
  config: relayOptions.config,
  json: Flag.Boolean("json").pipe(Flag.withoutNegation, Flag.withDefault(false))
}

const many = (name: string) => Flag.String(name).pipe(Flag.atLeast(0))

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 24 * 3600, w: 7 * 24 * 3600 }

/** `90s`, `30m`, `12h`, `7d` or `4w` in seconds; undefined if it is none of these. */
export const secondsIn = (text: string): number | undefined => {
  const [, number, unit = ""] = /^(\d{1,6})([smhdw])$/.exec(text.trim()) ?? []
  const seconds = Number(number) * (unitSeconds[unit] ?? Number.NaN)
  return seconds > 0 ? seconds : undefined
}

const expires = Flag.String("expires").pipe(
  Flag.mapEffect((text) => {
    const seconds = secondsIn(text)
    return seconds !== undefined ? Effect.succeed(seconds) : Effect.fail(
      new CliError.InvalidValue({
        option: "expires",
        value: text,
        expected: "a number and a unit, such as 30m, 12h, 7d or 4w",
        kind: "flag"
      })
    )
  }),
  Flag.optional
)

const isScope = Schema.is(Scope)

const scopesIn = (words: ReadonlyArray<string>) =>
  Effect.forEach(words, (word) =>
    isScope(word) ? Effect.succeed(word) : new CommandError({
      reason: `there is no scope "${word}": use ${scopes.join(", ")}`
    }))

/** Real paths of these folders: sessions have real paths, and limits are compared with them. */
const foldersIn = (names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) =>
    Effect.try({
      try: () => {
        if (!statSync(name).isDirectory()) throw new Error("not a folder")
        return realpathSync(name)
      },
      catch: () =>
        new CommandError({ reason: `there is no folder "${name}": name an existing one with --folder` })
    }))

/** The operator's user name on this system; a container may have none. */
const operator = (): Audit.Doer => {
  try {
    return { user: userInfo().username }
  } catch {
    return {}
  }
}

/** Writes to the audit log what a relay would have written for the same change. */
const noted = (state_dir: string, what: string, more: Readonly<Record<string, unknown>>) =>
  Effect.map(Audit.Audit, ({ write }) => write(what, operator(), more)).pipe(
    Effect.provide(Audit.layer({ state_dir }))
  )

/** As one word of a shell's. */
const asWord = (name: string) => /^[\w.:@-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`

const create = Command.make("create", {
  ...where,
  scope: many("scope"),
  session: many("session"),
  folder: many("folder"),
  agent: many("agent"),
  expires,
  name: Argument.String("name")
}, ({ agent, expires, folder, json, name, scope, session, state_dir }) =>
  Effect.gen(function*() {
    const folders = yield* foldersIn(folder)
    const { record, token } = yield* Tokens.onShelf(state_dir).make({
      name,
      scopes: yield* scopesIn(scope),
      ...(session.length > 0 && { sessions: session }),
      ...(folders.length > 0 && { folders }),
      ...(agent.length > 0 && { agents: agent }),
      ...(expires._tag === "Some" && { expires_in: expires.value })
    })
    const { hash: _, ...told } = record
    const { created_at: _at, name: token_name, ...given } = told
    yield* noted(state_dir, "token_created", { name: token_name, ...given })
    if (json) return yield* Console.log(safeJson(JSON.stringify({ token, ...told }, null, 2)))
    yield* Console.log(token)
    yield* Console.error(
      `This is the token "${record.name}" (${record.scopes.join(", ")}). It is shown only now; `
        + `\`ai-relay token revoke ${asWord(record.name)}\` revokes it.`
    )
  }))

const limitsOf = ({ agents = [], folders = [], sessions = [] }: TokenRecord) =>
  [...sessions, ...folders, ...agents].map(visibleLine).join(" ")

const titles = ["NAME", "SCOPES", "LIMITED TO", "ENDS"]

const toTable = (tokens: ReadonlyArray<TokenRecord>): string => {
  const rows = tokens.map((token) => [
    visibleLine(token.name),
    token.scopes.join(","),
    limitsOf(token),
    token.expires_at === undefined ? "" : new Date(token.expires_at * 1000).toISOString()
  ])
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  )
  return [titles, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
    .join("\n")
}

const list = Command.make("list", where, ({ json, state_dir }) =>
  Effect.gen(function*() {
    const tokens = yield* Tokens.onShelf(state_dir).list
    if (json) {
      return yield* Console.log(
        safeJson(JSON.stringify({ tokens: tokens.map(({ hash: _, ...told }) => told) }, null, 2))
      )
    }
    yield* Console.log(
      tokens.length === 0
        ? "There are no named tokens: `ai-relay token create NAME --scope view` creates one."
        : toTable(tokens)
    )
  }))

const revoke = Command.make(
  "revoke",
  { ...where, name: Argument.String("name") },
  ({ name, state_dir }) =>
    Effect.gen(function*() {
      if (!(yield* Tokens.onShelf(state_dir).revoke(name))) {
        return yield* new CommandError({
          reason: name === Tokens.defaultName
            ? "the relay's own token is the file `token` in the state folder: remove that file and restart the relay"
            : `there is no token "${name}": \`ai-relay token list\` shows them`
        })
      }
      yield* noted(state_dir, "token_revoked", { name })
      yield* Console.log(`"${name}" is revoked. Its connections to a running relay end within a second.`)
    })
)

export const token = Command.make("token").pipe(Command.withSubcommands([create, list, revoke]))
