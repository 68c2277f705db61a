/**
 * cronTimes: when a cron expression is due in a time zone. If the clock jumps ahead, times in the gap are due once, after it. If
 * it is set back, times that would come twice come once, if the expression names the hour.
 */
import { Cron } from "croner"

/** Parses five fields, minutes first, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. Throws if it is neither. */
const parse = (every: string, time_zone: string | undefined): Cron => {
  const words = every.trim()
  // Croner would also accept a date.
  if (!words.startsWith("@") && words.split(/\s+/u).length !== 5) throw new RangeError("not five fields")
  return new Cron(words, {
    paused: true,
    ...(time_zone !== undefined && { timezone: time_zone }),
    ...(!words.startsWith("@") && { mode: "5-part" as const })
  })
}

/** An error text for an invalid expression or time zone; undefined if both are valid. */
export const cronProblem = (every: string, time_zone: string | undefined): string | undefined => {
  if (time_zone !== undefined) {
    try {
      Intl.DateTimeFormat("en", { timeZone: time_zone })
    } catch {
      return "`time_zone` must be the name of a time zone, such as \"Europe/Berlin\""
    }
  }
  try {
    return parse(every, time_zone).nextRun() === null
      ? "`every` names a time that never comes: correct its day or month"
      : undefined
  } catch {
    return "`every` must be a cron expression of five fields, such as \"0 9 * * 1-5\" (working days at nine), or one of "
      + "@hourly, @daily, @weekly, @monthly, @yearly"
  }
}

/** The first time after this one, both in Unix seconds; undefined: never again. */
export const nextTime = (every: string, time_zone: string | undefined, after: number): number | undefined => {
  const next = parse(every, time_zone).nextRun(new Date(after * 1000))
  return next === null ? undefined : next.getTime() / 1000
}

/** Where counting stops. */
const mostCounted = 10_000

/** How many times are due from `first`, which is one of them, to `until`; both in Unix seconds. */
export const countTimes = (
  every: string,
  time_zone: string | undefined,
  first: number,
  until: number
): number => {
  const cron = parse(every, time_zone)
  let count = 0
  for (
    let next: Date | null = new Date(first * 1000);
    next !== null && next.getTime() / 1000 <= until && count < mostCounted;
    next = cron.nextRun(next)
  ) count += 1
  return count
}
