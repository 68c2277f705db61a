/**
 * lazily: a descriptor's adapter, whose code is loaded when a session first needs it. A relay seldom serves
 * all its agents, and each has its own schemas, so this keeps the start fast and an idle relay's memory
 * small.
 */
import { Effect } from "effect"
import type { Adapter } from "./Adapter.js"
import { AgentFailed } from "./AdapterError.js"
import {
  type AdapterPorts,
  type AdapterSettings,
  AgentAdapter,
  type AgentDescriptor
} from "./AgentDescriptor.js"

/** Its module is loaded and its layer built once for all sessions. */
export const lazily = (
  { adapter: load, opens, terminal, tool, works_on_files }: AgentDescriptor,
  settings: AdapterSettings
) =>
  Effect.gen(function*() {
    const ports = yield* Effect.context<AdapterPorts>()
    const made = yield* Effect.tryPromise({
      try: load,
      // For example after an update: the files of a relay that is still running are gone.
      catch: (cause) =>
        new AgentFailed({
          tool,
          reason: "the relay's code for it cannot be loaded: restart the relay",
          cause
        })
    }).pipe(
      Effect.flatMap(({ layer }) => Effect.provide(AgentAdapter, layer(settings))),
      Effect.provide(ports),
      // Others wait for it too, whatever happens to the session that came first.
      Effect.uninterruptible,
      Effect.cached
    )
    const open: Adapter["open"] = (spec) => Effect.flatMap(made, (adapter) => adapter.open(spec))
    const kind = {
      ...(terminal !== undefined && { terminal }),
      ...(works_on_files !== undefined && { works_on_files })
    }
    const adapter: Adapter = {
      tool,
      ...kind,
      open,
      ...(opens !== undefined && {
        named: (name) =>
          opens(name, settings)
            ? { tool: name, ...kind, open: (spec) => open({ ...spec, tool: name }) }
            : undefined
      })
    }
    return adapter
  })
