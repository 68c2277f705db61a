/**
 * Outbox: sends messages to the client in order. Deltas of one message that arrive in the same turn of the
 * event loop are sent as one, because most of a delta's cost is its envelope, on both sides. They never wait,
 * and nothing overtakes them.
 */

export interface Outbox {
  readonly send: (message: object) => void
  /** Append to the message with this id in this session; only the last call's `say` runs, with the whole text. */
  readonly grow: (session: object, id: string, text: string, say: (text: string) => void) => void
}

export const make = (send: (message: object) => void): Outbox => {
  let session: object | undefined
  let message = ""
  let words = ""
  let said: ((text: string) => void) | undefined

  const flush = () => {
    const say = said
    said = undefined
    say?.(words)
  }

  return {
    send: (message) => {
      flush()
      send(message)
    },
    grow: (of, id, text, say) => {
      if (said !== undefined && of === session && id === message) words += text
      else {
        flush()
        queueMicrotask(flush)
        session = of
        message = id
        words = text
      }
      said = say
    }
  }
}
