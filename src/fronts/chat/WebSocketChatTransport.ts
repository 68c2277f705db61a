/**
 * WebSocketChatTransport: the AI SDK's `useChat` over the relay's own socket. The package entry is
 * `ai-relay/ai-sdk`; it needs no SDK at run time: its types match the SDK's `ChatTransport`.
 *
 * One socket per chat, which reconnects automatically: a message continues where the network failed, and
 * answers given by other clients show at once. The SDK's `stop()` interrupts the turn; leaving the page does
 * not.
 */
import { connect, type ConnectOptions, type Session } from "../../client/browser.js"
import type { Answer } from "../../client/protocol.js"
import type { RelayEvent } from "../../schema/index.js"
import * as project from "../project.js"
import { list, number, open, text, texts } from "../read.js"
import type { Chunk, Dialect } from "./Chunk.js"
import * as Encoder from "./encode.js"

export interface TransportOptions
  extends Omit<ConnectOptions, "onEvent" | "onPermission" | "session_id" | "after_seq" | "signal">
{
  /** The major version of `ai` in the page. Default 7. */
  readonly version?: Dialect
}

interface Request {
  readonly chatId: string
  readonly messages: ReadonlyArray<unknown>
  readonly trigger?: "submit-message" | "regenerate-message"
  readonly messageId?: string | undefined
  readonly abortSignal?: AbortSignal | undefined
}

interface Chat {
  readonly session: Session
  /** Events of the last turn, from its start. */
  events: Array<RelayEvent>
  /** Called when there is something new. */
  readonly listeners: Set<() => void>
}

interface Place {
  /** The client has all events up to this one. */
  readonly after_seq: number
  /** It continues the message it has. */
  readonly goesOn: boolean
  /** The prompt whose turn to follow; undefined: the last prompt's. */
  readonly message_id?: string | undefined
  readonly signal: AbortSignal | undefined
}

/** The stream the SDK reads; its chunk types differ by version, and these are all of them. */
export type ChunkStream = ReadableStream<any> // oxlint-disable-line typescript/no-explicit-any

/** A question the operator's rules settle at once is not shown; they may take this long, in ms. */
const momentMs = 50

/** Each part of a prompt the agent can receive, unchanged: the page already has its bytes. */
const contentOf = (message: Readonly<Record<string, unknown>>) =>
  list(message["parts"]).flatMap((part): ReadonlyArray<Block> => {
    const words = text(part["text"])
    if (part["type"] === "text" && words !== undefined) {
      return words === ""
        ? []
        : [{ type: "text", text: words }]
    }
    if (part["type"] !== "file") return []
    const url = text(part["url"]) ?? ""
    const mediaType = text(part["mediaType"]) ?? ""
    if (!images.has(mediaType)) {
      throw new TypeError(
        `files of type ${mediaType} cannot be sent to the agent: send png, jpeg, gif or webp images`
      )
    }
    const data = /^data:[^,]*;base64,/.test(url) ? url.slice(url.indexOf(",") + 1) : undefined
    return [{
      type: "image",
      source: data === undefined
        ? { type: "url", url }
        : { type: "base64", media_type: mediaType as ImageType, data }
    }]
  })

type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp"
type Block =
  | { readonly type: "text"; readonly text: string }
  | {
    readonly type: "image"
    readonly source:
      | { readonly type: "url"; readonly url: string }
      | { readonly type: "base64"; readonly media_type: ImageType; readonly data: string }
  }
const images = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])

const jsonIn = (reason: string): Answer => {
  try {
    return reason.startsWith("{") ? open(JSON.parse(reason)) as Answer : { message: reason }
  } catch {
    return { message: reason }
  }
}

const names = (event: RelayEvent | undefined, message_id: string): boolean =>
  event?.type === "turn_start"
  && (event.message_id === message_id || texts(event.metadata?.["message_ids"]).includes(message_id))

export class WebSocketChatTransport {
  readonly #options: ConnectOptions
  readonly #dialect: Dialect
  readonly #chats = new Map<string, Promise<Chat>>()

  constructor({ version = 7, ...options }: TransportOptions = {}) {
    this.#options = { front: "chat (socket)", ...options }
    this.#dialect = version
  }

  /** The SDK's method: sends a prompt or the person's answers; gives the agent's output from there. */
  readonly sendMessages = async (request: Request): Promise<ChunkStream> => {
    const { abortSignal: signal, chatId, messageId, messages, trigger } = request
    const chat = await this.#chat(chatId)
    const { session } = chat
    const all = list(messages)
    const last = all.at(-1) ?? {}
    if (last["role"] === "assistant") {
      const answers = list(last["parts"]).flatMap((part) =>
        part["state"] === "approval-responded" ? [open(part["approval"])] : []
      )
      for (const { approved, id, reason } of answers) {
        if (!session.permissions().some(({ request_id }) => request_id === id)) continue
        const more = text(reason) === undefined ? {} : jsonIn(text(reason) ?? "")
        // An answer that does not match leaves the question open: the person is asked again.
        await session.respond(String(id), { behavior: approved === true ? "allow" : "deny", ...more })
          .catch(() => {})
      }
      const after_seq = number(open(open(last["metadata"])["relay"])["seq"]) ?? 0
      return this.#stream(chat, { after_seq, goesOn: true, signal })
    }
    // An agent cannot forget a prompt: an edited or regenerated one is sent as a new prompt.
    const isAgain = trigger === "regenerate-message" || messageId !== undefined
    const given = isAgain ? undefined : text(last["id"])
    const shown = list(all.at(-2)?.["parts"]).flatMap((part) =>
      part["state"] === "approval-requested" ? [open(part["approval"])["id"]] : []
    )
    // The person types instead of answering: that is not a yes, and the turn must not wait forever.
    const isInstead = session.permissions().some(({ request_id }) => shown.includes(request_id))
    const { message_id } = await session.prompt(contentOf(last), {
      ...(given !== undefined && { message_id: given }),
      ...(isInstead && { when: "interrupt" as const })
    })
    return this.#stream(chat, { after_seq: 0, goesOn: false, message_id, signal })
  }

