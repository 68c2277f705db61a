import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { knownAgents } from "../../src/adapters/agents.js"
import { compareVersions, compatibilityOf } from "../../src/adapters/compatibility.js"
import { testedVersions } from "../../src/adapters/testedVersions.js"

const all = {
  x: [
    { version: "2.1.332", trouble: [] },
    { version: "2.1.100", trouble: ["forgets"] }
  ]
}

describe("compatibilityOf", () => {
  it.each([
    ["2.1.332", "tested", []],
    ["2.1.100", "tested", ["forgets"]],
    ["2.2.0", "newer than tested (2.1.332)", []],
    ["2.1.1000", "newer than tested (2.1.332)", []],
    ["2.1.200", "between tested versions (2.1.332, 2.1.100)", ["forgets"]],
    ["2.1.99", "older than tested (2.1.100)", ["forgets"]],
    ["1.0", "older than tested (2.1.100)", ["forgets"]]
  ])("says of %s: %s", (version, verdict, trouble) => {
    expect(compatibilityOf("x", version, all)).toEqual({ tested: "2.1.332", verdict, trouble })
  })

  it("knows nothing of agents nobody has tested, nor of words of JavaScript", () => {
    expect(compatibilityOf("y", "1.0.0", all)).toBeUndefined()
    expect(compatibilityOf("constructor", "1.0.0")).toBeUndefined()
    expect(compatibilityOf("x", undefined, all)).toMatchObject({ tested: "2.1.332", trouble: [] })
  })

  it("compares numbers, not words", () => {
    expect(compareVersions("0.10.0", "0.9.9")).toBeGreaterThan(0)
    expect(compareVersions("1.2", "1.2.0")).toBe(0)
    expect(compareVersions("1.2.4-beta.1", "1.2.4")).toBe(0)
  })
})

describe("testedVersions", () => {
  it("says of each agent's versions what compatibility.json says", () => {
    const { agents } = JSON.parse(readFileSync(new URL("../../compatibility.json", import.meta.url), "utf8"))
    const told = Object.fromEntries(
      Object.entries<{ versions: ReadonlyArray<{ version: string }> }>(agents).map((
        [agent, { versions }]
      ) => [
        agent,
        versions.map(({ version }) => version)
      ])
    )
    const known = Object.entries(testedVersions).map(([agent, versions]) => [
      agent,
      versions.map(({ version }) => version)
    ])
    expect(Object.fromEntries(known)).toEqual(told)
  })

  it("is of agents the relay has", () => {
    const tools = knownAgents.map(({ tool }) => tool)
    expect(Object.keys(testedVersions).filter((tool) => !tools.includes(tool))).toEqual([])
  })
})
