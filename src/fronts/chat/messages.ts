/**
 * messages: converts a session's events to the messages a page shows: a user message per prompt, an assistant
 * message per turn. They equal what the page would hold had it read the streams of all turns, so live and
 * loaded messages match.
 */
import type { RelayEvent } from "../../schema/index.js"
import type { OpOf } from "../Op.js"
import * as project from "../project.js"
import { open, text } from "../read.js"
import type { Chunk, Dialect, Part, UIMessage } from "./Chunk.js"
import * as Encoder from "./encode.js"

export interface Messages {
  readonly next: (event: RelayEvent) => void
  /** Call after the last event. A running turn is included as far as it is, a pending question with its buttons. */
  readonly end: () => ReadonlyArray<UIMessage>
}

type Draft = { -readonly [Field in keyof UIMessage]: UIMessage[Field] } & { parts: Array<Part> }

const merge = (before: unknown, after: unknown): Record<string, unknown> => {
  const merged: Record<string, unknown> = { ...open(before) }
  for (const [name, value] of Object.entries(open(after))) {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value)
    merged[name] = isObject ? merge(merged[name], value) : value
  }
  return merged
}

/** Builds one message from chunks as the SDK does; `before` continues an existing one. */
export const makeReader = (id: string, before?: UIMessage) => {
  const message: Draft = {
    id,
    role: "assistant",
    ...(before?.metadata !== undefined && { metadata: before.metadata }),
    parts: [...before?.parts ?? []]
  }
  /** Positions of parts that may change. */
  const streaming = new Map<string, number>()
  const tools = new Map<string, number>()
  const named = new Map<string, number>()
  /** The call each approval is for. */
  const approvals = new Map<string, string>()

  for (const [index, part] of message.parts.entries()) {
    if (part.type === "dynamic-tool") tools.set(String(part["toolCallId"]), index)
    if (part.type.startsWith("data-")) named.set(`${part.type} ${part["id"]}`, index)
  }

  const push = (part: Part): number => message.parts.push(part) - 1
  const change = (index: number | undefined, fields: Readonly<Record<string, unknown>>) => {
    const part = index === undefined ? undefined : message.parts[index]
    if (index !== undefined && part !== undefined) message.parts[index] = { ...part, ...fields }
  }
  const changeTool = (chunk: Chunk, fields: Readonly<Record<string, unknown>>) =>
    change(tools.get(String(chunk["toolCallId"])), fields)
  const textAt = (index: number | undefined) =>
    index === undefined ? "" : text(message.parts[index]?.["text"]) ?? ""

  const words = (kind: "text" | "reasoning", chunk: Chunk) => {
    const id = String(chunk["id"])
    const key = `${kind} ${id}`
    const at = streaming.get(key)
    if (chunk.type === `${kind}-start`) {
      const name = kind === "reasoning" ? { id } : {}
      streaming.set(key, push({ type: kind, ...name, text: "", state: "streaming" }))
    } else if (chunk.type === `${kind}-delta`) {
      change(at, { text: textAt(at) + String(chunk["delta"]) })
    } else {
      change(at, { state: "done" })
      streaming.delete(key)
    }
  }

  const called = ({ input, providerMetadata, toolCallId, toolName }: Chunk) => {
    const id = String(toolCallId)
    const fields = {
      toolName,
      state: "input-available",
      input,
      ...(providerMetadata !== undefined && { callProviderMetadata: providerMetadata })
    }
    if (tools.has(id)) return change(tools.get(id), fields)
    tools.set(id, push({ type: "dynamic-tool", toolCallId: id, providerExecuted: true, ...fields }))
  }

  const approval = (chunk: Chunk): Readonly<Record<string, unknown>> => {
    if (chunk.type === "tool-approval-request") {
      const { approvalDescriptor: descriptor, approvalId, reason } = chunk
      return {
        id: approvalId,
        ...(descriptor !== undefined && { descriptor }),
        ...(reason !== undefined && { requestReason: reason })
      }
    }
    const { approvalId, approved, reason } = chunk
    return { id: approvalId, approved, ...(reason !== undefined && { reason }) }
  }

  const take = (chunk: Chunk): void => {
    const { type } = chunk
    if (type.startsWith("text-")) return words("text", chunk)
    if (type.startsWith("reasoning-")) return words("reasoning", chunk)
    if (type.startsWith("data-")) {
      const key = `${type} ${chunk["id"]}`
      const at = named.get(key)
      if (at === undefined) named.set(key, push(chunk))
      else change(at, { data: chunk["data"] })
      return
    }
    switch (type) {
      case "start":
      case "finish":
      case "message-metadata":
        if (chunk["messageMetadata"] !== undefined) {
          message.metadata = merge(message.metadata, chunk["messageMetadata"])
        }
        return
      case "tool-input-available":
        return called(chunk)
      case "tool-output-available": {
        const { output, preliminary } = chunk
        return changeTool(chunk, { state: "output-available", output, preliminary, errorText: undefined })
      }
      case "tool-output-error":
        return changeTool(chunk, {
          state: "output-error",
          errorText: chunk["errorText"],
          output: undefined,
          preliminary: undefined
        })
      case "tool-output-denied":
        return changeTool(chunk, { state: "output-denied", output: undefined, preliminary: undefined })
      case "tool-approval-request": {
        approvals.set(String(chunk["approvalId"]), String(chunk["toolCallId"]))
        return changeTool(chunk, { state: "approval-requested", approval: approval(chunk) })
      }
      case "tool-approval-response": {
        const toolCallId = approvals.get(String(chunk["approvalId"]))
        return changeTool({ type, toolCallId }, { state: "approval-responded", approval: approval(chunk) })
      }
      case "file":
      case "steering-message":
        return void push(chunk)
    }
  }

  return { take, message, hasParts: () => message.parts.length > 0 }
}

