/**
 * permission: converts Codex's approval requests to permission requests, and people's answers to Codex's
 * format.
 */
import { Predicate, Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import type { PermissionOption, PermissionRequest, RequestId } from "../../schema/index.js"
import type { PermissionAllowed, PermissionDenied, PermissionOutcome } from "../Adapter.js"
import { AnyObject, id, items, optional, text, withFallback, words } from "../wire/lenient.js"
import type { ToolItem } from "./CodexItem.js"
import { type Decision, type Offer, toOffer, usual } from "./decisions.js"
import { callOf } from "./toolItems.js"

const asked = {
  threadId: optional(id),
  turnId: optional(id),
  itemId: withFallback(id, ""),
  reason: optional(words)
}

/** Reads whatever it can: a person decides, and sees what could not be read. */
export const Approval = Schema.Union([
  Schema.Struct({
    method: Schema.Literal("item/commandExecution/requestApproval"),
    params: Schema.Struct({
      ...asked,
      kind: text,
      command: optional(words),
      cwd: text,
      networkApprovalContext: optional(AnyObject),
      additionalPermissions: optional(AnyObject),
      availableDecisions: optional(items(Schema.Union([Schema.String, AnyObject])))
    })
  }),
  Schema.Struct({
    method: Schema.Literal("item/fileChange/requestApproval"),
    params: Schema.Struct({ ...asked, grantRoot: text })
  }),
  Schema.Struct({
    method: Schema.Literal("item/permissions/requestApproval"),
    params: Schema.Struct({ ...asked, cwd: text, permissions: withFallback(AnyObject, {}) })
  })
])
export type Approval = typeof Approval.Type

/** What to send to Codex, and what else a person's answer requires. */
export interface Reply {
  /** Undefined: Codex no longer waits. */
  readonly result: object | undefined
  /** The turn must also be stopped. */
  readonly stop?: boolean
  /** Text for the model: Codex's answers have no field for it. */
  readonly say?: string
  /** The reason reported with the declined tool. */
  readonly reason?: string
}

/** Codex also accepts a plain "no", and for a command "yes, for this session", even if it does not offer them. */
const decisionsOf = ({ method, params }: Approval): ReadonlyArray<Decision> => {
  if (method !== "item/commandExecution/requestApproval") return usual
  const { availableDecisions = usual, kind = "command", networkApprovalContext } = params
  const taken = kind === "command" && networkApprovalContext === undefined
    ? ["acceptForSession", "decline"]
    : ["decline"]
  return [...availableDecisions, ...taken.filter((decision) => !availableDecisions.includes(decision))]
}

const permissionOptions: ReadonlyArray<PermissionOption> = [
  { option_id: "turn", name: "Allow for this turn", kind: "allow_once" },
  { option_id: "session", name: "Allow for this session", kind: "allow_always" },
  { option_id: "decline", name: "Deny", kind: "reject_once" }
]

/** `item` is the call it is about: only that shows a file change. */
const callIn = (
  ask: Approval,
  item: ToolItem | undefined
): { readonly tool: string; readonly args: unknown } => {
  const { method, params } = ask
  const known = item === undefined ? undefined : callOf(item)
  const own = Predicate.isObject(known?.args) ? known.args : {}
  switch (method) {
    case "item/commandExecution/requestApproval": {
      const { additionalPermissions: permissions, command, cwd, kind, networkApprovalContext: network } =
        params
      return {
        tool: known?.tool ?? "commandExecution",
        args: {
          ...own,
          ...(command !== undefined && { command }),
          ...(cwd !== undefined && { cwd }),
          ...(network !== undefined && { network }),
          // What it may do beyond the sandbox, and whether it is typed into a running program.
          ...(permissions !== undefined && { permissions }),
          ...(kind !== undefined && kind !== "command" && { kind })
        }
      }
    }
    case "item/fileChange/requestApproval":
      return {
        tool: known?.tool ?? "fileChange",
        args: { ...own, ...(params.grantRoot !== undefined && { grant_root: params.grantRoot }) }
      }
    case "item/permissions/requestApproval":
      return {
        tool: "permissions",
        args: { permissions: params.permissions, ...(params.cwd !== undefined && { cwd: params.cwd }) }
      }
  }
}

export const toPermissionRequest = (
  request_id: RequestId,
  ask: Approval,
  item: ToolItem | undefined,
  /** The id clients know it by. */
  tool_use_id: string | undefined
): PermissionRequest => ({
  type: "permission_request",
  request_id,
  ...callIn(ask, item),
  ...(tool_use_id !== undefined && { tool_use_id }),
  ...(ask.params.reason !== undefined && { text: ask.params.reason }),
  metadata: {
    kind: "tool",
    options: ask.method === "item/permissions/requestApproval"
      ? permissionOptions
      : toOffer(decisionsOf(ask)).map(({ option }) => option)
  }
})

const silence = "Nobody answered the permission request in time, so it was denied."
const unchangeable =
  "Codex cannot run a tool with changed input, so it was denied: ask it to call it differently."

/** Only the input that was asked about may run; changed input must not be allowed by mistake. */
export const asAsked = ({ args }: PermissionRequest, outcome: PermissionOutcome): PermissionOutcome => {
  const updatedInput = outcome.behavior === "allow" ? outcome.updatedInput : undefined
  return updatedInput === undefined || isDeepStrictEqual(updatedInput, args)
    ? outcome
    : { type: "permission_response", behavior: "deny", message: unchangeable }
}

/** A person's refusal. Its text is for the model, unless the turn ends with it. */
export const refusal = ({ message, stop }: PermissionDenied): Omit<Reply, "result"> => ({
  reason: message ?? "The user denied this.",
  ...(stop === true ? { stop } : message !== undefined && { say: message })
})

const unanswered: PermissionDenied = { type: "permission_response", behavior: "deny", message: silence }

const named = (offer: Offer, option_id: string | undefined, allows: boolean): Decision | undefined =>
  offer.find(({ option }) => option.option_id === option_id && option.kind.startsWith("allow") === allows)
    ?.decision

const allow = (ask: Approval, outcome: PermissionAllowed): Reply => {
  const lasts = outcome.scope === "session"
  if (ask.method === "item/permissions/requestApproval") {
    return { result: { permissions: ask.params.permissions, scope: lasts ? "session" : "turn" } }
  }
  const offer = toOffer(decisionsOf(ask))
  const canLast = offer.some(({ decision }) => decision === "acceptForSession")
  const decision = named(offer, outcome.option_id, true) ?? (lasts && canLast ? "acceptForSession" : "accept")
  return { result: { decision } }
}

const deny = (ask: Approval, outcome: PermissionDenied): Reply => {
  if (ask.method === "item/permissions/requestApproval") {
    return { result: { permissions: {}, scope: "turn" }, ...refusal(outcome) }
  }
  const decision = named(toOffer(decisionsOf(ask)), outcome.option_id, false) ?? "decline"
  // "cancel" itself stops the turn.
  const { stop, ...words } = refusal(outcome)
  return { result: { decision: stop === true ? "cancel" : decision }, ...words }
}

/** What to send; nothing if an interrupt, Codex or the end of the session has settled it. */
export const toReply = (ask: Approval, request: PermissionRequest, outcome: PermissionOutcome): Reply => {
  const settled = asAsked(request, outcome)
  switch (settled.behavior) {
    case "allow":
      return allow(ask, settled)
    case "deny":
      return deny(ask, settled)
    case "cancelled":
      return settled.reason === "timeout" ? deny(ask, unanswered) : { result: undefined }
  }
}
