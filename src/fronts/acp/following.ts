/**
 * following: reports a session's events to the client: updates, outcomes of its prompts and commands, and
 * questions.
 */
import { Effect } from "effect"
import { doneSoon } from "../../adapters/doneSoon.js"
import type { JsonRpcError } from "../../adapters/wire/JsonRpc.js"
import type { ClientCommand, RelayEvent } from "../../schema/index.js"
import type { Op } from "../Op.js"
import { text, texts } from "../read.js"
import type { Asking } from "./asking.js"
import { type Attached, learn, type Prompt } from "./Attached.js"
import * as Encoder from "./encode.js"
import type { Outbox } from "./Outbox.js"
import { refusal } from "./refusals.js"
import type { Rpc } from "./Rpc.js"

/** An event's number in the log, and its time in seconds. */
interface Place {
  readonly seq: number
  readonly ts: number
}

export interface Following {
  readonly onEvent: (entry: Attached, event: RelayEvent) => void
  /** The session has ended or cannot be followed: everything waiting for it is told so. */
  readonly onOver: (entry: Attached, error: JsonRpcError) => void
  /** Send the updates of one operation. */
  readonly tell: (entry: Attached, op: Op, place: Place) => void
  /** A command of this client was refused. */
  readonly refuse: (entry: Attached, message_id: string | undefined, code: string, reason: string) => void
  /** Send what was held back until the client knew the session. */
  readonly release: (entry: Attached) => void
}

const stopReasons = new Set(["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled"])

export const make = (
  rpc: Rpc,
  { grow }: Pick<Outbox, "grow">,
  asking: Asking,
  submit: (entry: Attached, command: ClientCommand) => void
): Following => {
  const update = (entry: Attached, change: Encoder.Update, seq: number) => {
    const say = () =>
      rpc.notify("session/update", { sessionId: entry.id, update: Encoder.withSeq(change, seq) })
    if (entry.held === undefined) say()
    else entry.held.push(say)
  }

  const release = (entry: Attached) => {
    const held = entry.held ?? []
    entry.held = undefined
    for (const say of held) say()
  }

  const endPrompts = (entry: Attached, turn: number, end: (prompt: Prompt) => void) => {
    for (const [message_id, prompt] of entry.prompts) {
      if (prompt.turn !== turn) continue
      entry.prompts.delete(message_id)
      end(prompt)
    }
  }

  const followCommand = (entry: Attached, event: RelayEvent) => {
    if (event.type === "turn_start") {
      const named = [event.message_id, ...texts(event.metadata?.["message_ids"])]
      for (const [message_id, prompt] of entry.prompts) {
        // Prompts merged by an agent begin one turn, which may name none of them.
        const isMerged = event.text === undefined && prompt.isSent && prompt.turn === undefined
        if (!named.includes(message_id) && !isMerged) continue
        prompt.turn = event.turn
        if (prompt.isCancelled) submit(entry, { type: "interrupt" })
      }
    }
    if (event.type !== "input_ack" && event.type !== "error") return
    const { message_id } = event
    if (message_id === undefined) return
    if (event.type === "input_ack") entry.answers.delete(message_id)
    const command = entry.commands.get(message_id)
    const prompt = entry.prompts.get(message_id)
    if (event.type === "error") {
      const error = refusal(event.code, event.text, event.metadata)
      if (command !== undefined) doneSoon(command, Effect.fail(error))
      // Within its turn, the turn's end reports it.
      if (prompt !== undefined && prompt.turn === undefined) {
        entry.prompts.delete(message_id)
        doneSoon(prompt.done, Effect.fail(error))
      }
      return
    }
    if (command !== undefined && event.status !== "queued") doneSoon(command, Effect.void)
    if (prompt === undefined) return
    if (event.status === "queued") {
      prompt.isQueued = true
      if (prompt.isCancelled) submit(entry, { type: "cancel_queued", message_id })
    }
    if (event.status === "sent") {
      prompt.isSent = true
      prompt.turn ??= event.turn
    }
    if (event.status === "cancelled") {
      entry.prompts.delete(message_id)
      const why = text(event.metadata?.["why"])
      doneSoon(
        prompt.done,
        why === undefined || prompt.isCancelled
          ? Effect.succeed({ stopReason: "cancelled" })
          : Effect.fail(refusal("session_ended", why))
      )
    }
  }

  const tellNow = (entry: Attached, op: Op, { seq, ts }: Place) => {
    for (const change of entry.encoder.encode(op, ts)) update(entry, change, seq)
  }
  const tell = (entry: Attached, op: Op, place: Place) => {
    if (op.type === "delta" && op.parent === undefined && entry.held === undefined) {
      grow(entry, op.id, op.text, (text) => tellNow(entry, { ...op, text }, place))
    } else tellNow(entry, op, place)
  }

  const onOp = (entry: Attached, op: Op, event: RelayEvent): void => {
    learn(entry, op)
    tell(entry, op, event)
    switch (op.type) {
      case "turn_start":
        entry.isStopping = false
        return
      case "session_end":
        entry.why = op.text
        return
      case "ask":
        return asking.ask(entry, op)
      case "settled": {
        const id = entry.asked.get(op.request_id)
        entry.asked.delete(op.request_id)
        return id === undefined ? undefined : rpc.withdraw(id)
      }
      case "turn_end": {
        const { error, stop, turn, usage } = op
        return endPrompts(entry, turn, ({ done, isCancelled }) => {
          // After a cancel an editor must not see an error.
          if ((stopReasons.has(stop) && error === undefined) || isCancelled) {
            const stopReason = isCancelled && stop === "error" ? "cancelled" : stop
            return doneSoon(
              done,
              Effect.succeed({ stopReason, _meta: { "ai-relay": { turn, usage, seq: event.seq } } })
            )
          }
          const reason = error?.text ?? "the turn failed and the agent did not say why: try again"
          doneSoon(done, Effect.fail(refusal(error?.code ?? "turn_failed", reason, error?.metadata)))
        })
      }
    }
  }

  const refuse: Following["refuse"] = (entry, message_id, code, reason) => {
    const waits = asking.stillWaits(entry, message_id)
    // The person must learn that the answer did not count. Prompts and settings have answers of their own.
    if (waits === true || (waits === undefined && code === "not_driving")) {
      const name = waits === undefined ? code : `answer-${message_id}`
      const op: Op = { type: "notice", level: "refused", name, text: reason, metadata: {} }
      tell(entry, op, { seq: entry.session.last_seq, ts: 0 })
    }
    asking.askAgain(entry, message_id, code)
  }

  const onEvent = (entry: Attached, event: RelayEvent) => {
    if (event.type === "error" && entry.answers.has(event.message_id ?? "")) {
      return refuse(entry, event.message_id, event.code, event.text)
    }
    followCommand(entry, event)
    for (const op of entry.projector.next(event)) onOp(entry, op, event)
  }

  const onOver: Following["onOver"] = (entry, error) => {
    doneSoon(entry.settled, Effect.void)
    release(entry)
    for (const { done, isCancelled } of entry.prompts.values()) {
      doneSoon(done, isCancelled ? Effect.succeed({ stopReason: "cancelled" }) : Effect.fail(error))
    }
    entry.prompts.clear()
    for (const command of entry.commands.values()) doneSoon(command, Effect.fail(error))
    for (const id of entry.asked.values()) rpc.withdraw(id)
    entry.asked.clear()
    doneSoon(entry.over, Effect.void)
  }

  return { onEvent, onOver, refuse, tell, release }
}
