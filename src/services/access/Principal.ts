/**
 * Principal: an authenticated client and its rights.
 *
 * It is provided around everything done on the client's behalf. If an app that embeds the relay provides none, everything is
 * allowed.
 */
import { Context, Effect, Schema } from "effect"
import { isAbsolute, relative, sep } from "node:path"
import { commandScopes } from "../../schema/commandScopes.js"
import { handshakeScopes } from "../../schema/handshakeScopes.js"
import type { ClientCommand, Handshake, Scope } from "../../schema/index.js"

/** The principal's token does not allow this. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** Limits of a token; an absent field is no limit. */
export interface Limits {
  readonly sessions?: ReadonlyArray<string>
  /** Real, absolute paths, including everything below them. */
  readonly folders?: ReadonlyArray<string>
  /** Agents, by their adapter's name. */
  readonly agents?: ReadonlyArray<string>
}

export interface PrincipalFields {
  /** The name of the token; absent for a program on this machine that needs none. */
  readonly name?: string
  readonly scopes: ReadonlySet<Scope>
  /** Set if the principal is this session's agent. */
  readonly session_id?: string
  readonly limits?: Limits
  /** Unix time in seconds. */
  readonly expires_at?: number
  /** Completes with the reason when the rights end: the token was revoked, changed, or expired. */
  readonly ended: Effect.Effect<string>
}

/** A program on this machine, or an app that embeds the relay. */
export const everything: PrincipalFields = { scopes: new Set(["admin"]), ended: Effect.never }

export const Principal = Context.Reference<PrincipalFields>("ai-relay/services/Principal", {
  defaultValue: () => everything
})

/** Whether the scopes include this one. `admin` includes all, and every scope includes `view`. */
export const may = ({ scopes }: Pick<PrincipalFields, "scopes">, scope: Scope): boolean =>
  scopes.has("admin") || scopes.has(scope) || (scope === "view" && scopes.size > 0)

const listed = (words: Iterable<string>) => [...words].join(", ")
const holderOf = ({ name }: PrincipalFields) => name === undefined ? "this client" : `the token "${name}"`

/** Fails unless the principal has the scope. `what`: the action for the error text, such as "the command set_model". */
export const demand = (
  principal: PrincipalFields,
  scope: Scope,
  what: string
): Effect.Effect<void, Forbidden> =>
  may(principal, scope) ? Effect.void : new Forbidden({
    reason: `${what} needs the scope \`${scope}\`, and ${holderOf(principal)} has only ${
      listed(principal.scopes)
    }: ask the operator for a token with it (\`ai-relay token create NAME --scope ${scope}\`)`
  })

/** Fails if `what` reaches the whole relay and the token is limited to certain sessions, folders or agents. */
export const demandReach = (
  principal: PrincipalFields,
  reach: "relay" | "sessions",
  what: string
): Effect.Effect<void, Forbidden> =>
  reach === "sessions" || principal.limits === undefined ? Effect.void : new Forbidden({
    reason: `${what} is about the whole relay, and ${holderOf(principal)} is limited to ${
      limitsOf(principal.limits)
    }: use a token without such a limit`
  })

const limitsOf = ({ agents, folders, sessions }: Limits): string =>
  [
    ...sessions === undefined ? [] : [`the sessions ${listed(sessions)}`],
    ...folders === undefined ? [] : [`the folders ${listed(folders)}`],
    ...agents === undefined ? [] : [`the agents ${listed(agents)}`]
  ].join(" and ")

/** A session, as far as limits are concerned. */
export interface Place {
  readonly session_id: string
  readonly folder: string
  readonly tool: string
}

const isInside = (folder: string, root: string) => {
  const way = relative(root, folder)
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** Whether the session is within the principal's limits. */
export const isWithin = (
  { limits }: Pick<PrincipalFields, "limits">,
  { folder, session_id, tool }: Place
): boolean =>
  limits === undefined || (
    (limits.sessions?.includes(session_id) ?? true)
    && (limits.folders?.some((root) => isInside(folder, root)) ?? true)
    && (limits.agents?.includes(tool) ?? true)
  )

/** Fails for a session outside the limits, with the same text whether it exists or not. */
export const demandWithin = (principal: PrincipalFields, place: Place): Effect.Effect<void, Forbidden> =>
  isWithin(principal, place) ? Effect.void : outside(principal)

export const outside = (principal: PrincipalFields): Forbidden =>
  new Forbidden({
    reason: `${holderOf(principal)} is limited to ${
      limitsOf(principal.limits ?? {})
    }: choose one of them, or use a token without this limit`
  })

/** Fails unless a session may be opened with this handshake. `isTerminal`: whether its tool is a terminal. */
export const demandOpening = Effect.fnUntraced(
  function*(principal: PrincipalFields, handshake: Handshake, isTerminal: boolean) {
    yield* demand(
      principal,
      isTerminal ? "terminal" : "prompt",
      isTerminal ? "a terminal" : "opening a session"
    )
    for (const [field, scope] of Object.entries(handshakeScopes)) {
      if (handshake[field as keyof Handshake] !== undefined && scope !== "prompt") {
        yield* demand(principal, scope, `\`${field}\` in a handshake that opens a session`)
      }
    }
  }
)

/** Fails unless the principal may send this command in such a session. */
export const demandCommand = (
  principal: PrincipalFields,
  { type }: ClientCommand,
  isTerminal: boolean
): Effect.Effect<void, Forbidden> =>
  // What a prompt may do to an agent is in a terminal done to a shell.
  isTerminal && commandScopes[type] === "prompt"
    ? demand(principal, "terminal", `the command ${type} in a terminal`)
    : demand(principal, commandScopes[type], `the command ${type}`)
