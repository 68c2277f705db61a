/** The entry for the ACP registry, by the rules that the registry's own checks hold it to. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"

const read = (name: string) => readFileSync(new URL(`../../acp-registry/${name}`, import.meta.url), "utf8")
const entry = JSON.parse(read("agent.json")) as Record<string, any> // oxlint-disable-line typescript/no-explicit-any

describe("the entry for the ACP registry", () => {
  it("has what it must have, and a version that its package has, too", () => {
    assert.match(entry["id"], /^[a-z][a-z0-9-]*$/)
    for (const field of ["name", "description", "license"]) assert.isNotEmpty(entry[field])
    assert.match(entry["version"], /^\d+\.\d+\.\d+$/)
    assert.deepStrictEqual(Object.keys(entry["distribution"]), ["npx"])
    const { args, ...npx } = entry["distribution"].npx
    assert.deepStrictEqual(npx, { package: `ai-relay@${entry["version"]}` })
    // The command that `initialize` is sent to.
    assert.deepStrictEqual(args, ["acp"])
  })

  it("names the version that this package becomes, before a hyphen", () => {
    const { name, version } = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8")
    ) as {
      name: string
      version: string
    }
    assert.strictEqual(entry["distribution"].npx.package, `${name}@${version.split("-")[0]}`)
  })

  it("has an icon of sixteen pixels, in the editor's own colour alone", () => {
    const icon = read("icon.svg")
    assert.match(icon, /^<svg [^>]*width="16" height="16" viewBox="0 0 16 16"/)
    const colours = [...icon.matchAll(/(?:fill|stroke)="([^"]*)"/g)].map(([, colour]) => colour)
    assert.isEmpty(colours.filter((colour) => colour !== "currentColor" && colour !== "none"))
    assert.include(colours, "currentColor")
  })
})