  /** The SDK's method: the agent's current message from its beginning; null if no turn is running. */
  readonly reconnectToStream = async (
    { chatId }: { readonly chatId: string }
  ): Promise<ChunkStream | null> => {
    const chat = await this.#chat(chatId)
    return chat.events.length === 0 || chat.events.at(-1)?.type === "turn_end"
      ? null
      : this.#stream(chat, { after_seq: 0, goesOn: false, signal: undefined })
  }

  /** Answer a question with more than yes or no; in version 5, which has no approvals, the only way. */
  readonly answer = async (chatId: string, request_id: string, answer: Answer): Promise<void> => {
    const { session } = await this.#chat(chatId)
    await session.respond(request_id, answer)
  }

  /** Leave all chats; whatever runs in them continues. */
  readonly close = (): void => {
    for (const chat of this.#chats.values()) void chat.then(({ session }) => session.close(), () => {})
    this.#chats.clear()
  }

  #chat(session_id: string): Promise<Chat> {
    const known = this.#chats.get(session_id)
    if (known !== undefined) return known
    const opening = this.#open(session_id)
    this.#chats.set(session_id, opening)
    const forget = () => void this.#chats.delete(session_id)
    opening.then(({ session }) => session.closed.then(forget), forget)
    return opening
  }

  async #open(session_id: string): Promise<Chat> {
    const listeners = new Set<() => void>()
    const session = connect({
      ...this.#options,
      session_id,
      after_seq: 0,
      onEvent: (told) => {
        // The wire's types are the schema's, without brands.
        const event = told as RelayEvent
        if (event.type === "turn_start") chat.events = []
        if (event.turn !== undefined) chat.events.push(event)
        for (const listener of [...listeners]) listener()
      }
    })
    const chat: Chat = { session, events: [], listeners }
    const { metadata } = await session.ready
    const last_seq = number(metadata?.["last_seq"]) ?? 0
    // Past events have arrived too.
    await new Promise<void>((resolve) => {
      const look = () => {
        if (session.seq() < last_seq) return
        listeners.delete(look)
        resolve()
      }
      listeners.add(look)
      look()
    })
    return chat
  }

  #stream(chat: Chat, { after_seq, goesOn, message_id, signal }: Place): ChunkStream {
    const { listeners, session } = chat
    const encoder = Encoder.make({ dialect: this.#dialect, session_id: session.session_id })
    const projector = project.make()
    let isBegun = false
    let read = 0
    let turn: RelayEvent | undefined
    let pausing: ReturnType<typeof setTimeout> | undefined
    let stop = () => {}

    const start = (controller: ReadableStreamDefaultController<Chunk>) => {
      let isOver = false
      const say = (chunks: ReadonlyArray<Chunk>) => chunks.forEach((chunk) => controller.enqueue(chunk))
      const end = (...chunks: ReadonlyArray<Chunk>) => {
        if (isOver) return
        isOver = true
        stop()
        say(chunks)
        controller.close()
      }
      const begin = () => {
        if (isBegun || !goesOn) return []
        isBegun = true
        return encoder.resume()
      }
      const pause = () => {
        const asks = projector.asking()
        if (asks.length > 0) end(...begin(), ...encoder.pause(asks, chat.events.at(-1)?.seq ?? after_seq))
      }

      const take = (event: RelayEvent) => {
        const known = event.seq <= after_seq
        for (const op of projector.next(event)) {
          const told = encoder.encode(op, event)
          if (!known) say([...begin(), ...told])
        }
        if (event.type === "turn_end") end(...begin(), ...known ? [finish] : [])
        if (event.type === "session_end") end()
      }

      const look = () => {
        const [first] = chat.events
        // Another turn has begun, which has its own stream.
        if (turn !== undefined && first !== turn) return end()
        if (turn === undefined && message_id !== undefined && !names(first, message_id)) return
        turn = first
        for (const event of chat.events.slice(read)) {
          read += 1
          if (!isOver) take(event)
        }
        if (isOver || projector.asking().length === 0 || this.#dialect === 5) return
        clearTimeout(pausing)
        pausing = setTimeout(pause, momentMs)
      }

      const abort = () => {
        void session.interrupt().catch(() => {})
        end()
      }
      stop = () => {
        clearTimeout(pausing)
        listeners.delete(look)
        signal?.removeEventListener("abort", abort)
      }
      signal?.addEventListener("abort", abort)
      listeners.add(look)
      void session.closed.then(({ message }) => end({ type: "error", errorText: message }))
      look()
    }

    return new ReadableStream<Chunk>({ start, cancel: () => stop() })
  }
}

/** There is nothing more to send. */
const finish: Chunk = { type: "finish", finishReason: "stop" }
