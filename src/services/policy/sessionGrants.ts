/**
 * sessionGrants: remembers what a person allowed "for this session" if the agent cannot.
 *
 * A grant is as narrow as possible: the same tool with the same input. It ends with the session's agent.
 */
import { isDeepStrictEqual } from "node:util"
import type { PermissionOutcome } from "../../adapters/Adapter.js"
import type { PermissionRequest } from "../../schema/index.js"

export interface SessionGrants {
  /** The id of the request whose answer allows this one. */
  readonly find: (ask: PermissionRequest) => string | undefined
  /** Remembers an answer if it is for the whole session. */
  readonly remember: (ask: PermissionRequest, outcome: PermissionOutcome) => void
  /** For the request's metadata: what "for this session" would allow, if the relay is the one to remember it. */
  readonly describe: (ask: PermissionRequest) => { readonly session_grant?: string }
}

/** Most grants per session; the oldest are dropped. */
const most = 1000

/** Claude's own option; its suggestions tell whether Claude remembers it. */
const claudeOption = "allow_session"

const agentRemembers = ({ metadata }: PermissionRequest): boolean => {
  const { options = [], permission_suggestions } = metadata
  if (Array.isArray(permission_suggestions) && permission_suggestions.length > 0) return true
  return options.some(({ kind, option_id }) => kind === "allow_always" && option_id !== claudeOption)
}

/** A call's input without the model's remarks about it. */
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
