/** loggers: one line per message on stderr, for people or for programs. */
import { Cause, HashMap, Logger } from "effect"

const textOf = (message: unknown): string => typeof message === "string" ? message : JSON.stringify(message)

/** Time, level, message, then what it is about. */
export const lineLogger = Logger.withConsoleError(
  Logger.make<unknown, string>(({ annotations, cause, date, logLevel, message }) => {
    const words = (Array.isArray(message) ? message : [message]).map(textOf).join(" ")
    const about = HashMap.toEntries(annotations).map(([name, value]) => ` ${name}=${textOf(value)}`).join("")
    const why = Cause.isEmpty(cause) ? "" : `\n${Cause.pretty(cause)}`
    return `${date.toISOString()} ${logLevel.label.padEnd(5)} ${words}${about}${why}`
  })
)

/** An object with `timestamp`, `logLevel`, `message`, `annotations` (what it is about) and `cause`. */
export const jsonLogger = Logger.withConsoleError(Logger.jsonLogger)
