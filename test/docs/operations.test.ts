/** docs/operations.md lists every setting, as `ai-relay --help` does. `vitest run -u` on this file writes the table anew. */
import { assert, describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Setting, settings } from "../../src/cli/options.js"

const file = fileURLToPath(new URL("../../docs/operations.md", import.meta.url))
const [begin, end] = ["<!-- settings -->", "<!-- end of settings -->"]

/** The default is what the help has in its last parentheses. */
const toRow = ({ about, flag, value }: Setting): string => {
  const [, text = about, standard = ""] = /^(.*) \(([^()]*)\)(?=$|; repeatable)/.exec(about) ?? []
  const rest = standard !== "" && about.endsWith("; repeatable") ? "; repeatable" : ""
  return `| \`${`${flag} ${value}`.trimEnd()}\` | ${standard} | ${text}${rest} |`
}

describe("docs/operations.md", () => {
  it("lists every setting with its default", async () => {
    const page = readFileSync(file, "utf8")
    const [before = "", rest] = page.split(begin)
    const after = rest?.split(end)[1]
    assert.isDefined(after, `docs/operations.md must hold the lines ${begin} and ${end}`)
    const table = ["| setting | default | |", "|---|---|---|", ...settings.map(toRow)].join("\n")
    await expect(`${before}${begin}\n\n${table}\n\n${end}${after}`).toMatchFileSnapshot(file)
  })
})
