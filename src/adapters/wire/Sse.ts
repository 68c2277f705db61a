/**
 * Sse: cuts a byte stream into server-sent events.
 *
 * Free of Effect, because it runs for every chunk. Chunks may be cut anywhere: within a character, a line or
 * a \r\n (which @effect/experimental's parser, for one, takes for two line ends).
 */
import { createParser } from "eventsource-parser"

export interface SseEvent {
  /** Its name; `message` if it has none. */
  readonly event: string
  /** Its data lines, joined by newlines. */
  readonly data: string
}

/** Longest event accepted, in characters, so that no server can fill the memory. */
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

  /** Pass on every event that ends in this chunk. False: an event exceeds the limit; nothing more will come. */
  push(chunk: Uint8Array): boolean {
    if (!this.tooLong) this.parser.feed(this.text.decode(chunk, { stream: true }))
    return !this.tooLong
  }

  /** Pass on the last event if it lacks its blank line. */
  end(): void {
    if (!this.tooLong) this.parser.feed(`${this.text.decode()}\n\n`)
  }
}
