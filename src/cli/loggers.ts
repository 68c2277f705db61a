/** loggers: one line per message on stderr, for people or for programs. */
import { Cause, Formatter, Layer, Logger, type LogLevel, References } from "effect"
import { visible, visibleLine } from "./printable.js"

/** What others wrote may stand in it: it begins no line of its own, and moves no terminal. */
const textOf = (message: unknown): string =>
  visibleLine(typeof message === "string" ? message : JSON.stringify(message) ?? "")

/** Time, level, message, then what it is about. */
export const lineLogger = Logger.withConsoleError(
  Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) => {
    const words = (Array.isArray(message) ? message : [message]).map(textOf).join(" ")
    const about = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
      .map(([name, value]) => ` ${name}=${textOf(value)}`).join("")
    const why = cause.reasons.length === 0 ? "" : `\n${visible(Cause.pretty(cause))}`
    return `${date.toISOString()} ${logLevel.toUpperCase().padEnd(5)} ${words}${about}${why}`
  })
)

/** An object with `timestamp`, `logLevel`, `message`, `annotations` (what it is about) and `cause`. */
export const jsonLogger = Logger.withConsoleError(
  // The name that our docs, and so log collectors, know.
  Logger.map(
    Logger.formatStructured,
    ({ level, message, ...rest }) => Formatter.formatJson({ message, logLevel: level, ...rest })
  )
)

/** Only messages of this level and above, written by this logger. */
export const layerLogs = (
  level: LogLevel.LogLevel,
  logger: Logger.Logger<unknown, void>
): Layer.Layer<never> => Layer.merge(Layer.succeed(References.MinimumLogLevel, level), Logger.layer([logger]))
