/**
 * A person at an AI SDK chat: `sdk` is `ai`, or an older one. Allows all that is asked and answers questions with their first
 * option. With `transport`, the path of our own transport as a module, it speaks over the relay's socket. See `person.mjs`.
 */
import { pathToFileURL } from "node:url"
import { firstOptions, goesOn, load, mayPrompt, say, show, told, until } from "./person.mjs"

const ai = await load(told.sdk)
const {
  brief = false,
  come = false,
  prompts = [],
  session: id,
  tool,
  transport: path,
  url,
  version,
  waits = false
} = told
const api = `${url}/chat/${tool}@${version}`

const itemsOf = (parts) => {
  const diffs = new Map()
  for (const { data, type } of parts) {
    if (type !== "data-file-diff") continue
    diffs.set(data.tool_use_id, [...diffs.get(data.tool_use_id) ?? [], [data.file_path, data.diff]])
  }
  return parts.flatMap((part) => {
    if (part.type === "text") return [{ text: part.text }]
    if (part.type === "reasoning") return [{ thought: part.text }]
    if (part.type !== "dynamic-tool") return []
    const { errorText, input, output, state, toolCallId, toolName } = part
    return [{
      tool: toolName,
      status: state,
      input,
      content: [output?.text ?? errorText ?? JSON.stringify(output)],
      diffs: diffs.get(toolCallId) ?? []
    }]
  })
}
const view = () =>
  state.messages.flatMap(({ parts, role }) => role === "user" ? [{ user: parts[0].text }] : itemsOf(parts))

class State {
  status = "ready"
  error = undefined
  #messages = []
  get messages() {
    return this.#messages
  }
  set messages(messages) {
    this.#messages = messages
  }
  pushMessage = (message) => {
    this.#messages = [...this.#messages, message]
    show(view())
  }
  popMessage = () => {
    this.#messages = this.#messages.slice(0, -1)
  }
  replaceMessage = (index, message) => {
    this.#messages = this.#messages.with(index, message)
    show(view())
    if (version === 5) void answerParts(message.parts)
  }
  snapshot = (thing) => structuredClone(thing)
}
class Chat extends ai.AbstractChat {}

const ownTransport = async () => {
  const { WebSocketChatTransport } = await import(pathToFileURL(path))
  const { WebSocket } = await import("ws")
  return new WebSocketChatTransport({ url, tool, WebSocket })
}
/** As docs/fronts.md shows it for long conversations. */
const prepareSendMessagesRequest = ({ body, id, messageId, messages, trigger }) => ({
  body: { ...body, id, trigger, messageId, messages: messages.slice(-2) }
})
const transport = path === undefined
  ? new ai.DefaultChatTransport({ api, ...(brief && { prepareSendMessagesRequest }) })
  : await ownTransport()

const state = new State()
const failures = []
const chat = new Chat({
  id,
  state,
  transport,
  ...(version > 5 && { sendAutomaticallyWhen: ai.lastAssistantMessageIsCompleteWithApprovalResponses }),
  onError: ({ message }) => {
    failures.push(message)
    say({ failed: message })
  }
})

const asked = () => state.messages.at(-1)?.parts.filter((part) => part.state === "approval-requested") ?? []
/** What version 5 asks with, in the middle of a message; answered by a request of its own. */
const answered = new Set()
const answerParts = async (parts) => {
  for (const { data, type } of parts) {
    if (type !== "data-permission" || data.status !== "waiting" || answered.has(data.request_id)) continue
    answered.add(data.request_id)
    say({ asked: [data.request_id] })
    if (waits) await goesOn
    const answers = data.questions === undefined ? {} : { answers: firstOptions(data.questions) }
    await fetch(`${api}/${id}/answer`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ request_id: data.request_id, behavior: "allow", ...answers })
    })
  }
}

const isOver = () => state.messages.at(-1)?.metadata?.relay?.stop_reason !== undefined
const isReady = () => state.status !== "submitted" && state.status !== "streaming"

/** Until the turn is over; whatever is asked is answered when its stream has ended. */
const follow = async (before = failures.length) => {
  while (!isOver() && failures.length === before) {
    const waiting = asked()
    if (waiting.length > 0) {
      say({ asked: waiting.map(({ approval }) => approval.id) })
      if (waits) await goesOn
      for (const { approval, input } of waiting) {
        const answers = input?.questions === undefined ? undefined : firstOptions(input.questions)
        await chat.addToolApprovalResponse({
          id: approval.id,
          approved: true,
          ...(answers !== undefined && { reason: JSON.stringify({ answers }) })
        })
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    await until(isReady, 20)
  }
}

if (come) {
  state.messages = await (await fetch(`${api}/${id}/messages`)).json()
  show(view())
  await chat.resumeStream()
  say({ came: true })
  if (state.messages.length > 0) await follow()
}
for (const text of prompts) {
  await mayPrompt(failures)
  const before = failures.length
  await chat.sendMessage({ text })
  await follow(before)
}
say({ done: true, view: view(), messages: state.messages, failures })
transport.close?.()
process.exit(0)
