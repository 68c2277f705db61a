/**
 * Outbox: what is said to the client, in its order. Pieces of one message that come in the same turn of the event loop are
 * said as one: most of what a piece costs, here and there, is what stands around it. They wait for nothing, and nothing
 * overtakes them.
 */

export interface Outbox {
  readonly send: (message: object) => void
  /** More of the message with this id in this session; `say` is called with all of it, the last one alone. */
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
