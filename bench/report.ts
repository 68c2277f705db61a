/** report: findings for people, as text and as Markdown: medians, spread, and how often better ours is. */
import type { Finding, Goal, Scenario } from "./Scenario.js"
import { median, ratio, spread } from "./statistics.js"

export type Told = Pick<Scenario, "name" | "about"> & {
  readonly findings: ReadonlyArray<Finding>
  /** When it was measured and on what. */
  readonly place: string
}

const number = (value: number): string => {
  if (Number.isNaN(value)) return "–"
  if (value >= 10_000) return `${Math.round(value / 1000)}k`
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export const oursOf = ({ samples }: Finding): ReadonlyArray<number> => Object.values(samples)[0] ?? []
export const othersOf = ({ samples }: Finding): ReadonlyArray<string> => Object.keys(samples).slice(1)

/** How often better ours is: 2 is twice as fast, or half as dear. */
export const timesBetter = (finding: Finding, other: string): number => {
  const times = ratio(oursOf(finding), finding.samples[other] ?? [])
  return finding.better === "higher" ? times : 1 / times
}

/** Undefined: what it is measured against was not there. */
export const meets = (finding: Finding, goal: Goal): boolean | undefined => {
  const sign = finding.better === "higher" ? 1 : -1
  const own = oursOf(finding)
  if ("bound" in goal) return sign * median(own) >= sign * goal.bound
  const theirs = finding.samples[goal.against]
  if (theirs === undefined) return undefined
  return sign * ratio(own, theirs.map((value) => value * goal.times + (goal.plus ?? 0))) >= sign
}

const timesText = (times: number): string => Number.isFinite(times) ? times.toFixed(2) : "–"

const goalText = ({ better, unit }: Finding, goal: Goal): string => {
  const sign = better === "higher" ? "≥" : "≤"
  return "bound" in goal
    ? `${sign} ${goal.bound} ${unit}`
    : `${sign} ${goal.times} × ${goal.against}${goal.plus === undefined ? "" : ` + ${goal.plus} ${unit}`}`
}

const mark = (finding: Finding, goal: Goal): string => {
  const met = meets(finding, goal)
  return met === undefined ? "not measured" : met ? "✓" : "✗"
}

const measured = (values: ReadonlyArray<number>): string => {
  const apart = spread(values) * 50
  return number(median(values)) + (Number.isFinite(apart) ? ` ±${apart.toFixed(0)} %` : "")
}

export const toText = ({ about, findings, name }: Told): string => {
  const lines = findings.flatMap((finding) => [
    `  ${finding.what} (${finding.unit}, ${finding.better} is better)`,
    ...Object.entries(finding.samples).map(([contender, values], index) =>
      `    ${contender.padEnd(22)}${measured(values).padStart(16)}`
      + (index === 0 ? "" : `   ours is ${timesText(timesBetter(finding, contender))} × better`)
    ),
    ...finding.goals.map((goal) => `    ${mark(finding, goal)} ${goalText(finding, goal)}`)
  ])
  return [`${name}: ${about}`, ...lines].join("\n")
}

/** A table for each scenario. */
export const toMarkdown = ({ about, findings, name, place }: Told): string => {
  const others = [...new Set(findings.flatMap(othersOf))]
  const header = ["", "unit", "ai-relay", ...others.flatMap((other) => [other, "ratio"]), "goal"]
  const rows = findings.map((finding) => [
    finding.what,
    finding.unit,
    measured(oursOf(finding)),
    ...others.flatMap((other) => {
      const values = finding.samples[other]
      return values === undefined
        ? ["", ""]
        : [measured(values), `**${timesText(timesBetter(finding, other))}**`]
    }),
    finding.goals.map((goal) => `${goalText(finding, goal)} ${mark(finding, goal)}`).join("<br>")
  ])
  const table = [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join(
    "\n"
  )
  return `### ${name}\n\n${about} ${place}\n\n${table}\n`
}
