/**
 * EventBuffer: events waiting for `for await`. Nothing is lost between leaving one loop and entering the next. The buffer is
 * limited: reading too slowly fails, with the `seq` to continue from.
 */
import type { RelayEvent } from "./protocol.js"
import { RelayError } from "./RelayError.js"

/** Characters of frames that may wait. */
const mostChars = 32 * 1024 * 1024

export interface EventBuffer extends AsyncIterable<RelayEvent> {
  readonly push: (event: RelayEvent, chars: number) => void
  /** A listener is used instead: nothing is buffered unless a loop has begun. */
  readonly forgo: () => void
  /** No more events follow: loops end after the last one, or fail with `error`. */
  readonly end: (error?: RelayError) => void
}

interface Reader {
  readonly resolve: (result: IteratorResult<RelayEvent, undefined>) => void
  readonly reject: (error: RelayError) => void
}

export const make = (): EventBuffer => {
  let letters: Array<{ readonly event: RelayEvent; readonly chars: number }> = []
  let head = 0
  let chars = 0
  let collecting = true
  let looping = false
  let ended = false
  let failure: RelayError | undefined
  let lastRead = 0
  let readers: Array<Reader> = []

  const clear = () => {
    letters = []
    head = chars = 0
  }

  const finish = (reader: Reader) =>
    failure === undefined ? reader.resolve({ done: true, value: undefined }) : reader.reject(failure)

  const end: EventBuffer["end"] = (error) => {
    if (ended) return
    ended = true
    failure = error
    for (const reader of readers.splice(0)) finish(reader)
  }

  const push: EventBuffer["push"] = (event, size) => {
    if (!collecting || ended) return
    const reader = readers.shift()
    if (reader !== undefined) {
      lastRead = event.seq
      return reader.resolve({ done: false, value: event })
    }
    letters.push({ event, chars: size })
    chars += size
    if (chars <= mostChars) return
    clear()
    end(
      new RelayError(
        "read_too_slowly",
        `too many events were waiting to be read: connect again with after_seq ${lastRead}, or use onEvent`
      )
    )
  }

  const take = (): RelayEvent | undefined => {
    const letter = letters[head]
    if (letter === undefined) return undefined
    head += 1
    chars -= letter.chars
    lastRead = letter.event.seq
    if (head === letters.length) clear()
    else if (head > 1024) {
      letters = letters.slice(head)
      head = 0
    }
    return letter.event
  }

  const next = (mine: Set<Reader>) =>
    new Promise<IteratorResult<RelayEvent, undefined>>((resolve, reject) => {
      const event = take()
      if (event !== undefined) return resolve({ done: false, value: event })
      const reader = { resolve, reject }
      if (ended) return finish(reader)
      mine.add(reader)
      readers.push(reader)
    })

  /** Who has left takes no more events away from who comes next. */
  const leave = (mine: Set<Reader>) => {
    readers = readers.filter((reader) => !mine.has(reader))
    for (const { resolve } of mine) resolve({ done: true, value: undefined })
    return Promise.resolve({ done: true as const, value: undefined })
  }

  return {
    push,
    end,
    forgo: () => {
      if (looping) return
      collecting = false
      clear()
    },
    [Symbol.asyncIterator]: () => {
      looping = collecting = true
      const mine = new Set<Reader>()
      return { next: () => next(mine), return: () => leave(mine) }
    }
  }
}
