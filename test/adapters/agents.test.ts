/** Every descriptor says all that the relay makes of it, and its adapter is the one it names. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { EventSink, type LaunchSpec, PermissionGate, ProcessSpawner } from "../../src/adapters/Adapter.js"
import { AgentFailed } from "../../src/adapters/AdapterError.js"
import { AgentAdapter } from "../../src/adapters/AgentDescriptor.js"
import { agentNamed, agents, aliases, knownAgents, settableBy } from "../../src/adapters/agents.js"
import { lazily } from "../../src/adapters/lazily.js"
import { agentCalled } from "../../src/messages/agents.js"
import * as NativeDisk from "../../src/services/native/NativeDisk.js"
import { adapterSettings, layerDeadPorts } from "../support/deadPorts.js"
import { specOf } from "../support/fakeAdapter.js"
import * as TestSink from "../support/testSink.js"

/** What an adapter would start for a session. */
const launchOf = (agent: (typeof agents)[number]) =>
  Effect.gen(function*() {
    const launches: Array<LaunchSpec> = []
    const spawner = Layer.succeed(ProcessSpawner, {
      spawn: (launch) => {
        launches.push(launch)
        return new AgentFailed({ tool: launch.tool, reason: "this test starts nothing" })
      }
    })
    const adapter = yield* lazily(agent, adapterSettings).pipe(Effect.provide([layerDeadPorts, spawner]))
    const opened = yield* Effect.exit(adapter.open({ ...specOf(), tool: agent.tool }))
    assert.isTrue(Exit.isFailure(opened))
    assert.lengthOf(launches, 1, agent.tool)
    return launches[0]
  }).pipe(
    Effect.scoped,
    Effect.provideService(EventSink, TestSink.make().service),
    Effect.provideService(PermissionGate, { request: () => Effect.never, withdraw: () => {} })
  )

describe("the descriptors of agents", () => {
  it("share no name", () => {
    const names = agents.flatMap(({ aliases = [], tool }) => [tool, ...aliases])
    assert.strictEqual(new Set(names).size, names.length)
    assert.strictEqual(aliases["claude-code"], "claude")
    // As the registry of the Agent Client Protocol calls it.
    assert.strictEqual(aliases["qwen-code"], "qwen")
    assert.strictEqual(agentNamed("claude-code"), agentNamed("claude"))
    assert.isUndefined(agentNamed("constructor"))
  })

  it("say what to do without the program and without the login", () => {
    for (const { command, install, login, name, tool } of knownAgents) {
      assert.isNotEmpty(name, tool)
      assert.strictEqual(command !== undefined, install !== "", tool)
      assert.isNotEmpty(login, tool)
    }
  })

  it.effect.each(agents.map((agent) => [agent.tool, agent] as const))(
    "name their adapter: %s",
    ([tool, agent]) =>
      Effect.gen(function*() {
        const { layer } = yield* Effect.promise(agent.adapter)
        const adapter = yield* Effect.provide(AgentAdapter, layer(adapterSettings))
        assert.strictEqual(adapter.tool, tool)
        assert.strictEqual(adapter.terminal, agent.terminal)
      }).pipe(Effect.provide(layerDeadPorts))
  )

  it.effect.each(knownAgents.flatMap(({ command, tool }) => command === undefined ? [] : [tool]))(
    "decide what is started, what it inherits, and what it may write in a sandbox: %s",
    (tool) =>
      Effect.gen(function*() {
        const agent = agentNamed(tool)
        assert(agent !== undefined)
        const launch = yield* launchOf(agent)
        assert.deepStrictEqual(
          [launch?.tool, launch?.command, launch?.advice, launch?.inherits, launch?.writable],
          [agent.name, agent.command, agent.install, agent.inherits ?? [], agent.writable ?? []]
        )
      })
  )

  it("decide what a handshake may set", () => {
    assert.include(settableBy("claude-code"), "ANTHROPIC_MODEL")
    assert.notInclude(settableBy("codex"), "ANTHROPIC_MODEL")
    assert.deepStrictEqual(settableBy("constructor"), settableBy("no such program"))
  })

  it("are what pages call agents by", () => {
    for (const { label, name, tool } of agents) {
      assert.strictEqual(agentCalled(tool)?.label, label ?? name, `${tool}: run npm run contracts`)
    }
  })

  it.effect("read the conversations that an agent keeps on disk", () =>
    Effect.gen(function*() {
      const tools = knownAgents.filter(({ store }) => store !== undefined).map(({ tool }) => tool)
      assert.sameMembers(tools, ["claude", "codex", "gemini"])
      for (const { store, tool } of knownAgents) {
        if (store === undefined) continue
        const { makeStore } = yield* Effect.promise(store)
        assert.strictEqual(makeStore(NativeDisk.make({ home: "/nowhere", variables: {} })).tool, tool)
      }
    }))
})