export const make = (session_id: string, dialect: Dialect): Messages => {
  const done: Array<UIMessage> = []
  const encoderOf = () => Encoder.make({ dialect, session_id, isHistory: true })
  let projector = project.make()
  let encoder = encoderOf()
  let reader: ReturnType<typeof makeReader> | undefined
  let lastSeq = 0

  const close = () => {
    if (reader?.hasParts() === true) done.push(reader.message)
    reader = undefined
  }

  const user = (id: string, words: string) => {
    close()
    done.push({ id, role: "user", parts: [{ type: "text", text: words }] })
  }

  const begin = ({ message_ids, seq, text, turn }: OpOf<"turn_start">) => {
    if (text !== undefined) user(message_ids[0] ?? `${turn}.u`, text)
    close()
    reader = makeReader(Encoder.messageIdOf(seq))
  }

  const next = (event: RelayEvent) => {
    // A turn's stream does not include earlier turns, and neither does its message.
    if (event.type === "turn_start") {
      close()
      projector = project.make()
      encoder = encoderOf()
    }
    lastSeq = event.seq
    for (const op of projector.next(event)) {
      if (op.type === "turn_start") begin(op)
      if (op.type === "user" && projector.turn() === undefined) {
        user(op.message_id ?? op.id, op.text)
        continue
      }
      for (const chunk of encoder.encode(op, event)) {
        reader ??= makeReader(`s-${event.seq}`)
        reader.take(chunk)
      }
      if (op.type === "turn_end") close()
    }
  }

  const end = () => {
    if (reader !== undefined && projector.turn() !== undefined) {
      const waiting = dialect === 5 ? [] : encoder.pause(projector.asking(), lastSeq)
      for (const chunk of waiting) reader.take(chunk)
      reader.take({ type: "message-metadata", messageMetadata: { relay: { seq: lastSeq } } })
    }
    close()
    return done
  }

  return { next, end }
}
