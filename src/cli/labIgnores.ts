/** labIgnores: flags that say something of one relay, and that the lab would not act on: they are refused. */
import { Option } from "effect"
import { type Setting, settings, standardStateDir } from "./options.js"

/** It was set: by a flag, a variable or the file. */
const isSet = (value: unknown): boolean =>
  Option.isOption(value)
    ? Option.isSome(value)
    : value !== undefined && value !== false && value !== standardStateDir()

/** What is wrong with the first flag that would be ignored, and what to do; undefined if there is none. */
export const ignored = (
  flags: Readonly<Record<string, unknown>>,
  table: ReadonlyArray<Setting> = settings
): string | undefined => {
  const found = table.find(({ lab, name }) => lab !== undefined && isSet(flags[name]))
  return found &&
    `${found.flag} (AI_RELAY_${found.name.toUpperCase()}) means nothing to ai-relay lab: leave it out; ${found.lab}`
}
