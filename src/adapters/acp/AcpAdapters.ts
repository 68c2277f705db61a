/** AcpAdapters: one adapter for each agent in `presets.ts`, and `acp` for any other that speaks the protocol. */
import { Context, Effect, Layer } from "effect"
import type { Adapter } from "../Adapter.js"
import { lazily } from "../lazily.js"
import type { AcpAgent } from "./AcpAgent.js"
import { presets } from "./presets.js"

const adapterOf = (tool: string, agent?: AcpAgent) =>
  lazily(tool, () => import("./AcpAdapter.js"), (adapter) => adapter.make(tool, agent))

export class AcpAdapters
  extends Context.Service<AcpAdapters, ReadonlyArray<Adapter>>()("ai-relay/adapters/AcpAdapters")
{
  static readonly layer = Layer.effect(
    this,
    Effect.all([...presets.map((agent) => adapterOf(agent.tool, agent)), adapterOf("acp")])
  )
}
