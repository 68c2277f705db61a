/**
 * sessionMessages: what a conversation and its subagents write to each other (`session_message`, and its text in pieces).
 *
 * Who wrote to whom may be told before, between or after the pieces, so a message is told whole when the agent goes on to
 * something else, or its turn ends.
 */
import type { EventBody } from "../../schema/index.js"
import { readBlocks } from "../wire/lenient.js"
import { status } from "../wire/statusEvent.js"
import { firstText, textOfBlocks } from "../wire/words.js"

type Events = ReadonlyArray<EventBody>
type Fields = Readonly<Record<string, unknown>>

interface Message {
  text: string
  from: string | undefined
  to: string | undefined
  /** Its text, as it was told. */
  told: string
}

export interface SessionMessages {
  /** Undefined: it is another update. */
  readonly take: (update: Fields) => Events | undefined
  /** Those that were not told yet, or have other words now. */
  readonly end: () => Events
}

/** What is left out stays as it was; null takes it away. */
const changed = (before: string | undefined, value: unknown): string | undefined =>
  value === undefined ? before : typeof value === "string" && value !== "" ? value : undefined

const idOf = ({ messageId }: Fields): string =>
  typeof messageId === "string" || typeof messageId === "number" ? String(messageId) : ""

export const makeSessionMessages = (): SessionMessages => {
  const messages = new Map<string, Message>()
  const open = new Set<string>()

  const messageOf = (id: string): Message => {
    const message = messages.get(id) ?? { text: "", from: undefined, to: undefined, told: "" }
    messages.set(id, message)
    return message
  }

  const take = (update: Fields): Events | undefined => {
    const { content, recipientSessionId, senderSessionId, sessionUpdate } = update
    if (sessionUpdate !== "session_message" && sessionUpdate !== "session_message_chunk") return undefined
    const id = idOf(update)
    const message = messageOf(id)
    open.add(id)
    const text = textOfBlocks(readBlocks(content))
    if (sessionUpdate === "session_message_chunk") message.text += text
    else {
      if (content !== undefined) message.text = text
      message.from = changed(message.from, senderSessionId)
      message.to = changed(message.to, recipientSessionId)
    }
    return [{ type: "stream_event", metadata: { update: sessionUpdate } }]
  }

  const end = (): Events => {
    if (open.size === 0) return []
    const said = [...open].flatMap((id): Events => {
      const message = messages.get(id)
      if (message === undefined || message.text === message.told || firstText(message.text) === undefined) {
        return []
      }
      message.told = message.text
      const { from, text, to } = message
      return [status("session_message", text, {
        ...(id !== "" && { message_id: id }),
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to })
      })]
    })
    open.clear()
    // One without a name is not gone on with.
    messages.delete("")
    return said
  }

  return { take, end }
}
