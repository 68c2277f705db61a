/** nativeHomes: the samples of native sessions, each version of an agent as a home of its own. */
import { fileURLToPath } from "node:url"
import { makeStore as claude } from "../../src/adapters/claude/nativeSessions.js"
import { makeStore as codex } from "../../src/adapters/codex/nativeSessions.js"
import { makeStore as gemini } from "../../src/adapters/gemini/nativeSessions.js"
import { runSteps } from "../../src/adapters/native/NativeFiles.js"
import type { NativeFile, NativeStore } from "../../src/adapters/native/NativeStore.js"
import * as NativeTurns from "../../src/adapters/native/NativeTurns.js"
import * as NativeDisk from "../../src/services/native/NativeDisk.js"

export const samples = fileURLToPath(new URL("../fixtures/native-sessions", import.meta.url))

const agents = {
  claude: [claude, "CLAUDE_CONFIG_DIR"],
  codex: [codex, "CODEX_HOME"],
  gemini: [gemini, "GEMINI_CLI_HOME"]
} as const

export type Agent = keyof typeof agents

/** The folder all samples were made in stands for the home folder. */
export const storeAt = (agent: Agent, root: string): NativeStore => {
  const [make, variable] = agents[agent]
  return make(NativeDisk.make({ home: "/srv/shop", variables: { [variable]: root } }))
}

export const storeOf = (agent: Agent, version: string): NativeStore =>
  storeAt(agent, `${samples}/${agent}/${version}`)

export const fileOf = (store: NativeStore, id: string): NativeFile => {
  const found = runSteps(store.files(["/"])).find((file) => file.id.startsWith(id))
  if (found === undefined) throw new Error(`there is no sample ${id}`)
  return found
}

/** A conversation's events, of the last `bytes` of its file. */
export const eventsOf = (store: NativeStore, file: NativeFile, bytes = Number.POSITIVE_INFINITY) => {
  const turns = NativeTurns.make()
  const { records } = runSteps(store.history(file, bytes))
  return [...records.flatMap((record) => turns.push(record)), ...turns.finish()]
}

export const promptsOf = (events: ReadonlyArray<NativeTurns.TimedEvent>): ReadonlyArray<string> =>
  events.flatMap(({ event }) => event.type === "turn_start" ? [event.text ?? "(by itself)"] : [])
