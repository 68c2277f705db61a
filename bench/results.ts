/**
 * results: what the last run of each scenario found, in docs/benchmarks.json, and the page and picture made of it. The
 * page's own words stay; what stands between its marks is renewed.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, release } from "node:os"
import { toPicture } from "./picture.js"
import { type Told, toMarkdown } from "./report.js"

const numbers = "docs/benchmarks.json"
const page = "docs/benchmarks.md"
const picture = "docs/benchmarks.svg"
const begin = "<!-- measured: npm run bench -- --write -->"
const end = "<!-- /measured -->"

/** Date, machine, and how busy it was with other things before. */
export const placeNow = (repeats: number, load: number): string => {
  const all = cpus()
  return `(${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${all.length} × ${
    all[0]?.model.trim() ?? "CPU"
  }, Linux ${release().split("-", 1)}, ${repeats} ${repeats === 1 ? "round" : "rounds"}, load before ${
    load.toFixed(1)
  })`
}

/** Renew what these scenarios say; the others stay as they were. `order` is that of the page. */
export const write = (told: ReadonlyArray<Told>, order: ReadonlyArray<string>): void => {
  // Our own file.
  const before = existsSync(numbers) ? JSON.parse(readFileSync(numbers, "utf8")) as ReadonlyArray<Told> : []
  const all = order.flatMap((name) =>
    told.find((one) => one.name === name) ?? before.find((one) => one.name === name) ?? []
  )
  writeFileSync(numbers, JSON.stringify(all, undefined, 1) + "\n")
  writeFileSync(picture, toPicture(all))
  const [head] = readFileSync(page, "utf8").split(begin)
  const [, tail] = readFileSync(page, "utf8").split(end)
  writeFileSync(page, `${head}${begin}\n\n${all.map(toMarkdown).join("\n")}\n${end}${tail}`)
}
