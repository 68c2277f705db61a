/** asks: what the agent asks a person, until somebody answers or nobody needs to. */
import type { EventOf } from "../../client/browser.js"
import { add, change, type Draft, findLast } from "./Draft.js"
import { askOptions, questions } from "./read.js"
import type { AskItem } from "./View.js"

export const ask = (draft: Draft, event: EventOf<"permission_request">) => {
  const { args, metadata, request_id, seq, text = "", tool = "", ts } = event
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
    ...(metadata.expires_at !== undefined && { expires_at: metadata.expires_at }),
    state: "open"
  })
}

const settle = (draft: Draft, request_id: string, fields: Partial<AskItem>) =>
  change(draft, findLast(draft, "ask", (item) => item.request_id === request_id), "ask", fields)

export const answered = (draft: Draft, { request_id, status }: EventOf<"control_response">) =>
  settle(draft, request_id, { state: status === "allow" || status === "ok" ? "allowed" : "denied" })

export const cancelled = (draft: Draft, { metadata, request_id }: EventOf<"permission_cancelled">) => {
  const reason = metadata?.["reason"]
  settle(draft, request_id, {
    state: "cancelled",
    ...(typeof reason === "string" && { reason })
  })
}
