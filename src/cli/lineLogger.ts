/** lineLogger: one line per message on stderr, for people: time, level, message, then what it is about. */
import { Cause, HashMap, Logger } from "effect"

const textOf = (message: unknown): string => typeof message === "string" ? message : JSON.stringify(message)

export const lineLogger = Logger.withConsoleError(
  Logger.make<unknown, string>(({ annotations, cause, date, logLevel, message }) => {
    const words = (Array.isArray(message) ? message : [message]).map(textOf).join(" ")
    const about = HashMap.toEntries(annotations).map(([name, value]) => ` ${name}=${textOf(value)}`).join("")
    const why = Cause.isEmpty(cause) ? "" : `\n${Cause.pretty(cause)}`
    return `${date.toISOString()} ${logLevel.label.padEnd(5)} ${words}${about}${why}`
  })
)
