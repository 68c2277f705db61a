/**
 * agents-table: writes the table of agents and features in docs/agents.md from a run of the real-agent suite.
 *
 * `npm run docs:agents` runs the suite and then this. A cell is what the scenario of that name did with the real CLI, so
 * the page cannot promise what was not seen.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const page = fileURLToPath(new URL("../docs/agents.md", import.meta.url))
const [report] = process.argv.slice(2)
if (report === undefined) throw new Error("usage: node scripts/agents-table.mjs REPORT, vitest's JSON report")

const { testResults } = JSON.parse(readFileSync(report, "utf8"))
const seen = testResults.flatMap(({ assertionResults }) => assertionResults).flatMap(
  ({ ancestorTitles, status, title }) => {
    const agent = /^(.+): what a user does$/.exec(ancestorTitles.at(-1) ?? "")?.[1]
    return agent === undefined ? [] : [{ agent, title, status }]
  }
)
const agents = [...new Set(seen.map(({ agent }) => agent))].toSorted()
const features = [...new Set(seen.map(({ title }) => title))]

const marks = { passed: "yes", failed: "**no**" }
const cell = (agent, feature) => {
  const found = seen.find(({ agent: name, title }) => name === agent && title === feature)
  return marks[found?.status] ?? "not run"
}
const table = [
  `| what a user does | ${agents.join(" | ")} |`,
  `|---|${agents.map(() => "---").join("|")}|`,
  ...features.map((feature) => `| ${feature} | ${agents.map((agent) => cell(agent, feature)).join(" | ")} |`)
].join("\n")

const [begin, end] = ["<!-- table: npm run docs:agents -->", "<!-- end of table -->"]
const text = readFileSync(page, "utf8")
const [before, rest] = text.split(begin)
const after = rest?.split(end)[1]
if (after === undefined) throw new Error(`docs/agents.md must hold the lines ${begin} and ${end}`)
writeFileSync(page, `${before}${begin}\n\n${table}\n\n${end}${after}`)
console.log(table)
