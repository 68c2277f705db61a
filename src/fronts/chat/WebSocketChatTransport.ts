/**
 * WebSocketChatTransport: the AI SDK's `useChat` over the relay's own socket. The package entry is
 * `ai-relay/ai-sdk`; it needs no SDK at run time: its types match the SDK's `ChatTransport`.
 *
 * One socket per chat, which reconnects automatically: a message continues where the network failed, and
 * answers given by other clients show at once. The SDK's `stop()` interrupts the turn; leaving the page does
 * not.
 */
import { connect, type ConnectOptions, RelayError, type Session } from "../../client/browser.js"
import type { Answer } from "../../client/protocol.js"
import type { RelayEvent } from "../../schema/index.js"
import { newChat, noSession } from "../noSession.js"
import * as project from "../project.js"
import { list, number, open, text } from "../read.js"
import type { Item } from "../stretch.js"
import * as ChatLog from "./ChatLog.js"
import type { Chunk, Dialect } from "./Chunk.js"
import { answerIn, approvalsIn, contentOf, emptyPrompt, withPlainAnswer } from "./parts.js"
import * as Teller from "./teller.js"

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
  readonly log: ChatLog.ChatLog
  /** Called with each event, after the log has it; without one if the session began anew. */
  readonly listeners: Set<(event: RelayEvent | undefined) => void>
}

interface Place {
  /** Where the turn to read begins; undefined: the prompt's turn, once it begins. */
  readonly start: number | undefined
  /** The client has all events up to this one. */
  readonly after_seq?: number
  /** It continues the message it has. */
  readonly goesOn: boolean
  /** Sent first. */
  readonly before?: ReadonlyArray<Chunk>
  /** The last prompt: the stream lasts until its turn has ended. */
  readonly message_id?: string | undefined
  /** Requests answered just now: do not ask them again. */
  readonly answered?: ReadonlyArray<string>
  readonly signal?: AbortSignal | undefined
}

/** The stream the SDK reads; its chunk types differ by version, and these are all of them. */
export type ChunkStream = ReadableStream<any> // oxlint-disable-line typescript/no-explicit-any

/** A question the operator's rules settle at once is not shown; they may take this long, in ms. */
const momentMs = 50

const nobody = (message_id: string) =>
  `the session already had the message "${message_id}", but its events are no longer available: send it with a new id`
const anew = "the relay no longer had the session and began it anew: send the prompt again"

/** Stopped before there was anything to read. */
const nothing = (): ChunkStream => new ReadableStream({ start: (controller) => controller.close() })

/** The promise's value; undefined if the person stops first. */
const unlessStopped = <A>(promise: Promise<A>, signal: AbortSignal | undefined): Promise<A | undefined> =>
  new Promise((resolve, reject) => {
    const stop = () => resolve(undefined)
    if (signal?.aborted === true) stop()
    signal?.addEventListener("abort", stop)
    promise.then(resolve, reject).finally(() => signal?.removeEventListener("abort", stop))
  })

/** Connects, and waits until past events have arrived, too. */
const attach = async (
  options: ConnectOptions,
  onEvent: (event: RelayEvent) => void
): Promise<Session> => {
  // The wire's types are the schema's, without brands.
  const session = connect({ ...options, onEvent: (event) => onEvent(event as RelayEvent) })
  const { metadata } = await session.ready.catch((error: unknown) => {
    throw error instanceof RelayError
      ? new RelayError(error.code, noSession(error.message, newChat), error.event)
      : error
  })
  const last_seq = number(metadata?.["last_seq"]) ?? 0
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (session.seq() < last_seq) return
      forget()
      resolve()
    }
    const forget = session.onEvent(look)
    void session.closed.then(reject)
    look()
  })
  return session
}

export class WebSocketChatTransport {
  readonly #options: ConnectOptions
  readonly #dialect: Dialect
  readonly #chats = new Map<string, Promise<Chat>>()

