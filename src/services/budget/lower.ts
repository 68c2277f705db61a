/** lower: the lower of two budgets, cap by cap. */
import type { Budget, Caps } from "../../schema/Budget.js"
import { units } from "./Spend.js"

export const lowerCaps = (left: Caps = {}, right: Caps = {}): Caps =>
  Object.fromEntries(units.flatMap((unit) => {
    const both = [left[unit], right[unit]].filter((cap) => cap !== undefined)
    return both.length === 0 ? [] : [[unit, Math.min(...both)] as const]
  }))

export const lower = (left: Budget = {}, right: Budget = {}): Budget => ({
  turn: lowerCaps(left.turn, right.turn),
  session: lowerCaps(left.session, right.session)
})
