/**
 * An agent that speaks the Agent Client Protocol is one row: with it the agent is in the registry, in `doctor`, in the rules
 * for the environment and the sandbox, among the metrics' names and on pages.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer } from "effect"
import { assert, describe, it, vi } from "vitest"
import type { AcpAgent } from "../../src/adapters/acp/AcpAgent.js"
import { contractFiles } from "../support/contractFiles.js"
import { layerDeadPorts } from "../support/deadPorts.js"

const { madeUp } = vi.hoisted(() => {
  const madeUp: AcpAgent = {
    tool: "made-up",
    aliases: ["made-up-cli"],
    name: "Made Up",
    command: "no-such-program-of-ours",
    args: ["--acp"],
    install: "Install it on the relay's machine: npm install -g made-up",
    login: "On the relay's machine run: made-up login",
    inherits: ["MADE_UP_*"],
    settable: ["MADE_UP_MODEL"],
    writable: ["~/.made-up"],
    provider: "made.up",
    start_modes: ["default", "plan"]
  }
  return { madeUp }
})

vi.mock("../../src/adapters/acp/presets.js", async (original) => {
  const { presets } = await original<{ readonly presets: ReadonlyArray<AcpAgent> }>()
  return { presets: [...presets, madeUp] }
})

const { AdapterRegistry } = await import("../../src/adapters/AdapterRegistry.js")
const { settableBy } = await import("../../src/adapters/agents.js")
const { layerAdapters } = await import("../../src/Relay.js")
const { examine } = await import("../../src/services/agents/AgentFindings.js")
const { providerOf } = await import("../../src/services/observe/genAi.js")
const { RelayConfig } = await import("../../src/services/RelayConfig.js")

describe("a new agent, by one row", () => {
  it("is in the registry, by all its names", async () => {
    const found = await AdapterRegistry.pipe(
      Effect.flatMap(({ get, nameOf, tools }) =>
        Effect.map(get("made-up-cli"), ({ tool }) => ({ tool, name: nameOf("made-up-cli"), tools }))
      ),
      Effect.provide(layerAdapters.pipe(Layer.provide([layerDeadPorts, RelayConfig.layer({})]))),
      Effect.runPromise
    )
    assert.strictEqual(found.tool, "made-up")
    assert.strictEqual(found.name, "made-up")
    assert.include(found.tools, "made-up")
  })

  it("is what doctor looks for, with its advice", async () => {
    const findings = await examine([]).pipe(Effect.provide(NodeServices.layer), Effect.runPromise)
    assert.deepInclude(findings.find(({ tool }) => tool === "made-up"), {
      name: "Made Up",
      installed: false,
      advice: madeUp.install
    })
  }, 60_000)

  it("has its variables, and its name in metrics", () => {
    assert.include(settableBy("made-up-cli"), "MADE_UP_MODEL")
    assert.strictEqual(providerOf("made-up"), "made.up")
  })

  it("is known to pages, once the contracts are made again", () => {
    assert.include(
      contractFiles()["src/messages/agents.ts"],
      `["made-up", { label: "Made Up", start_modes: ["default", "plan"] }]`
    )
  })
})