  constructor({ version = 7, ...options }: TransportOptions = {}) {
    this.#options = { front: "chat (socket)", raw: false, ...options }
    this.#dialect = version
  }

  /** The SDK's method: sends a prompt or the person's answers; gives the agent's output from there. */
  readonly sendMessages = async (request: Request): Promise<ChunkStream> => {
    const { abortSignal: signal, chatId, messageId, messages, trigger } = request
    const all = list(messages)
    const last = all.at(-1) ?? {}
    if (last["role"] === "assistant") return this.#answer(chatId, all, signal)
    const content = contentOf(last)
    if (typeof content === "string") throw new TypeError(content)
    if (content.every((block) => block.type === "text" && block.text.trim() === "")) {
      throw new TypeError(emptyPrompt)
    }
    // An agent cannot forget a prompt: an edited or regenerated one is sent as a new prompt.
    const isAgain = trigger === "regenerate-message" || messageId !== undefined
    const given = isAgain ? undefined : text(last["id"])
    const shown = approvalsIn(all.at(-2) ?? {}, "approval-requested").map(({ id }) => id)
    const submit = async (chat: Chat) => {
      if (signal?.aborted === true) return undefined
      // The person types instead of answering: that is not a yes, and the turn must not wait forever.
      const isInstead = chat.session.permissions().some(({ request_id }) =>
        isAgain || shown.includes(request_id)
      )
      const sent = chat.session.prompt(content as never, {
        ...(given !== undefined && { message_id: given }),
        ...(isInstead && { when: "interrupt" as const })
      })
      const ack = await unlessStopped(sent, signal)
      if (ack === undefined) {
        void sent.then(({ message_id }) => this.#stop(chat, message_id), () => {})
        return undefined
      }
      const { message_id = "" } = ack
      const { log } = chat
      if (ack.status === "duplicate" && log.begun(message_id) === undefined && !log.isWaiting(message_id)) {
        throw new TypeError(nobody(message_id))
      }
      return { chat, message_id }
    }
    const prompt = async () => {
      const chat = await unlessStopped(this.#chat(chatId), signal)
      return chat === undefined ? undefined : submit(chat)
    }
    const begun = await prompt().catch((error: unknown) => {
      // It ended in the meantime: a prompt reopens it.
      if (error instanceof RelayError && error.code === "session_ended") return prompt()
      throw error
    })
    if (begun === undefined) return nothing()
    const { chat, message_id } = begun
    return this.#stream(chat, { start: chat.log.begun(message_id), goesOn: false, message_id, signal })
  }

  /** The SDK's method: the agent's current message from its beginning; null if no turn is running. */
  readonly reconnectToStream = async (
    { chatId }: { readonly chatId: string }
  ): Promise<ChunkStream | null> => {
    const chat = await this.#chat(chatId, true).catch((error: unknown) => {
      if (error instanceof RelayError && error.code === "session_not_found") return undefined
      throw error
    })
    const start = chat?.log.openStart()
    return chat === undefined || start === undefined ? null : this.#stream(chat, { start, goesOn: false })
  }

  /** Answer a question with more than yes or no; in version 5, which has no approvals, the only way. */
  readonly answer = async (chatId: string, request_id: string, answer: Answer): Promise<void> => {
    const { session } = await this.#chat(chatId, true)
    await session.respond(request_id, answer)
  }

