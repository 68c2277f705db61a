/**
 * NativeRequests: decides which requests of an agent's own protocol a client may send (`control_request`, `raw_request`).
 *
 * Adapters list harmless requests with their allowed parameters. Others could do things without asking for permission: start
 * programs, read and write files, change the operator's settings, show keys. They need `--allow-native-requests`, and even
 * then they cannot select a permission mode that the operator excluded.
 */
import type { NativeRules } from "../../adapters/Adapter.js"
import type { CommandOf } from "../../schema/index.js"
import type { Settings } from "../RelayConfig.js"
import { cutSecrets } from "./cutSecrets.js"

type Params = Readonly<Record<string, unknown>>
export type NativeCommand = CommandOf<"control_request" | "raw_request">

/** A request in either form: a method and its parameters. */
export interface NativeRequest {
  readonly method: string
  readonly params: Params
}

export type Rules = Pick<Settings, "allow_native_requests" | "permission_modes">

export const requestOf = (command: NativeCommand): NativeRequest => {
  if (command.type === "raw_request") return { method: command.method, params: command.params ?? {} }
  const { subtype: method, ...params } = command.request
  return { method, params }
}

/** The command, with parameters that the relay itself sets. */
export const withOwn = <Command extends NativeCommand>(command: Command, rules: NativeRules | undefined) => {
  const own = ownOf(rules, requestOf(command).method)
  return command.type === "raw_request"
    ? { ...command, params: { ...command.params, ...own } }
    : { ...command, request: { ...command.request, ...own } }
}

const entryOf = <A>(entries: Readonly<Record<string, A>> | undefined, name: string): A | undefined =>
  entries !== undefined && Object.hasOwn(entries, name) ? entries[name] : undefined

const ownOf = (rules: NativeRules | undefined, method: string): Params => entryOf(rules?.own, method) ?? {}

/** A name from a client's frame, quoted for a message. */
const spelled = (name: string) => JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)

/** Names of parameters, at any depth, that decide what an agent may do without asking. */
const choosesRights =
  /^(?:approval_?policy|approvals_?reviewer|sandbox(?:_?policy|_?mode)?|permission_?mode|permissions|config|settings|mode_?id|config_?id)$/i

const rightsIn = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  for (const [name, inner] of Object.entries(value)) {
    if (choosesRights.test(name)) return name
    const found = rightsIn(inner)
    if (found !== undefined) return found
  }
  return undefined
}

/** Why the request is refused, and what to do; undefined if it may pass. `modes`: the permission modes on offer. */
export const objection = (
  tool: string,
  { method, params }: NativeRequest,
  native: NativeRules | undefined,
  modes: ReadonlyArray<string>,
  rules: Rules
): string | undefined => {
  const mode = entryOf(native?.modes, method)
  if (mode !== undefined && !modes.some((offered) => offered === params[mode])) {
    return `\`${mode}\` of the request ${spelled(method)} must be one of ${modes.join(", ")}`
  }
  const foreign = Object.entries(ownOf(native, method)).find(([name, own]) =>
    Object.hasOwn(params, name) && params[name] !== own
  )
  if (foreign !== undefined) {
    return `the request ${spelled(method)} is about this session: leave its parameter ${
      spelled(foreign[0])
    } out`
  }
  const harmless = entryOf(native?.harmless, method)
  const extra = harmless === undefined
    ? undefined
    : Object.keys(params).find((name) =>
      !harmless.includes(name) && !Object.hasOwn(ownOf(native, method), name)
    )
  if (harmless !== undefined && extra === undefined) return undefined
  const instead = entryOf(native?.instead, method)
  if (!rules.allow_native_requests) {
    if (instead !== undefined) return `${spelled(method)} is reserved for the relay: ${instead}`
    if (extra !== undefined) {
      return `the request ${spelled(method)} may not have the parameter ${
        spelled(extra)
      } on this relay: leave it `
        + "out, or start the relay with --allow-native-requests"
    }
    const names = Object.keys(native?.harmless ?? {})
    const choices = names.length === 0 ? "" : `use one of ${names.join(", ")}, or `
    return `this relay does not pass the request ${spelled(method)} on to ${tool}: ${choices}start it with `
      + "--allow-native-requests"
  }
  if (rules.permission_modes.length === 0) return undefined
  const chooses = mode === undefined ? rightsIn(params) : undefined
  return chooses === undefined
    ? undefined
    : `this relay allows only the permission modes ${rules.permission_modes.join(", ")}: leave ${
      spelled(chooses)
    } out of the request ${spelled(method)}, and send set_permission_mode`
}

/** Bytes of parameters that are journaled. */
const journaledBytes = 16 * 1024

/** The parameters for the journal: without secrets, and cut to a reasonable length. */
export const journaled = (params: Params): Params => {
  const cut = cutSecrets(params)
  const { length } = JSON.stringify(cut)
  return length <= journaledBytes ? cut : { left_out: `${length} characters` }
}
