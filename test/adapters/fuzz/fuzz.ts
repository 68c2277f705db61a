/**
 * fuzz: every agent's recordings, with any one field of any message of another type. No turn stays open, nothing
 * crashes, every request of the agent is answered; and but for the answer that names the conversation, each opens.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { agents, driveWith } from "../cases/play.js"
import type { Contract, Play } from "../contract.js"
import { claude, claudeAgentAcp, codex, gemini } from "../contracts.js"
import { playVariant } from "./play.js"
import { sample, type Variant, variantsOf } from "./variants.js"

const recordings = (tool: string): ReadonlyArray<string> => {
  const folder = join(import.meta.dirname, "../../fixtures", tool)
  return readdirSync(folder).filter((name) => name.endsWith(".jsonl")).map((name) => join(folder, name))
}

/** One needs a conversation to go on with, one asks what must not be answered. */
const unfit = /acp-resume-not-there|claude-user-dialog/

/** Small transcripts of single faults (`test/adapters/cases`): messages no recording has. */
const casesOf = (tool: keyof typeof agents) => ({
  contract: {
    ...agents[tool],
    tool,
    drive: driveWith({ behavior: "allow", answers: { name: "Ada", age: "7" } })
  },
  files: recordings("cases").filter((file) => basename(file).startsWith(`${tool}-`) && !unfit.test(file)),
  name: `${tool}, single faults`,
  least: 300
})

const recorded = (contract: Contract) => ({
  contract,
  files: recordings(contract.tool),
  name: contract.tool,
  least: 1000
})

/** Without its name no conversation can be spoken to: that it cannot be opened is said in words. */
const namesConversation =
  /^answer to (?:session\/new|thread\/start): (?:result|result\.sessionId|result\.thread|result\.thread\.id) \(/

const faultsOf = (contract: Play, variant: Variant) =>
  Effect.map(playVariant(contract, variant.file, variant), ({ faults, refused }) =>
    [
      ...faults,
      ...refused === undefined || namesConversation.test(variant.name) ? [] : [`it is not opened: ${refused}`]
    ].map((fault) => `${variant.name}: ${fault}`))

/** `count`: how many of each agent's variants, spread over all; undefined: all. */
export const describeFuzz = (count?: number) =>
  describe.each([
    ...[claude, codex, gemini, claudeAgentAcp].map(recorded),
    ...(["claude", "codex", "acp"] as const).map(casesOf)
  ])("$name, one field of another type", ({ contract, files, least }) => {
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
        assert.isAbove(all.length, least)
        const found: Array<string> = []
        for (const variant of count === undefined ? all : sample(all, count, 16)) {
          found.push(...yield* faultsOf(contract, variant))
        }
        assert.deepStrictEqual(found, [])
      }), 900_000)
  })
