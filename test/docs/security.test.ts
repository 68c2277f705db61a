/** SECURITY.md promises a test for each threat: it must be there, by its name. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

const rows = [...read("SECURITY.md").matchAll(/^\| (.+?) \|.*\| `(test\/[\w/.]+)`: (.+) \|$/gm)]
  .map(([, threat = "", file = "", name = ""]) => ({ threat, file, name }))

const asked = [
  "page on the web",
  "DNS rebinding",
  "URL is stolen",
  "leads outside of the roots",
  "secrets into the agent",
  "Oversized frames",
  "Deeply nested JSON",
  "connections that only wait",
  "Malformed frames",
  "never reads while an agent prints gigabytes"
]

describe("SECURITY.md", () => {
  it.each(asked)(
    "tells of the threat: %s",
    (threat) => assert.isDefined(rows.find((row) => row.threat.includes(threat)), threat)
  )

  it.each(rows.map(({ file, name, threat }) => [threat, file, name] as const))(
    "names a test that there is for: %s",
    (_, file, name) => {
      assert.isTrue(existsSync(new URL(`../../${file}`, import.meta.url)), file)
      assert.include(read(file), `"${name}"`)
    }
  )

  it("names a test in every row of the table of threats", () => {
    const table = read("SECURITY.md").split("| threat |")[1]?.split("\n").slice(2) ?? []
    assert.lengthOf(rows, table.filter((line) => line.startsWith("|")).length)
  })
})
