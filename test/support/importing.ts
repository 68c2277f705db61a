/** importing: `ai-relay import` in this process, into a state folder of its own, and what is saved there then. */
import { Effect } from "effect"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { RelayEvent } from "../../src/schema/index.js"
import { commandLine } from "./commandLine.js"

/** A folder for files, with a state folder in it that is not there yet; removed by `cleanUp`. */
export const newFolder = (cleanUp: (step: () => unknown) => void) => {
  const folder = mkdtempSync(join(tmpdir(), "ai-relay-import-"))
  cleanUp(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, state: join(folder, "state") }
}

/** The lines a command prints. */
export const said = async (...args: ReadonlyArray<string>) =>
  (await Effect.runPromise(commandLine(...args))).lines

/** The lines that an import into this state folder prints. */
export const importing = (state: string, ...args: ReadonlyArray<string>) =>
  said("import", "--state-dir", state, ...args)

/** The ids of saved sessions, sorted. */
export const savedIn = (state: string): ReadonlyArray<string> =>
  existsSync(join(state, "sessions")) ? readdirSync(join(state, "sessions")).toSorted() : []

/** The events of a saved session. */
export const eventsOf = (state: string, id: string): ReadonlyArray<RelayEvent> =>
  readdirSync(join(state, "sessions", id)).filter((name) => name.endsWith(".ndjson")).toSorted()
    .flatMap((name) => readFileSync(join(state, "sessions", id, name), "utf8").trim().split("\n"))
    .map((line) => JSON.parse(line) as RelayEvent)