  /** Leave all chats; whatever runs in them continues. */
  readonly close = (): void => {
    for (const chat of this.#chats.values()) void chat.then(({ session }) => session.close(), () => {})
    this.#chats.clear()
  }

  async #answer(
    chatId: string,
    messages: ReadonlyArray<Readonly<Record<string, unknown>>>,
    signal: AbortSignal | undefined
  ): Promise<ChunkStream> {
    const chat = await unlessStopped(this.#chat(chatId, true), signal)
    if (chat === undefined) return nothing()
    const { log, session } = chat
    const last = messages.at(-1) ?? {}
    const answered: Array<string> = []
    const before: Array<Chunk> = []
    for (const approval of approvalsIn(last, "approval-responded")) {
      const asked = session.permissions().find(({ request_id }) => request_id === approval["id"])
      if (asked === undefined) continue
      try {
        await session.respond(asked.request_id, withPlainAnswer(answerIn(approval), asked.args))
        answered.push(asked.request_id)
      } catch (error) {
        // An answer that does not match leaves the question open: the person is asked again.
        const data = { level: "refused", name: "permission_response", text: String((error as Error).message) }
        before.push({ type: "data-notice", data, transient: true })
      }
    }
    // A position in another session of the same name may be further on than this one.
    const after_seq = Math.min(number(open(open(last["metadata"])["relay"])["seq"]) ?? 0, session.seq())
    const message_id = text(messages.findLast(({ role }) => role === "user")?.["id"])
    const start = log.startOf(after_seq) ?? after_seq + 1
    return this.#stream(chat, { start, after_seq, answered, before, goesOn: true, message_id, signal })
  }

  /** Takes the prompt back, or stops its turn. */
  async #stop({ log, session }: Chat, message_id: string | undefined): Promise<void> {
    if (message_id !== undefined && log.isQueued(message_id)) {
      await session.send({ type: "cancel_queued", message_id }).catch(() => {})
      if (log.lost(message_id) !== undefined) return
    }
    const start = log.openStart()
    const own = message_id === undefined ? undefined : log.begun(message_id)
    if (start !== undefined && (own === undefined || own === start)) await session.interrupt().catch(() => {})
  }

  #chat(session_id: string, must_exist = false): Promise<Chat> {
    const known = this.#chats.get(session_id)
    if (known !== undefined) return known
    const opening = this.#open(session_id, must_exist)
    this.#chats.set(session_id, opening)
    const forget = () => {
      if (this.#chats.get(session_id) === opening) this.#chats.delete(session_id)
    }
    opening.then(({ session }) => session.closed.then(forget), forget)
    return opening
  }

  async #open(session_id: string, must_exist: boolean): Promise<Chat> {
    const log = ChatLog.make()
    const listeners: Chat["listeners"] = new Set()
    const options = { ...this.#options, session_id, after_seq: 0, ...(must_exist && { must_exist }) }
    const session = await attach(options, (event) => {
      const isAnew = log.next(event)
      for (const listener of [...listeners]) listener(isAnew ? undefined : event)
    })
    return { session, log, listeners }
  }

  /** Events from the start of a turn on. */
  async #since({ log, session: { session_id } }: Chat, start: number): Promise<ReadonlyArray<RelayEvent>> {
    const kept = log.since(start)
    if (kept !== undefined) return kept
    const events: Array<RelayEvent> = []
    const options = { ...this.#options, session_id, after_seq: start - 1, must_exist: true }
    const again = await attach(options, (event) => {
      if (ChatLog.isOfTurn(event)) events.push(event)
    })
    again.close()
    return events
  }

