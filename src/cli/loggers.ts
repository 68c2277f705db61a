/** loggers: one line per message on stderr, for people or for programs. */
import { Cause, Formatter, Layer, Logger, type LogLevel, References } from "effect"
import { visible, visibleLine } from "./printable.js"

/** Messages may quote others, so line breaks and escape codes are removed. */
const textOf = (message: unknown): string =>
  visibleLine(typeof message === "string" ? message : JSON.stringify(message) ?? "")

/** Prints time, level, message and annotations on one line, and below it what went wrong: the cause, and errors in the message. */
export const lineLogger = Logger.withConsoleError(
  Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) => {
    const said: ReadonlyArray<unknown> = Array.isArray(message) ? message : [message]
    const words = said.filter((part) => !(part instanceof Error)).map(textOf).join(" ")
    const causes = [cause, ...said.filter((part) => part instanceof Error).map((error) => Cause.die(error))]
    const about = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
      .map(([name, value]) => ` ${name}=${textOf(value)}`).join("")
    const why = causes.filter(({ reasons }) => reasons.length > 0).map((known) =>
      `\n${visible(Cause.pretty(known))}`
    ).join("")
    return `${date.toISOString()} ${logLevel.toUpperCase().padEnd(5)} ${words}${about}${why}`
  })
)

/** Prints an object with `timestamp`, `logLevel`, `message`, `annotations` and `cause`. */
export const jsonLogger = Logger.withConsoleError(
  // The documented name; log collectors rely on it.
  Logger.map(
    Logger.formatStructured,
    ({ level, message, ...rest }) => Formatter.formatJson({ message, logLevel: level, ...rest })
  )
)

/** Logs messages of this level and above with this logger. */
export const layerLogs = (
  level: LogLevel.LogLevel,
  logger: Logger.Logger<unknown, void>
): Layer.Layer<never> => Layer.merge(Layer.succeed(References.MinimumLogLevel, level), Logger.layer([logger]))
