/**
 * decisions: the answers Codex accepts to an approval, as options a page can show.
 *
 * "For this session" is `acceptForSession`. The amendment Codex also offers would allow the command
 * permanently, in every project on the machine; it is used only if a client names that option.
 */
import { Predicate } from "effect"
import type { PermissionOption } from "../../schema/index.js"

export type Decision = string | Readonly<Record<string, unknown>>

const words: Readonly<Record<string, Omit<PermissionOption, "option_id">>> = {
  accept: { name: "Allow once", kind: "allow_once" },
  acceptForSession: { name: "Allow for this session", kind: "allow_always" },
  acceptWithExecpolicyAmendment: { name: "Allow always, in every project", kind: "allow_always" },
  decline: { name: "Deny", kind: "reject_once" },
  cancel: { name: "Deny and stop", kind: "reject_once" }
}
export const usual: ReadonlyArray<Decision> = ["accept", "acceptForSession", "decline", "cancel"]

const idOf = (decision: Decision): string =>
  typeof decision === "string" ? decision : Object.keys(decision)[0] ?? ""

/** A host to allow or deny from now on. */
const networkOption = (decision: Decision): Omit<PermissionOption, "option_id"> | undefined => {
  const amendment = typeof decision === "string" ? undefined : decision["applyNetworkPolicyAmendment"]
  const policy = Predicate.hasProperty(amendment, "network_policy_amendment")
    ? amendment.network_policy_amendment
    : undefined
  if (!Predicate.isObject(policy)) return undefined
  return policy["action"] === "deny"
    ? { name: `Never allow ${String(policy["host"])}`, kind: "reject_always" }
    : { name: `Always allow ${String(policy["host"])}`, kind: "allow_always" }
}

/** Each decision with its option id; several of the same kind are numbered. */
export const toOffer = (decisions: ReadonlyArray<Decision>) => {
  const known = decisions.flatMap((decision) => {
    const option = networkOption(decision) ?? words[idOf(decision)]
    return option === undefined ? [] : [{ decision, option, id: idOf(decision) }]
  })
  return known.map(({ decision, id, option }, index) => {
    const twins = known.slice(0, index).filter((other) => other.id === id).length
    return { decision, option: { option_id: twins === 0 ? id : `${id}-${twins + 1}`, ...option } }
  })
}
export type Offer = ReturnType<typeof toOffer>
