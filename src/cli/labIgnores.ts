/** labIgnores: refuses flags that apply to a single relay and would have no effect in the lab. */
import { Option } from "effect"
import { type Setting, settings, standardStateDir } from "./options.js"

/** Whether it was set, by a flag, a variable or the file. */
const isSet = (value: unknown): boolean =>
  Option.isOption(value)
    ? Option.isSome(value)
    : value !== undefined && value !== false && value !== standardStateDir()

/** An error text for the first flag that would be ignored; undefined if there is none. */
export const ignored = (
  flags: Readonly<Record<string, unknown>>,
  table: ReadonlyArray<Setting> = settings
): string | undefined => {
  const found = table.find(({ lab, name }) => lab !== undefined && isSet(flags[name]))
  return found &&
    `${found.flag} (AI_RELAY_${found.name.toUpperCase()}) has no effect in ai-relay lab: leave it out; ${found.lab}`
}
