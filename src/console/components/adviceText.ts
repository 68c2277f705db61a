/**
 * adviceText: what to do for an agent, in the page's language if the relay says it in one of its usual sentences
 * (`adapters/advice.ts`), otherwise as the relay says it.
 */
import { w } from "../words/words.js"

const usual: ReadonlyArray<readonly [RegExp, (what: string) => string]> = [
  [/^Install it on the relay's machine: (\S.*)$/, (what) => w.advice.install(what)],
  [/^On the relay's machine run: (\S.*)$/, (command) => w.advice.run(command)],
  [/^On the relay's machine run (`[^`]+`) once and log in there\.$/, (command) => w.advice.runOnce(command)]
]

export const adviceText = (advice: string): string => {
  for (const [pattern, say] of usual) {
    const what = pattern.exec(advice)?.[1]
    if (what !== undefined) return say(what)
  }
  return advice
}
