/** registryFile: loads the agents of `--acp-registry`. The relay does not start if the file cannot be used. */
import { Effect, FileSystem, Option, Schema } from "effect"
import type { OwnAgent } from "../adapters/acp/AcpAgent.js"
import { presets } from "../adapters/acp/presets.js"
import { registryDifferences } from "../adapters/acp/registryDifferences.js"
import { readRegistry } from "../adapters/acp/registryFile.js"

export class RegistryUnusable
  extends Schema.TaggedError<RegistryUnusable>()("RegistryUnusable", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

interface RegistryFile {
  readonly path: string
  readonly content: string
}

/** The file's content; none if no file was named. */
export const readRegistryFile = Effect.fnUntraced(function*(file: Option.Option<string>) {
  if (Option.isNone(file)) return Option.none<RegistryFile>()
  const path = file.value
  const files = yield* FileSystem.FileSystem
  const content = yield* Effect.mapError(
    files.readFileString(path),
    () =>
      new RegistryUnusable({
        reason: `--acp-registry ${path} cannot be read: check the path and its permissions`
      })
  )
  return Option.some<RegistryFile>({ path, content })
})

/** The differences between such a file and the known agents, one per line. */
export const differencesIn = ({ content }: RegistryFile): ReadonlyArray<string> =>
  registryDifferences(presets, content)

/** The agents in it. Entries that cannot be used here are logged. */
export const agentsIn = Effect.fnUntraced(function*({ content, path }: RegistryFile) {
  const { agents, problems } = readRegistry(content)
  if (agents.length === 0) {
    return yield* new RegistryUnusable({
      reason: `--acp-registry ${path} contains no agent that can be started here: ${
        problems.join("; ") || "it is empty"
      }`
    })
  }
  for (const problem of problems) {
    yield* Effect.logWarning(`--acp-registry ${path}: ${problem}; this agent is skipped`)
  }
  return agents
})

/** The agents; empty if no file was named. */
export const loadRegistry = Effect.fnUntraced(function*(file: Option.Option<string>) {
  const found = yield* readRegistryFile(file)
  return Option.isNone(found) ? [] as ReadonlyArray<OwnAgent> : yield* agentsIn(found.value)
})
