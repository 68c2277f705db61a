/** recordedSessions: what the relay's log holds after each recording of a real agent, for whoever reads events. */
import { Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { RelayEvent } from "../../src/schema/index.js"
import { playCase } from "../adapters/cases/play.js"
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

/** What the small recordings want of their client, if it is not the usual. */
const wanted: Readonly<Record<string, Parameters<typeof playCase>[1]>> = {
  "acp-resume-not-there": { handshake: { native_session_id: "s1" } },
  "claude-elicitation": { answer: { answers: { name: "Ada" } } },
  "codex-openai-form": { answer: { answers: { a: "Ada" } } }
}

/** The recordings of real agents, also the small ones of one fault each, played through their adapters, and the relay's own transcripts. */
export const recordedSessions: ReadonlyArray<Recorded> = [
  ...[claude, codex, claudeAgentAcp, gemini].flatMap((contract) =>
    named(contract.tool, ".jsonl").map(({ name, path }) => ({
      name,
      // Played once in a process.
      events: Effect.runSync(Effect.cached(Effect.orDie(playRecording(contract, path))))
    }))
  ),
  ...named("cases", ".jsonl").filter(({ name }) => !name.includes("cortex")).map(({ name }) => {
    const file = name.slice("cases/".length)
    const played = Effect.map(Effect.orDie(playCase(file, wanted[file])), ({ events }) => events)
    return { name, events: Effect.runSync(Effect.cached(played)) }
  }),
  ...named("replay", ".ndjson").map(({ name, path }) => ({ name, events: Effect.sync(() => lines(path)) }))
]
