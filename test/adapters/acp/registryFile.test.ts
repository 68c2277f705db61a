import { assert, describe, it } from "@effect/vitest"
import { presets } from "../../../src/adapters/acp/presets.js"
import { readRegistry, withRegistry } from "../../../src/adapters/acp/registryFile.js"

const registry = {
  version: "1.0.0",
  agents: [
    {
      id: "fast-agent",
      name: "Fast Agent",
      version: "0.9",
      website: "https://fast-agent.example",
      distribution: { uvx: { package: "fast-agent-acp==0.9", args: ["-x"] } }
    },
    {
      id: "my-agent",
      distribution: { npx: { package: "my-agent@1.2.3", args: ["--acp"], env: { MY_MODE: "quiet" } } }
    },
    {
      id: "native",
      distribution: {
        binary: {
          "linux-x86_64": { archive: "https://x.example/a.tar.gz", cmd: "./native", args: ["serve"] },
          "windows-x86_64": { archive: "https://x.example/a.zip", cmd: "native.exe" }
        }
      }
    },
    { id: "elsewhere", distribution: { binary: { "windows-x86_64": { archive: "a", cmd: "e.exe" } } } },
    { id: "../evil", distribution: { npx: { package: "x" } } },
    { id: "nothing" }
  ]
}

describe("the operator's registry file", () => {
  const { agents, problems } = readRegistry(JSON.stringify(registry), "linux-x86_64")

  it("gives each agent it can start a name, a program and its arguments", () => {
    assert.deepStrictEqual(
      agents.map(({ args, command, env, name, tool }) => [tool, name, command, args, env]),
      [
        ["fast-agent", "Fast Agent", "uvx", ["fast-agent-acp==0.9", "-x"], undefined],
        ["my-agent", "my-agent", "npx", ["--yes", "my-agent@1.2.3", "--acp"], { MY_MODE: "quiet" }],
        ["native", "native", "native", ["serve"], undefined]
      ]
    )
    assert.include(agents[0]?.install, "https://fast-agent.example")
  })

  it("says of each it cannot use why", () => {
    assert.deepStrictEqual(problems, [
      "\"elsewhere\" has no distribution for linux-x86_64",
      "agent 5 has no `id`, or no `distribution`",
      "agent 6 has no `id`, or no `distribution`"
    ])
    assert.match(readRegistry("{").problems[0] ?? "", /^it is no JSON/)
    assert.deepStrictEqual(readRegistry("{}").problems, ["it has no list of `agents`"])
  })

  it("may be a list alone", () => {
    assert.lengthOf(readRegistry(JSON.stringify(registry.agents), "linux-x86_64").agents, 3)
  })

  it("starts an agent the relay knows as it says, with what is known of its ways", () => {
    const [own] = readRegistry(JSON.stringify([
      { id: "gemini", name: "Ours", distribution: { npx: { package: "our-gemini", args: ["--acp"] } } }
    ])).agents
    assert(own !== undefined)
    const all = withRegistry(presets, [own])
    assert.lengthOf(all, presets.length)
    const gemini = all.find(({ tool }) => tool === "gemini")
    assert.deepInclude(gemini, { name: "Ours", command: "npx", args: ["--yes", "our-gemini", "--acp"] })
    assert.isDefined(gemini?.quirks)
  })
})
