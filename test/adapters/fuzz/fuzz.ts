/**
 * fuzz: every agent's recordings, with any one field of any message of another type. No turn stays open, nothing
 * crashes, every request of the agent is answered; and but for the answer that names the conversation, each opens.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { Contract } from "../contract.js"
import { claude, claudeAgentAcp, codex, gemini } from "../contracts.js"
import { playVariant } from "./play.js"
import { sample, type Variant, variantsOf } from "./variants.js"

const recordings = (tool: string): ReadonlyArray<string> => {
  const folder = join(import.meta.dirname, "../../fixtures", tool)
  return readdirSync(folder).filter((name) => name.endsWith(".jsonl")).map((name) => join(folder, name))
}

/** Without its name no conversation can be spoken to: that it cannot be opened is said in words. */
const namesConversation =
  /^answer to (?:session\/new|thread\/start): (?:result|result\.sessionId|result\.thread|result\.thread\.id) \(/

const faultsOf = (contract: Contract, variant: Variant) =>
  Effect.map(playVariant(contract, variant.file, variant), ({ faults, refused }) =>
    [
      ...faults,
      ...refused === undefined || namesConversation.test(variant.name) ? [] : [`it is not opened: ${refused}`]
    ].map((fault) => `${variant.name}: ${fault}`))

/** `count`: how many of each agent's variants, spread over all; undefined: all. */
export const describeFuzz = (count?: number) =>
  describe.each([claude, codex, gemini, claudeAgentAcp])("$tool, one field of another type", (contract) => {
    const files = recordings(contract.tool)

    it.effect("does all that is asked of it where nothing is changed", () =>
      Effect.gen(function*() {
        for (const file of files) {
          const { events, faults, refused } = yield* playVariant(contract, file)
          assert.deepStrictEqual([refused, faults], [undefined, []], file)
          assert.include(events.map(({ type }) => type), "turn_end", file)
        }
      }))

    it.effect("leaves no turn open, crashes nowhere, answers every request", () =>
      Effect.gen(function*() {
        const all = variantsOf(files)
        assert.isAbove(all.length, 1000)
        const found: Array<string> = []
        for (const variant of count === undefined ? all : sample(all, count, 16)) {
          found.push(...yield* faultsOf(contract, variant))
        }
        assert.deepStrictEqual(found, [])
      }), 900_000)
  })
