/**
 * project: converts a session's events to neutral operations (`Op`), one event at a time. The same events
 * give the same operations, wherever reading starts; nothing here depends on a clock, a client or a protocol.
 *
 * The n-th message or thought of a turn has the id `<turn>.<n>`, a subagent's `<turn>.<parent>.<n>`, and one
 * between turns `<last turn>.x<n>`. Previews and whole events lead to the same ids, so that a replay merges
 * with what a client already shows. Leading blanks are held back, because a message of only blanks does not
 * count.
 */
import type { EventBody, RelayEvent } from "../schema/index.js"
import * as Calls from "./calls.js"
import type { AskOp, ErrorOp, Op } from "./Op.js"
import * as Pieces from "./pieces.js"
import { list, ofParent, type Open, open, parentOf, planEntries, text, texts } from "./read.js"
import * as Settings from "./settings.js"

type EventOf<Type extends EventBody["type"]> = Extract<RelayEvent, { readonly type: Type }>

export interface Options {
  /**
   * History ends at this `seq`: up to it only whole events count, one delta each. Text that never arrived
   * whole because its turn was cut off comes at the turn's end, as far as it was sent. After it, previews are
   * passed on as they arrive, and a whole event adds what they lacked. Default 0: everything is live. For a
   * client that reconnects, the `seq` before the open turn's first event.
   */
  readonly settled_until?: number
  /**
   * In history, each message is given as one piece when it is complete, whatever else was reported since it
   * began. Default: in the order a live client received it.
   */
  readonly isWhole?: boolean
  /** The cost of the turns before the first event, in US dollars. */
  readonly cost_usd?: number
}

export interface Projector {
  /** The operations of this event; often none. */
  readonly next: (event: RelayEvent) => ReadonlyArray<Op>
  /** Pending questions, oldest first. */
  readonly asking: () => ReadonlyArray<AskOp>
  /** The number of the running turn. */
  readonly turn: () => number | undefined
}

const speakerOf = (metadata: Open | undefined): Pieces.Speaker => ({
  parent: parentOf(metadata),
  thread: text(metadata?.["thread_id"])
})

/** Sent to one connection only, with the `seq` of another event. */
const isLocal = ({ type }: RelayEvent) => type === "session_start" || type === "error" || type === "status"

/** Operations that have no position between messages. */
const placeless = new Set<Op["type"]>(["session", "context", "commands", "mode", "model"])

