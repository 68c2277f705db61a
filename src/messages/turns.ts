/**
 * turns: the start and end of turns, and the state of sent prompts.
 */
import type { EventOf, RelayEvent } from "../client/browser.js"
import { add, type Draft, running } from "./Draft.js"
import { closeOpen } from "./messages.js"
import { used } from "./settings.js"
import * as tasks from "./tasks.js"
import { stopAll } from "./tools.js"

type Envelope = Pick<RelayEvent, "seq" | "ts">

const addPrompt = (
  draft: Draft,
  text: string,
  message_id: string | undefined,
  steered: boolean,
  at: Envelope,
  turn?: number
) =>
  add(draft, {
    kind: "user",
    key: `e${at.seq}`,
    ts: at.ts,
    text,
    images: [],
    steered,
    ...(turn !== undefined && { turn }),
    ...(message_id !== undefined && { message_id })
  })

const without = (draft: Draft, message_id: string) => {
  draft.queue = draft.queue.filter((prompt) => prompt.message_id !== message_id)
}

export const begin = (draft: Draft, { message_id, seq, text, ts, turn }: EventOf<"turn_start">) => {
  const from = draft.items.length
  if (text !== undefined) addPrompt(draft, text, message_id, false, { seq, ts }, turn)
  if (message_id !== undefined) {
    draft.settled.add(message_id)
    without(draft, message_id)
  }
  tasks.anotherTurn(draft)
  draft.turn = {
    since: ts,
    from,
    open: {},
    ...(text !== undefined && { prompt: { text, ...(message_id !== undefined && { message_id }) } })
  }
}

/** Claude's own command to clear the conversation prints nothing. */
const isCleared = ({ items, tool, turn }: Draft): boolean => {
  const first = turn === undefined ? undefined : items[turn.from]
  return tool.startsWith("claude") && first?.kind === "user" && first.text.trim() === "/clear"
}

export const end = (draft: Draft, event: EventOf<"turn_end">) => {
  const { context_pct, seq, stop_reason, ts, usage } = event
  closeOpen(draft)
  stopAll(draft)
  if (stop_reason === "end_turn" && isCleared(draft)) {
    const text = "The agent has forgotten everything above."
    add(draft, { kind: "notice", key: `cleared${seq}`, ts, level: "info", text, about: { is: "cleared" } })
  }
  delete draft.turn
  draft.cost += usage?.cost_usd ?? 0
  used(draft, { ...usage, context_pct })
  add(draft, { kind: "end", key: `e${seq}`, ts, stop_reason, ...(usage !== undefined && { usage }) })
}

/** The acknowledgement of the turn's own prompt adds nothing. */
const isOfTurn = ({ turn }: Draft, { message_id, text }: EventOf<"input_ack">) =>
  turn?.prompt !== undefined && turn.prompt.message_id === message_id && turn.prompt.text === text

export const acknowledge = (draft: Draft, event: EventOf<"input_ack">) => {
  const { message_id, status, text } = event
  if (message_id !== undefined) draft.settled.add(message_id)
  if (status === "queued" && message_id !== undefined) {
    draft.queue = [...draft.queue, { message_id, text: text ?? "" }]
    return
  }
  if (message_id !== undefined) without(draft, message_id)
  if (status !== "sent" || text === undefined) return
  if (!isOfTurn(draft, event)) return addPrompt(draft, text, message_id, draft.turn !== undefined, event)
  const { prompt: _prompt, ...turn } = draft.turn ?? { since: 0, from: 0, open: {} }
  draft.turn = turn
  return running(draft, {})
}
