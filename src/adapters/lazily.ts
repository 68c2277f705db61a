/**
 * lazily: an adapter whose code is loaded when a session first wants it. A relay seldom serves all its agents, and each
 * has schemas of its own, so neither the start nor an idle relay's memory is charged for them.
 */
import { Effect } from "effect"
import type { Adapter } from "./Adapter.js"
import { AgentFailed } from "./AdapterError.js"

/** `load` imports it, `make` makes it: once, for all sessions; `more` is known without. */
export const lazily = <Module, R>(
  tool: string,
  load: () => Promise<Module>,
  make: (module: Module) => Effect.Effect<Adapter, never, R>,
  more: Pick<Adapter, "works_on_files"> = {}
) =>
  Effect.gen(function*() {
    const ports = yield* Effect.context<R>()
    const made = yield* Effect.tryPromise({
      try: load,
      // As after an update: the files of a relay that still runs are gone.
      catch: (cause) =>
        new AgentFailed({
          tool,
          reason: "the relay's own code for it does not load: restart the relay",
          cause
        })
    }).pipe(
      Effect.flatMap(make),
      Effect.provide(ports),
      // Others wait for it too, whatever becomes of the session that came first.
      Effect.uninterruptible,
      Effect.cached
    )
    const adapter: Adapter = { ...more, tool, open: (spec) => Effect.flatMap(made, ({ open }) => open(spec)) }
    return adapter
  })
