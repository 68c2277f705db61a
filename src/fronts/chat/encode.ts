/**
 * encode: converts operations to chunks of the AI SDK's UI message stream. One message per turn; a pending
 * question ends the stream, and the next request continues the same message.
 *
 * The SDK throws on a chunk for an unannounced call or text, and never continues automatically while a call
 * of the message has no result. So every call is announced first, and closed, at least provisionally, before
 * a stream ends.
 */
import type { AskOp, Op, OpOf, TextKind } from "../Op.js"
import { list, open, questions, text } from "../read.js"
import type { Chunk, Dialect } from "./Chunk.js"

export interface EncoderOptions {
  readonly dialect: Dialect
  readonly session_id: string
  /** For `messages.ts`: settled approvals are included in each dialect, and live-only content is left out. */
  readonly isHistory?: boolean
}

/** The event an operation comes from; `ts` in seconds. */
export interface At {
  readonly seq: number
  readonly ts: number
}

export interface Encoder {
  readonly encode: (op: Op, at: At) => ReadonlyArray<Chunk>
  /**
   * The client has everything encoded so far, in the message it continues; with `messageId` it begins another
   * one within the turn.
   */
  readonly resume: (messageId?: string) => ReadonlyArray<Chunk>
  /** The stream ends here: these questions are pending. */
  readonly pause: (asks: ReadonlyArray<AskOp>, seq: number) => ReadonlyArray<Chunk>
}

interface Call {
  readonly tool: string
  readonly args: unknown
  readonly parent: string | undefined
  /** Its output so far. */
  output: string
  progress: string | undefined
  /** When that was last sent, in seconds. */
  sentAt: number
  /** The message contains it. */
  isTold: boolean
  isOpen: boolean
  /** The call was denied: already sent, or to be sent with its result. */
  refused: "told" | "due" | undefined
}

/** A subagent's text: one part per message. */
interface Said {
  readonly parent: string
  readonly kind: TextKind
  text: string
  sentAt: number
}

/**
 * Growing content is sent again at most this often, in seconds, and of a tool's output only its end, in
 * characters.
 */
const every = 0.25
const tail = 8192

const finishReasons: Readonly<Record<string, string>> = {
  end_turn: "stop",
  max_tokens: "length",
  refusal: "content-filter",
  max_turn_requests: "other"
}

const imageOf = (block: Readonly<Record<string, unknown>>): Chunk | undefined => {
  if (block["type"] !== "image") return undefined
  const source = open(block["source"])
  const mediaType = text(source["media_type"]) ?? text(block["mimeType"])
  const data = text(source["data"]) ?? text(block["data"])
  if (mediaType !== undefined && data !== undefined) {
    return { type: "file", mediaType, url: `data:${mediaType};base64,${data}` }
  }
  const url = text(source["url"])
  return url === undefined ? undefined : { type: "file", mediaType: mediaType ?? "image/*", url }
}

