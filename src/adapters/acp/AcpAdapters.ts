/** AcpAdapters: one adapter for each agent in `presets.ts`, and `acp` for any other that speaks the protocol. */
import { Context, Effect, Layer } from "effect"
import type { Adapter } from "../Adapter.js"
import { lazily } from "../lazily.js"
import type { OwnAgent } from "../OwnAgent.js"
import type { AcpAgent } from "./AcpAgent.js"
import { presets } from "./presets.js"
import { withRegistry } from "./registryFile.js"

const adapterOf = (tool: string, agent?: AcpAgent) =>
  lazily(tool, () => import("./AcpAdapter.js"), (adapter) => adapter.make(tool, agent), {
    works_on_files: true
  })

export class AcpAdapters
  extends Context.Service<AcpAdapters, ReadonlyArray<Adapter>>()("ai-relay/adapters/AcpAdapters")
{
  /** `own`: the operator's agents, beside those the relay knows. */
  static readonly layerOf = (own: ReadonlyArray<OwnAgent>) =>
    Layer.effect(
      this,
      Effect.all([
        ...withRegistry(presets, own).map((agent) => adapterOf(agent.tool, agent)),
        adapterOf("acp")
      ])
    )
  static readonly layer = this.layerOf([])
}
