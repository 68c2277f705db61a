/** AcpAdapters: one adapter for each agent in `presets.ts`, and `acp` for any other that speaks the protocol. */
import { Context, Effect, Layer } from "effect"
import type { Adapter } from "../Adapter.js"
import * as AcpAdapter from "./AcpAdapter.js"
import { presets } from "./presets.js"

export class AcpAdapters
  extends Context.Tag("ai-relay/adapters/AcpAdapters")<AcpAdapters, ReadonlyArray<Adapter>>()
{
  static readonly layer = Layer.effect(
    this,
    Effect.all([...presets.map((agent) => AcpAdapter.make(agent.tool, agent)), AcpAdapter.make("acp")])
  )
}
