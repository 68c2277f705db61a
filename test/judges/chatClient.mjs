/**
 * chatClient: a person at an AI SDK chat, as a process that can be killed. It allows all it is asked and answers questions
 * with their first option, and prints what it shows as lines of JSON.
 *
 *     node chatClient.mjs LOAD SDK API CHAT prompt|resume [wait]      wait: answers nothing, only looks
 *
 * With $CHAT_TRANSPORT, the path of our own transport as a module, it speaks over the relay's socket.
 */
import { pathToFileURL } from "node:url"

const [, , loader, sdk, api, id, how, waits] = process.argv
const { load } = await import(pathToFileURL(loader))
const ai = await load(sdk)
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)

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
    say({ shown: message.parts.length })
  }
  popMessage = () => {
    this.#messages = this.#messages.slice(0, -1)
  }
  replaceMessage = (index, message) => {
    this.#messages = this.#messages.with(index, message)
    const text = message.parts.map((part) => part.text ?? "").join("")
    say({ shown: message.parts.length, text })
  }
  snapshot = (thing) => structuredClone(thing)
}
class Chat extends ai.AbstractChat {}

const ownTransport = async (path) => {
  const { WebSocketChatTransport } = await import(pathToFileURL(path))
  const { WebSocket } = await import("ws")
  return new WebSocketChatTransport({ url: new URL(api).origin, tool: "demo", WebSocket })
}
const { CHAT_TRANSPORT: path } = process.env
const transport = path === undefined ? new ai.DefaultChatTransport({ api }) : await ownTransport(path)

const state = new State()
const errors = []
const chat = new Chat({
  id,
  state,
  transport,
  sendAutomaticallyWhen: ai.lastAssistantMessageIsCompleteWithApprovalResponses,
  onError: (error) => errors.push(error.message)
})

const asked = () => state.messages.at(-1)?.parts.filter((part) => part.state === "approval-requested") ?? []
const isOver = () => state.messages.at(-1)?.metadata?.relay?.stop_reason !== undefined

const answersTo = (part) => {
  const questions = part.input?.questions
  if (questions === undefined) return undefined
  const answers = Object.fromEntries(
    questions.map(({ id, options, question }) => [id ?? question, options[0].label])
  )
  return JSON.stringify({ answers })
}

/** Until the turn is over; whatever is asked is answered when its stream has ended. */
const follow = async () => {
  while (!isOver() && errors.length === 0) {
    const waiting = asked()
    if (waiting.length > 0) {
      say({ asked: waiting.map(({ approval }) => approval.id) })
      if (waits === "wait") return new Promise(() => setInterval(() => {}, 1000))
      for (const part of waiting) {
        const reason = answersTo(part)
        await chat.addToolApprovalResponse({
          id: part.approval.id,
          approved: true,
          ...(reason !== undefined && { reason })
        })
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    while (state.status === "submitted" || state.status === "streaming") {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

if (how === "prompt") {
  await chat.sendMessage({ text: "Why is the total a cent too high?" })
} else {
  state.messages = await (await fetch(`${api}/${id}/messages`)).json()
  await chat.resumeStream()
}
await follow()
say({ messages: state.messages, errors })
transport.close?.()
