/**
 * pythonTranscript: converts the frames the Python relay (0.2 to 0.4) sent to its clients to current events.
 *
 * It had no sequence numbers and no turns: a prompt shows in its `input_ack` or in the agent's echo, an end
 * in Claude's `result`, Codex's `turn/completed` or a `response`. If a frame still holds the native message
 * (`raw`), that is read with the translators of live sessions; otherwise the frame's fields are used.
 * Recordings of agents' output arrive as the same frames (`rawRecordings`), with a turn's end as a frame of
 * its own, `turn_end`.
 */
import { Option, Schema } from "effect"
import type { BodyOf, EventBody, StopReason } from "../../schema/index.js"
import { readMessage } from "../claude/ClaudeMessage.js"
import { type ClaudeState, makeState as claudeState } from "../claude/ClaudeState.js"
import { translate as ofClaude } from "../claude/translate.js"
import { AnyItem } from "../codex/CodexMessage.js"
import { completedItem, startedItem } from "../codex/items.js"
import { promptOf } from "../codex/nativeRecord.js"
import { makeState as codexState } from "../codex/translate.js"
import type { NativeRecord } from "../native/NativeStore.js"
import * as NativeTurns from "../native/NativeTurns.js"
import { field, type Fields, list, number, objects, text, toFields } from "../native/readLines.js"
import { readBlocks } from "../wire/lenient.js"
import { status } from "../wire/statusEvent.js"
import { textOfBlocks, wordsIn } from "../wire/words.js"

type Events = ReadonlyArray<EventBody>

const none: Events = []

/** Commands acknowledged by name. */
const commands = new Set([
  "interrupt",
  "permission_response",
  "set_model",
  "set_permission_mode",
  "set_approval_policy",
  "control_request",
  "control_response",
  "raw_request"
])

/** Claude Code messages that make up a history. */
const claudeTypes = new Set(["assistant", "user", "system", "result"])
const isClaudes = (raw: Fields | undefined): raw is Fields =>
  raw !== undefined && claudeTypes.has(text(raw, "type") ?? "") && ("message" in raw || "subtype" in raw)

const readItem = Schema.decodeUnknownOption(AnyItem)

const saysError = ({ exit_code, raw, status }: Fields): boolean =>
  (typeof exit_code === "number" && exit_code !== 0)
  || ["failed", "declined", "error", "cancelled"].includes(String(status))
  || toFields(raw)?.["is_error"] === true

const stopReasons: ReadonlyMap<string, StopReason> = new Map(
  (["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled", "error"] as const).map((reason) =>
    [reason, reason] as const
  )
)

const codexEnds: Readonly<Record<string, StopReason>> = { interrupted: "cancelled", failed: "error" }

