/** reader: as strict as the AI SDK: it throws at a chunk for what it was not told of, and says what the page shows. */
import type { Chunk, Dialect, UIMessage } from "../../../src/fronts/chat/Chunk.js"
import { makeReader } from "../../../src/fronts/chat/messages.js"

const since7 = new Set(["tool-approval-response", "steering-message"])
const since6 = new Set(["tool-approval-request", "tool-output-denied"])

export const make = (dialect: Dialect) => {
  const reader = makeReader("?")
  const calls = new Set<string>()
  const texts = new Set<string>()
  const approvals = new Set<string>()
  let isOver = true

  const check = (holds: boolean, chunk: Chunk) => {
    if (!holds) throw new Error(`out of order: ${JSON.stringify(chunk)}`)
  }

  const take = (chunk: Chunk) => {
    const { type } = chunk
    const id = String(chunk["id"])
    const call = String(chunk["toolCallId"])
    check(!since7.has(type) || dialect === 7, chunk)
    check(!since6.has(type) || dialect >= 6, chunk)
    check(Object.values(chunk).every((value) => value !== null), chunk)
    check(isOver === (type === "start"), chunk)
    if (type === "start") {
      isOver = false
      texts.clear()
    }
    if (type === "finish" || type === "error" || type === "abort") {
      check(texts.size === 0, chunk)
      isOver = true
    }
    if (/^(text|reasoning)-start$/.test(type)) {
      check(!texts.has(id), chunk)
      texts.add(id)
    }
    if (/^(text|reasoning)-(delta|end)$/.test(type)) check(texts.has(id), chunk)
    if (/^(text|reasoning)-end$/.test(type)) texts.delete(id)
    if (type === "tool-input-available") calls.add(call)
    if (type.startsWith("tool-output")) check(calls.has(call), chunk)
    if (type === "tool-approval-request") {
      check(calls.has(call), chunk)
      approvals.add(String(chunk["approvalId"]))
    }
    if (type === "tool-approval-response") check(approvals.has(String(chunk["approvalId"])), chunk)
    if (chunk["transient"] !== true) reader.take(chunk)
  }

  return {
    take,
    isOver: () => isOver,
    message: () => JSON.parse(JSON.stringify(reader.message)) as UIMessage,
    parts: () => JSON.parse(JSON.stringify(reader.message.parts)) as ReadonlyArray<Chunk>
  }
}
