/**
 * Outbox: commands without an answer from the relay. Each has a `message_id`, so it can be sent again after a reconnect: the
 * relay executes it only once.
 */
import type { Command, EventOf, RelayEvent } from "./protocol.js"
import { forgettable, RelayError } from "./RelayError.js"

/** Most commands that may wait for an answer. */
const mostWaiting = 1000

export interface Outbox {
  /** Resolves to the relay's acknowledgement; fails with a `RelayError` if the relay refuses. */
  readonly add: (command: Command) => Promise<EventOf<"input_ack">>
  /** A connection is ready: sends all waiting commands in order. */
  readonly open: (send: (frame: object) => void) => void
  /** The connection is gone. */
  readonly shut: () => void
  /** Checks whether an event answers a command. */
  readonly settle: (event: RelayEvent) => void
  /** Fails the largest command, which was too large for the relay; false if there is none. */
  readonly dropLargest: (reason: string) => boolean
  /** Fails all commands: nothing more will be sent. */
  readonly failAll: (error: RelayError) => void
  /** Whether the session was asked to end. */
  readonly isEnding: () => boolean
}

interface Waiting {
  readonly frame: Command
  readonly resolve: (ack: EventOf<"input_ack">) => void
  readonly reject: (error: RelayError) => void
}

/** `cancel_queued` has no name of its own: its `message_id` is the prompt's. */
const nameOf = (frame: Command): string =>
  "type" in frame && frame.type === "cancel_queued" ? `cancel ${frame.message_id}` : frame.message_id ?? ""

const isType = (frame: Command, type: string) => "type" in frame && frame.type === type

export const make = (newId: () => string): Outbox => {
  const waiting = new Map<string, Waiting>()
  let send: ((frame: object) => void) | undefined
  let failure: RelayError | undefined
  /** A terminal's size: only the last one matters, and it is told again to each connection. */
  let size: Command | undefined
  let ending = false

  const add: Outbox["add"] = (command) =>
    forgettable(
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure)
        if (waiting.size >= mostWaiting) {
          return reject(
            new RelayError(
              "too_many_waiting",
              `${mostWaiting} commands are already waiting for the relay: wait until one is answered`
            )
          )
        }
        const frame = { ...command, message_id: command.message_id ?? newId() }
        if (isType(frame, "resize")) size = frame
        if (isType(frame, "end")) ending = true
        waiting.set(nameOf(frame), { frame, resolve, reject })
        send?.(frame)
      })
    )

  const take = (name: string): Waiting | undefined => {
    const found = waiting.get(name)
    waiting.delete(name)
    return found
  }

  const settle: Outbox["settle"] = (event) => {
    if (event.type === "input_ack" && event.message_id !== undefined) {
      const cancelled = event.status === "cancelled" ? take(`cancel ${event.message_id}`) : undefined
      cancelled?.resolve(event)
      take(event.message_id)?.resolve(event)
    }
    if (event.type === "error" && event.message_id !== undefined) {
      const refused = take(event.message_id) ?? take(`cancel ${event.message_id}`)
      refused?.reject(new RelayError(event.code, event.text, event))
    }
  }

  const dropLargest: Outbox["dropLargest"] = (reason) => {
    const lengths = [...waiting].map(([name, { frame }]) => ({ name, length: JSON.stringify(frame).length }))
    const largest = lengths.reduce((a, b) => b.length > a.length ? b : a, { name: "", length: 0 })
    const dropped = take(largest.name)
    dropped?.reject(new RelayError("too_large", reason))
    return dropped !== undefined
  }

  return {
    add,
    open: (sending) => {
      send = sending
      if (size !== undefined && !waiting.has(nameOf(size))) send({ ...size, message_id: newId() })
      for (const { frame } of waiting.values()) send(frame)
    },
    shut: () => void (send = undefined),
    settle,
    dropLargest,
    failAll: (error) => {
      failure = error
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    },
    isEnding: () => ending
  }
}
