/**
 * limits: warns of a rate limit that is nearly or fully used up, once for each of its windows.
 */
import type { BodyOf } from "../../schema/index.js"
import type { LimitWindow, RateLimits } from "./CodexMessage.js"

/** Warn from this percentage on. */
const threshold = 90
/** A window whose reset moves by less, in seconds, is the same window. */
const jitter = 300

const nameOf = (minutes: number | undefined): string =>
  minutes === undefined
    ? "rate"
    : minutes % 1440 === 0
    ? `${minutes / 1440}-day`
    : minutes % 60 === 0
    ? `${minutes / 60}-hour`
    : `${minutes}-minute`

const resetText = (resets_at: number | undefined) =>
  resets_at === undefined ? "" : ` It resets at ${new Date(resets_at * 1000).toISOString()}.`

export type Limits = ReturnType<typeof makeLimits>

export const makeLimits = () => {
  const warned = new Map<string, number>()
  let reached: string | undefined
  let latest: RateLimits | undefined

  const warning = (
    window: "primary" | "secondary",
    limit: LimitWindow,
    { limitId, planType }: RateLimits
  ): ReadonlyArray<BodyOf<"quota_warning">> => {
    const { resetsAt, usedPercent, windowDurationMins } = limit
    const key = `${limitId ?? ""} ${window}`
    const before = warned.get(key)
    if (usedPercent < threshold) warned.delete(key)
    if (usedPercent < threshold || (before !== undefined && (resetsAt ?? 0) - before <= jitter)) return []
    warned.set(key, resetsAt ?? 0)
    return [{
      type: "quota_warning",
      text: `${Math.floor(usedPercent)} % of the ${nameOf(windowDurationMins)} limit is used.${
        resetText(resetsAt)
      }`,
      metadata: {
        limit: limitId ?? window,
        window,
        used_percent: usedPercent,
        window_minutes: windowDurationMins,
        resets_at: resetsAt,
        plan: planType
      }
    }]
  }

  return {
    update: (limits: RateLimits): ReadonlyArray<BodyOf<"quota_warning">> => {
      const { limitId, primary, secondary, spendControlReached } = limits
      const type = limits.rateLimitReachedType ?? (spendControlReached === true ? "spend_control" : undefined)
      const isNew = type !== undefined && type !== reached
      reached = type
      latest = limits
      return [
        ...isNew
          ? [{
            type: "quota_warning" as const,
            text: `A limit has been reached: ${type.replaceAll("_", " ")}.`,
            metadata: { limit: limitId, reached: type, resets_at: primary?.resetsAt }
          }]
          : [],
        ...primary === undefined ? [] : warning("primary", primary, limits),
        ...secondary === undefined ? [] : warning("secondary", secondary, limits)
      ]
    },
    /** When the fullest window resets, if reported; of several exhausted windows, the last. */
    resets_at: (): number | undefined => {
      const windows = [latest?.primary, latest?.secondary].flatMap((limit) =>
        limit === undefined ? [] : [limit]
      )
      const used = windows.filter(({ usedPercent }) => usedPercent >= 100)
      return used.length > 1
        ? Math.max(...used.map(({ resetsAt = 0 }) => resetsAt))
        : windows.toSorted((a, b) => b.usedPercent - a.usedPercent)[0]?.resetsAt
    },
    /** Whether a window is used up. */
    isUsedUp: (): boolean =>
      [latest?.primary, latest?.secondary].some((limit) => (limit?.usedPercent ?? 0) >= 100)
  }
}
