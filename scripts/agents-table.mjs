/**
 * agents-table: keeps what the real-agent suite saw: `node scripts/agents-table.mjs REPORT…`, vitest's JSON reports.
 *
 * `npm run docs:agents` runs the suite and then this. It writes `compatibility.json` (agent, version, scenario), the
 * table in docs/agents.md, and what the program itself needs of it (src/adapters/testedVersions.ts). A cell is what a
 * scenario did with the real CLI, so none promises what was not seen; what a report does not hold stays as it was.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { agentVersions, ranks } from "./agentVersions.mjs"

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const [page, store, source] = ["docs/agents.md", "compatibility.json", "src/adapters/testedVersions.ts"].map(
  at
)
const reports = process.argv.slice(2)
if (reports.length === 0) {
  throw new Error("usage: node scripts/agents-table.mjs REPORT…, vitest's JSON reports")
}

const verdicts = { passed: "yes", failed: "no" }

/** What the reports say: `[{ agent, version, scenario, verdict, why }]`. */
const seen = reports
  .flatMap((path) => JSON.parse(readFileSync(path, "utf8")).testResults)
  .flatMap(({ assertionResults }) => assertionResults)
  .flatMap(({ ancestorTitles, meta = {}, status, title }) => {
    const [, agent, version] = /^(\S+) (\S+): what a user does$/.exec(ancestorTitles.at(-1) ?? "") ?? []
    const verdict = meta.why === undefined ? verdicts[status] : "cannot"
    if (agentVersions[agent] === undefined || verdict === undefined) return []
    return [{ agent, version, scenario: title, verdict, ...(verdict === "cannot" && { why: meta.why }) }]
  })

const read = (path, fallback) => {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return fallback
  }
}

const today = new Date().toISOString().slice(0, 10)
const known = read(store, { agents: {} }).agents

/** Versions that are not looked at any more are forgotten. */
const agents = Object.fromEntries(
  Object.entries(agentVersions).map(([agent, { package: name, ...versions }]) => [agent, {
    package: name,
    versions: ranks.flatMap((rank) => {
      const version = versions[rank]
      const news = seen.filter((one) => one.agent === agent && one.version === version)
      const before = known[agent]?.versions?.find((one) => one.version === version)
      if (version === undefined || (news.length === 0 && before === undefined)) return []
      const scenarios = {
        ...before?.scenarios,
        ...Object.fromEntries(news.map(({ scenario, verdict, why }) => [scenario, why ?? verdict]))
      }
      return [{ version, rank, seen: news.length > 0 ? today : before.seen, scenarios }]
    })
  }])
)
writeFileSync(store, `${JSON.stringify({ agents }, null, 2)}\n`)

const columns = Object.entries(agents).flatMap(([agent, { versions }]) =>
  versions.map((one) => ({ agent, ...one }))
)
const scenarios = [...new Set(columns.flatMap((column) => Object.keys(column.scenarios)))]
const marks = { yes: "yes", no: "**no**" }

const notes = []
const cell = ({ agent, scenarios: found }, scenario) => {
  const said = found[scenario]
  if (said === undefined) return ""
  if (marks[said] !== undefined) return marks[said]
  const note = `${agent} ${said}`
  if (!notes.includes(note)) notes.push(note)
  return `–[^${notes.indexOf(note) + 1}]`
}
const tableOf = (shown) => {
  const rows = scenarios.filter((scenario) =>
    shown.some(({ scenarios }) => scenarios[scenario] !== undefined)
  )
  return [
    `| what a user does | ${shown.map(({ agent, version }) => `${agent} ${version}`).join(" | ")} |`,
    `|---|${shown.map(() => "---").join("|")}|`,
    ...rows.map((scenario) =>
      `| ${scenario} | ${shown.map((column) => cell(column, scenario)).join(" | ")} |`
    )
  ].join("\n")
}
const newest = tableOf(columns.filter(({ rank }) => rank === "newest"))
const earlier = columns.filter(({ rank }) => rank !== "newest")
const older = earlier.length === 0 ? "" : `Earlier versions:\n\n${tableOf(earlier)}\n\n`
const footnotes = notes.map((note, index) => `[^${index + 1}]: ${note}.`).join("\n")
const table = `${newest}\n\n${older}${footnotes}`

const [begin, end] = ["<!-- table: npm run docs:agents -->", "<!-- end of table -->"]
const text = readFileSync(page, "utf8")
const [before, rest] = text.split(begin)
const after = rest?.split(end)[1]
if (after === undefined) throw new Error(`docs/agents.md must hold the lines ${begin} and ${end}`)
writeFileSync(page, `${before}${begin}\n\n${table}\n\n${end}${after}`)

const tested = Object.fromEntries(
  Object.entries(agents).map(([agent, { versions }]) => [
    agent,
    versions.map(({ scenarios: found, version }) => ({
      version,
      trouble: [
        ...new Set(
          Object.entries(found).flatMap(([scenario, said]) =>
            said === "yes" ? [] : [said === "no" ? `failed: ${scenario}` : said]
          )
        )
      ]
    }))
  ])
)
writeFileSync(
  source,
  `/**
 * testedVersions: the agents' versions the relay was tested with, newest first, and what each cannot do.
 *
 * Made by scripts/agents-table.mjs from runs of the real-agent suite: not to be changed by hand.
 */
export interface TestedVersion {
  readonly version: string
  readonly trouble: ReadonlyArray<string>
}

export const testedVersions: Readonly<Record<string, ReadonlyArray<TestedVersion>>> = ${
    JSON.stringify(tested, null, 2)
  }
`
)
console.log(`${table}\n`)