  async #stream(
    chat: Chat,
    { after_seq, answered = [], before = [], goesOn, message_id, signal, start }: Place
  ): Promise<ChunkStream> {
    const { listeners, log, session } = chat
    const { session_id } = session
    const teller = Teller.make({ dialect: this.#dialect, session_id, before, goesOn })
    const projector = project.make()
    const chunks: Array<Chunk> = []
    let controller: ReadableStreamDefaultController<Chunk> | undefined
    let known = after_seq ?? 0
    let lastSeq = 0
    let isFollowing = false
    let isOver = false
    let isOwn = message_id === undefined
    let pausing: ReturnType<typeof setTimeout> | undefined

    const say = (more: ReadonlyArray<Chunk>) => {
      if (controller === undefined) chunks.push(...more)
      else for (const chunk of more) controller.enqueue(chunk)
    }
    const stop = () => {
      isOver = true
      clearTimeout(pausing)
      listeners.delete(look)
      signal?.removeEventListener("abort", abort)
    }
    const end = (...more: ReadonlyArray<Chunk>) => {
      if (isOver) return
      stop()
      say(more)
      controller?.close()
    }
    const fail = (message: string) =>
      end(...teller.end({ type: "refused", seq: session.seq(), error: { message } }))

    /** The client's own prompt has its turn after this position, or is waiting for one. */
    const isAhead = (seq: number) =>
      message_id !== undefined && !isOwn &&
      (log.isWaiting(message_id) || (log.begun(message_id) ?? -1) >= seq)

    const pause = () => {
      const asks = projector.asking().filter(({ request_id }) => !answered.includes(request_id))
      if (asks.length > 0) end(...teller.end({ type: "asked", seq: lastSeq, asks }))
    }

    const take = (events: ReadonlyArray<RelayEvent>) => {
      const items: Array<Item> = []
      let isLast = false
      let isAsked = false
      for (const event of events) {
        const { seq, ts } = event
        if (seq <= lastSeq) continue
        lastSeq = seq
        if (event.type === "turn_start" && message_id !== undefined) isOwn ||= log.begun(message_id) === seq
        for (const op of projector.next(event)) {
          items.push({ op, seq, ts, known: seq <= known })
          isAsked ||= op.type === "ask" || op.type === "settled"
        }
        isLast = seq > known &&
          (event.type === "session_end" || (event.type === "turn_end" && !isAhead(seq)))
        if (isLast) break
      }
      say(teller.next(items, isLast))
      if (isLast) return end()
      if (!isAsked || this.#dialect === 5) return
      clearTimeout(pausing)
      pausing = setTimeout(pause, momentMs)
    }

    /** Between two turns: nothing will follow, unless the client's own prompt waits for its turn. */
    const restAt = (seq: number) => {
      if (isOver || projector.turn() !== undefined) return
      const lost = message_id === undefined || isOwn ? undefined : log.lost(message_id)
      if (lost !== undefined) fail(lost)
      else if (!isAhead(seq)) end(...teller.end({ type: "idle", seq }))
    }

    /** What is there already, then what comes. */
    const follow = (events: ReadonlyArray<RelayEvent>) => {
      isFollowing = true
      take(events)
      restAt(Math.max(lastSeq, known))
    }

    /** The turn that keeps the prompt waiting is itself waiting for a person. */
    const startOfOther = () =>
      this.#dialect !== 5 && session.permissions().length > 0 ? log.openStart() : undefined

    const tryFollowing = () => {
      const lost = message_id === undefined ? undefined : log.lost(message_id)
      if (lost !== undefined) return fail(lost)
      const start = (message_id === undefined ? undefined : log.begun(message_id)) ?? startOfOther()
      if (start === undefined) return
      known = start - 1
      follow(log.since(start) ?? [])
    }

    const look = (event: RelayEvent | undefined) => {
      if (event === undefined) return fail(anew)
      if (!isFollowing) return tryFollowing()
      if (ChatLog.isOfTurn(event)) take([event])
      else restAt(event.seq)
    }
    const abort = () => {
      void this.#stop(chat, message_id)
      end()
    }

    if (start === undefined) {
      listeners.add(look)
      tryFollowing()
    } else {
      known = after_seq ?? start - 1
      const live: Array<RelayEvent> = []
      const hold = (event: RelayEvent | undefined) => {
        if (event !== undefined && ChatLog.isOfTurn(event)) live.push(event)
      }
      listeners.add(hold)
      const past = await this.#since(chat, start).finally(() => listeners.delete(hold))
      listeners.add(look)
      follow([...past, ...live])
    }
    if (!isOver) {
      if (signal?.aborted === true) abort()
      else signal?.addEventListener("abort", abort)
    }
    void session.closed.then(({ message }) => fail(message))
    return new ReadableStream<Chunk>({
      start: (opened) => {
        controller = opened
        say(chunks)
        if (isOver) opened.close()
      },
      cancel: stop
    })
  }
}
