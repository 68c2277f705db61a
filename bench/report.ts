/** report: findings as text: medians, spread, and how often better ours is. */
import type { Finding, Goal, Scenario } from "./Scenario.js"
import { median, ratio, spread } from "./statistics.js"

const number = (value: number): string =>
  value >= 10_000 ? `${Math.round(value / 1000)}k` : value >= 100 ? value.toFixed(0) : value.toPrecision(3)

const oursOf = ({ samples }: Finding): ReadonlyArray<number> => Object.values(samples)[0] ?? []

/** How often better ours is: 2 is twice as fast, or half as dear. */
export const timesBetter = (finding: Finding, other: string): number => {
  const times = ratio(oursOf(finding), finding.samples[other] ?? [])
  return finding.better === "higher" ? times : 1 / times
}

export const meets = (finding: Finding, goal: Goal): boolean => {
  const sign = finding.better === "higher" ? 1 : -1
  const own = oursOf(finding)
  if ("bound" in goal) return sign * median(own) >= sign * goal.bound
  const theirs = (finding.samples[goal.against] ?? []).map((value) => value * goal.times + (goal.plus ?? 0))
  return sign * ratio(own, theirs) >= sign
}

const describe = ({ better, unit }: Finding, goal: Goal): string => {
  const sign = better === "higher" ? "≥" : "≤"
  return "bound" in goal
    ? `${sign} ${goal.bound} ${unit}`
    : `${sign} ${goal.times} × ${goal.against}${goal.plus === undefined ? "" : ` + ${goal.plus} ${unit}`}`
}

export const toText = ({ about, name }: Scenario, findings: ReadonlyArray<Finding>): string => {
  const lines = findings.flatMap((finding) => [
    `  ${finding.what}`,
    ...Object.entries(finding.samples).map(([contender, values], index) =>
      `    ${contender.padEnd(22)}${number(median(values)).padStart(8)} ${finding.unit.padEnd(9)}`
      + ` ±${(spread(values) * 50).toFixed(0)} %`.padEnd(8)
      + (index === 0 ? "" : `ours is ${timesBetter(finding, contender).toFixed(2)} × better`)
    ),
    ...finding.goals.map((goal) => `    ${meets(finding, goal) ? "✓" : "✗"} ${describe(finding, goal)}`)
  ])
  return [`${name}: ${about}`, ...lines].join("\n")
}
