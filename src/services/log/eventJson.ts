/**
 * eventJson: events as JSON, with each long text escaped only once.
 *
 * The same text often is in several fields and events, and escaping it costs as much as everything else done with it.
 */

/** Shorter ones cost next to nothing. */
const longLength = 1024
/** Takes the place of a long text while the rest is encoded. Events that contain this text themselves gain nothing. */
const placeholder = "\u0000"
const escapedPlaceholder = JSON.stringify(placeholder)

export interface EventJson {
  /** Same result as `JSON.stringify`; throws for values without JSON. */
  readonly stringify: (event: object) => string
  /** Forgets the text that was escaped last. */
  readonly forget: () => void
}

const holdsLong = (value: unknown): boolean =>
  typeof value === "string"
    ? value.length >= longLength
    : typeof value === "object" && value !== null && Object.values(value).some(holdsLong)

export const make = (): EventJson => {
  let text = ""
  let escaped = ""

  const escape = (value: string): string => {
    if (value !== text) escaped = JSON.stringify(value)
    text = value
    return escaped
  }

  const stringify = (event: object): string => {
    // A function that sees every value triples the cost of a short event.
    if (!holdsLong(event)) return JSON.stringify(event)
    const texts: Array<string> = []
    const json = JSON.stringify(event, (_, value: unknown) => {
      if (typeof value !== "string" || value.length < longLength) return value
      texts.push(escape(value))
      return placeholder
    })
    const [first = "", ...others] = json.split(escapedPlaceholder)
    return others.length === texts.length
      ? others.reduce((all, part, index) => all + texts[index] + part, first)
      : JSON.stringify(event)
  }

  return {
    stringify,
    forget: () => {
      text = ""
      escaped = ""
    }
  }
}