export const make = ({ cost_usd = 0, isWhole = false, settled_until = 0 }: Options = {}): Projector => {
  let ops: Array<Op> = []
  let lastSeq = 0
  /** Prefix of ids. */
  let place = "0.x"
  let turn: number | undefined
  let counts = new Map<string, number>()
  let hasTurns = false
  let failure: ErrorOp | undefined
  /** The prompt whose acknowledgement adds nothing. */
  let prompt: { readonly text: string | undefined; readonly message_ids: ReadonlyArray<string> } | undefined

  const push = (op: Op) => {
    if (!placeless.has(op.type)) pieces.showBegun()
    ops.push(op)
  }
  const newId = (parent: string | undefined): string => {
    const owner = parent ?? ""
    const count = (counts.get(owner) ?? 0) + 1
    counts.set(owner, count)
    return parent === undefined ? `${place}${count}` : `${place}${parent}.${count}`
  }
  const pieces = Pieces.make({ push: (op) => void ops.push(op), newId, isWhole })
  const calls = Calls.make(push)
  const settings = Settings.make(push, cost_usd)

  const enter = (where: number | undefined, prefix: string) => {
    turn = where
    place = prefix
    counts = new Map()
    pieces.forget()
    failure = undefined
    prompt = undefined
  }

  const toolCall = ({ args, metadata, tool, tool_use_id }: EventOf<"tool_call">) => {
    const parent = parentOf(metadata)
    pieces.closeOf(parent)
    calls.call(tool_use_id, tool, args ?? {}, parent)
    const todos = list(open(args)["todos"])
    if (todos.length > 0 && parent === undefined) push({ type: "plan", entries: planEntries(todos) })
  }

  const status = ({ metadata = {}, status: name, text: words = "" }: EventOf<"status">) => {
    const isOfSubagent = parentOf(metadata) !== undefined
    if (!isOfSubagent) settings.told(metadata)
    if (name === "plan") {
      const entries = planEntries(metadata["entries"])
      if (entries.length > 0 && !isOfSubagent) push({ type: "plan", entries })
      return
    }
    push({ type: "notice", level: "status", name, text: words, metadata })
  }

  const begin = (event: EventOf<"turn_start">) => {
    const number = event.turn ?? 0
    enter(number, `${number}.`)
    hasTurns = true
    const named = texts(event.metadata?.["message_ids"])
    const { message_id, text } = event
    const message_ids = message_id === undefined || named.includes(message_id)
      ? named
      : [message_id, ...named]
    prompt = { text, message_ids }
    push({
      type: "turn_start",
      turn: number,
      seq: event.seq,
      message_ids,
      ...(text !== undefined && { text })
    })
  }

  const end = ({ context_pct, stop_reason, turn: number = turn ?? 0, usage }: EventOf<"turn_end">) => {
    pieces.closeAll()
    pieces.showHeld()
    calls.settleAll("turn_end")
    settings.paid(usage?.cost_usd ?? 0)
    settings.context({ ...usage, context_pct })
    push({
      type: "turn_end",
      turn: number,
      stop: stop_reason,
      ...(usage !== undefined && { usage }),
      ...(failure !== undefined && (stop_reason === "error" || failure.fatal) && { error: failure })
    })
    enter(undefined, `${number}.x`)
  }

  /** Prompts that began no turn of their own: sent to the running one. */
  const acknowledged = ({ message_id, status, text }: EventOf<"input_ack">) => {
    if (status !== "sent" || text === undefined || turn === undefined) return
    const isOwn = message_id === undefined
      ? prompt?.text === text && prompt.message_ids.length === 0
      : prompt?.message_ids.includes(message_id)
    if (isOwn === true) return
    const count = (counts.get(" user") ?? 0) + 1
    counts.set(" user", count)
    pieces.closeOf(undefined)
    push({ type: "user", id: `${place}s${count}`, text, ...(message_id !== undefined && { message_id }) })
  }

  /** Within a turn it is an echo of the prompt, or a tool's result in native form. */
  const echo = ({ content, metadata, text: words = "" }: EventOf<"user_message">) => {
    const isResult = (content as ReadonlyArray<{ readonly type: string }>).some(({ type }) =>
      type === "tool_result"
    )
    if (turn !== undefined || isResult || words.trim() === "" || parentOf(metadata) !== undefined) return
    push({ type: "user", id: newId(undefined), text: words })
  }

  const failed = ({ code, message_id, metadata = {}, text }: EventOf<"error">) => {
    if (code === "gap") return push({ type: "notice", level: "gap", name: code, text, metadata })
    const op: ErrorOp = {
      type: "error",
      code,
      text,
      metadata,
      fatal: metadata["fatal"] === true,
      ...(message_id !== undefined && { message_id })
    }
    if (turn !== undefined && failure?.fatal !== true) failure = op
    return push(op)
  }

  const stream = (
    { delta, metadata, text = "", tool_use_id: id }: EventOf<"stream_event">,
    isHistory: boolean
  ) => {
    const parent = parentOf(metadata)
    if (delta === "text" || delta === "reasoning") {
      return pieces[isHistory ? "hold" : "preview"](delta, text, speakerOf(metadata))
    }
    if (isHistory || id === undefined || text === "") return
    if (delta === "tool_input") push({ type: "input_delta", id, text, ...ofParent(parent) })
    if (delta === "tool_output") calls.output(id, text)
  }

  const over = ({ text = "" }: EventOf<"session_end">) => {
    pieces.closeAll()
    pieces.showHeld()
    calls.settleAll("session_end")
    push({ type: "session_end", text })
  }

  const logged = (event: RelayEvent): unknown => {
    switch (event.type) {
      case "session_start":
        return settings.started(event)
      case "session_end":
        return over(event)
      case "turn_start":
        return begin(event)
      case "turn_end":
        return end(event)
      case "input_ack":
        return acknowledged(event)
      case "status":
        return status(event)
      case "stream_event":
        return stream(event, event.seq <= settled_until)
      case "reasoning":
        return pieces.whole("reasoning", event.text, speakerOf(event.metadata))
      case "assistant_message":
        return event.text !== undefined && pieces.whole("text", event.text, speakerOf(event.metadata))
      case "user_message":
        return echo(event)
      case "response":
        // Usually it repeats the last message; some commands of an agent's CLI answer only with it.
        return pieces.hasSpoken() || pieces.whole("text", event.text, {})
      case "tool_call":
        return toolCall(event)
      case "tool_progress":
        return event.seq > settled_until && calls.progress(event)
      case "tool_result":
        return calls.result(event)
      case "file_diff": {
        const { diff, file_path: path, tool_use_id: id } = event
        return push({ type: "file_diff", path, diff, ...(id !== undefined && { id }) })
      }
      case "permission_request":
        pieces.closeAll()
        return calls.ask(event)
      case "control_response":
        return calls.answered(event)
      case "permission_cancelled":
        return calls.cancel(event.request_id, text(event.metadata?.["reason"]) ?? "withdrawn")
      case "error":
        return failed(event)
      case "quota_warning":
        return push({
          type: "notice",
          level: "quota",
          name: event.type,
          text: event.text,
          metadata: event.metadata ?? {}
        })
      case "context_warning": {
        const { context_pct, metadata = {}, text: words = `The context is ${context_pct} % full.` } = event
        settings.context({ context_pct })
        return push({ type: "notice", level: "context", name: event.type, text: words, metadata })
      }
      case "context_compacted": {
        const { metadata = {}, text: words = "The conversation was summarized to make room." } = event
        return push({ type: "compacted", text: words, metadata })
      }
      case "stdout":
      case "stderr":
        // A terminal's output, or output outside the agent's protocol: not part of a conversation.
    }
  }

  const local = (event: RelayEvent) => {
    if (event.type === "session_start") settings.started(event)
    if (event.type === "error") failed(event)
  }

  const next = (event: RelayEvent): ReadonlyArray<Op> => {
    ops = []
    // The relay forgot the session and it began again, so its numbers restart.
    if (event.type === "session_start" && event.seq === 1 && lastSeq > 1) lastSeq = 0
    if (event.seq <= lastSeq) {
      if (isLocal(event)) local(event)
      return ops
    }
    lastSeq = event.seq
    // A restarted agent repeats what it remembers; the log already has the session's own turns.
    if (hasTurns && event.metadata?.["replay"] === true) return ops
    // A reader that starts within a turn has not seen its start.
    if (event.type !== "turn_start" && event.turn !== undefined && event.turn !== turn) {
      enter(event.turn, `${event.turn}.`)
    }
    logged(event)
    return ops
  }

  return { next, asking: calls.asking, turn: () => turn }
}
