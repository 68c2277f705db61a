/**
 * cronTimes: when a cron expression is due, by the clock of a time zone. Where that clock jumps ahead, what falls into the gap
 * is due once, behind it; where it is set back, what would come twice comes once, if it names its hour.
 */
import { Cron } from "croner"

/** Five fields, minutes first, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
const parse = (every: string, time_zone: string | undefined): Cron => {
  const words = every.trim()
  // It would take a date, too.
  if (!words.startsWith("@") && words.split(/\s+/u).length !== 5) throw new RangeError("not five fields")
  return new Cron(words, {
    paused: true,
    ...(time_zone !== undefined && { timezone: time_zone }),
    ...(!words.startsWith("@") && { mode: "5-part" as const })
  })
}

/** What is wrong with it, in words that say what to write; undefined: nothing. */
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

/** Most that are counted: who was away for a year need not know how often a minute has passed. */
const mostCounted = 10_000

/** How many are due from `first`, which is one of them, to `until`, both in Unix seconds. */
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
