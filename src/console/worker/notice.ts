/** notice: a message of the relay's as the notification that is shown of it. */
import type { PushWords } from "../words/pushWords.js"

/** What the relay sends (`services/push/Push.ts`). */
export interface Message {
  readonly kind: "question" | "done"
  readonly session_id: string
  readonly tool: string
  readonly title?: string
  readonly text?: string
  readonly ask?: "tool" | "plan" | "question" | "budget" | "other"
  readonly request_id?: string
  readonly ticket?: string
  readonly answers?: ReadonlyArray<"allow" | "deny">
  readonly waiting: number
}

export interface Notice {
  readonly title: string
  readonly body: string
  /** What replaces the one before it of the same question. */
  readonly tag: string
  readonly actions: ReadonlyArray<{ readonly action: "allow" | "deny"; readonly title: string }>
}

export const tagOf = ({ request_id, session_id }: Pick<Message, "request_id" | "session_id">): string =>
  `${session_id} ${request_id ?? ""}`

const bodyOf = ({ answers = [], ask, kind, text = "", title = "" }: Message, words: PushWords): string => {
  if (kind === "done") return title
  if (ask === "plan") return words.plan
  if (ask === "question") return words.question
  if (ask === "budget") return words.budget
  // What may be allowed here is shown as it is, with nothing beside it that could be taken for a part of it.
  return answers.includes("allow") ? text : [text, words.openToSee].filter((line) => line !== "").join("\n")
}

/** `agent` is what the message's `tool` is called. */
export const noticeOf = (message: Message, agent: string, words: PushWords): Notice => ({
  title: message.kind === "question" ? words.waits(agent) : words.finished(agent),
  body: bodyOf(message, words),
  tag: tagOf(message),
  actions: message.ticket === undefined
    ? []
    : (message.answers ?? []).map((action) => ({ action, title: words[action] }))
})