export const make = ({ dialect, isHistory = false, session_id }: EncoderOptions): Encoder => {
  let calls = new Map<string, Call>()
  const texts = new Map<string, TextKind>()
  let subagents = new Map<string, Said>()
  /** The questions as last sent. */
  let asked = new Map<string, Readonly<Record<string, unknown>>>()

  const transient = (name: string, data: unknown): ReadonlyArray<Chunk> =>
    isHistory ? [] : [{ type: `data-${name}`, data, transient: true }]
  const data = (name: string, id: string, data: unknown): Chunk => ({ type: `data-${name}`, id, data })

  const announce = (id: string, { args, parent, tool }: Call): Chunk => ({
    type: "tool-input-available",
    toolCallId: id,
    toolName: tool,
    input: args,
    dynamic: true,
    providerExecuted: true,
    ...(parent !== undefined && { providerMetadata: { relay: { parent } } })
  })

  const newCall = (tool: string, args: unknown, parent: string | undefined): Call => ({
    tool,
    args,
    parent,
    output: "",
    progress: undefined,
    sentAt: 0,
    isTold: false,
    isOpen: true,
    refused: undefined
  })

  /** A call, and the chunks that announce it. */
  const told = (id: string, tool = "tool"): readonly [Call, ReadonlyArray<Chunk>] => {
    const call = calls.get(id) ?? newCall(tool, {}, undefined)
    calls.set(id, call)
    if (call.isTold) return [call, []]
    call.isTold = true
    return [call, [announce(id, call)]]
  }

  const toolCall = ({ args, id, known, parent, tool }: OpOf<"tool_call">): ReadonlyArray<Chunk> => {
    const before = calls.get(id)
    const call = known && before !== undefined
      ? { ...before, tool, args, parent }
      : newCall(tool, args, parent)
    call.isTold = true
    calls.set(id, call)
    return [announce(id, call)]
  }

  const output = (toolCallId: string, output: unknown, isPreliminary = false): Chunk => ({
    type: "tool-output-available",
    toolCallId,
    output,
    dynamic: true,
    providerExecuted: true,
    ...(isPreliminary && { preliminary: true })
  })
  const failed = (toolCallId: string, errorText: string): Chunk => ({
    type: "tool-output-error",
    toolCallId,
    errorText,
    dynamic: true,
    providerExecuted: true
  })

  const outputSoFar = ({ output, progress }: Call) => ({
    text: output.slice(-tail),
    running: true,
    ...(progress !== undefined && { progress })
  })

  const running = (id: string, ts: number, change: (call: Call) => void): ReadonlyArray<Chunk> => {
    const [call, chunks] = told(id)
    change(call)
    if (ts - call.sentAt < every) return chunks
    call.sentAt = ts
    return [...chunks, output(id, outputSoFar(call), true)]
  }

  const refusal = (id: string, reason: string | undefined): Chunk =>
    dialect === 5
      ? failed(id, reason || "This was not allowed.")
      : { type: "tool-output-denied", toolCallId: id }

  const result = (op: OpOf<"tool_result">): ReadonlyArray<Chunk> => {
    const [call, chunks] = told(op.id, op.tool)
    call.isOpen = false
    if (!op.ok && call.refused !== undefined) {
      const isDue = call.refused === "due"
      call.refused = "told"
      return isDue ? [...chunks, refusal(op.id, op.text)] : chunks
    }
    if (op.unfinished) return [...chunks, failed(op.id, "The turn ended before this tool did.")]
    if (!op.ok) {
      return [
        ...chunks,
        failed(op.id, op.text.trim() === "" ? "The tool failed and did not say why." : op.text)
      ]
    }
    const files = list(op.content).flatMap((block) => imageOf(block) ?? [])
    const hasMore = op.text === "" && files.length === 0 && op.content !== undefined && op.content !== ""
    const given = {
      text: op.text,
      ...(op.exit_code !== undefined && { exit_code: op.exit_code }),
      ...(hasMore && { content: op.content })
    }
    return [...chunks, output(op.id, given), ...files]
  }

  const subagent = (id: string, said: Said): Chunk =>
    data("subagent", id, { tool_use_id: said.parent, kind: said.kind, text: said.text })

  const ofSubagent = (
    { id, kind, text, type }: OpOf<"start" | "delta" | "end"> & { readonly text?: string },
    parent: string,
    ts: number
  ): ReadonlyArray<Chunk> => {
    const said = subagents.get(id) ?? { parent, kind, text: "", sentAt: 0 }
    subagents.set(id, said)
    if (type === "start") return []
    said.text = type === "end" ? text ?? said.text : said.text + (text ?? "")
    if (type === "delta" && ts - said.sentAt < every) return []
    said.sentAt = ts
    return [subagent(id, said)]
  }

  const words = (op: OpOf<"start" | "delta" | "end">, ts: number): ReadonlyArray<Chunk> => {
    const { id, kind, parent } = op
    if (parent !== undefined) return ofSubagent(op, parent, ts)
    if (op.type === "start") {
      texts.set(id, kind)
      return [{ type: `${kind}-start`, id }]
    }
    if (op.type === "delta") return [{ type: `${kind}-delta`, id, delta: op.text }]
    texts.delete(id)
    return [{ type: `${kind}-end`, id }]
  }

  const ask = (op: AskOp): ReadonlyArray<Chunk> => {
    const [, chunks] = told(op.id, op.tool)
    const { args, expires_at, id, kind, options, request_id, text, tool } = op
    const asks = kind === "question" ? questions(args) : []
    const shown = {
      request_id,
      tool_use_id: id,
      kind,
      tool,
      text,
      args,
      options,
      ...(asks.length > 0 && { questions: asks }),
      ...(expires_at !== undefined && { expires_at }),
      status: "waiting"
    }
    asked.set(request_id, shown)
    return [...chunks, data("permission", request_id, shown)]
  }

  const settled = ({ by, id, reason, request_id, status }: OpOf<"settled">): ReadonlyArray<Chunk> => {
    const [call, chunks] = told(id)
    const shown = {
      ...asked.get(request_id),
      request_id,
      tool_use_id: id,
      status,
      ...(by !== undefined && { by }),
      ...(reason !== undefined && { reason })
    }
    asked.set(request_id, shown)
    if (status !== "allow") call.refused = status === "deny" ? "told" : "due"
    // Only the newest version can show who answered; in the others the client's own answer remains.
    const answer: ReadonlyArray<Chunk> = isHistory || dialect === 7
      ? [
        { type: "tool-approval-request", approvalId: request_id, toolCallId: id },
        {
          type: "tool-approval-response",
          approvalId: request_id,
          approved: status === "allow",
          ...(reason !== undefined && { reason })
        }
      ]
      : []
    return [
      ...chunks,
      data("permission", request_id, shown),
      ...(dialect === 5 ? [] : answer),
      ...(status === "deny" ? [refusal(id, reason)] : [])
    ]
  }

  const place = (fields: object) => ({ relay: fields })

  const begin = (messageId: string, { seq, turn }: OpOf<"turn_start">): Chunk => ({
    type: "start",
    messageId,
    messageMetadata: place({ session_id, turn, turn_seq: seq, seq })
  })

  const end = ({ error, stop, usage }: OpOf<"turn_end">, seq: number): ReadonlyArray<Chunk> => {
    const messageMetadata = place({ seq, stop_reason: stop, ...(usage !== undefined && { usage }) })
    if (stop === "error" || error !== undefined) {
      const errorText = error?.text ?? "The turn failed and the agent did not say why: try again."
      return [{ type: "message-metadata", messageMetadata }, { type: "error", errorText }]
    }
    if (stop === "cancelled") return [{ type: "message-metadata", messageMetadata }, { type: "abort" }]
    return [{ type: "finish", finishReason: finishReasons[stop] ?? "other", messageMetadata }]
  }

  const encode = (op: Op, { seq, ts }: At): ReadonlyArray<Chunk> => {
    switch (op.type) {
      case "turn_start":
        calls = new Map()
        subagents = new Map()
        asked = new Map()
        texts.clear()
        return [begin(messageIdOf(op.seq), op)]
      case "start":
      case "delta":
      case "end":
        return words(op, ts)
      case "tool_call":
        return toolCall(op)
      case "output_delta":
        return running(op.id, ts, (call) => {
          call.output += op.text
        })
      case "progress":
        return running(op.id, ts, (call) => {
          call.progress = op.text
        })
      case "tool_result":
        return result(op)
      case "file_diff": {
        const { diff, id, path } = op
        const tool_use_id = id === undefined ? {} : { tool_use_id: id }
        return [data("file-diff", `diff-${seq}`, { file_path: path, diff, ...tool_use_id })]
      }
      case "ask":
        return ask(op)
      case "settled":
        return settled(op)
      case "user":
        return dialect === 7
          ? [{
            type: "steering-message",
            id: op.message_id ?? op.id,
            parts: [{ type: "text", text: op.text }]
          }]
          : [data("user-message", op.message_id ?? op.id, { text: op.text })]
      case "plan":
        return [data("plan", "plan", { entries: op.entries })]
      case "notice": {
        const { level, metadata, name, text } = op
        if (level === "status") return text === "" ? [] : transient("notice", { level, name, text })
        return [data("notice", `notice-${seq}`, { level, name, text, metadata })]
      }
      case "compacted": {
        const { metadata, text } = op
        return [
          data("notice", `notice-${seq}`, { level: "compacted", name: "context_compacted", text, metadata })
        ]
      }
      case "error":
        return [data("error", `error-${seq}`, { code: op.code, text: op.text })]
      case "session":
      case "context":
      case "commands":
      case "mode":
      case "model": {
        const { type, ...fields } = op
        return transient(type, fields)
      }
      case "turn_end":
        return end(op, seq)
      case "session_end":
        return [{
          type: "error",
          errorText: op.text || "The session has ended: the next prompt reopens it."
        }]
      case "input_delta":
        // The tool's name is not known yet; its call will have everything.
        return []
    }
  }

  const resume = (messageId?: string): ReadonlyArray<Chunk> => {
    if (messageId !== undefined) { for (const call of calls.values()) call.isTold = false }
    return [
      { type: "start", ...(messageId !== undefined && { messageId }) },
      ...[...texts].map(([id, kind]) => ({ type: `${kind}-start`, id }))
    ]
  }

  const request = ({ args, id, kind, options, request_id, text }: AskOp): ReadonlyArray<Chunk> => {
    const [, chunks] = told(id)
    const asks = kind === "question" ? questions(args) : []
    return [...chunks, {
      type: "tool-approval-request",
      approvalId: request_id,
      toolCallId: id,
      // Read only by 7.
      ...(dialect === 7 && text !== "" && { reason: text }),
      ...(dialect === 7 && (options.length > 0 || asks.length > 0) && {
        approvalDescriptor: { kind, options, ...(asks.length > 0 && { questions: asks }) }
      })
    }]
  }

  const pause = (asks: ReadonlyArray<AskOp>, seq: number): ReadonlyArray<Chunk> => {
    const waiting = new Set(asks.map(({ id }) => id))
    // The SDK sends an answer only once all other calls have a result.
    const placeholders = [...calls].flatMap(([id, call]) =>
      call.isOpen && call.isTold && call.refused !== "told" && !waiting.has(id)
        ? [output(id, outputSoFar(call))]
        : []
    )
    return [
      ...(isHistory ? [] : placeholders),
      ...asks.flatMap(request),
      ...(isHistory ? [] : [{ type: "finish", finishReason: "tool-calls", messageMetadata: place({ seq }) }])
    ]
  }

  return { encode, resume, pause }
}

/** The message of the turn that began at this `seq`. */
export const messageIdOf = (turn_seq: number): string => `t-${turn_seq}`
