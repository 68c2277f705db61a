/** Turns: waits for the end of a prompt's turn. */
import type { EventOf, RelayEvent } from "./protocol.js"
import { forgettable, RelayError } from "./RelayError.js"

/** The result of a prompt. */
export interface TurnResult {
  /** The agent's final answer; empty if the turn was stopped before there was one. */
  readonly text: string
  readonly stop_reason: EventOf<"turn_end">["stop_reason"]
  readonly turn: number | undefined
  /** The turn's last event, with `usage` and `context_pct`. */
  readonly end: EventOf<"turn_end">
}

export interface Turns {
  /** Fails with a `RelayError` if the prompt is refused or withdrawn, the turn fails, or the session ends. */
  readonly resultOf: (message_id: string) => Promise<TurnResult>
  readonly follow: (event: RelayEvent) => void
  readonly fail: (message_id: string, error: RelayError) => void
  /** Fails prompts that the relay had already accepted. */
  readonly failBegun: (error: RelayError) => void
  readonly failAll: (error: RelayError) => void
}

interface Waiting {
  turn?: number | undefined
  queued: boolean
  text: string
  failure?: EventOf<"error">
  readonly resolve: (result: TurnResult) => void
  readonly reject: (error: RelayError) => void
}

export const make = (): Turns => {
  const waiting = new Map<string, Waiting>()

  const fail = (message_id: string, error: RelayError) => {
    waiting.get(message_id)?.reject(error)
    waiting.delete(message_id)
  }

  const onAck = (prompt: Waiting, message_id: string, ack: EventOf<"input_ack">) => {
    const known = prompt.turn !== undefined || prompt.queued
    switch (ack.status) {
      case "queued":
        prompt.queued = true
        return
      case "sent":
        // Into a running turn; one of its own has begun before.
        prompt.turn ??= ack.turn
        if (prompt.turn === undefined) fail(message_id, noTurns)
        return
      case "cancelled":
        return fail(message_id, new RelayError("withdrawn", "the prompt was withdrawn before it ran", ack))
      case "duplicate":
        // Our own repetition after a reconnect is no news.
        if (!known) fail(message_id, new RelayError("bad_command", repeated, ack))
    }
  }

  const follow: Turns["follow"] = (event) => {
    const message_id = "message_id" in event ? event.message_id : undefined
    const prompt = message_id === undefined ? undefined : waiting.get(message_id)
    if (prompt !== undefined && message_id !== undefined) {
      if (event.type === "turn_start") prompt.turn = event.turn
      if (event.type === "input_ack") onAck(prompt, message_id, event)
      if (event.type === "error") fail(message_id, new RelayError(event.code, event.text, event))
    }
    if (event.turn === undefined) return
    for (const [name, one] of waiting) {
      if (one.turn !== event.turn) continue
      if (event.type === "response") one.text = event.text
      if (event.type === "error") one.failure = event
      if (event.type === "turn_end") {
        waiting.delete(name)
        finish(one, event)
      }
    }
  }

  return {
    resultOf: (message_id) =>
      forgettable(
        new Promise((resolve, reject) =>
          waiting.set(message_id, { queued: false, text: "", resolve, reject })
        )
      ),
    follow,
    fail,
    failBegun: (error) => {
      for (const [message_id, { queued, turn }] of [...waiting]) {
        if (queued || turn !== undefined) fail(message_id, error)
      }
    },
    failAll: (error) => {
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    }
  }
}

const finish = ({ failure, reject, resolve, text }: Waiting, end: EventOf<"turn_end">) => {
  if (end.stop_reason !== "error") return resolve({ text, stop_reason: end.stop_reason, turn: end.turn, end })
  reject(
    failure === undefined
      ? new RelayError("turn_failed", "the turn failed, and the agent gave no reason", end)
      : new RelayError(failure.code, failure.text, failure)
  )
}

const noTurns = new RelayError("bad_command", "a terminal has no turns to wait for: use `prompt`")
const repeated = "the session already had a prompt with this message_id: use a new one for each prompt"
