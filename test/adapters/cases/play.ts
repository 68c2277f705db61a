/** play: small transcripts of one fault each (`test/fixtures/cases`), through a real session. */
import { Effect, Layer, Option } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcpAdapter from "../../../src/adapters/acp/AcpAdapter.js"
import { Credentials } from "../../../src/adapters/Adapter.js"
import type { OpenError } from "../../../src/adapters/AdapterError.js"
import { AgentAdapter } from "../../../src/adapters/AgentDescriptor.js"
import * as ClaudeAdapter from "../../../src/adapters/claude/ClaudeAdapter.js"
import * as CodexAdapter from "../../../src/adapters/codex/CodexAdapter.js"
import type { BodyOf, EventType, RelayEvent } from "../../../src/schema/index.js"
import type { Native } from "../../support/transcriptSpawner.js"
import { type Play, playRecording } from "../contract.js"

const noKeys = Layer.succeed(Credentials, { names: () => [], get: () => Effect.succeed(Option.none()) })

/** Those whose cases are played. */
export const agents = {
  claude: { tool: "claude", adapter: Effect.provide(AgentAdapter, ClaudeAdapter.layer()) },
  codex: {
    tool: "codex",
    adapter: Effect.provide(AgentAdapter, Layer.provide(CodexAdapter.layer(), noKeys))
  },
  acp: { tool: "acp", adapter: AcpAdapter.make("acp"), handshake: { command: ["some-agent"] } }
} satisfies Record<string, Partial<Play>>

/** A client that sends prompts, interrupts, and answers every question with `answer`, or with several in turn. */
export const driveWith = (answer: object | ReadonlyArray<object>): Play["drive"] => (input, seen) => {
  const ask = seen.findLast((event) => event.type === "permission_request")
  const respond = [answer].flat().map((fields) => ({
    type: "permission_response",
    request_id: ask?.request_id,
    ...fields
  }))
  if (input.type === "user" || input.method === "session/prompt" || input.method === "turn/start") {
    return { text: "go" }
  }
  if (input.type === "control_request" && input.request.subtype === "interrupt") return { type: "interrupt" }
  if (input.method === "session/cancel" || input.method === "turn/interrupt") return { type: "interrupt" }
  return input.type === "control_response" || (input.method === undefined && "id" in input)
    ? respond
    : undefined
}

export interface Played {
  readonly events: ReadonlyArray<RelayEvent>
  /** All that was written to the agent. */
  readonly told: ReadonlyArray<Native>
}

interface Options {
  readonly answer?: object | ReadonlyArray<object>
  readonly handshake?: object
}

const playFile = (
  agent: keyof typeof agents,
  file: string,
  { answer = { behavior: "allow", scope: "session" }, handshake = {} }: Options
): Effect.Effect<Played, OpenError> => {
  const known = agents[agent]
  const told: Array<Native> = []
  return Effect.map(
    playRecording({
      ...known,
      handshake: { ..."handshake" in known ? known.handshake : {}, ...handshake },
      drive: driveWith(answer),
      onWritten: (message) => told.push(message)
    }, file),
    (events) => ({ events, told })
  )
}

export const playCase = (name: string, options: Options = {}): Effect.Effect<Played, OpenError> =>
  playFile(
    name.split("-")[0] as keyof typeof agents, // Cases are named after their agent.
    join(import.meta.dirname, "..", "..", "fixtures", "cases", `${name}.jsonl`),
    options
  )

/** A conversation in lines of the recordings' form (`lines.ts`); it ends with the last of them. */
export const playLines = (agent: keyof typeof agents, lines: ReadonlyArray<object>, options: Options = {}) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-case-"))),
    (folder) => {
      const file = join(folder, "case.jsonl")
      const end = { dir: "exit", data: { code: 0, signal: null } }
      writeFileSync(file, [...lines, end].map((line) => JSON.stringify(line)).join("\n"))
      return playFile(agent, file, options)
    },
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )

export const ofType = <Type extends EventType>(events: ReadonlyArray<RelayEvent>, type: Type) =>
  events.filter((event): event is RelayEvent & BodyOf<Type> => event.type === type)

/** The first event of this type. */
export const first = <Type extends EventType>(events: ReadonlyArray<RelayEvent>, type: Type) => {
  const found = ofType(events, type)[0]
  if (found === undefined) throw new Error(`there is no ${type}`)
  return found
}
