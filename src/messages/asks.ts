/**
 * asks: the agent's questions until they are answered or withdrawn, also shown on the tool's own card.
 */
import type { EventOf } from "../client/browser.js"
import { add, change, type Draft, findLast } from "./Draft.js"
import { answersOf, askOptions, grants, open, questions, text as textIn } from "./read.js"
import type { AskItem, Decided } from "./View.js"

const cardOf = (draft: Draft, tool_use_id: string | undefined): number =>
  tool_use_id === undefined ? -1 : findLast(draft, "tool", (item) => item.tool_use_id === tool_use_id)

export const ask = (draft: Draft, event: EventOf<"permission_request">) => {
  const { args, metadata, request_id, seq, text = "", tool = "", tool_use_id, ts } = event
  const more = open(metadata)
  const suggested = more["permission_suggestions"]
  const diff = textIn(more["diff"])
  const card = cardOf(draft, tool_use_id)
  change(draft, card, "tool", { decided: { verdict: "asked" } })
  add(draft, {
    kind: "ask",
    key: `e${seq}`,
    ts,
    request_id,
    ask: metadata.kind,
    tool,
    args,
    text,
    options: askOptions(metadata.options),
    questions: questions(args),
    onCard: card >= 0,
    ...(tool_use_id !== undefined && { tool_use_id }),
    ...(Array.isArray(suggested) && { grants: grants(suggested) }),
    ...(diff !== undefined && { diff }),
    ...(metadata.expires_at !== undefined && { expires_at: metadata.expires_at }),
    state: "open"
  })
}

const settle = (draft: Draft, request_id: string, decided: Decided) => {
  const index = findLast(draft, "ask", (item) => item.request_id === request_id)
  const item = draft.items[index]
  if (item?.kind !== "ask") return
  const state: AskItem["state"] = decided.verdict === "asked" ? "open" : decided.verdict
  change(draft, index, "ask", { state, decided })
  change(draft, cardOf(draft, item.tool_use_id), "tool", { decided })
}

export const answered = (draft: Draft, { metadata, request_id, status }: EventOf<"control_response">) => {
  const { answers, message, scope, updated_input } = open(metadata)
  const own = draft.own_answers.get(request_id)
  // The relay's report counts; what it leaves out, this page may know from its own answer.
  const updated = typeof updated_input === "object" && updated_input !== null
    ? updated_input
    : own?.updated ?? (updated_input === true ? true : undefined)
  const given = answersOf(answers) ?? own?.answers
  const reason = textIn(message) ?? own?.reason
  settle(draft, request_id, {
    verdict: status === "allow" || status === "ok" ? "allowed" : "denied",
    ...(reason !== undefined && { reason }),
    ...(scope === "session" && { forSession: true }),
    ...(updated !== undefined && { updated }),
    ...(given !== undefined && { answers: given })
  })
}

export const cancelled = (draft: Draft, { metadata, request_id }: EventOf<"permission_cancelled">) => {
  const reason = textIn(metadata?.["reason"])
  settle(draft, request_id, { verdict: "cancelled", ...(reason !== undefined && { reason }) })
}