/** Claude's note on a stopped turn; not written by a person. */
const interrupted = /^\[Request interrupted by user/

/** Codex sent every delta as a text of its own; the whole text follows. */
const isPiece = (raw: Fields | undefined) => /delta$/i.test(text(raw, "method") ?? "")

/** The frames of one session, in sending order. */
export const toHistory = (frames: ReadonlyArray<Fields>): ReadonlyArray<NativeTurns.TimedEvent> => {
  const turns = NativeTurns.make()
  let tool = ""
  let claude: ClaudeState = claudeState(() => true, true)
  let codex = codexState(() => true)
  /** Items Codex has begun, by id. */
  const open = new Map<string, AnyItem>()
  /** The running turn's prompt; undefined: not reported yet. */
  let prompt: string | undefined
  let isEchoed = false
  let wasStopped = false
  let hasFailed = false
  let hasPrinted = false
  /** Deltas of a text that has not arrived whole yet. */
  let pieces = ""
  let lastSaid = ""
  let lastRaw = ""
  let lastCall = ""
  let line = 0

  // --- turns -------------------------------------------------------------------------------------------------------

  const say = (said: string, content: unknown = said): Events => {
    const blocks = readBlocks(content)
    lastSaid = said
    pieces = ""
    return [{
      type: "assistant_message",
      content: blocks.length > 0 ? blocks : [{ type: "text", text: said }],
      ...(said !== "" && { text: said })
    }]
  }

  const rest = (): Events => pieces.trim() === "" ? none : say(pieces)

  /** Codex calls that never ended. */
  const unfinished = (): Events =>
    [...open.values()].flatMap((item) =>
      startedItem(item, undefined, codex).flatMap((event): Events =>
        event.type === "tool_call"
          ? [event, {
            type: "tool_result",
            tool_use_id: event.tool_use_id,
            status: "error",
            text: "The turn ended without a result from this tool."
          }]
          : none
      )
    )

  const forget = () => {
    open.clear()
    codex = codexState(() => true)
    prompt = undefined
    isEchoed = false
    wasStopped = false
    hasFailed = false
    hasPrinted = false
    lastSaid = ""
  }

  const end = (told?: Omit<BodyOf<"turn_end">, "type">): Events => {
    if (!turns.isOpen()) return none
    const before = [...rest(), ...unfinished()]
    const answered = turns.hasAnswer() || before.some(({ type }) => type === "assistant_message")
    const stop_reason: StopReason = told?.stop_reason
      ?? (hasFailed ? "error" : wasStopped ? "cancelled" : answered || hasPrinted ? "end_turn" : "cancelled")
    forget()
    return [...before, { type: "turn_end", ...told, stop_reason }]
  }

  const begin = (said: string): Events => {
    const before = end()
    forget()
    prompt = said
    return [...before, { type: "turn_start", ...(said !== "" && { text: said }) }]
  }

  /**
   * The next prompt ended Claude's process, and a terminal makes no turns; other agents added it to the
   * running turn.
   */
  const endsByPrompt = () => !/^(codex|gemini)/.test(tool)

  const acknowledged = (said: string): Events => {
    if (commands.has(said)) {
      if (said === "interrupt") wasStopped = true
      return none
    }
    // Acknowledged by both the relay and its adapter, or already reported.
    if (turns.isOpen() && prompt === said) return none
    if (!turns.isOpen() || endsByPrompt()) return begin(said)
    prompt ??= said
    return [{ type: "user_message", content: [{ type: "text", text: said }], text: said }]
  }

  const echoed = (event: BodyOf<"user_message">): Events => {
    const said = event.text ?? ""
    const isKnown = turns.isOpen() && (prompt === said && !isEchoed)
    const before = isKnown || (turns.isOpen() && !endsByPrompt()) ? none : begin(said)
    isEchoed = true
    return [...before, event]
  }

  /** An answer repeated at the end of its turn. */
  const answer = (said: string): Events => said.trim() === "" || said === lastSaid ? none : say(said)

  // --- native messages ---------------------------------------------------------------------------------------------

  const fromClaude = (raw: Fields): Events => {
    const key = JSON.stringify(raw)
    // The Python relay repeated it with each event made from it.
    if (key === lastRaw) return none
    lastRaw = key
    const type = text(raw, "type")
    const native_session_id = text(raw, "session_id")
    if (type === "system" && text(raw, "subtype") === "init") {
      claude = claudeState(() => true, true)
      return native_session_id === undefined
        ? none
        : [status("native_session", undefined, { native_session_id })]
    }
    const message = readMessage(raw)
    if (message === undefined) return none
    return ofClaude(message, claude).flatMap((event): Events => {
      switch (event.type) {
        case "stream_event":
        case "turn_start":
          return none
        case "user_message": {
          if (interrupted.test(event.text ?? "")) {
            wasStopped = true
            return [event]
          }
          const isPrompt = event.content.every(({ type }) => type !== "tool_result")
            && event.metadata?.["parent_tool_use_id"] === undefined && event.metadata?.["synthetic"] !== true
          return isPrompt ? echoed(event) : [event]
        }
        case "assistant_message":
          if (event.metadata?.["parent_tool_use_id"] === undefined) lastSaid = event.text ?? lastSaid
          return [event]
        case "response":
          return answer(event.text)
        case "turn_end": {
          const { type: _type, ...told } = event
          return end(
            wasStopped && told.stop_reason === "error" ? { ...told, stop_reason: "cancelled" } : told
          )
        }
        default:
          return [event]
      }
    })
  }

  const fromCodex = (raw: Fields): Events | undefined => {
    const method = text(raw, "method")
    const params = field(raw, "params")
    const item = Option.getOrUndefined(readItem(params?.["item"]))
    switch (method) {
      case "item/started":
        if (item !== undefined) open.set(item.id, item)
        return none
      case "item/completed": {
        if (item === undefined) return none
        open.delete(item.id)
        if (item.type === "userMessage") {
          const said = promptOf(item)
          return completedItem(item, undefined, codex).flatMap((event) =>
            event.type === "user_message" ? echoed({ ...event, ...(said !== "" && { text: said }) }) : [event]
          )
        }
        const events = [...startedItem(item, undefined, codex), ...completedItem(item, undefined, codex)]
          .filter((event) => event.type !== "stream_event" && event.type !== "status")
        if (item.type === "agentMessage") {
          pieces = ""
          lastSaid = text(item, "text") ?? lastSaid
        }
        return events
      }
      case "turn/started":
        return none
      case "turn/completed": {
        const turn = field(params, "turn")
        const failure = wordsIn(field(turn, "error"))
        const stop_reason = codexEnds[text(turn, "status") ?? ""] ?? (wasStopped ? "cancelled" : "end_turn")
        return [
          ...rest(),
          ...(failure !== undefined && !hasFailed ? [failed(failure)] : []),
          ...end({ stop_reason })
        ]
      }
      case "item/agentMessage/delta":
        pieces += text(params, "delta") ?? ""
        return none
      default:
        return isPiece(raw) || method?.startsWith("thread/") === true && method !== "thread/compacted"
          ? none
          : undefined
    }
  }

  // --- fields ------------------------------------------------------------------------------------------------------

  const failed = (said: string): EventBody => {
    hasFailed = turns.isOpen()
    return { type: "error", code: hasFailed ? "turn_failed" : "agent_failed", text: said }
  }

  const fromFields = (frame: Fields): Events => {
    const type = text(frame, "type") ?? ""
    const raw = field(frame, "raw")
    const said = text(frame, "text")
    const metadata = field(frame, "metadata")
    const tool_use_id = text(frame, "tool_use_id")
    switch (type) {
      case "session_start":
        tool = text(metadata, "tool") ?? tool
        return [...end(), { type, ...(metadata !== undefined && { metadata }) }]
      case "session_end": {
        const exit_code = number(frame, "exit_code")
        return [...end(), {
          type,
          ...(exit_code !== undefined && Number.isInteger(exit_code) && { exit_code })
        }]
      }
      case "session_attach": {
        const native_session_id = text(metadata, "claude_session_id")
        return native_session_id === undefined
          ? none
          : [status("native_session", undefined, { native_session_id })]
      }
      case "input_ack":
        return acknowledged(said ?? "")
      case "assistant_message": {
        const blocks = readBlocks(frame["content"])
        const whole = said ?? textOfBlocks(blocks)
        // Gemini sends a message as deltas.
        if (raw?.["delta"] === true) {
          pieces += whole
          return none
        }
        const thoughts = blocks.flatMap((block): Events =>
          block.type === "thinking" && typeof block["thinking"] === "string" && block["thinking"] !== ""
            ? [{ type: "reasoning", text: block["thinking"] }]
            : none
        )
        return [...rest(), ...say(whole, blocks.length > 0 ? blocks : whole), ...thoughts]
      }
      case "user_message": {
        const content = readBlocks(frame["content"])
        const words = said ?? textOfBlocks(content)
        const event: BodyOf<"user_message"> = {
          type,
          content: content.length > 0 ? content : readBlocks(words),
          ...(words !== "" && { text: words })
        }
        return content.some(({ type }) => type === "tool_result") ? [event] : echoed(event)
      }
      case "reasoning": {
        const thought = said ?? wordsIn(frame["content"])
        return thought === undefined || thought.trim() === "" ? none : [...rest(), { type, text: thought }]
      }
      case "tool_call":
        lastCall = tool_use_id ?? `call-${line}`
        return [...rest(), {
          type,
          tool: text(frame, "tool") ?? "tool",
          tool_use_id: lastCall,
          args: toFields(frame["args"]) ?? (said === undefined ? {} : { text: said })
        }]
      case "tool_result": {
        const content = frame["content"]
        const told = said ?? (typeof content === "string" ? content : wordsIn(content))
        const exit_code = number(frame, "exit_code")
        const marked = objects(field(raw, "message"), "content").find((block) =>
          block["tool_use_id"] === tool_use_id
        )
        return [{
          type,
          tool_use_id: tool_use_id ?? lastCall,
          status: saysError(frame) || marked?.["is_error"] === true ? "error" : "ok",
          ...(content !== undefined && { content }),
          ...(told !== undefined && { text: told }),
          ...(exit_code !== undefined && Number.isInteger(exit_code) && { exit_code })
        }]
      }
      case "tool_progress":
        return said === undefined || said === ""
          ? none
          : [{ type, text: said, ...(tool_use_id !== undefined && { tool_use_id }) }]
      case "file_diff": {
        const path = text(frame, "file_path")
        const diff = text(frame, "diff")
        if (path !== undefined && diff !== undefined) {
          return [{ type, file_path: path, diff, ...(tool_use_id !== undefined && { tool_use_id }) }]
        }
        const told = said ?? wordsIn(list(frame, "content").length > 0 ? frame["content"] : undefined)
        return told === undefined ? none : [{ type: "stdout", text: told }]
      }
      case "response":
        return [...rest(), ...answer(said ?? ""), ...end({ stop_reason: "end_turn" })]
      case "turn_end": {
        const stop_reason = stopReasons.get(text(frame, "stop_reason") ?? "")
        if (turns.isOpen()) return end(stop_reason === undefined ? undefined : { stop_reason })
        // Text without a recorded prompt.
        const left = rest()
        forget()
        return left.length === 0 ? none : [...left, { type, stop_reason: stop_reason ?? "end_turn" }]
      }
      case "permission_request": {
        // Nobody can answer it any more: a history asks nothing.
        const asked = [text(frame, "tool"), said ?? wordsIn(frame["args"])]
        return [status(type, asked.filter((part) => part !== undefined).join(": "))]
      }
      case "error":
        return [...rest(), failed(said ?? wordsIn(raw) ?? "The recording does not say what went wrong.")]
      case "quota_warning":
        return [{ type, text: said ?? "A limit was reached." }]
      case "context_warning": {
        const context_pct = number(frame, "context_pct")
        return context_pct === undefined
          ? [status(type, said)]
          : [{ type, context_pct, ...(said !== undefined && { text: said }) }]
      }
      case "context_compacted":
        return [{ type, ...(said !== undefined && { text: said }), ...(metadata && { metadata }) }]
      case "stdout":
      case "stderr":
        if (said === undefined || said === "") return none
        hasPrinted ||= type === "stdout"
        return [{ type, text: said }]
      case "stream_event":
      case "control_response":
      case "permission_cancelled":
        return none
      case "status": {
        const name = text(frame, "status")
        if (name === "interrupted") wasStopped = true
        const native_session_id = text(metadata, "thread_id")
        return name === undefined
          ? none
          : [status(
            name,
            said,
            name === "thread_started" && native_session_id !== undefined ? { native_session_id } : undefined
          )]
      }
      default:
        return [status(type, said)]
    }
  }

  const eventsOf = (frame: Fields): Events => {
    const raw = field(frame, "raw")
    if (isClaudes(raw)) return fromClaude(raw)
    if (raw !== undefined && typeof raw["method"] === "string") {
      const events = fromCodex(raw)
      if (events !== undefined) return events
    }
    return fromFields(frame)
  }

  const push = (key: string, ts: number, events: Events) => {
    const record: NativeRecord = { key, ts, read: () => ({ events }) }
    return turns.push(record)
  }

  let ts = 0
  const told = frames.flatMap((frame) => {
    line += 1
    const before = ts
    ts = Math.max(ts, number(frame, "ts") ?? 0)
    const events = eventsOf(frame)
    // A turn that ends with a prompt ended before it, in its own way.
    const begin = events.findIndex(({ type }) => type === "turn_start")
    return begin <= 0
      ? push(`line-${line}`, ts, events)
      : [
        ...push(`line-${line}-end`, before, events.slice(0, begin)),
        ...push(`line-${line}`, ts, events.slice(begin))
      ]
  })
  return [...told, ...push("end", ts, turns.isOpen() ? end() : rest()), ...turns.finish()]
}
