/**
 * Principal: who it was that was let in, and what they may do.
 *
 * Provided around all that is done for them, so that whatever does it can ask. Where an app that embeds the relay says
 * nothing, everything is allowed.
 */
import { Context, Effect, Schema } from "effect"
import type { Scope } from "../../schema/index.js"

/** What they were let in with does not allow this. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

export interface PrincipalFields {
  /** The name of the token; none for a program of this machine that needs none. */
  readonly name?: string
  readonly scopes: ReadonlySet<Scope>
}

/** A program of this machine, or an app that embeds the relay. */
export const everything: PrincipalFields = { scopes: new Set(["admin"]) }

export const Principal = Context.Reference<PrincipalFields>("ai-relay/services/Principal", {
  defaultValue: () => everything
})

/** `admin` may do all; whoever may do anything may look. */
export const may = ({ scopes }: PrincipalFields, scope: Scope): boolean =>
  scopes.has("admin") || scopes.has(scope) || (scope === "view" && scopes.size > 0)

const listed = (words: Iterable<string>) => [...words].join(", ")

/** Fails unless the principal has the scope; `what` is what was wanted, such as "the command set_model". */
export const demand = (
  principal: PrincipalFields,
  scope: Scope,
  what: string
): Effect.Effect<void, Forbidden> =>
  may(principal, scope) ? Effect.void : new Forbidden({
    reason: `${what} needs the scope \`${scope}\`, and ${
      principal.name === undefined ? "you have" : `the token "${principal.name}" has`
    } only ${
      listed(principal.scopes)
    }: ask the operator for a token with it (\`ai-relay token create --scope ${scope}\`)`
  })
