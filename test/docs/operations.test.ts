/** docs/operations.md lists every setting, as `ai-relay --help` does. `vitest run -u` on this file writes the table anew. */
import { assert, describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Setting, settings } from "../../src/cli/options.js"
import { labSettings } from "../../src/lab/labVariables.js"
import { serverDefaults } from "../../src/server/ServerConfig.js"
import { defaults } from "../../src/services/RelayConfig.js"

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

  it("lists every variable of the lab with its default, and says which flags the lab refuses", () => {
    const page = readFileSync(file, "utf8")
    const rows = [...page.matchAll(/^\| `(LAB_\w+)` \| (?:`([^`]*)`)? ?\|/gm)].map((
      [, name, standard = ""]
    ) => [name, standard])
    assert.deepStrictEqual(rows, labSettings.map(({ name, standard }) => [name, standard]))
    const refused = settings.filter(({ lab }) => lab !== undefined).map(({ flag }) => `\`${flag}\``)
    assert.include(
      page.replaceAll(/\s+/g, " "),
      `The lab refuses ${refused.slice(0, -1).join(", ")} and ${refused.at(-1)}`
    )
  })

  it("sets what the library calls the same: each setting of a relay has its flag, but for those the command decides", () => {
    const flags = new Set([...settings.map(({ name }) => name), ...settings.map(({ name }) => `${name}s`)])
    const own = Object.keys({ ...defaults(), ...serverDefaults }).filter((name) => !flags.has(name))
    assert.sameMembers(own, ["acp_agents", "adapters", "private_files", "trace"])
  })
})
