/**
 * resetTime: finds out when a limit resets from an agent's text: "resets 3pm (Europe/Berlin)", "try again in 2 hours 5 minutes",
 * "retry in 34.5s", "try again at Oct 9th, 2025 3:05 PM", "limit reached|1760000000". Some versions of agents have nothing but
 * this text. Pure; gives undefined for texts it does not understand.
 */

const unitSeconds: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 }
const unit = "(milliseconds?|msecs?|ms|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)"
const amount = `\\d+(?:\\.\\d+)?\\s*${unit}(?![a-z])`
const duration = new RegExp(`\\b(?:in|after|for|wait)\\s+(${amount}(?:(?:\\s|,|and)*${amount})*)`, "i")

const secondsOf = (text: string): number | undefined => {
  const found = duration.exec(text)?.[1]
  if (found === undefined) return /\bin less than a minute\b/i.test(text) ? 60 : undefined
  let sum = 0
  for (
    const [, value, name = ""] of found.matchAll(new RegExp(`(\\d+(?:\\.\\d+)?)\\s*${unit}(?![a-z])`, "gi"))
  ) {
    const word = name.toLowerCase()
    sum += Number(value) * (/^m(s|illi|sec)/.test(word) ? 0.001 : unitSeconds[word[0] ?? "s"] ?? 1)
  }
  return sum
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

const date = `(?:(${months.join("|")})[a-z]*\\.?\\s+(\\d{1,2})(?:st|nd|rd|th)?(?:,?\\s+(\\d{4}))?`
  + `|(${weekdays.join("|")})[a-z]*|(tomorrow))`
const hour = "(\\d{1,2})(?::(\\d{2})(?::\\d{2})?)?\\s*(am|pm|a\\.m\\.|p\\.m\\.)?"
const zone =
  "(?:\\s*\\(?(?:([A-Z][A-Za-z_]+(?:\\/[A-Za-z_+-]+)+)|(UTC|GMT|Z)([+-]\\d{1,2}(?::?\\d{2})?)?)\\)?)?"
const clock = new RegExp(
  `\\b(?:resets?|reset|again|until|available|renews?)\\s*(?:is\\s+|at\\s+|on\\s+)*(?:${date}\\s*(?:,|at)?\\s*)?${hour}(?!\\d|\\.\\d|\\s*(?:%|${unit}(?![a-z])))${zone}`,
  "i"
)

/** A moment as shown by a clock in a time zone. */
interface Shown {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly weekday: number
}

const shownIn = (ms: number, timeZone: string | undefined): Shown => {
  const parts = new Intl.DateTimeFormat("en-US", {
    ...(timeZone !== undefined && { timeZone }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    weekday: "short"
  }).formatToParts(ms)
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? ""
  return {
    year: Number(of("year")),
    month: Number(of("month")),
    day: Number(of("day")),
    hour: Number(of("hour")),
    minute: Number(of("minute")),
    weekday: weekdays.indexOf(of("weekday").toLowerCase())
  }
}

const asUtc = ({ day, hour, minute, month, year }: Omit<Shown, "weekday">) =>
  Date.UTC(year, month - 1, day, hour, minute)

/** The moment at which a clock in this zone shows this; corrected twice, because the offset may change in between. */
const momentOf = (shown: Omit<Shown, "weekday">, timeZone: string | undefined): number => {
  const wanted = asUtc(shown)
  let moment = wanted
  for (let pass = 0; pass < 2; pass += 1) moment += wanted - asUtc(shownIn(moment, timeZone))
  return moment
}

const dayMs = 86_400_000
/** A time of day that passed less than this ago means today, not tomorrow: the answer took a while. */
const justNowMs = 15 * 60_000

/** The zone if its name is valid, else the agent's own. */
const known = (name: string | undefined, own: string | undefined): string | undefined => {
  try {
    Intl.DateTimeFormat("en", { timeZone: name })
    return name
  } catch {
    return own
  }
}

/** `+2`, `-03:30`, in ms. */
const offsetOf = (offset: string): number => {
  const [, sign = "+", hours = "0", minutes = "0"] = /([+-])(\d{1,2}):?(\d{2})?/.exec(offset) ?? []
  return (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60_000 : 60_000)
}

const hourOf = (hour: number, half: string | undefined): number =>
  half === undefined ? hour : (hour % 12) + (half.toLowerCase().startsWith("p") ? 12 : 0)

const clockTime = (text: string, now: number, own: string | undefined): number | undefined => {
  const found = clock.exec(text)
  if (found === null) return undefined
  const [, month, day, year, weekday, tomorrow, hour = "", minute, half] = found
  // "again 3" is not a time of day.
  if (minute === undefined && half === undefined) return undefined
  // The groups of the unit in the middle lie between.
  const [name, utc, offset] = found.slice(-3)
  const timeZone = utc === undefined ? known(name ?? own, own) : "UTC"
  // Not every engine knows zones by their offset.
  const shift = offset === undefined ? 0 : offsetOf(offset)
  const today = shownIn(now + shift, timeZone)
  const time = { hour: hourOf(Number(hour), half), minute: Number(minute ?? 0) }
  if (time.hour > 23 || time.minute > 59) return undefined
  const at = (shown: Omit<Shown, "weekday" | "hour" | "minute">) =>
    momentOf({ ...shown, ...time }, timeZone) - shift
  if (month !== undefined) {
    const date = { month: months.indexOf(month.toLowerCase().slice(0, 3)) + 1, day: Number(day) }
    if (year !== undefined) return at({ ...date, year: Number(year) })
    const thisYear = at({ ...date, year: today.year })
    return thisYear < now - 180 * dayMs ? at({ ...date, year: today.year + 1 }) : thisYear
  }
  const daysOn = (days: number) => at({ ...today, day: today.day + days })
  if (tomorrow !== undefined) return daysOn(1)
  const ahead = weekday === undefined
    ? 0
    : (weekdays.indexOf(weekday.toLowerCase().slice(0, 3)) - today.weekday + 7) % 7
  const next = daysOn(ahead)
  return next >= now - justNowMs ? next : daysOn(weekday === undefined ? 1 : ahead + 7)
}

const iso = /\b(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2}))/

/** Longer than any limit: anything beyond was misread. */
const longestMs = 40 * dayMs

/** Whether a limit may be over then; both in ms. */
const isNear = (ms: number, now: number) => Math.abs(ms - now) <= longestMs

/** Unix seconds from a number that some agents give in milliseconds; undefined if it cannot be either. `now` is in ms. */
export const resetMoment = (number: number, now: number): number | undefined =>
  isNear(number * 1000, now) ? number : isNear(number, now) ? number / 1000 : undefined

/**
 * Unix seconds. `now` is in milliseconds since 1970; `time_zone` is that of the agent's machine, for times without one;
 * undefined: this machine's.
 */
export const resetTime = (text: string, now: number, time_zone?: string): number | undefined => {
  const unix = /\|\s*(\d{10})(?:\d{3})?\b/.exec(text)?.[1]
  const seconds = secondsOf(text)
  const written = iso.exec(text)?.[1]
  const ms = unix !== undefined
    ? Number(unix) * 1000
    : written !== undefined
    ? Date.parse(written)
    : seconds !== undefined
    ? now + seconds * 1000
    : clockTime(text, now, time_zone)
  return ms !== undefined && isNear(ms, now) ? ms / 1000 : undefined
}
