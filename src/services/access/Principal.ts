/**
 * Principal: who it was that was let in, and what they may do.
 *
 * Provided around all that is done for them, so that whatever does it can ask. Where an app that embeds the relay says
 * nothing, everything is allowed.
 */
import { Context, Effect, Schema } from "effect"
import { isAbsolute, relative, sep } from "node:path"
import { commandScopes } from "../../schema/commandScopes.js"
import { handshakeScopes } from "../../schema/handshakeScopes.js"
import type { ClientCommand, Handshake, Scope } from "../../schema/index.js"

/** What they were let in with does not allow this. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** What a token is limited to; what is absent has no limit. */
export interface Limits {
  readonly sessions?: ReadonlyArray<string>
  /** Real, absolute paths; with all below them. */
  readonly folders?: ReadonlyArray<string>
  /** By the adapter's own name. */
  readonly agents?: ReadonlyArray<string>
}

export interface PrincipalFields {
  /** The name of the token; none for a program of this machine that needs none. */
  readonly name?: string
  readonly scopes: ReadonlySet<Scope>
  /** It is the agent of this session. */
  readonly session_id?: string
  readonly limits?: Limits
  /** Unix time in seconds. */
  readonly expires_at?: number
  /** Completes, with the reason, when they may stay no longer: the token was revoked or changed, or its time is over. */
  readonly ended: Effect.Effect<string>
}

/** A program of this machine, or an app that embeds the relay. */
export const everything: PrincipalFields = { scopes: new Set(["admin"]), ended: Effect.never }

export const Principal = Context.Reference<PrincipalFields>("ai-relay/services/Principal", {
  defaultValue: () => everything
})

/** `admin` may do all; any scope lets its holder look. */
export const may = ({ scopes }: Pick<PrincipalFields, "scopes">, scope: Scope): boolean =>
  scopes.has("admin") || scopes.has(scope) || (scope === "view" && scopes.size > 0)

const listed = (words: Iterable<string>) => [...words].join(", ")
const holderOf = ({ name }: PrincipalFields) => name === undefined ? "this client" : `the token "${name}"`

/** Fails unless the principal has the scope; `what` is what was wanted, such as "the command set_model". */
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

/** A way in that shows more than single sessions is closed to tokens that are limited to some. */
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

/** A session, by what limits look at. */
export interface Place {
  readonly session_id: string
  readonly folder: string
  readonly tool: string
}

const isInside = (folder: string, root: string) => {
  const way = relative(root, folder)
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** The session is one of those the principal is limited to. */
export const isWithin = (
  { limits }: Pick<PrincipalFields, "limits">,
  { folder, session_id, tool }: Place
): boolean =>
  limits === undefined || (
    (limits.sessions?.includes(session_id) ?? true)
    && (limits.folders?.some((root) => isInside(folder, root)) ?? true)
    && (limits.agents?.includes(tool) ?? true)
  )

/** Fails for a session outside of the limits, with the same words whether it is there or not. */
export const demandWithin = (principal: PrincipalFields, place: Place): Effect.Effect<void, Forbidden> =>
  isWithin(principal, place) ? Effect.void : outside(principal)

export const outside = (principal: PrincipalFields): Forbidden =>
  new Forbidden({
    reason: `${holderOf(principal)} is limited to ${
      limitsOf(principal.limits ?? {})
    }: choose one of them, or use a token without this limit`
  })

/** Fails unless a session may be opened with this handshake; `isTerminal` is what its tool is. */
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

/** What is typed into a shell is more than a prompt. */
const typed = new Set<ClientCommand["type"]>([
  "user_message",
  "interrupt",
  "schedule",
  "change_schedule",
  // The driver holds the others off.
  "drive",
  "drive_response"
])

/** Fails unless the command may be given in such a session. */
export const demandCommand = (
  principal: PrincipalFields,
  { type }: ClientCommand,
  isTerminal: boolean
): Effect.Effect<void, Forbidden> =>
  isTerminal && typed.has(type)
    ? demand(principal, "terminal", `the command ${type} in a terminal`)
    : demand(principal, commandScopes[type], `the command ${type}`)
