/** AdapterRegistry: which agent goes by which name. */
import { Context, Effect, Layer, Schema } from "effect"
import type { Adapter } from "./Adapter.js"

/** The handshake's `tool` is a name nobody knows. */
export class UnknownTool extends Schema.TaggedError<UnknownTool>()("UnknownTool", {
  tool: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message() {
    return `the relay knows no tool "${this.tool}": set \`tool\` to one of ${this.known.join(", ")}`
      + ", or start the relay with --allow-program to let it be a program's name"
  }
}

export class AdapterRegistry extends Context.Tag("ai-relay/adapters/AdapterRegistry")<AdapterRegistry, {
  readonly get: (tool: string) => Effect.Effect<Adapter, UnknownTool>
  readonly tools: ReadonlyArray<string>
}>() {
  /** `aliases` are further names: `{"claude-code": "claude"}`. */
  static readonly layer = <E, R>(
    adapters: Effect.Effect<ReadonlyArray<Adapter>, E, R>,
    aliases: Readonly<Record<string, string>> = {}
  ) => Layer.effect(this, Effect.map(adapters, (found) => registryOf(found, aliases)))
}

const registryOf = (
  adapters: ReadonlyArray<Adapter>,
  aliases: Readonly<Record<string, string>>
): Context.Tag.Service<AdapterRegistry> => {
  const byName = new Map(adapters.map((adapter) => [adapter.tool, adapter]))
  const tools = [...byName.keys()]
  return {
    tools,
    get: (tool) => {
      const adapter = byName.get(Object.hasOwn(aliases, tool) ? aliases[tool] ?? tool : tool)
        ?? adapters.map(({ named }) => named?.(tool)).find((found) => found !== undefined)
      return adapter === undefined
        ? Effect.fail(new UnknownTool({ tool, known: tools }))
        : Effect.succeed(adapter)
    }
  }
}
