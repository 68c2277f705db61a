/**
 * permission: converts an agent's `session/request_permission` to a permission request, and a person's answer
 * to one of the agent's options.
 *
 * Options are chosen by kind, never by an id of our own: an id that was not offered makes the tool fail.
 */
import { Predicate, Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import type { PermissionOption, PermissionRequest, RequestId } from "../../schema/index.js"
import type { PermissionAllowed, PermissionDenied, PermissionOutcome } from "../Adapter.js"
import { items, text, withFallback } from "../wire/lenient.js"
import { textOfBlocks, wordsIn } from "../wire/words.js"
import type { AcpQuirks } from "./AcpAgent.js"
import { type ToolFields, toolFields } from "./AcpMessage.js"
import { argsOf, toolNameOf } from "./toolFields.js"

/** The params of `session/request_permission`. */
export const AskPermission = Schema.Struct({
  sessionId: text,
  toolCall: Schema.Struct({ ...toolFields, toolCallId: withFallback(toolFields.toolCallId, "") }),
  options: withFallback(
    items(Schema.Struct({ optionId: Schema.String, name: text, kind: withFallback(Schema.String, "") })),
    []
  )
})
export type AskPermission = typeof AskPermission.Type

const kinds = ["allow_once", "allow_always", "reject_once", "reject_always"] as const

/** A kind the protocol does not know: whether it allows or rejects is in its first word. */
const kindOf = (kind: string): PermissionOption["kind"] | undefined =>
  kinds.find((word) => word === kind)
    ?? (/^allow_./.test(kind)
      ? "allow_always"
      : kind === "allow"
      ? "allow_once"
      : /^(reject|deny)/.test(kind)
      ? "reject_once"
      : undefined)

const toOptions = ({ options }: AskPermission): ReadonlyArray<PermissionOption> =>
  options.flatMap(({ kind, name, optionId }) => {
    const known = kindOf(kind)
    return known === undefined ? [] : [{ option_id: optionId, name: name ?? optionId, kind: known }]
  })

const shownIn = ({ content = [] }: ToolFields) =>
  textOfBlocks(content.flatMap(({ content }) => content === undefined ? [] : [content]))

/**
 * A plan is shown as text. A tool is described by its title, and by what the request itself says: why it asks.
 */
const textOf = (call: ToolFields, asked: ToolFields, isPlan: boolean): string | undefined => {
  const { rawInput, title } = call
  if (!isPlan) {
    const why = shownIn(asked)
    const isInInput = Predicate.isObject(rawInput) && Object.values(rawInput).includes(why)
    return wordsIn([title, isInInput ? undefined : why])
  }
  const plan = typeof rawInput === "object" && rawInput !== null && "plan" in rawInput
    ? rawInput.plan
    : undefined
  const shown = shownIn(call)
  return typeof plan === "string" ? plan : shown === "" ? title : shown
}

/** `call` is everything known about the tool call, not only what the request contains. */
export const toPermissionRequest = (
  request_id: RequestId,
  ask: AskPermission,
  call: ToolFields,
  quirks: AcpQuirks,
  /** The id clients know it by. */
  tool_use_id = call.toolCallId
): PermissionRequest => {
  const isPlan = call.kind === "switch_mode"
  const text = textOf(call, ask.toolCall, isPlan)
  return {
    type: "permission_request",
    request_id,
    tool: toolNameOf(call, quirks),
    args: argsOf(call, quirks),
    tool_use_id,
    ...(text !== undefined && { text }),
    metadata: { kind: isPlan ? "plan" : "tool", options: toOptions(ask) }
  }
}

type Offer = ReadonlyArray<PermissionOption>
type Kind = PermissionOption["kind"]

const firstOf = (offer: Offer, ...wanted: ReadonlyArray<Kind>): PermissionOption | undefined =>
  wanted.map((kind) => offer.find((option) => option.kind === kind)).find((option) => option !== undefined)

/** Whether the option outlives the session: it is saved in the project's or the user's settings. */
const isForGood = ({ name, option_id }: PermissionOption): boolean => {
  const words = `${option_id} ${name}`
  if (/\b(this|the|current) session|for[_-]session/i.test(words)) return false
  return /project|user|workspace|global|forever|permanent|amendment|everywhere|save|future/i.test(words)
}

/** The option that allows it for this session only; if the agent has none, the one that allows it once. */
const forSession = (offer: Offer): PermissionOption | undefined =>
  firstOf(offer.filter((option) => !isForGood(option)), "allow_always", "allow_once") ??
    firstOf(offer, "allow_once")

const choose = (
  offer: Offer,
  outcome: PermissionAllowed | PermissionDenied
): PermissionOption | undefined => {
  const lasting = outcome.scope === "session"
  const named = offer.find(({ option_id }) => option_id === outcome.option_id)
  if (outcome.behavior === "allow") {
    if (named?.kind.startsWith("allow") === true) return named
    // Of several lasting ways to leave Claude's plan mode, this is the one the relay's `claude` uses.
    const edits = offer.find(({ option_id }) => option_id === "acceptEdits")
    if (lasting && edits?.kind === "allow_always") return edits
    return lasting ? forSession(offer) : firstOf(offer, "allow_once", "allow_always")
  }
  if (named?.kind.startsWith("reject") === true) return named
  return lasting
    ? firstOf(offer, "reject_always", "reject_once")
    : firstOf(offer, "reject_once", "reject_always")
}

/** The outcome of a request in the agent's format and, if the tool may not run, the reason. */
export interface Decision {
  readonly answer: { readonly outcome: { readonly outcome: string; readonly optionId?: string } }
  readonly rejected?: string
}

const silence = "Nobody answered the permission request in time, so it was denied."
const unchangeable =
  "This agent cannot run a tool with changed input, so it was denied: ask the agent to call it differently."

const cancelled: Decision["answer"] = { outcome: { outcome: "cancelled" } }

const reject = (offer: Offer, outcome: PermissionDenied, rejected: string): Decision => {
  const option = choose(offer, outcome)
  return {
    answer: option === undefined
      ? cancelled
      : { outcome: { outcome: "selected", optionId: option.option_id } },
    rejected
  }
}

export const decide = (request: PermissionRequest, outcome: PermissionOutcome): Decision => {
  const offer = request.metadata.options ?? []
  const denied: PermissionDenied = { type: "permission_response", behavior: "deny" }
  switch (outcome.behavior) {
    case "cancelled":
      return outcome.reason === "timeout" ? reject(offer, denied, silence) : { answer: cancelled }
    case "deny":
      return reject(offer, outcome, outcome.message ?? "The user denied this.")
    case "allow": {
      const { updatedInput } = outcome
      if (updatedInput !== undefined && !isDeepStrictEqual(updatedInput, request.args)) {
        return reject(offer, denied, unchangeable)
      }
      const option = choose(offer, outcome)
      return option === undefined
        ? { answer: cancelled, rejected: "The agent offered no way to allow this." }
        : { answer: { outcome: { outcome: "selected", optionId: option.option_id } } }
    }
  }
}
