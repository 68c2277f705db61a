/**
 * eventJson: events as JSON text, each of their long texts escaped once.
 *
 * What an agent and its tools said stands in several fields and events, and to escape it costs as much as all else that is
 * done with it.
 */

/** Shorter ones cost next to nothing. */
const longLength = 1024
/** Stands for a long text until all else is JSON; where an event has it as a text of its own, nothing is gained. */
const placeholder = "\u0000"
const escapedPlaceholder = JSON.stringify(placeholder)

export interface EventJson {
  /** The same as `JSON.stringify`, which throws for what has no JSON. */
  readonly stringify: (event: object) => string
  /** Let go of the text that was escaped last: what comes is about something else. */
  readonly forget: () => void
}

export const make = (): EventJson => {
  let text = ""
  let escaped = ""

  const escape = (value: string): string => {
    if (value !== text) escaped = JSON.stringify(value)
    text = value
    return escaped
  }

  const stringify = (event: object): string => {
    const texts: Array<string> = []
    const json = JSON.stringify(event, (_, value: unknown) => {
      if (typeof value !== "string" || value.length < longLength) return value
      texts.push(escape(value))
      return placeholder
    })
    if (texts.length === 0) return json
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
