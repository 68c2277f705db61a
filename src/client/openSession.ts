/**
 * openSession: combines the parts of a session. It outlives its connections: every event comes once and in order, and every
 * command is executed once, whatever happens to the network or the relay.
 */
import * as Credentials from "./Credentials.js"
import * as EventBuffer from "./EventBuffer.js"
import * as Outbox from "./Outbox.js"
import * as Permissions from "./Permissions.js"
import type { Content, EventOf, RelayEvent } from "./protocol.js"
import * as ReconnectingSocket from "./ReconnectingSocket.js"
import { forgettable, RelayError } from "./RelayError.js"
import type { ConnectionState, ConnectOptions, PromptOptions, Session } from "./Session.js"
import * as Turns from "./Turns.js"
import { makeTeller } from "./unreachable.js"

/** Close codes (RFC 6455). */
const ended = 1000
const refused = 1008
const tooLarge = 1009
const restarting = 1012
const tryAgain = 1013

/** `randomUUID` exists only on pages that came over https or from localhost. */
const newId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("")

/** A listener that fails must not stop the others, nor go unnoticed. */
const tell = <A>(listeners: Iterable<(value: A) => void>, value: A) => {
  for (const listener of [...listeners]) {
    try {
      listener(value)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

const isPong = (event: RelayEvent) => event.type === "status" && event.status === "pong"
/** The relay is shutting down: the session ends with it, and is there again when the relay is. */
const isDraining = (event: RelayEvent) => event.type === "status" && event.status === "draining"
const isFatal = (event: RelayEvent) => event.type === "error" && event.metadata?.["fatal"] === true

export const openSession = (
  url: string,
  WebSocket: ReconnectingSocket.SocketConstructor,
  options: ConnectOptions
): Session => {
  const { onEvent, onPermission, onState, retries = Infinity, signal, ticket, token, ...given } = options
  const { url: _, WebSocket: __, ...handshake } = given
  const credentials = Credentials.make({ ticket, token })
  const teller = makeTeller(url)
  const session_id = handshake.session_id ?? newId()
  // A name that was just made up has no events before.
  let seq = handshake.after_seq ?? (handshake.session_id === undefined ? 0 : undefined)
  let state: ConnectionState = { status: "connecting" }
  let fresh = true
  let over = false
  let draining = false
  let refusal: RelayError | undefined

  const eventListeners = new Set(onEvent === undefined ? [] : [onEvent])
  const stateListeners = new Set(onState === undefined ? [] : [onState])
  const outbox = Outbox.make(newId)
  const mailbox = EventBuffer.make()
  if (onEvent !== undefined) mailbox.forgo()
  const turns = Turns.make()
  const send = outbox.add
  const respond: Session["respond"] = (request_id, answer) =>
    send({ type: "permission_response", request_id, ...answer })
  const permissions = Permissions.make({ ask: onPermission, answer: respond })

  let started: (event: EventOf<"session_start">) => void
  let failed: (error: RelayError) => void
  const ready = forgettable(
    new Promise<EventOf<"session_start">>((resolve, reject) => {
      started = resolve
      failed = reject
    })
  )
  let tellClosed: (error: RelayError) => void
  const closed = new Promise<RelayError>((resolve) => (tellClosed = resolve))

  const become = (next: ConnectionState) => {
    state = next
    tell(stateListeners, next)
  }

  const finish = (error: RelayError) => {
    if (state.status === "closed") return
    link.stop()
    signal?.removeEventListener("abort", close)
    failed(error)
    outbox.failAll(error)
    turns.failAll(error)
    permissions.settleAll()
    mailbox.end(error.code === "session_ended" || error.code === "closed" ? undefined : error)
    become({ status: "closed", error })
    tellClosed(error)
  }

  const onFrame = (frame: string) => {
    // What a relay sends is an event.
    const event = JSON.parse(frame) as RelayEvent
    if (isFatal(event) && event.type === "error") refusal = new RelayError(event.code, event.text, event)
    // What ended it before does not tell why it ends now.
    if (event.type === "session_start") refusal = undefined
    if (event.session_id !== undefined) {
      if (fresh) greet(event)
      // What is said to this connection alone repeats the place where it stands.
      if (event.seq > (seq ?? -1)) {
        seq = event.seq
        over = event.type === "session_end"
        if (isDraining(event)) draining = true
      } else if (isPong(event)) return
    }
    deliver(event, frame.length)
    if (event.type === "session_end" && outbox.isEnding()) {
      finish(new RelayError("session_ended", "the session has ended"))
    }
  }

  /** The first event of a connection: the relay has let us in, and says where we stand. */
  const greet = (event: RelayEvent) => {
    fresh = false
    draining = false
    // The relay knows nothing of what we had: the session began anew.
    if (seq !== undefined && event.seq < seq) {
      seq = undefined
      permissions.settleAll()
      turns.failBegun(
        new RelayError("session_ended", "the relay no longer had the session and started it over")
      )
    }
    link.greeted()
    teller.reached()
    become({ status: "open" })
    outbox.open(link.send)
  }

  const deliver = (event: RelayEvent, chars: number) => {
    if (event.type === "session_start") started(event)
    outbox.settle(event)
    turns.follow(event)
    permissions.follow(event)
    mailbox.push(event, chars)
    tell(eventListeners, event)
  }

  /** Why not to come again. */
  const verdict = (
    { cause, code, reason }: ReconnectingSocket.Lost,
    failures: number
  ): RelayError | undefined => {
    if (cause instanceof RelayError) return cause
    if (draining && (code === ended || over) && !outbox.isEnding()) return undefined
    if (code === ended || (over && code !== restarting)) {
      return new RelayError("session_ended", refusal?.message ?? "the session has ended", refusal?.event)
    }
    if (code === refused) return refusal ?? new RelayError("bad_handshake", reason)
    if (
      code === tooLarge && !fresh && outbox.dropLargest(`the frame is too large for the relay: ${reason}`)
    ) {
      return undefined
    }
    if (fresh && code !== restarting && code !== tryAgain && refusal !== undefined) return refusal
    if (failures <= retries) return undefined
    return new RelayError("unreachable", `no relay answers at ${url}: ${reason}`)
  }

  const onLost = (lost: ReconnectingSocket.Lost, failures: number): boolean => {
    outbox.shut()
    const error = verdict({ ...lost, reason: teller.reasonOf(lost) }, failures)
    if (error !== undefined) finish(error)
    return error === undefined
  }

  const close = () => finish(new RelayError("closed", "the session was left"))

  const link = ReconnectingSocket.open({
    url,
    WebSocket,
    prepare: credentials.renew,
    handshake: () => ({
      ...handshake,
      ...credentials.current(),
      session_id,
      ...(seq !== undefined && { after_seq: seq }),
      // Should it have ended already, it is opened again only to hear that.
      ...(outbox.isEnding() && { linger: 0 })
    }),
    onFrame,
    onConnecting: () => {
      fresh = true
      over = false
      refusal = undefined
      if (state.status !== "connecting") become({ status: "connecting" })
    },
    onLost,
    onWaiting: (lost, retry_ms) =>
      become({ status: "waiting", code: lost.code, reason: teller.waiting(lost), retry_ms })
  })
  if (signal?.aborted) close()
  signal?.addEventListener("abort", close)

  const toPrompt = (content: Content, { message_id = newId(), when }: PromptOptions = {}) => ({
    type: "user_message" as const,
    content,
    message_id,
    ...(when !== undefined && { when })
  })
  const prompt: Session["prompt"] = (content, options) => send(toPrompt(content, options))

  return {
    session_id,
    ready,
    closed,
    state: () => state,
    seq: () => seq ?? 0,
    permissions: permissions.pending,
    send,
    prompt,
    ask: (content, options) => {
      const command = toPrompt(content, options)
      const result = turns.resultOf(command.message_id)
      send(command).catch((error: RelayError) => turns.fail(command.message_id, error))
      return result
    },
    respond,
    allow: (request_id, answer) => respond(request_id, { ...answer, behavior: "allow" }),
    deny: (request_id, message) =>
      respond(request_id, { behavior: "deny", ...(message !== undefined && { message }) }),
    interrupt: () => send({ type: "interrupt" }),
    setModel: (model) => send({ type: "set_model", model }),
    setMode: (mode) => send({ type: "set_permission_mode", mode }),
    rewind: (turn, options) => send({ type: "rewind", turn, ...options }),
    undoRewind: (options) => send({ type: "undo_rewind", ...options }),
    drive: () => send({ type: "drive" }),
    answerDrive: (request_id, allow) => send({ type: "drive_response", request_id, allow }),
    suggest: (text) => send({ type: "suggest", text }),
    answerSuggestion: (suggestion_id, sends) =>
      send({ type: "suggestion_response", suggestion_id, send: sends }),
    end: async () => {
      void send({ type: "end" })
      await closed
    },
    close,
    onEvent: (listener) => {
      mailbox.forgo()
      eventListeners.add(listener)
      return () => void eventListeners.delete(listener)
    },
    onState: (listener) => {
      stateListeners.add(listener)
      return () => void stateListeners.delete(listener)
    },
    [Symbol.asyncIterator]: mailbox[Symbol.asyncIterator]
  }
}
