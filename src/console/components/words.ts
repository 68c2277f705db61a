/**
 * words: names and counts as the page shows them.
 */
import { agentCalled } from "../../messages/agents.js"
import { relayNow } from "../relay/clock.js"
import { w } from "../words/words.js"

export const agentName = (tool: string): string => agentCalled(tool)?.label ?? tool

export const lastPart = (path: string): string => path.split("/").findLast((part) => part !== "") ?? path

/** A session's name: its title, otherwise its folder. */
export const sessionName = (tool: string, folder: string, title?: string): string =>
  title !== undefined && title !== "" ? title : tool === "demo" ? w.demoTitle : lastPart(folder)

export const age = (ts: number, now = relayNow()): string => {
  const seconds = Math.max(0, now - ts)
  if (seconds < 60) return w.now
  if (seconds < 3600) return w.minutes(Math.floor(seconds / 60))
  if (seconds < 86_400) return w.hours(Math.floor(seconds / 3600))
  return w.days(Math.floor(seconds / 86_400))
}

const formats = new Map<string, Intl.NumberFormat>()
/** A number as it is written in the page's language. */
const written = (value: number, fraction: number, style: Intl.NumberFormatOptions = {}): string => {
  const key = `${w.locale} ${fraction} ${style.style}`
  const format = formats.get(key) ??
    new Intl.NumberFormat(w.locale, { maximumFractionDigits: fraction, ...style })
  formats.set(key, format)
  return format.format(value)
}

export const duration = (seconds: number): string => {
  const whole = Math.round(seconds)
  return whole < 60
    ? w.seconds(written(seconds, seconds < 10 ? 1 : 0))
    : w.minutesAndSeconds(Math.floor(whole / 60), whole % 60)
}

export const count = (tokens: number): string =>
  tokens < 1000
    ? String(tokens)
    : tokens < 1_000_000
    ? `${written(tokens / 1000, tokens < 10_000 ? 1 : 0)}k`
    : `${written(tokens / 1_000_000, 1)}M`

export const money = (usd: number): string => {
  const inDollars = (value: number) =>
    written(value, 2, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" })
  return usd < 0.01 && usd > 0 ? `< ${inDollars(0.01)}` : inDollars(usd)
}

const has = <Words extends object>(words: Words, name: string): name is Extract<keyof Words, string> =>
  Object.hasOwn(words, name)

/** Why a turn ended, if worth mentioning. */
export const stopText = (reason: string): string | undefined =>
  has(w.stop, reason) ? w.stop[reason] : undefined

/** A mode's name in the relay's words, otherwise the agent's. */
export const modeName = (mode: string): string => has(w.modes, mode) ? w.modes[mode] : mode

export const reasonText = (reason: string | undefined): string =>
  has(w.cancelled, reason ?? "") ? w.cancelled[reason as keyof typeof w.cancelled] : w.noAnswerNeeded

/** A model's name for people: from the agent's list, otherwise its id without the parts meant for programs. */
export const modelName = (
  model: string,
  models: ReadonlyArray<{ readonly value: string; readonly name: string }>
): string => {
  const bare = model.replace(/\[[^\]]*\]$/, "")
  const known = models.find(({ value }) => value === model) ?? models.find(({ value }) => value === bare)
  if (known !== undefined) return known.name
  const [, family, version] = /^claude-([a-z]+)-([\d-]+?)(?:-\d{6,})?$/.exec(bare) ?? []
  const large = model.endsWith("[1m]") ? " (1M)" : ""
  return family === undefined || version === undefined
    ? model
    : `${family.charAt(0).toUpperCase()}${family.slice(1)} ${version.replaceAll("-", ".")}${large}`
}

/** A path inside the session's folder, without that folder. */
export const relative = (path: string, folder: string): string =>
  folder !== "" && folder !== "/" && path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path
