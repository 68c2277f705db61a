/**
 * sessionGrants: what a person has allowed "for this session" where the agent itself cannot remember it.
 *
 * It is the narrowest that keeps the promise: the same tool with the same input. It ends with the session's agent.
 */
import { isDeepStrictEqual } from "node:util"
import type { PermissionOutcome } from "../../adapters/Adapter.js"
import type { PermissionRequest } from "../../schema/index.js"

export interface SessionGrants {
  /** The request with which this was allowed. */
  readonly find: (ask: PermissionRequest) => string | undefined
  /** An answer for the session, if it is one. */
  readonly remember: (ask: PermissionRequest, outcome: PermissionOutcome) => void
  /** For the request's metadata: what "for this session" would allow, where the relay sees to it. */
  readonly describe: (ask: PermissionRequest) => { readonly session_grant?: string }
}

/** Kept per session; the oldest go first. */
const most = 1000

/** Claude's own button; whether it remembers anything, its suggestions say. */
const claudeOption = "allow_session"

const agentRemembers = ({ metadata }: PermissionRequest): boolean => {
  const { options = [], permission_suggestions } = metadata
  if (Array.isArray(permission_suggestions) && permission_suggestions.length > 0) return true
  return options.some(({ kind, option_id }) => kind === "allow_always" && option_id !== claudeOption)
}

/** What the model says of a call is no part of it. */
const inputOf = ({ args }: PermissionRequest): unknown => {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return args
  const { description: _, ...input } = args as Readonly<Record<string, unknown>>
  return input
}

export const make = (): SessionGrants => {
  const grants: Array<{ readonly tool: string; readonly input: unknown; readonly request_id: string }> = []
  const isOurs = (ask: PermissionRequest) =>
    ask.metadata.kind === "tool" && ask.tool !== undefined && ask.args !== undefined && !agentRemembers(ask)

  return {
    find: (ask) =>
      isOurs(ask)
        ? grants.find(({ input, tool }) => tool === ask.tool && isDeepStrictEqual(input, inputOf(ask)))
          ?.request_id
        : undefined,
    remember: (ask, outcome) => {
      if (outcome.behavior !== "allow" || outcome.scope !== "session" || !isOurs(ask)) return
      if (outcome.updatedInput !== undefined && !isDeepStrictEqual(outcome.updatedInput, ask.args)) return
      grants.push({ tool: ask.tool ?? "", input: inputOf(ask), request_id: ask.request_id })
      if (grants.length > most) grants.shift()
    },
    describe: (ask) =>
      isOurs(ask) && (ask.metadata.options ?? []).length > 0
        ? {
          session_grant: `The same call again: ${
            ask.tool ?? ""
          } with exactly this input, until the session ends.`
        }
        : {}
  }
}
