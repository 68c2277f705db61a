import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Adapter } from "../../src/adapters/Adapter.js"
import { AdapterRegistry } from "../../src/adapters/AdapterRegistry.js"

const adapter = (tool: string): Adapter => ({ tool, open: () => Effect.never })
const generic: Adapter = {
  ...adapter("generic"),
  named: (tool) => tool === "bash" ? adapter("bash") : undefined
}

const look = (tool: string, ...offered: ReadonlyArray<string>) =>
  Effect.flatMap(AdapterRegistry, (registry) => registry.get(tool)).pipe(
    Effect.match({ onSuccess: (found) => found.tool, onFailure: ({ message }) => message }),
    Effect.provide(
      AdapterRegistry.layer(Effect.succeed([adapter("claude"), adapter("codex"), generic]), {
        "claude-code": "claude"
      }, offered)
    ),
    Effect.runSync
  )

describe("AdapterRegistry", () => {
  it("finds agents by their names, and programs by theirs", () => {
    assert.strictEqual(look("claude"), "claude")
    assert.strictEqual(look("claude-code"), "claude")
    assert.strictEqual(look("bash"), "bash")
  })

  it("says which there are", () => {
    for (const tool of ["x", "", "__proto__", "constructor"]) {
      assert.include(look(tool), "set `tool` to one of claude, codex, generic")
    }
  })

  it("offers only those the relay was started with, and says how to add one", () => {
    assert.strictEqual(look("claude-code", "claude"), "claude")
    assert.strictEqual(look("claude", "claude-code"), "claude")
    const refusal = look("codex", "claude")
    assert.include(refusal, "set `tool` to one of claude,")
    assert.include(refusal, "--tools codex")
    assert.include(look("bash", "claude"), "--tools bash")
    assert.strictEqual(look("bash", "claude", "bash"), "bash")
    assert.strictEqual(look("bash", "generic"), "bash")
    assert.include(look("x", "claude"), "unknown tool")
  })
})
