/**
 * Sse: cuts a byte stream into server-sent events.
 *
 * Free of Effect: it runs for every chunk. The bytes may be cut anywhere: in the middle of a character, of a line, of
 * a \r\n (which @effect/experimental's parser, for one, takes for two line ends).
 */
import { createParser } from "eventsource-parser"

export interface SseEvent {
  /** Its name; `message` when it has none. */
  readonly event: string
  /** Its data lines, joined by newlines. */
  readonly data: string
}

/** Longest event taken, in characters, so that no server can fill the memory. */
export const maxEventLength = 64 * 1024 * 1024

export class SseSplitter {
  private readonly text = new TextDecoder()
  private readonly parser
  private tooLong = false

  constructor(onEvent: (event: SseEvent) => void, limit = maxEventLength) {
    this.parser = createParser({
      maxBufferSize: limit,
      onEvent: ({ data, event = "message" }) => onEvent({ event, data }),
      onError: ({ type }) => {
        if (type === "max-buffer-size-exceeded") this.tooLong = true
      }
    })
  }

  /** Hand on every event that ends in this chunk. False: an event is longer than the limit; nothing more will come. */
  push(chunk: Uint8Array): boolean {
    if (!this.tooLong) this.parser.feed(this.text.decode(chunk, { stream: true }))
    return !this.tooLong
  }

  /** Hand on the last event if it lacks its blank line. */
  end(): void {
    if (!this.tooLong) this.parser.feed(`${this.text.decode()}\n\n`)
  }
}
