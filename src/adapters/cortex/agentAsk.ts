/**
 * agentAsk: what an agent asks its client: whether a tool may run, or to run a tool.
 *
 * Answers go into the next request. A person decides whether a tool may run. There are no client tools; the
 * agent is told so, because it would wait forever.
 */
import type { NativeBlock } from "../../schema/ContentBlock.js"
import { RequestId } from "../../schema/Ids.js"
import type { EventBody, PermissionOption, PermissionRequest } from "../../schema/index.js"
import type { PermissionOutcome } from "../Adapter.js"
import type { Ask } from "./Dialect.js"

const isDeny = (option: string) => /deny|reject/i.test(option)

/** Snowflake's options are text; "Allow Once" and "Deny" are documented. */
const kindOf = (option: string): PermissionOption["kind"] =>
  isDeny(option)
    ? "reject_once"
    : /always|session|thread|conversation/i.test(option)
    ? "allow_always"
    : "allow_once"

export const toPermissionRequest = ({ args, options, tool, tool_use_id }: Ask): PermissionRequest => ({
  type: "permission_request",
  request_id: RequestId.make(tool_use_id),
  tool,
  args,
  tool_use_id,
  metadata: {
    kind: "tool",
    options: options.map((option) => ({ option_id: option, name: option, kind: kindOf(option) }))
  }
})

const why: Record<"timeout" | "interrupted" | "withdrawn" | "session_end", string> = {
  timeout: "Nobody answered in time.",
  interrupted: "The user stopped the turn.",
  withdrawn: "The user stopped the turn.",
  session_end: "The session has ended."
}

/** The option that matches the decision. */
const choose = (options: ReadonlyArray<string>, outcome: PermissionOutcome): string => {
  if (outcome.behavior !== "allow") return options.find(isDeny) ?? "Deny"
  const allowing = options.filter((option) => !isDeny(option))
  const wanted = outcome.scope === "session" ? "allow_always" : "allow_once"
  return allowing.find((option) => option === outcome.option_id)
    ?? allowing.find((option) => kindOf(option) === wanted)
    ?? allowing[0]
    ?? "Allow Once"
}

/** A person's decision, as sent with the next request. */
export const toDecision = ({ native, options }: Ask, outcome: PermissionOutcome): NativeBlock => {
  const reason = outcome.behavior === "cancelled" ? why[outcome.reason] : outcome.message
  return {
    type: "permission_decision",
    permission_decision: {
      tool_use_id: native,
      decision: choose(options, outcome),
      ...(outcome.behavior !== "allow" && reason !== undefined && { reason })
    }
  }
}

/** Whether the person wants the whole turn to stop. */
export const isStop = (outcome: PermissionOutcome): boolean =>
  outcome.behavior === "cancelled"
    ? outcome.reason === "interrupted" || outcome.reason === "session_end"
    : outcome.behavior === "deny" && outcome.stop === true

const notOurs = "ai-relay does not run tools for Snowflake: continue without this one."

/** The answer to "run this tool". */
export const toRefusal = ({ native, tool, type }: Ask): NativeBlock => ({
  type: "tool_result",
  tool_result: {
    tool_use_id: native,
    ...(type !== undefined && { type }),
    name: tool,
    content: [{ type: "text", text: notOurs }],
    status: "error"
  }
})

/** The same refusal, as an event for clients. */
export const toRefusalEvent = ({ tool, tool_use_id }: Ask): EventBody => ({
  type: "tool_result",
  tool,
  tool_use_id,
  status: "error",
  text: notOurs
})
