/**
 * sessionMessages: messages between a conversation and its subagents (`session_message`, with its text in
 * chunks).
 *
 * Sender and recipient may arrive before, between or after the chunks, so a message is emitted whole when the
 * agent moves on or its turn ends.
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
  /** The text as emitted. */
  told: string
}

export interface SessionMessages {
  /** Undefined for other updates. */
  readonly take: (update: Fields) => Events | undefined
  /** Messages not emitted yet, or whose text has changed. */
  readonly end: () => Events
}

/** Omitted fields keep their value; null clears them. */
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
    // A message without an id cannot be continued.
    messages.delete("")
    return said
  }

  return { take, end }
}
