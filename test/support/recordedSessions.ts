/** recordedSessions: what the relay's log holds after each recording of a real agent, for whoever reads events. */
import { Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { RelayEvent } from "../../src/schema/index.js"
import { playRecording } from "../adapters/contract.js"
import { claude, claudeAgentAcp, codex, gemini } from "../adapters/contracts.js"

export interface Recorded {
  /** Such as `claude/hello`. */
  readonly name: string
  readonly events: Effect.Effect<ReadonlyArray<RelayEvent>>
}

const fixtures = join(import.meta.dirname, "../fixtures")
const named = (folder: string, ending: string) =>
  readdirSync(join(fixtures, folder)).filter((name) => name.endsWith(ending)).map((name) => ({
    name: `${folder}/${name.slice(0, -ending.length)}`,
    path: join(fixtures, folder, name)
  }))

const lines = (path: string): ReadonlyArray<RelayEvent> =>
  readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line) as RelayEvent)

/** The recordings of real agents, played through their adapters, and the relay's own transcripts. */
export const recordedSessions: ReadonlyArray<Recorded> = [
  ...[claude, codex, claudeAgentAcp, gemini].flatMap((contract) =>
    named(contract.tool, ".jsonl").map(({ name, path }) => ({
      name,
      // Played once in a process.
      events: Effect.runSync(Effect.cached(Effect.orDie(playRecording(contract, path))))
    }))
  ),
  ...named("replay", ".ndjson").map(({ name, path }) => ({ name, events: Effect.sync(() => lines(path)) }))
]
