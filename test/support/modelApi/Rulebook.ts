/**
 * Rulebook: the rules of one ModelApi, and which step a call to the model gets.
 *
 * Only failures that are to happen a number of times are counted; all else follows from the request itself.
 */

import { type Rule, select } from "./Conversation.js"
import type { ModelCall } from "./Dialect.js"
import { defaultReply, reply, type Step } from "./script.js"

export interface Turn {
  readonly step: Step
  /** The user's text that decided; absent for side calls. */
  readonly prompt?: string
  readonly round?: number
}

export const makeRulebook = () => {
  let rules: ReadonlyArray<Rule> = []
  const failed = new Map<Step, number>()

  const isUsedUp = (step: Step) =>
    step.kind === "fail" && (failed.get(step) ?? 0) >= (step.options.times ?? Infinity)

  /** Used-up failures fall out of the list, so that the next step takes their place. */
  const nextStep = ({ steps }: Rule, round: number): Step => {
    const step = steps.filter((step) => !isUsedUp(step))[round] ?? reply({ text: defaultReply })
    if (step.kind === "fail") failed.set(step, (failed.get(step) ?? 0) + 1)
    return step
  }

  return {
    on: (pattern: RegExp, steps: Step | ReadonlyArray<Step>) => {
      rules = [...rules, { pattern, steps: "kind" in steps ? [steps] : steps }]
    },
    next: (call: ModelCall): Turn => {
      if (call.side !== undefined) return { step: reply({ text: call.side }) }
      const { prompt, round, rule } = select(rules, call.entries)
      return {
        prompt,
        round,
        step: rule === undefined ? reply({ text: defaultReply }) : nextStep(rule, round)
      }
    },
    reset: () => {
      rules = []
      failed.clear()
    }
  }
}
