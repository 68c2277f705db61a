/**
 * AdapterRegistry: finds the agent for a tool name.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { Adapter } from "./Adapter.js"

/** The handshake's `tool` is an unknown name. */
export class UnknownTool extends Schema.TaggedError<UnknownTool>()("UnknownTool", {
  tool: Schema.String,
  known: Schema.Array(Schema.String),
  /** The tool is known, but not allowed here. */
  withheld: Schema.optional(Schema.Boolean)
}) {
  override get message() {
    if (this.withheld === true) {
      return `this relay does not offer the tool "${this.tool}": set \`tool\` to one of ${
        this.known.join(", ")
      }`
        + `, or start it with --tools ${this.tool}`
    }
    return `unknown tool "${this.tool}": set \`tool\` to one of ${this.known.join(", ")}`
      + ", or start the relay with --allow-program to allow it as a program's name"
  }
}

export class AdapterRegistry extends Context.Service<AdapterRegistry, {
  readonly get: (tool: string) => Effect.Effect<Adapter, UnknownTool>
  readonly tools: ReadonlyArray<string>
  /** The adapter's canonical name for one of its aliases. */
  readonly nameOf: (tool: string) => string
}>()("ai-relay/adapters/AdapterRegistry") {
  /**
   * Of two adapters with one `tool`, the last counts. `aliases` maps further names, for example
   * `{"claude-code": "claude"}`. `offered` lists the allowed tools; empty means all.
   */
  static readonly layer = <E, R>(
    adapters: Effect.Effect<ReadonlyArray<Adapter>, E, R>,
    aliases: Readonly<Record<string, string>> = {},
    offered: ReadonlyArray<string> = []
  ) => Layer.effect(this, Effect.map(adapters, (found) => registryOf(found, aliases, offered)))
}

const registryOf = (
  adapters: ReadonlyArray<Adapter>,
  aliases: Readonly<Record<string, string>>,
  offered: ReadonlyArray<string>
): AdapterRegistry["Service"] => {
  const byName = new Map(adapters.map((adapter) => [adapter.tool, adapter]))
  const nameOf = (tool: string) => (Object.hasOwn(aliases, tool) ? aliases[tool] : undefined) ?? tool
  const names = offered.map(nameOf)
  const isOffered = ({ tool }: Adapter) => names.length === 0 || names.includes(tool)
  const tools = [...byName.values()].filter(isOffered).map(({ tool }) => tool)

  /** The adapter itself, or a program that another adapter runs. */
  const find = (tool: string): { readonly adapter: Adapter; readonly by: Adapter } | undefined => {
    const adapter = byName.get(nameOf(tool))
    if (adapter !== undefined) return { adapter, by: adapter }
    return adapters.flatMap((by) => {
      const named = by.named?.(tool)
      return named === undefined ? [] : [{ adapter: named, by }]
    })[0]
  }

  return {
    tools,
    nameOf,
    get: (tool) => {
      const found = find(tool)
      if (found === undefined) return new UnknownTool({ tool, known: tools })
      return isOffered(found.by) || isOffered(found.adapter)
        ? Effect.succeed(found.adapter)
        : new UnknownTool({ tool, known: tools, withheld: true })
    }
  }
}
