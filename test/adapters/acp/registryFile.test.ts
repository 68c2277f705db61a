import { assert, describe, it } from "@effect/vitest"
import { presets } from "../../../src/adapters/acp/presets.js"
import { registryDifferences } from "../../../src/adapters/acp/registryDifferences.js"
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
    assert.match(readRegistry("{").problems[0] ?? "", /^it is not valid JSON/)
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

  it("is known by its name in the registry, too, and keeps its own here", () => {
    const [own] = readRegistry(JSON.stringify([
      { id: "qwen-code", distribution: { npx: { package: "@qwen-code/qwen-code@1", args: ["--acp"] } } }
    ])).agents
    assert(own !== undefined)
    const all = withRegistry(presets, [own])
    assert.lengthOf(all, presets.length)
    const qwen = all.find(({ tool }) => tool === "qwen")
    assert.deepInclude(qwen, { command: "npx", args: ["--yes", "@qwen-code/qwen-code@1", "--acp"] })
    assert.isDefined(qwen?.quirks)
  })
})

describe("a registry beside the agents known here", () => {
  const machine = "linux-x86_64"
  const binary = (cmd: string, args: ReadonlyArray<string> = []) => ({
    binary: { [machine]: { archive: "https://x.example/a.tar.gz", cmd, args } }
  })
  const known = presets.filter(({ tool }) =>
    ["auggie", "droid", "poolside", "opencode", "hermes", "kimi", "qwen"].includes(tool)
  )
  const compare = (agents: ReadonlyArray<object>) =>
    registryDifferences(known, JSON.stringify({ agents }), machine)
  const same = [
    {
      id: "auggie",
      distribution: {
        npx: {
          package: "@augmentcode/auggie@0.15.0",
          args: ["--acp"],
          env: { AUGMENT_DISABLE_AUTO_UPDATE: "1" }
        }
      }
    },
    {
      id: "factory-droid",
      distribution: {
        npx: {
          package: "droid@0.1.0",
          args: ["exec", "--output-format", "acp"],
          env: { DROID_DISABLE_AUTO_UPDATE: "true", FACTORY_DROID_AUTO_UPDATE_ENABLED: "false" }
        }
      }
    },
    { id: "poolside", distribution: binary("./pool-linux-amd64", ["acp"]) },
    { id: "opencode", distribution: binary("./opencode", ["acp"]) },
    { id: "hermes", distribution: { uvx: { package: "hermes-agent[acp]==1.0", args: ["acp"] } } },
    { id: "kimi", distribution: binary("./kimi", ["acp"]) },
    { id: "qwen-code", distribution: { npx: { package: "@qwen-code/qwen-code@0.9.1", args: ["--acp"] } } }
  ]

  it("agrees, whatever the versions and the machine in a program's name", () => {
    assert.deepStrictEqual(compare(same), [])
  })

  it("differs in words: packages, programs, arguments, variables, and who is known at all", () => {
    assert.deepStrictEqual(
      compare([
        {
          id: "auggie",
          distribution: { npx: { package: "@augment/cli@2", args: ["acp"], env: { A: "1" } } }
        },
        { id: "factory-droid", distribution: binary("./bin/factory", ["exec", "--output-format", "acp"]) },
        { id: "qwen-code", distribution: { npx: { package: "@qwen-code/qwen-code@1", args: [] } } },
        { id: "new-one", name: "New One", distribution: { uvx: { package: "new" } } },
        { id: "kimi", distribution: { binary: { "windows-x86_64": { cmd: "kimi.exe" } } } },
        { id: "opencode", distribution: binary("./opencode", ["acp"]) },
        { name: "nameless" }
      ]),
      [
        "agent 7 has no `id`, or no `distribution`",
        "\"auggie\" is the npm package @augment/cli there; the relay says: Install it on the relay's machine: "
        + "npm install -g @augmentcode/auggie",
        "\"auggie\" is started with \"acp\" there, with \"--acp\" here",
        "\"auggie\" is given A=1 there, and not here",
        "\"factory-droid\" (\"droid\" here) is the program factory there, droid here",
        "\"qwen-code\" (\"qwen\" here) is started with no arguments there, with \"--acp\" here",
        "\"new-one\" (New One) is known here by another name",
        "known here but not there: poolside, hermes"
      ]
    )
    assert.match(registryDifferences(known, "{")[0] ?? "", /^it is not valid JSON/)
  })
})
